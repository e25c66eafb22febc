"""A process that is one Lambda container, or all of them: it takes events on its input and answers as the functions do.

    {"function": "site", "event": {…}}  →  {"answer": {…}}

With `--counted FUNCTION` it imports that function at once, and its first answer comes with what the cold start took: the
modules that the function brought, and the bytecode instructions that its import and its first answer executed, in every thread,
counted by `sys.monitoring`. Bytecode leaves out what C and Rust do inside one instruction; the count is the same everywhere.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands to a handler; the function always has 25 seconds left."""

    function_name: str = "payfirst"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:payfirst"
    aws_request_id: str = "request"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 25_000


def serve(counted: str) -> None:
    """Answer lines until the input ends. What functions log goes where nobody reads."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    cold = _imported(counted) if counted else {}
    for line in sys.stdin:
        asked = json.loads(line)
        work = partial(_handler(asked["function"]), asked["event"], Context())
        if cold:
            answer, first = _counted(work)
            told, cold = {**cold, "answer": answer, "first": first}, {}
        else:
            told = {"answer": work()}
        print(json.dumps(told), file=answers, flush=True)


def _imported(function: str) -> dict[str, Any]:
    had = set(sys.modules)
    _, executed = _counted(partial(_handler, function))
    return {"import": executed, "modules": sorted(set(sys.modules) - had)}


def _handler(function: str) -> Callable[[Any, Any], Any]:
    """The handler of a function, which is a module's name where it holds a dot."""
    name = function if "." in function else f"functions.{function}.app"
    handler: Callable[[Any, Any], Any] = importlib.import_module(name).handler
    return handler


def _counted(work: Callable[[], Value]) -> tuple[Value, int]:
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is None:  # before Python 3.12; modules and instructions are compared on the budget's own Python alone
        return work(), 0
    executed = 0

    def one(*_: object) -> None:
        nonlocal executed
        executed += 1

    monitoring.use_tool_id(monitoring.PROFILER_ID, "payfirst")
    monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION, one)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION)
    try:
        done = work()
    finally:
        monitoring.set_events(monitoring.PROFILER_ID, 0)
        monitoring.free_tool_id(monitoring.PROFILER_ID)
    return done, executed


if __name__ == "__main__":
    serve(sys.argv[2] if sys.argv[1:2] == ["--counted"] else "")
