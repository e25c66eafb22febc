"""Runs a scheduled function now, in this process, as the schedule would."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any, Final
from uuid import uuid4

from ops.running import ROOT

SECONDS: Final = 60.0


class Sweep(StrEnum):
    """The scheduled functions, in the words of the command line."""

    EXPIRE = "expire"
    RECONCILE = "reconcile"
    DELIVER = "deliver"


FUNCTIONS: Final[Mapping[Sweep, str]] = {
    Sweep.EXPIRE: "expire_sessions",
    Sweep.RECONCILE: "reconcile_payments",
    Sweep.DELIVER: "deliver_events",
}


@dataclass(frozen=True, slots=True)
class Context:
    """A Lambda context with a minute to go."""

    function_name: str
    memory_limit_in_mb: int = 0
    invoked_function_arn: str = "payfirst.tick"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the function would be stopped."""
        return max(0, int((self.ends - time.monotonic()) * 1000))


def tick(sweep: Sweep) -> dict[str, Any]:
    """The report of one run of the sweep in this process's environment; the counts that it prints for AWS go nowhere."""
    with contextlib.redirect_stdout(io.StringIO()):
        handler = _handler(FUNCTIONS[sweep])
        return handler({"source": "payfirst.tick"}, Context(FUNCTIONS[sweep]))


def in_words(sweep: Sweep, report: Mapping[str, Any]) -> str:
    """What a run did, and what it left for later, in a sentence or two."""
    match sweep:
        case Sweep.EXPIRE:
            parts = [report, report["bookings"]]
            completed = _count(report["bookings"]["completed"], "booking")
            done = f"{_count(report['expired'], 'session')} expired, {completed} completed."
        case Sweep.RECONCILE:
            parts = [report]
            became = [f"{count} {word.replace('_', ' ')}" for word, count in report["settled"].items()]
            asked = _count(report["examined"], "payment or refund", "payments and refunds")
            done = f"{asked} looked at{': ' if became else ''}{', '.join(became)}."
        case Sweep.DELIVER:
            parts = [report, report["mail"]]
            done = f"{_count(report['delivered'], 'event')} delivered, {_count(report['mail']['sent'], 'e-mail')} sent."
    failed, passed_over = sum(part["failed"] for part in parts), report.get("passed_over", 0)
    return " ".join(
        [
            done,
            *([f"{failed} failed: they are tried again, and `payfirst stuck` lists what needs a person."] if failed else []),
            *([f"{passed_over} passed over: their gateway could not be asked."] if passed_over else []),
            *([] if all(part["finished"] for part in parts) else ["Its time was over before all was done."]),
        ]
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _handler(function: str) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The handler of a function's folder, found as Lambda finds it: `handler` in `app.py`."""
    file = ROOT / "functions" / function / "app.py"
    spec = spec_from_file_location(f"{function}_app", file)
    if spec is None or spec.loader is None:
        raise LookupError(f"{file} is no module")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[dict[str, Any], Any], dict[str, Any]] = module.handler
    return handler
