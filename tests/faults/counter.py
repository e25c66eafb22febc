"""The operator's command line in a world: the functions of `payfirst`'s commands, on the world's table and by its clock."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final
from unittest.mock import patch

import typer

from ops import bookings, funnel, operate, orders
from tests.faults.front import AnsweredError
from tests.faults.world import World

_MODULES: Final = (bookings, funnel, operate, orders)


def run(world: World, command: Callable[[], Any]) -> str:
    """What the command prints; AnsweredError where it refuses in one sentence."""
    instead = {
        "utc_now": lambda: world.now,
        "enter_stack": lambda *_: None,
        "table_of": lambda _: world.table,
        "table_in": lambda *_: world.table,
    }
    printed = io.StringIO()
    with ExitStack() as stack:
        for module in _MODULES:
            for name, function in instead.items():
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, function))
        stack.enter_context(patch.object(operate, "settings", world.settings))
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(printed))
        try:
            command()
        except typer.Exit as ended:
            if ended.__cause__ is not None:
                raise AnsweredError(ended.exit_code, {"message": printed.getvalue()}) from ended
    return printed.getvalue()
