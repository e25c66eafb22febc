"""Read and write units as DynamoDB reckons them, from requests, answers and items in their wire form.

Rules: the developer guide's pages on item sizes, capacity units and transactions. What they leave open is taken at its dearest:
a condition check costs as much as a write of the item that it looks at. An emulator's own figures are not used: they differ.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

Item = Mapping[str, Any]
"""An item in its wire form: `{"pk": {"S": "listing"}}`."""

READ_BYTES: Final = 4096
WRITE_BYTES: Final = 1024
IN_TRANSACTION: Final = 2
EVENTUALLY: Final = 0.5
_NOT_RECKONED: Final = frozenset({"FilterExpression", "Select", "ProjectionExpression"})
"""What makes an answer smaller than what was read for it; nobody asks so, and it is refused here until it is reckoned."""


def item_size(item: Item) -> int:
    """The bytes of an item; 0 for one that is not there."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Item) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(content)
        case "B":
            return len(base64.b64decode(content))
        case "SS" | "NS" | "BS":
            return sum(_value_size({kind[0]: one}) for one in content)
        case "L":
            return 3 + sum(1 + _value_size(one) for one in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(one) for name, one in content.items())
        case _:
            return 1


def _number_size(text: str) -> int:
    digits = text.lower().partition("e")[0].replace("-", "").replace(".", "").strip("0")
    return 1 + ceil(len(digits) / 2) + text.startswith("-")


@dataclass(frozen=True, slots=True)
class Change:
    """One item that a request writes or checks: its key, and by how much a transaction multiplies its cost."""

    table: str
    key: Item
    factor: int


def kind_of(key: Item) -> str:
    """The kind of item at a key of ours, by the words of its parts: `U/S` for `U#sub` and `S#number`, `U/S#~` its counter."""
    partition, sort = key["pk"]["S"].partition("#")[0], key["sk"]["S"]
    word = sort if sort.endswith("#~") else sort.partition("#")[0]
    return partition if word == partition or not word[:1].isalpha() else f"{partition}/{word}"


def changes(operation: str, body: Mapping[str, Any], keys: Mapping[str, Sequence[str]]) -> list[Change]:
    """What a request would write or check; `keys` are the names of each table's key attributes."""
    if operation == "TransactWriteItems":
        actions = [next(iter(action.values())) for action in body["TransactItems"]]
        return [_change(action, IN_TRANSACTION, keys) for action in actions]
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return [_change(body, 1, keys)]
    if operation == "BatchWriteItem":
        raise NotImplementedError("BatchWriteItem is not reckoned")
    return []


def _change(action: Mapping[str, Any], factor: int, keys: Mapping[str, Sequence[str]]) -> Change:
    table, given = action["TableName"], action.get("Key") or action["Item"]
    return Change(table, {name: given[name] for name in keys[table]}, factor)


def write_units(before: Item, after: Item, factor: int) -> int:
    """What one item costs that a request has changed, checked, or tried to: the larger of before and after."""
    return factor * max(1, ceil(max(item_size(before), item_size(after)) / WRITE_BYTES))


def index_units(before: Item, after: Item, indexes: Iterable[Sequence[str]]) -> int:
    """Entries made, moved (two) or removed in indexes that hold keys only, each given by the names of its keys."""
    found = 0
    for names in indexes:
        old, new = (all(name in item for name in names) for item in (before, after))
        if [before.get(name) for name in names] != [after.get(name) for name in names]:
            found += old + new
    return found


def read_units(operation: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """What a request cost that was answered so."""
    if operation in ("Query", "Scan"):
        if _NOT_RECKONED & body.keys():
            raise NotImplementedError(f"{operation} with {', '.join(_NOT_RECKONED & body.keys())} is not reckoned")
        return _read(sum(map(item_size, answer.get("Items", ()))), consistent=body.get("ConsistentRead", False))
    if operation == "GetItem":
        return _read(item_size(answer.get("Item", {})), consistent=body.get("ConsistentRead", False))
    if operation == "BatchGetItem":
        return sum(_batch(asked, answer.get("Responses", {}).get(table, ())) for table, asked in body["RequestItems"].items())
    if operation == "TransactGetItems":
        return sum(IN_TRANSACTION * _read(item_size(one.get("Item", {})), consistent=True) for one in answer["Responses"])
    return 0


def _batch(asked: Mapping[str, Any], found: Sequence[Item]) -> float:
    consistent = asked.get("ConsistentRead", False)
    missing = len(asked["Keys"]) - len(found)
    return sum(_read(item_size(item), consistent=consistent) for item in found) + missing * _read(0, consistent=consistent)


def _read(size: int, *, consistent: bool) -> float:
    return max(1, ceil(size / READ_BYTES)) * (1 if consistent else EVENTUALLY)
