"""The API's description: written from the code, or compared with what is written."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Final

import payfirst.api.reference
from ops.api_reference.document import build, text_of

WRITTEN: Final = Path(payfirst.api.reference.__file__).with_name("openapi.json")
MOST_LINES: Final = 80


def write_reference(file: Path = WRITTEN) -> Path:
    """Write the description that the code has now; which file that is."""
    file.write_text(text_of(build()), encoding="utf-8")
    return file


def difference(file: Path = WRITTEN) -> list[str]:
    """How `file` differs from what the code would write, as lines of a diff; empty when it does not."""
    written = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    says = text_of(build()).splitlines()
    lines = list(difflib.unified_diff(written, says, file.name, "the code says", lineterm=""))
    hidden = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], f"… and {hidden} more lines"] if hidden > 0 else lines
