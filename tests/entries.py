"""Which function of the stack a call to AWS serves when a test calls a use case itself, without the function.

A function's `app.py` names the use cases and the requests to the table that it calls; whatever these do in a test, they do in
that function too. So rare ways, which no test takes through the front door, count as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

from payfirst.api.routes import ROUTES

FUNCTIONS: Final = Path(__file__).resolve().parents[1] / "functions"
PACKAGES: Final = ("payfirst.usecases", "payfirst.storage")

Entry = tuple[str, str]
"""A module and the name of a function in it."""


def called_by(app: Path) -> Iterator[Entry]:
    """What the `app.py` of a function calls in those packages."""
    tree = ast.parse(app.read_text(encoding="utf-8"))
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in PACKAGES:
            modules |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGES):
            yield from ((node.module, alias.name) for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


@cache
def entries() -> dict[Entry, set[str]]:
    """The functions that call each entry, by their folders' names; the answers to repeated requests are kept by every one that
    takes a POST with a token."""
    repeatable = {route.function for route in ROUTES if route.method == "POST" and not route.public}
    found: dict[Entry, set[str]] = {("payfirst.api.repeat", "answered_once"): repeatable}
    for app in sorted(FUNCTIONS.glob("*/app.py")):
        for entry in called_by(app):
            found.setdefault(entry, set()).add(app.parent.name)
    return found


def serving(frame: FrameType | None, known: dict[Entry, set[str]]) -> set[str]:
    """The functions whose entry is the outermost one on the stack that ends at `frame`; none if there is no entry on it."""
    functions: set[str] = set()
    while frame is not None:
        functions = known.get((frame.f_globals.get("__name__", ""), frame.f_code.co_name), functions)
        frame = frame.f_back
    return functions
