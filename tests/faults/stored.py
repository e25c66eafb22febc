"""What the package stores, as it stands in the table: gathered from every flow, kept in a file for each version.

`python -m tests.faults.stored` writes the file of the version that this release writes. Files of older versions are never
written again: what they hold stands in somebody's table.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from payfirst.storage import bookings, carts, catalogue, items, orders, refunds
from payfirst.storage.dynamodb import schema
from payfirst.storage.dynamodb.expressions import Item, from_wire
from tests.faults.flows import FLOWS
from tests.faults.matrix import perform, prepared
from tests.faults.process import at_work

FOLDER: Final = Path(__file__).with_name("stored")

READERS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "session": items.session_from_item,
    "attempt": items.attempt_from_item,
    "refund": refunds.refund_from_item,
    "order": orders.order_from_item,
    "booking": bookings.booking_from_item,
    "booking cart": carts.booking_cart_from_item,
    "produce cart": carts.produce_cart_from_item,
    "listing": catalogue.listing_from_item,
    "service": catalogue.service_from_item,
    "promo": catalogue.promo_from_item,
}
"""How each kind that becomes an object of the domain is read."""

_OWNED: Final = {
    "S": "session",
    "O": "order",
    "B": "booking",
    "C": "booking cart",
    "E": "event",
    "V": "guard",
    "P": "promo uses",
}
_PLACES: Final = {
    "LISTING": "listing",
    "SERVICE": "service",
    "COUNTS": "event counts",
    "SLOT": "slot",
    "DAY": "appointment",
    "SHELF": "shelf",
    "NEWS": "news",
    "FOUND": "finding",
    "SEARCHED": "searched",
    "TURN": "turn",
    "TOTALS": "totals",
    "MONEY": "money",
}
_SORTS: Final = {"ATT": "attempt", "R": "refund", "REVIEW": "doubt", "CART": "produce cart"}


def kind_of(pk: str, sk: str) -> str:
    """What kind of item stands at this key."""
    partition, sort = pk.split("#", maxsplit=1)[0], sk.split("#", maxsplit=1)[0]
    if sk.endswith("#~"):
        return "counter"
    if partition == "U" and sort in _OWNED:
        return _OWNED[sort]
    return _PLACES.get(partition) or _SORTS.get(sort) or sort.lower()


def is_whole(kind: str, item: Item) -> bool:
    """Whether the item is what its kind reads: the guard of a deleted cart stands where the cart stood."""
    return kind in READERS and not (kind == "booking cart" and "content" not in item)


def stored() -> Iterator[dict[str, Any]]:
    """Every item, in its wire form, that stands in the table after each flow."""
    for flow in FLOWS:
        world, act = prepared(flow)
        with at_work(world):
            perform(world, act)
        yield from world.client.items.values()


def shape(wire: Any) -> Any:
    """The wire form with types in place of values; entries of maps whose names are data are one."""
    ((kind, value),) = wire.items()
    if kind == "M":
        named = {name: shape(inner) for name, inner in value.items()}
        return {"#": next(iter(named.values()))} if named and all(name.isdecimal() for name in named) else named
    return [shape(inner) for inner in value][:1] if kind == "L" else kind


def gathered() -> dict[str, list[dict[str, Any]]]:
    """One item of each form that each kind takes, in a stable order."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for item in stored():
        kind = kind_of(item["pk"]["S"], item["sk"]["S"])
        form = json.dumps({name: shape(value) for name, value in item.items()}, sort_keys=True)
        found.setdefault(kind, {}).setdefault(form, item)
    return {kind: [forms[form] for form in sorted(forms)] for kind, forms in sorted(found.items())}


def forms_of(kept: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, set[str]]]:
    """By kind: every attribute that it may have, at any depth, with the types that it takes."""
    found: dict[str, dict[str, set[str]]] = {}
    for kind, known in kept.items():
        for item in known:
            for path, form in _leaves("", {name: shape(value) for name, value in item.items()}):
                found.setdefault(kind, {}).setdefault(path, set()).add(form)
    return found


def _leaves(path: str, form: Any) -> Iterator[tuple[str, str]]:
    if isinstance(form, dict):
        for name, inner in form.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(form, list):
        for inner in form:
            yield from _leaves(f"{path}[]", inner)
    else:
        yield path, form


def read_as(kind: str, wire: Mapping[str, Any]) -> Any:
    """What the item is to the domain, as JSON can hold it; None for a kind that is no object of the domain."""
    item = from_wire(wire)
    return _plain(asdict(READERS[kind](item))) if is_whole(kind, item) else None


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(name): _plain(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
        case bool() | int() | None:
            return value
        case _:
            return str(value)


def to_json(wire: Any) -> Any:
    """The wire form as JSON has it: bytes in base64."""
    if isinstance(wire, bytes):
        return base64.b64encode(wire).decode()
    if isinstance(wire, Mapping):
        return {name: to_json(value) for name, value in wire.items()}
    return [to_json(value) for value in wire] if isinstance(wire, list) else wire


def from_json(kept: Any) -> Any:
    """The wire form of what `to_json` wrote."""
    if isinstance(kept, dict):
        if set(kept) == {"B"}:
            return {"B": base64.b64decode(kept["B"])}
        return {name: from_json(value) for name, value in kept.items()}
    return [from_json(value) for value in kept] if isinstance(kept, list) else kept


def load(version: int) -> dict[str, list[dict[str, Any]]]:
    """What was kept of `version`: by kind, items in their wire form and what they were to the domain."""
    kept: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / f"v{version}.json").read_text(encoding="utf-8"))
    return kept


def write() -> Path:
    """Keep what this release stores."""
    kept = {
        kind: [{"item": to_json(item), "read_as": read_as(kind, item)} for item in forms] for kind, forms in gathered().items()
    }
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"v{schema.VERSION}.json"
    parts = []
    for kind, forms in kept.items():
        lines = ",\n".join(json.dumps(each, ensure_ascii=False, sort_keys=True) for each in forms)
        parts.append(f"{json.dumps(kind)}: [\n{lines}\n]")
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    return file


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
