"""Slots of services with a calendar: how many bookings each start has, counted by the writes that take it.

`used` counts bookings and holds together, because a condition cannot add; `held` says how many of them are holds.
"""

from __future__ import annotations

from datetime import date, time
from typing import Final

from payfirst.domain.calendar import Slot
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update, absent, any_of, at_least, at_most
from payfirst.storage.dynamodb.table import Table, get, query_all

PAGE: Final = 5000
"""More starts than a request's megabyte holds of slots, let alone a day."""


def key(slot: Slot) -> keys.Key:
    """The slot's key."""
    return shop_keys.slot(slot.service_type, slot.service_id, slot.day, slot.at)


def name(slot: Slot) -> str:
    """The slot's name in a transaction."""
    return f"slot:{slot.day.isoformat()}T{slot.at.isoformat()}"


def take_write(slot: Slot, capacity: int, *, held: int = 0) -> Update:
    """One place of the slot taken, if fewer than `capacity` are; `held` is 1 where a payment under way only holds it."""
    free = any_of(absent("used"), at_most("used", capacity - 1))
    return Update(name(slot), key(slot), when=(free,), add={"used": 1, "held": held})


def use_write(slot: Slot) -> Update:
    """A held place becomes a booking's."""
    return Update(name(slot), key(slot), when=(at_least("held", 1),), add={"held": -1})


def free_write(slot: Slot, *, held: int = 0) -> Update:
    """A place given back; `held` is 1 where it was only held."""
    was_held = (at_least("held", 1),) if held else ()
    return Update(name(slot), key(slot), when=(at_least("used", 1), *was_held), add={"used": -1, "held": -held})


def used(table: Table, slot: Slot) -> int:
    """How many places of the slot are taken."""
    item = get(table, key(slot))
    return int(item["used"]) if item else 0


def used_between(table: Table, service_type: str, service_id: int, first: date, last: date) -> dict[tuple[date, time], int]:
    """How many places of each start from the day `first` until the end of `last` are taken; one that nobody has taken is
    missing. One request, however many there are in a megabyte."""
    partition, begin, end = shop_keys.slots(service_type, service_id, first, last)
    items = query_all(table, partition, first=begin, last=end, page=PAGE)
    starts = ((shop_keys.start_of(item), int(item["used"])) for item in items)
    return {(start.date(), start.time()): used for start, used in starts}
