"""Bookings as items and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Any, Final

from payfirst.domain.booking import THE_CUSTOMER, Actor, Booking, Step, completes_at
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import BookingStatus, RefundStatus, booking_sources
from payfirst.domain.refund import Refund
from payfirst.domain.session import BookingSnapshot, Outcome, Session
from payfirst.storage import paid_back, sessions, slots
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Condition, Delete, Item, Update, Write, at_most, equal, one_of
from payfirst.storage.dynamodb.table import Table, get, transact
from payfirst.storage.snapshots import booking_snapshot, booking_snapshot_to_map

BOOKING: Final = "booking"


def read(table: Table, sub: str, number: int) -> Booking | None:
    """The customer's booking of that number; None when there is none."""
    item = get(table, keys.owned(sub, keys.BOOKING, number))
    return booking_from_item(item) if item else None


def by_code(table: Table, code: str) -> Booking | None:
    """The booking `BK-…`, whoever owns it; None when there is none. For people of the shop, not for customers."""
    pointer = get(table, keys.pointer(code))
    if pointer is None or pointer.get("what") != keys.BOOKING:
        return None
    return read(table, pointer["owner"], int(pointer["number"]))


def read_due(table: Table, entry: Item, now: datetime) -> Booking | None:
    """The booking that the index suggested, if it is still due at `now`; the index may lag."""
    item = get(table, keys.key_of(entry))
    return booking_from_item(item) if item and due_index.is_due(item) and due_index.due_at(item) <= now else None


def day_write(owner: str, number: int, code: str, content: BookingSnapshot) -> Update:
    """The entry by which a booking is found among those of its day. Nobody else has the code, so it needs no condition."""
    return Update("day", shop_keys.appointment(content.day, content.at, code), set={"owner": owner, "number": number})


def _day_writes(seen: Booking, moved: Booking) -> tuple[Delete, Update]:
    before = Delete("day before", shop_keys.appointment(*seen.slot, seen.code))
    return before, day_write(moved.owner, moved.number, moved.code, moved.content)


def store_reschedule(
    table: Table, session: Session, seen: Booking, moved: Booking, most: int, now: datetime, actor: Actor = THE_CUSTOMER
) -> None:
    """Write `moved` in place of `seen`: the new slot taken and the old one given back in the same write.

    Conflicts: booking (not CONFIRMED, not as it was seen, or moved `most` times), session, and both
    slots by `slots.name`.
    """
    writes: list[Write] = [
        _change_write(seen, moved, at_most("version", most), due=due(moved, now)),
        *_day_writes(seen, moved),
        sessions.change_write(session),
        sessions.timeline_entry(
            session,
            "booking.rescheduled",
            now,
            by=actor.by,
            why=actor.why,
            **_named(moved),
            version=moved.version,
            selected_date=moved.content.day.isoformat(),
            selected_time=moved.content.at.isoformat(),
            previous_date=seen.content.day.isoformat(),
            previous_time=seen.content.at.isoformat(),
        ),
    ]
    if moved.content.slot and moved.content.capacity is not None:
        writes.append(slots.take_write(moved.content.slot, moved.content.capacity))
    if seen.content.slot:
        writes.append(slots.free_write(seen.content.slot))
    transact(table, writes)


@dataclass(frozen=True, slots=True)
class Owed:
    """What a cancellation gives back, and the writes that owe it."""

    refund: Refund
    writes: Sequence[Write]


def store_cancelled(
    table: Table,
    session: Session,
    seen: Booking,
    cancelled: Booking,
    owed: Owed | None,
    now: datetime,
    actor: Actor = THE_CUSTOMER,
) -> None:
    """Write `cancelled` in place of `seen`: its slot given back and its refund owed in the same write.

    Conflicts: booking, session, the slot by `slots.name`, and those of `refunds_due.owe_writes`.
    """
    entry = partial(sessions.timeline_entry, session, now=now, by=actor.by, why=actor.why)
    if owed is None:
        writes: list[Write] = [
            sessions.change_write(session, outcome=_outcome(cancelled)),
            entry("booking.cancelled", **_named(cancelled), amount=0, reason=cancelled.reason),
        ]
    else:
        amount = owed.refund.amount
        back = paid_back.back_after(session, owed.refund, RefundStatus.DUE)
        shown = paid_back.shown_values(session, owed.refund, RefundStatus.DUE, back)
        writes = [
            sessions.change_write(session, outcome=_outcome(cancelled), **shown, sequence=session.sequence + 2),
            entry("booking.cancelled", **_named(cancelled), amount=amount.minor, reason=cancelled.reason),
            entry("refund.due", offset=2, refund=owed.refund.refund_id, amount=amount.minor, reason=owed.refund.reason),
            *owed.writes,
        ]
    if seen.content.slot:
        writes.append(slots.free_write(seen.content.slot))
    transact(table, [_change_write(seen, cancelled), *writes])


