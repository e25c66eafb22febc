"""The picture of what `make bench` measured: what each request costs each peer, divided by what it costs Django."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from local.embedded_aws import ROOT

PICTURE: Final = ROOT / "docs" / "pictures" / "bench.svg"
COLOURS: Final = {
    "ours": "#0b7a43",
    "django_shop": "#888",
    "fastapi_shop": "#5b8def",
    "powertools": "#d98324",
    "bare": "#b39ddb",
}
FONT: Final = 'font-family="sans-serif" font-size="12" role="img"'
LEFT, RIGHT, TOP = 150, 690, 60
BAR, GAP = 13, 18
MOST: Final = 2.5
"""The widest ratio that is drawn; a bar beyond it ends there and its number says how far it went."""


def draw(warm: Mapping[str, Any], rows: Sequence[str], names: Mapping[str, str], path: Path = PICTURE) -> None:
    """Write the picture of `warm`, by peer and request, as `benchmarks/results.json` has it."""
    height = TOP + len(rows) * (len(names) * BAR + GAP) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" {FONT}>',
        "<title>Processor time of each request, divided by Django's</title>",
        "<style>text{fill:#333}line{stroke:#999}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>",
        *_legend(names),
        *_grid(height),
    ]
    for number, row in enumerate(rows):
        parts += _bars(warm, row, names, TOP + number * (len(names) * BAR + GAP))
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _x(ratio: float) -> float:
    return round(LEFT + min(ratio, MOST) / MOST * (RIGHT - LEFT), 1)


def _legend(names: Mapping[str, str]) -> Iterator[str]:
    told = "Processor time, divided by Django's; across each bar the middle half of its blocks"
    yield f'<text x="{LEFT}" y="18">{told}</text>'
    for place, (peer, name) in enumerate(names.items()):
        yield f'<rect x="{LEFT + place * 110}" y="28" width="10" height="10" fill="{COLOURS[peer]}"/>'
        yield f'<text x="{LEFT + place * 110 + 14}" y="37">{name}</text>'


def _grid(height: int) -> Iterator[str]:
    for tenths in range(0, 26, 5):
        x = _x(tenths / 10)
        dashes = "" if tenths == 10 else ' stroke-dasharray="2 4"'  # noqa: PLR2004 - Django's own line is whole
        yield f'<line x1="{x}" y1="{TOP - 4}" x2="{x}" y2="{height - 10}"{dashes}/>'
        yield f'<text x="{x}" y="{height}" text-anchor="middle" font-size="10">{tenths / 10:g}</text>'


def _bars(warm: Mapping[str, Any], row: str, names: Mapping[str, str], top: int) -> Iterator[str]:
    django = warm["django_shop"][row]["cpu"][0]
    yield f'<text x="{LEFT - 8}" y="{top + len(names) * BAR / 2 + 4:g}" text-anchor="end">{row}</text>'
    for place, peer in enumerate(names):
        ratio, low, high = (value / django for value in warm[peer][row]["cpu"])
        y = top + place * BAR
        yield f'<rect x="{LEFT}" y="{y}" width="{_x(ratio) - LEFT:.1f}" height="{BAR - 2}" fill="{COLOURS[peer]}"/>'
        yield f'<line x1="{_x(low)}" y1="{y + 5.5}" x2="{_x(high)}" y2="{y + 5.5}" style="stroke:#555"/>'
        yield f'<text x="{_x(max(ratio, high)) + 4:g}" y="{y + 10}" font-size="10">{ratio:.2f}</text>'
