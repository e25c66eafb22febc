"""What `make run` shows: one readable line for each request and each change of state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from local.host.tell import interesting
from ops.printing import visible

NOT_FACTS: Final = frozenset(
    {
        "level",
        "location",
        "message",
        "timestamp",
        "service",
        "event",
        "cold_start",
        "function_name",
        "function_memory_size",
        "function_arn",
        "function_request_id",
        "correlation_id",
        "request_id",
        "xray_trace_id",
        "sampling_rate",
        "exception",
        "exception_name",
        "stack_trace",
    }
)
"""Keys of a log line that say nothing about what happened."""

LONGEST_VALUE: Final = 60
LONGEST_MESSAGE: Final = 300
MOST_SESSIONS: Final = 1000
"""Of so many sessions at once it is known what they are about."""
STAMPED: Final = re.compile(r"\d\d:\d\d:\d\d (.+)")
CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500
LEVEL_STYLES: Final = {"WARNING": "yellow", "WARN": "yellow", "ERROR": "red", "CRITICAL": "red", "FATAL": "red"}


class Screen:
    """Prints what a stack tells, line by line; `show` may be called from several threads."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._about: dict[str, str] = {}

    def say(self, text: str, style: str = "") -> None:
        """Print something of the program's own, in one piece."""
        self._console.print(Text(text, style), soft_wrap=True)

    def show(self, told: Mapping[str, Any]) -> None:
        """Print what was told, if it is for a person."""
        line = readable(self._named(told))
        if line is not None:
            self._console.print(line, soft_wrap=True)

    def _named(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """`told` with a session named by what it is about, once a line has said so, and the end of its UUID."""
        record = told.get("record", {})
        session = record.get("session")
        about = record.get("about") or self._about.get(str(session))
        if session is None or about is None:
            return told
        while len(self._about) >= MOST_SESSIONS:
            self._about.pop(next(iter(self._about)), None)
        self._about[str(session)] = about
        rest = {name: value for name, value in record.items() if name != "about"}
        return {**told, "record": {**rest, "session": f"{about} (…{str(session)[-4:]})"}}


class Moves:
    """What commands of `payfirst` have logged about this stack since it was made, read from the file that they write."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = file.stat().st_size if file.exists() else 0

    def since(self) -> Iterator[Mapping[str, Any]]:
        """What has come since the last call, as `Screen.show` takes it."""
        if not self._file.exists():
            return
        with self._file.open("rb") as log:
            log.seek(self._read)
            whole, end, _ = log.read().rpartition(b"\n")
        self._read += len(whole + end)
        for line in whole.decode(errors="replace").splitlines():
            record = interesting(line)
            if record is not None:
                yield {"kind": "log", "function": "payfirst", "record": record}


def readable(told: Mapping[str, Any]) -> Text | None:
    """One line for one thing told by the host or the simulators; None for what a person need not see."""
    clock = _clock(told.get("time"))
    match told["kind"]:
        case "request":
            status = told["status"]
            style = "red" if status >= SERVER_ERROR else "yellow" if status >= CLIENT_ERROR else "green"
            return Text.assemble(
                (f"{clock}  ", "dim"), f"{told['method']:<6} {told['path']}  ", (str(status), style), f"  {told['ms']:.0f} ms"
            )
        case "log":
            return _log_line(clock, told["function"], told["record"])
        case "problem":
            return Text.assemble((f"{clock}  ", "dim"), (visible(str(told["text"])[:LONGEST_MESSAGE]), "red"))
        case "simulator":
            said = STAMPED.fullmatch(told["text"])
            return Text(f"{clock}  {visible(said[1] if said else told['text'])}", "dim")
        case _:
            return None


def _log_line(clock: str, function: str, record: Mapping[str, Any]) -> Text | None:
    style = LEVEL_STYLES.get(str(record.get("level", "")).upper(), "")
    if "event" in record:
        told = {name: value for name, value in record.items() if name not in NOT_FACTS}
        if str(record["event"]).endswith(".ran") and _is_idle(told):
            return None
        facts = "  ".join(f"{name}={_short(value)}" for name, value in told.items())
        return Text.assemble((f"{clock}  ", "dim"), (str(record["event"]), style or "cyan"), f"  {facts}")
    message = visible(" ".join(str(record.get("message", "")).split())[:LONGEST_MESSAGE])
    return Text.assemble((f"{clock}  ", "dim"), (f"{function}: {message}", style))


def _is_idle(counts: object) -> bool:
    """Whether a sweep's report says of everything, counts within counts too, that there was nothing to do."""
    if isinstance(counts, Mapping):
        return all(_is_idle(each) for each in counts.values())
    return counts is True or not counts


def _short(value: object) -> str:
    text = visible(str(value))
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _clock(moment: str | None) -> str:
    instant = datetime.fromisoformat(moment) if moment else datetime.now(UTC)
    return f"{instant.astimezone():%H:%M:%S}"
