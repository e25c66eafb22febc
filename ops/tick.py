"""Runs a scheduled function now, in this process, as the schedule would."""

from __future__ import annotations

import contextlib
import sys
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
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the function would be stopped."""
        return max(0, int((self.ends - time.monotonic()) * 1000))


def tick(sweep: Sweep) -> dict[str, Any]:
    """The report of one run of the sweep in this process's environment; its log goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        handler = _handler(FUNCTIONS[sweep])
        return handler({"source": "payfirst.tick"}, Context(FUNCTIONS[sweep]))


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
