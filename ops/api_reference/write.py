"""The API's description and its page: written from the code, or compared with what is written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import payfirst.api.reference
from ops.api_reference.document import build, text_of
from ops.api_reference.page import render

WRITTEN: Final = Path(payfirst.api.reference.__file__).parent
MOST_LINES: Final = 80


def write_reference(folder: Path = WRITTEN) -> list[Path]:
    """Write the description and the page that the code has now; which files these are."""
    for name, text in _texts().items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in _texts()]


def difference(folder: Path = WRITTEN) -> list[str]:
    """How the files in `folder` differ from what the code would write, as lines of a diff; empty when they do not."""
    lines = [line for name, text in _texts().items() for line in _changed(folder / name, text)]
    hidden = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], f"… and {hidden} more lines"] if hidden > 0 else lines


def _texts() -> Mapping[str, str]:
    document = build()
    return {"openapi.json": text_of(document), "reference.html": render(document)}


def _changed(file: Path, text: str) -> list[str]:
    written = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return list(difflib.unified_diff(written, text.splitlines(), file.name, "the code says", lineterm=""))
