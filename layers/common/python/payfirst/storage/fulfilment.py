"""What captured money becomes: the one booking or order of its session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.session import BookingSnapshot, OrderSnapshot, Outcome, Session, quantities
from payfirst.storage import checks, promos, slots, totals
from payfirst.storage.bookings import day_write, new_booking_item
from payfirst.storage.decisions import Decision, decision_writes
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item, Put, Update, Write, absent, at_least, equal, one_of
from payfirst.storage.dynamodb.table import Table, transact
from payfirst.storage.holds import ATTEMPT, GUARD, guard_key
from payfirst.storage.orders import new_order_item
from payfirst.storage.sessions import change_write, count_write, timeline_entry

CODE, CART, OUTCOME = "code", "cart", "outcome"
_FULFILLED_FROM: Final = frozenset({AttemptStatus.SUCCEEDED, AttemptStatus.NEEDS_REVIEW})
"""Money that was recorded; under review where nothing could be made of it before."""


@dataclass(frozen=True, slots=True)
class CartSeen:
    """The produce cart as it was read: emptied with the order if it is still the version that was paid for."""

    version: str


def fulfil_order(
    table: Table,
    session: Session,
    snapshot: OrderSnapshot,
    attempt: Attempt,
    outcome: Outcome,
    now: datetime,
    *,
    cart: CartSeen | None,
    also: tuple[Write, ...] = (),
    decision: Decision | None = None,
) -> None:
    """Make the one order of a paid session.

    Conflicts: session, guard, promo (none left), promo_uses (none left for this customer), `listing:ID`
    (not enough stock), code (its number is taken), cart.
    """
    writes = order_writes(table.token(), session, snapshot, attempt, outcome, now, cart=cart)
    transact(table, decision_writes(session, [*writes, *also], decision, now))


def order_writes(
    version: str,
    session: Session,
    snapshot: OrderSnapshot,
    attempt: Attempt,
    outcome: Outcome,
    now: datetime,
    *,
    cart: CartSeen | None,
) -> list[Write]:
    """What makes the order; its cart is emptied into `version`."""
    sub = session.customer.sub
    writes: list[Write] = [
        *_outcome_writes(session, attempt, outcome, keys.ORDER, new_order_item(session, snapshot, attempt, outcome, now)),
        *_stock_writes(snapshot, attempt),
        _timeline_entry(session, "order.created", now, order=outcome.number, order_number=outcome.code),
    ]
    if snapshot.promo_code:
        writes += _promo_writes(snapshot.promo_code, snapshot.promo_limit, attempt)
    if cart is not None:
        writes.append(
            Update(
                CART,
                keys.produce_cart(sub),
                when=(equal("version", cart.version),),
                set={"lines": [], "version": version, "updated_at": instant(now), "promo": None},
            )
        )
    return writes


def fulfil_booking(
    table: Table,
    session: Session,
    snapshot: BookingSnapshot,
    attempt: Attempt,
    outcome: Outcome,
    now: datetime,
    *,
    also: tuple[Write, ...] = (),
    decision: Decision | None = None,
) -> None:
    """Make the one booking of a paid session; its cart is converted by the guard.

    Conflicts: session, guard, promo (none left), promo_uses (none left for this customer), `slot:…` (it
    is full), code (it is taken).
    """
    writes = booking_writes(session, snapshot, attempt, outcome, now)
    transact(table, decision_writes(session, [*writes, *also], decision, now))


def booking_writes(
    session: Session, snapshot: BookingSnapshot, attempt: Attempt, outcome: Outcome, now: datetime
) -> list[Write]:
    """What makes the booking."""
    writes: list[Write] = [
        *_outcome_writes(
            session, attempt, outcome, keys.BOOKING, new_booking_item(session, snapshot, attempt.receipt, outcome, now)
        ),
        day_write(session.customer.sub, outcome.number, outcome.code, snapshot),
        _timeline_entry(session, "booking.created", now, booking=outcome.number, book_id=outcome.code),
    ]
    if snapshot.promo_code:
        writes += _promo_writes(snapshot.promo_code, snapshot.promo_limit, attempt)
    if snapshot.slot and snapshot.capacity is not None:
        writes.append(
            slots.use_write(snapshot.slot) if attempt.held_slot else slots.take_write(snapshot.slot, snapshot.capacity)
        )
    return writes


def _timeline_entry(session: Session, event: str, now: datetime, **facts: Any) -> Put:
    return timeline_entry(session, event, now, by="payfirst", to=SessionStatus.ORDER_CREATED, **facts)


def _promo_writes(code: str, limit: int | None, attempt: Attempt) -> list[Write]:
    # The attempt's own hold is used up; money that came after the hold was given back takes another use, if one is left.
    return (
        promos.use_writes(code, attempt.owner) if attempt.held_promo else promos.take_writes(code, attempt.owner, limit, used=1)
    )


def _outcome_writes(session: Session, attempt: Attempt, outcome: Outcome, what: str, item: Item) -> list[Write]:
    sub = session.customer.sub
    return [
        change_write(
            session,
            equal("captured", attempt.ref),
            absent("outcome"),
            to=SessionStatus.ORDER_CREATED,
            outcome={"number": outcome.number, "code": outcome.code, "status": item["status"]},
        ),
        Put(OUTCOME, item, when=(absent("pk"),)),
        count_write(sub, what),
        Put(
            CODE,
            {**keys.pointer(outcome.code), "owner": sub, "what": what, "number": outcome.number},
            when=(absent("pk"),),
        ),
        Update(
            GUARD,
            guard_key(attempt),
            when=(equal("live_attempt", attempt.ref), absent("converted_by")),
            set={"converted_by": outcome.code},
            remove=("live_attempt",),
        ),
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(one_of("status", {attempt.status} & _FULFILLED_FROM),),
            set={"status": AttemptStatus.SUCCEEDED.value, **checks.due_once_settled(attempt)},
            remove=("review", *due_index.FAILURES),
        ),
        *totals.settle_writes(attempt),
    ]


def _stock_writes(snapshot: OrderSnapshot, attempt: Attempt) -> list[Write]:
    held = dict(attempt.held_stock)
    return [
        Update(
            f"listing:{listing}",
            shop_keys.listing(listing),
            # The attempt's own hold is used up; without one the stock has to be there now.
            when=(at_least("held" if listing in held else "available", quantity),),
            add={"held" if listing in held else "available": -quantity, "sold": quantity},
        )
        for listing, quantity in quantities(snapshot.lines).items()
    ]
