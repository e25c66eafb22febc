"""What the host says: JSON lines on standard output for whoever started it, and one raw log file per function."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from local.host.config import Json

WORTH_SHOWING: Final = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})


def tell(kind: str, **facts: Json) -> None:
    """Say one thing: `kind` is `ready`, `warm`, `request`, `log`, `problem` or `stopped`."""
    sys.stdout.write(json.dumps({"kind": kind, "time": datetime.now(UTC).isoformat(), **facts}, default=str) + "\n")
    sys.stdout.flush()


def interesting(line: str) -> dict[str, Any] | None:
    """What a function's log line has to say to a person: a state change, a warning or an error; None for everything else."""
    if line.startswith("{"):
        try:
            record = json.loads(line)
        except ValueError:
            return None
        if "event" in record or str(record.get("level", "")).upper() in WORTH_SHOWING:
            return dict(record)
        return None
    level = line[1:].split("]", 1)[0] if line.startswith("[") else ""
    if level in WORTH_SHOWING:
        return {"level": level, "message": line}
    return None


class FunctionLog:
    """The log of one function: everything its workers write goes to the file, what matters is told as well."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        directory.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = (directory / f"{name}.log").open("ab", buffering=0)

    def line(self, raw: bytes) -> None:
        """Take one line that a worker wrote, without its line end."""
        self._file.write(raw + b"\n")
        record = interesting(raw.decode(errors="replace"))
        if record is not None:
            tell("log", function=self._name, record=record)

    def note(self, text: str) -> None:
        """Write a line of the host's own, as the Lambda service adds START and REPORT."""
        self._file.write(text.encode() + b"\n")

    def close(self) -> None:
        self._file.close()
