"""Bookings as items and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any, Final

from payfirst.domain.booking import MAX_RESCHEDULES, Booking, Step
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import BookingStatus
from payfirst.storage import keys
from payfirst.storage.expressions import Item, Update, at_most, equal
from payfirst.storage.items import booking_snapshot, booking_snapshot_to_map
from payfirst.storage.table import Table, get, write

BOOKING: Final = "booking"


def read(table: Table, sub: str, number: int) -> Booking | None:
    """The customer's booking of that number; None when there is none."""
    item = get(table, keys.owned(sub, keys.BOOKING, number))
    return booking_from_item(item) if item else None


def store_reschedule(table: Table, seen: Booking, moved: Booking) -> None:
    """Write `moved` in place of `seen`. ConditionFailedError unless the booking is CONFIRMED and as it was seen."""
    change = Update(
        BOOKING,
        keys.owned(seen.owner, keys.BOOKING, seen.number),
        when=(
            equal("status", BookingStatus.CONFIRMED),
            equal("version", seen.version),
            at_most("version", MAX_RESCHEDULES),
        ),
        set={
            "version": moved.version,
            "content": booking_snapshot_to_map(moved.content),
            "timeline": [_step_to_map(step) for step in moved.timeline],
        },
    )
    write(table, change)


def timeline(item: Item) -> tuple[Step, ...]:
    """The history that a booking's or an order's item holds."""
    return tuple(
        Step(
            status=step["status"],
            at=read_instant(step["at"]),
            moved_from=_slot(step.get("from")),
            moved_to=_slot(step.get("to")),
            reason=step.get("reason"),
        )
        for step in item["timeline"]
    )


def _step_to_map(step: Step) -> dict[str, Any]:
    optional = {"from": _slot_to_map(step.moved_from), "to": _slot_to_map(step.moved_to), "reason": step.reason}
    return {"status": step.status, "at": instant(step.at)} | {
        name: value for name, value in optional.items() if value is not None
    }


def _slot_to_map(slot: tuple[date, time] | None) -> dict[str, str] | None:
    return {"day": slot[0].isoformat(), "at": slot[1].isoformat()} if slot else None


def _slot(raw: Mapping[str, str] | None) -> tuple[date, time] | None:
    return (date.fromisoformat(raw["day"]), time.fromisoformat(raw["at"])) if raw else None


def booking_from_item(item: Item) -> Booking:
    """The booking of an item."""
    currency, user_id = Currency(item["currency"]), item.get("user_id")
    return Booking(
        number=int(item["sk"].split("#")[1]),
        code=item["book_id"],
        owner=item["pk"].removeprefix("U#"),
        user_id=None if user_id is None else int(user_id),
        email=item.get("email"),
        session_number=int(item["session_number"]),
        status=BookingStatus(item["status"]),
        amount=Money(int(item["amount"]), currency),
        content=booking_snapshot(item["content"], currency),
        version=int(item["version"]),
        created_at=read_instant(item["created_at"]),
        reason=item.get("reason"),
        timeline=timeline(item),
    )
