"""Writes as values: what changes, and under which named clauses. Only here do they become DynamoDB expressions.

The grammar is small on purpose. A clause is one comparison, or a choice between clauses; a condition is the conjunction of a
write's clauses. Tests take a clause out and want to see somebody notice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from payfirst.storage.dynamodb import schema
from payfirst.storage.dynamodb.values import plain_value, typed

Item = dict[str, Any]
"""An item in plain Python values: str, int, Decimal, bool, None, list, dict."""


def to_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as the low-level client wants them; attributes that are None are left out."""
    return {name: typed(value) for name, value in values.items() if value is not None}


def from_wire(item: Mapping[str, Any]) -> Item:
    """The plain values of an item that the low-level client answered, as this release has them; schema.NewerItemError."""
    return schema.upgraded({name: plain_value(value) for name, value in item.items()})


MOST_WRITES: Final = 100
"""What DynamoDB takes in one transaction."""


def size_of(item: Mapping[str, Any]) -> int:
    """About how many bytes DynamoDB counts for the item, and not less."""
    return len(json.dumps(to_wire(item), ensure_ascii=False).encode())


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition on one item: `template` with `{0}`, `{1}` … for attributes and `{a}`, `{b}` … for values."""

    template: str
    attributes: tuple[str, ...]
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the clauses."""

    clauses: tuple[Clause, ...]


Condition = Clause | AnyOf


def absent(attribute: str) -> Clause:
    """The item has no such attribute (or there is no item)."""
    return Clause("attribute_not_exists({0})", (attribute,))


def present(attribute: str) -> Clause:
    """The item has such an attribute."""
    return Clause("attribute_exists({0})", (attribute,))


def equal(attribute: str, value: Any) -> Clause:
    """The attribute is exactly `value`."""
    return Clause("{0} = {a}", (attribute,), (value,))


def at_least(attribute: str, value: Any) -> Clause:
    """The attribute is `value` or more."""
    return Clause("{0} >= {a}", (attribute,), (value,))


def at_most(attribute: str, value: Any) -> Clause:
    """The attribute is `value` or less."""
    return Clause("{0} <= {a}", (attribute,), (value,))


def above(attribute: str, value: Any) -> Clause:
    """The attribute is more than `value`."""
    return Clause("{0} > {a}", (attribute,), (value,))


def below_attribute(attribute: str, other: str) -> Clause:
    """The attribute is less than another attribute of the same item."""
    return Clause("{0} < {1}", (attribute, other))


def one_of(attribute: str, values: Iterable[Any]) -> Clause:
    """The attribute is one of `values`."""
    options = tuple(sorted(plain(value) for value in values))
    return Clause(f"{{0}} IN ({', '.join('{' + chr(97 + n) + '}' for n in range(len(options)))})", (attribute,), options)


def any_of(*clauses: Clause) -> AnyOf:
    """At least one of `clauses` holds."""
    return AnyOf(clauses)


@dataclass(frozen=True, slots=True)
class Put:
    """A whole item, written when every clause of `when` holds."""

    name: str
    item: Mapping[str, Any]
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """A change of one item: `set` values, `add` to numbers, `remove` attributes, when every clause of `when` holds."""

    name: str
    key: Mapping[str, str]
    when: tuple[Condition, ...] = ()
    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """No change; the transaction holds only when every clause of `when` does."""

    name: str
    key: Mapping[str, str]
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """An item's end, when every clause of `when` holds."""

    name: str
    key: Mapping[str, str]
    when: tuple[Condition, ...] = ()


Write = Put | Update | Check | Delete


def plain(value: Any) -> Any:
    """`value` as it is stored: an enum is its word."""
    return value.value if isinstance(value, Enum) else value


class _Placeholders:
    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        return self.names.setdefault(attribute, f"#{attribute}")

    def value(self, value: Any) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = typed(plain(value))
        return placeholder

    def clause(self, clause: Condition) -> str:
        if isinstance(clause, AnyOf):
            return "(" + " OR ".join(self.clause(option) for option in clause.clauses) + ")"
        names = [self.name(attribute) for attribute in clause.attributes]
        values = {chr(97 + n): self.value(value) for n, value in enumerate(clause.values)}
        return clause.template.format(*names, **values)

    def arguments(self) -> dict[str, Any]:
        named = {placeholder: attribute for attribute, placeholder in self.names.items()}
        return ({"ExpressionAttributeNames": named} if named else {}) | (
            {"ExpressionAttributeValues": self.values} if self.values else {}
        )


def render(write: Write, table_name: str, writer: str) -> tuple[str, dict[str, Any]]:
    """The low-level request of `write`: its verb (`Put`, `Update`, `ConditionCheck`, `Delete`) and its arguments.

    Every put and update carries `writer`, the token by which a caller recognises its own write after a lost response.
    """
    places = _Placeholders()
    arguments: dict[str, Any] = {"TableName": table_name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    match write:
        case Put():
            verb = "Put"
            arguments["Item"] = to_wire({**write.item, "writer": writer, schema.ATTRIBUTE: schema.VERSION})
        case Update():
            verb = "Update"
            arguments["Key"] = to_wire(write.key)
            arguments["UpdateExpression"] = _update_expression(write, places, writer)
        case Check():
            verb = "ConditionCheck"
            arguments["Key"] = to_wire(write.key)
        case Delete():
            verb = "Delete"
            arguments["Key"] = to_wire(write.key)
    if write.when:
        arguments["ConditionExpression"] = " AND ".join(places.clause(clause) for clause in write.when)
    return verb, arguments | places.arguments()


def _update_expression(write: Update, places: _Placeholders, writer: str) -> str:
    # An attribute that is set to None is removed: items never hold a NULL, so `absent` means one thing.
    given = {**write.set, "writer": writer}
    parts = [
        "SET " + ", ".join(f"{places.name(name)} = {places.value(value)}" for name, value in given.items() if value is not None)
    ]
    removed = [*write.remove, *(name for name, value in given.items() if value is None)]
    if removed:
        parts.append("REMOVE " + ", ".join(places.name(name) for name in removed))
    if write.add:
        parts.append("ADD " + ", ".join(f"{places.name(name)} {places.value(value)}" for name, value in write.add.items()))
    return " ".join(parts)
