"""The outcomes that a write can have: applied, each clause false by itself, an item missing, every condition false at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tests.replay.recording import TRANSACTION, Action, Wire, Written

Before = tuple[Wire | None, ...]
OTHER: Final = {"S": "in the way"}
_EXISTS: Final = re.compile(r"attribute_(not_)?exists\((#\w+)\)")
_COMPARED: Final = re.compile(r"(#\w+) (=|>=|<=|>|<) ([:#]\w+)")
_LISTED: Final = re.compile(r"(#\w+) IN \((:\w+)(?:, :\w+)*\)")
_KEY: Final = ("pk", "sk")


@dataclass(frozen=True, slots=True)
class Case:
    """One write under one name, with what stands at its keys before it.

    `fails` are the positions whose conditions are false, none for a write that is applied; None where nobody has said so. The
    write is sent `times` times, a transaction each time under the same token.
    """

    outcome: str
    written: Written
    before: Before
    fails: frozenset[int] | None = None
    times: int = 1

    @property
    def name(self) -> str:
        return f"{self.written.shape} | {self.outcome}"


def outcomes(written: Written, known: set[tuple[str, str]]) -> Iterator[Case]:
    """The cases of a write that was applied.

    At each position one clause is false, or each that `known` does not hold yet for this action, and the item is missing where
    there is one. Of actions that are alike, as those of a batch of events, that are the first and the last.
    """
    yield Case("applied", written, written.before, frozenset())
    everything = list(written.before)
    conditions = 0
    alike = [action.shape for action in written.actions]
    ends = {alike.index(shape) for shape in alike} | {len(alike) - 1 - alike[::-1].index(shape) for shape in alike}
    for number, (action, item) in enumerate(zip(written.actions, written.before, strict=True)):
        ways = list(_ways(action, item))
        wanted = [way for way in ways if (action.shape, way[0]) not in known] or ways[: number in ends]
        for name, changed, fails in wanted:
            known.add((action.shape, name))
            before = (*written.before[:number], changed, *written.before[number + 1 :])
            failing = frozenset({number}) if fails else frozenset[int]()
            yield Case(f"{number}: {name}", written, before, failing)
        false = [changed for _, changed, fails in ways if fails]
        conditions += bool(false)
        everything[number] = false[0] if false else item
    if conditions > 1:
        changed_at = frozenset(n for n, action in enumerate(written.actions) if "ConditionExpression" in action.arguments)
        yield Case("every condition false", written, tuple(everything), changed_at)


def _ways(action: Action, item: Wire | None) -> Iterator[tuple[str, Wire | None, bool]]:
    """Names of outcomes, the item that leads to each, and whether the condition is false then."""
    expression = str(action.arguments.get("ConditionExpression", ""))
    clauses = expression.split(" AND ") if expression else []
    for clause in clauses:
        yield f"{_resolved(action, clause)} is false", _falsified(action, item, clause), True
    if item is not None:
        yield "no item", None, any(not _holds_without_item(clause) for clause in clauses)


def _resolved(action: Action, clause: str) -> str:
    names = action.arguments.get("ExpressionAttributeNames", {})
    return re.sub(r":\w+", "?", re.sub(r"#\w+", lambda found: names[found[0]], clause))


def _holds_without_item(clause: str) -> bool:
    return any(option.startswith("attribute_not_exists") for option in _options(clause))


def _options(clause: str) -> Iterable[str]:
    return clause[1:-1].split(" OR ") if clause.startswith("(") else [clause]


def _falsified(action: Action, item: Wire | None, clause: str) -> Wire | None:
    """The item, changed in no more than what makes the clause false."""
    changed: dict[str, Any] | None = dict(item or action.key)
    for option in _options(clause):
        changed = _without(action, changed or dict(action.key), option)
    return changed


def _without(action: Action, item: dict[str, Any], option: str) -> dict[str, Any] | None:
    names, values = (action.arguments.get(f"ExpressionAttribute{what}", {}) for what in ("Names", "Values"))
    exists, compared, listed = _EXISTS.fullmatch(option), _COMPARED.fullmatch(option), _LISTED.fullmatch(option)
    if exists:
        absent, name = bool(exists[1]), names[exists[2]]
        if absent:
            return {name: OTHER, **item}
        return None if name in _KEY else {key: value for key, value in item.items() if key != name}
    if listed:
        return {**item, names[listed[1]]: OTHER}
    if not compared:
        raise AssertionError(f"the package does not write {option!r}")
    left, sign, right = compared.groups()
    bound = values[right] if right.startswith(":") else item[names[right]]
    return {**item, names[left]: _beyond(bound, sign)}


def _beyond(bound: Wire, sign: str) -> Wire:
    """The nearest value for which the comparison with `bound` is false."""
    ((kind, value),) = bound.items()
    if sign in ("<", ">"):
        return bound
    if kind == "N":
        return {"N": str(Decimal(value) + (-1 if sign == ">=" else 1))}
    if kind == "BOOL":
        return {"BOOL": not value}
    return {"S": "!" if sign == ">=" else f"{value}~"}


def placed(case: Case, table: str, token: str) -> dict[str, Any]:
    """The request of a case for `table`; a transaction's under that `token`."""
    if case.written.operation != TRANSACTION:
        return {**case.written.request, "TableName": table}
    actions = [{action.verb: {**action.arguments, "TableName": table}} for action in case.written.actions]
    return {"TransactItems": actions, "ClientRequestToken": token}
