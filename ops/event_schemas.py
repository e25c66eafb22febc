"""The schemas of the events that leave, as files for those who receive them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from ops.running import ROOT
from payfirst.api.wire.events import EVENTS

WRITTEN: Final = ROOT / "docs" / "events"


def _text(name: str) -> str:
    schema = EVENTS[name].model_json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": name}, indent=2) + "\n"


def write_schemas(folder: Path = WRITTEN) -> None:
    """Write one JSON Schema for each event."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in EVENTS:
        (folder / f"{name}.json").write_text(_text(name), encoding="utf-8")


def outdated(folder: Path = WRITTEN) -> list[str]:
    """The names of the files that are not what the code would write, or that no event has."""
    files = {file.name for file in folder.glob("*.json")}
    expected = {f"{name}.json": _text(name) for name in EVENTS}
    differing = {name for name, text in expected.items() if name in files and (folder / name).read_text("utf-8") != text}
    return sorted(differing | (files ^ set(expected)))
