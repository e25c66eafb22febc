"""Rules of this house that no linter knows, over every line of the package and the functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "common" / "python" / "payfirst"
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in (PACKAGE, ROOT / "functions")
    for path in sorted(folder.rglob("*.py"))
}
CLOCK = "layers/common/python/payfirst/domain/clock.py"
TO_JSON = "layers/common/python/payfirst/api/fields.py"
SECRET = re.compile(r"signature|password|passkey|token_hash|digest|hmac", re.IGNORECASE)


def clocks(tree: ast.AST) -> Iterator[ast.AST]:
    """Calls that ask this machine for the time of day; `monotonic` only measures how long something takes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asked = (ast.unparse(node.func.value).split(".")[-1], node.func.attr)
            if asked in {
                ("datetime", "now"),
                ("datetime", "utcnow"),
                ("datetime", "today"),
                ("date", "today"),
                ("time", "time"),
            }:
                yield node


def compared_secrets(tree: ast.AST) -> Iterator[ast.AST]:
    """`==` and `!=` between things of which one is named like a signature or a secret; against None or "" is no comparison."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(sign, ast.Eq | ast.NotEq) for sign in node.ops):
            sides = [node.left, *node.comparators]
            if not any(isinstance(side, ast.Constant) for side in sides) and any(
                SECRET.search(ast.unparse(side)) for side in sides
            ):
                yield node


def swallowed(tree: ast.AST) -> Iterator[ast.AST]:
    """Handlers that take everything, and handlers of Exception that do nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            silent = all(isinstance(line, ast.Pass | ast.Continue) for line in node.body)
            if node.type is None or (ast.unparse(node.type) in ("Exception", "BaseException") and silent):
                yield node


def floats(tree: ast.AST) -> Iterator[ast.AST]:
    """Calls of `float` and numbers with a point that are multiplied or divided: money is whole minor units or Decimal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "float":
            yield node
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Money", "Money.of", "Decimal"):
            yield from (part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, float))


RULES: dict[str, tuple[Callable[[ast.AST], Iterator[ast.AST]], frozenset[str], str]] = {
    "no clock but domain/clock.py": (clocks, frozenset({CLOCK}), "now = datetime.now(UTC)"),
    "secrets are compared in constant time": (compared_secrets, frozenset(), "same = given_signature == expected"),
    "no fault is swallowed": (swallowed, frozenset(), "try:\n    work()\nexcept Exception:\n    pass"),
    "no money is a float, but in the JSON that goes out": (floats, frozenset({TO_JSON}), "Money.of(1.5, KES)"),
}


@pytest.mark.parametrize("rule", RULES)
def test_every_line_keeps_the_rule(rule: str) -> None:
    find, excepted, _ = RULES[rule]
    broken = [
        f"{name}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        for name, text in SOURCES.items()
        if name not in excepted
        for node in find(ast.parse(text))
    ]
    assert broken == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_sees_what_breaks_it(rule: str) -> None:
    find, _, breaks = RULES[rule]
    assert list(find(ast.parse(breaks))) != []


def test_what_is_excepted_exists_and_needs_it() -> None:
    for find, excepted, _ in RULES.values():
        for name in excepted:
            assert list(find(ast.parse(SOURCES[name]))) != [], f"{name} needs no exception"