def store_completed(table: Table, session: Session, seen: Booking, completed: Booking, now: datetime, *, by: str) -> None:
    """Write `completed` in place of `seen`. Conflicts: booking, session."""
    entry = sessions.timeline_entry(session, "booking.completed", now, by=by, **_named(completed))
    transact(table, [_change_write(seen, completed), sessions.change_write(session, outcome=_outcome(completed)), entry])


def _outcome(booking: Booking) -> dict[str, Any]:
    """How its session shows the booking."""
    return {"number": booking.number, "code": booking.code, "status": booking.status.value}


def _named(booking: Booking) -> dict[str, Any]:
    return {"booking": booking.number, "book_id": booking.code}


NOTHING_DUE: Final[Mapping[str, str | None]] = dict.fromkeys(due_index.NOT_DUE)


def due(booking: Booking, now: datetime) -> keys.Key:
    """The keys by which the sweep finds a CONFIRMED booking, made or moved at `now`, once it has taken place."""
    key = keys.owned(booking.owner, keys.BOOKING, booking.number)
    return due_index.due(due_index.COMPLETE, key, completes_at(booking.content, now))


def _change_write(seen: Booking, after: Booking, *also: Condition, due: Mapping[str, str | None] = NOTHING_DUE) -> Update:
    """A booking as it was seen becomes `after`, by a legal move."""
    return Update(
        BOOKING,
        keys.owned(seen.owner, keys.BOOKING, seen.number),
        when=(one_of("status", booking_sources(after.status)), equal("version", seen.version), *also),
        set={
            "status": after.status.value,
            "version": after.version,
            "content": booking_snapshot_to_map(after.content),
            "timeline": [_step_to_map(step) for step in after.timeline],
            "reason": after.reason,
            "refund": after.refund.minor if after.refund else None,
            "most_back": after.most_back,
            "in_full": after.in_full or None,
            "moved_by_shop": after.moved_by_shop or None,
            **due,
        },
    )


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


def new_booking_item(session: Session, snapshot: BookingSnapshot, receipt: str | None, outcome: Outcome, now: datetime) -> Item:
    """The item of the booking that a payment has just made, due when it is over."""
    key = keys.owned(session.customer.sub, keys.BOOKING, outcome.number)
    return {
        **key,
        **due_index.due(due_index.COMPLETE, key, completes_at(snapshot, now)),
        "book_id": outcome.code,
        "session": session.uuid,
        "session_number": session.number,
        "status": BookingStatus.CONFIRMED.value,
        "version": 1,
        "user_id": session.customer.user_id,
        "email": session.customer.email,
        "amount": session.amount.minor,
        "currency": session.amount.currency.value,
        "content": booking_snapshot_to_map(snapshot),
        "receipt": receipt,
        "created_at": instant(now),
        "timeline": [{"status": BookingStatus.CONFIRMED.value, "at": instant(now)}],
    }


def booking_from_item(item: Item) -> Booking:
    """The booking of an item."""
    currency, user_id, refund = Currency(item["currency"]), item.get("user_id"), item.get("refund")
    most_back = item.get("most_back")
    return Booking(
        number=keys.number_of(item),
        code=item["book_id"],
        owner=keys.owner_of(item),
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
        refund=None if refund is None else Money(int(refund), currency),
        most_back=None if most_back is None else int(most_back),
        in_full=item.get("in_full", False),
        moved_by_shop=int(item.get("moved_by_shop", 0)),
        receipt=item.get("receipt"),
    )
