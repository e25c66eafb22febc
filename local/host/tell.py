"""What the host says: JSON lines on standard output for whoever started it, and one raw log file per function."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from local.host.config import Json

UNHANDLED: Final = "LAMBDA_WARNING: Unhandled exception"
"""What the runtime adds to each error that a function lets out; the host tells of those itself."""
WORTH_SHOWING: Final = frozenset({"WARNING", "WARN", "ERROR", "CRITICAL", "FATAL"})


def tell(kind: str, **facts: Json) -> None:
    """Say one thing: `kind` is `ready`, `warm`, `request`, `log`, `problem` or `stopped`."""
    line = json.dumps({"kind": kind, "time": datetime.now(UTC).isoformat(), **facts}, default=str)
    with contextlib.suppress(BrokenPipeError):  # whoever listened is gone, and with it the host's lifeline: it stops
        sys.stdout.write(f"{line}\n")
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
    level, tab, message = line.partition("\t")
    if tab and level.strip("[]") in WORTH_SHOWING and UNHANDLED not in message:
        return {"level": level.strip("[]"), "message": message.rsplit("\t", 1)[-1]}
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
