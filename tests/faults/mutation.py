"""Guards taken out one at a time: clauses and counts of writes, entries of the tables of moves, and checks around money."""

from __future__ import annotations

import ast
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from types import CodeType, FrameType, ModuleType
from typing import Any, Final
from unittest.mock import patch

from payfirst.domain import moves
from payfirst.storage.dynamodb import table as table_module
from payfirst.storage.dynamodb.expressions import AnyOf, Clause, Condition, Update, Write, render

TABLES: Final[dict[str, MutableMapping[Any, frozenset[Any]]]] = {
    name: getattr(moves, name)
    for name in ("SESSION_MOVES", "ATTEMPT_MOVES", "REFUND_MOVES", "BOOKING_MOVES", "ORDER_MOVES", "ORDER_UNDO")
}
GUARDED: Final = (
    "settlement.settle",
    "settlement.decide",
    "settlement.take_notice",
    "settlement.fulfil",
    "domain.booking",
    "domain.days",
)
"""The modules whose every check is taken out: of use cases, and, where it is named, of the domain."""


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One guard less: `kind` is clause, write, count, move or check, `what` names the guard.

    A write's guard are all its clauses on all its items: what one says may follow from another, but together they are needed.
    """

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


@contextmanager
def without(mutant: Mutant) -> Iterator[None]:
    """The package without that guard while the block runs."""
    managers = {"move": _without_move, "check": _without_check, "count": _without_count}
    manager = managers.get(mutant.kind, _without_clause)
    with manager(mutant.what):
        yield


# Clauses


def clause_name(write: Write, clause: Condition, function: str) -> str:
    """What stays the same of a clause from run to run: who writes it, to which item, and what it says of which attribute."""
    item = "".join(letter for letter in write.name.split(":")[0] if not letter.isdigit())
    said = clause.clauses if isinstance(clause, AnyOf) else (clause,)
    return f"{function} {type(write).__name__} {item}: {' or '.join(map(_said, said))}"


def _said(clause: Clause) -> str:
    template = clause.template.split(" IN ")[0] + " IN …" if " IN " in clause.template else clause.template
    return template.format(*clause.attributes, a="…", b="…")


def _writer() -> str:
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the only way to ask who writes
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("payfirst.") and not module.endswith((".table", ".expressions")):
            return f"{module.rsplit('.', 1)[1]}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "tests"


@dataclass(frozen=True, slots=True)
class Seen:
    """Every clause that the package writes, and every column of the totals that one of its writes moves."""

    clauses: set[str] = field(default_factory=set)
    counts: set[str] = field(default_factory=set)


@contextmanager
def guards_seen() -> Iterator[Seen]:
    """What the package writes inside the block."""
    seen = Seen()

    def recording(write: Write, table_name: str, writer: str) -> tuple[str, dict[str, Any]]:
        function = _writer()
        if function != "tests":
            seen.clauses.update(clause_name(write, clause, function) for clause in getattr(write, "when", ()))
            seen.counts.update(_counts(write, function))
        return render(write, table_name, writer)

    with patch.object(table_module, "render", recording):
        yield seen


def of_writes(clauses: Iterable[str]) -> list[str]:
    """The writes with several guarded items: all of them are one guard."""
    items = {name.split(":")[0] for name in clauses}
    writes = Counter(name.split(" ")[0] for name in items)
    return sorted(name for name, count in writes.items() if count > 1)


@contextmanager
def _without_clause(name: str) -> Iterator[None]:
    """Without the clause of that name, or without all whose names begin with it."""

    def is_meant(clause: str) -> bool:
        return clause == name or clause.startswith((f"{name}: ", f"{name} "))

    def weaker(write: Write, table_name: str, writer: str) -> tuple[str, dict[str, Any]]:
        function = _writer()
        kept = tuple(clause for clause in write.when if not is_meant(clause_name(write, clause, function)))
        return render(replace(write, when=kept), table_name, writer)

    with patch.object(table_module, "render", weaker):
        yield


# Counts


def _counts(write: Write, function: str) -> dict[str, str]:
    """What a write moves of the totals: who writes it and which column, and the column."""
    if not isinstance(write, Update) or not write.name.startswith("totals"):
        return {}
    return {f"{function} {'-' if minor < 0 else '+'} {column}": column for column, minor in write.add.items()}


@contextmanager
def _without_count(name: str) -> Iterator[None]:
    def forgetful(write: Write, table_name: str, writer: str) -> tuple[str, dict[str, Any]]:
        left_out = _counts(write, _writer()).get(name)
        if left_out is not None and isinstance(write, Update):
            write = replace(write, add={column: minor for column, minor in write.add.items() if column != left_out})
        return render(write, table_name, writer)

    with patch.object(table_module, "render", forgetful):
        yield


# Moves


def all_moves() -> Iterator[str]:
    for name, table in TABLES.items():
        yield from (f"{name} {source} → {target}" for source, targets in table.items() for target in sorted(targets))


@contextmanager
def _without_move(name: str) -> Iterator[None]:
    table_name, source, _, target = name.split(" ")
    table = TABLES[table_name]
    before = table[source]
    table[source] = frozenset(status for status in before if status != target)
    try:
        yield
    finally:
        table[source] = before


# Checks


@dataclass(slots=True)
class _Checks(ast.NodeTransformer):
    """Numbers the checks of a module, and takes out the one of number `wanted`."""

    wanted: int = -1
    names: list[str] | None = None
    path: tuple[str, ...] = ()

    def _named(self, node: ast.expr, change: str) -> bool:
        self.names = self.names or []
        self.names.append(f"{'.'.join(self.path)}: {change} `{ast.unparse(node)}`")
        return len(self.names) - 1 == self.wanted

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return self._inside(node.name, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._inside(node.name, node)

    def _inside(self, name: str, node: ast.AST) -> ast.AST:
        self.path = (*self.path, name)
        self.generic_visit(node)
        self.path = self.path[:-1]
        return node

    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        if self._named(node.test, "never"):
            node.test = ast.Constant(value=False)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        neutral = ast.Constant(value=isinstance(node.op, ast.And))
        for number, operand in enumerate(list(node.values)):
            if self._named(operand, f"without, of `{ast.unparse(node)}`,"):
                node.values[number] = neutral
        return node


def _module(name: str) -> ModuleType:
    return import_module(f"payfirst.{name}" if name.startswith("domain.") else f"payfirst.usecases.{name}")


def all_checks() -> Iterator[str]:
    for name in GUARDED:
        yield from _names(name)


def _names(module: str) -> list[str]:
    """The checks of a module in the order of `_Checks`; the second one in a function that reads the same is `(2)`."""
    checks, seen, names = _Checks(), Counter[str](), []
    checks.visit(ast.parse(inspect.getsource(_module(module))))
    for what in checks.names or []:
        seen[what] += 1
        names.append(f"{module} {what}" if seen[what] == 1 else f"{module} {what} ({seen[what]})")
    return names


@contextmanager
def _without_check(what: str) -> Iterator[None]:
    name = what.partition(" ")[0]
    module, names = _module(name), _names(name)
    if what not in names:
        raise LookupError(f"there is no check {what}")
    tree = ast.parse(inspect.getsource(module))
    _Checks(wanted=names.index(what)).visit(tree)
    compiled = compile(ast.fix_missing_locations(tree), str(module.__file__), "exec", dont_inherit=True)
    changed = list(_functions(module, compiled))
    before = [(function, function.__code__) for function, _ in changed]
    for function, code in changed:
        function.__code__ = code
    try:
        yield
    finally:
        for function, original in before:
            function.__code__ = original


def _functions(module: ModuleType, compiled: CodeType) -> Iterator[tuple[Any, CodeType]]:
    """The module's functions and methods with the code that they have in `compiled`."""
    codes: dict[str, CodeType] = {}

    def collect(code: CodeType) -> None:
        for each in code.co_consts:
            if isinstance(each, CodeType):
                codes[each.co_qualname] = each
                collect(each)

    collect(compiled)
    owned: list[Callable[..., Any]] = []
    for thing in vars(module).values():
        if inspect.isfunction(thing) and thing.__module__ == module.__name__:
            owned.append(thing)
        elif inspect.isclass(thing) and thing.__module__ == module.__name__:
            owned += [member for member in vars(thing).values() if inspect.isfunction(member)]
    yield from ((each, codes[each.__qualname__]) for each in owned if each.__qualname__ in codes)
