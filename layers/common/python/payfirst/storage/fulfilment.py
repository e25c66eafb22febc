"""What captured money becomes: the one booking or order of its session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.booking import completes_at
from payfirst.domain.clock import instant
from payfirst.domain.moves import AttemptStatus, BookingStatus, OrderStatus, SessionStatus
from payfirst.domain.session import BookingSnapshot, OrderSnapshot, Outcome, Session, quantities
from payfirst.storage import keys, promos, slots
from payfirst.storage.expressions import Item, Put, Update, Write, absent, at_least, equal
from payfirst.storage.holds import ATTEMPT, GUARD, guard_key
from payfirst.storage.sessions import changed, counted, told
from payfirst.storage.snapshots import booking_snapshot_to_map, delivery_to_map, discount_to_map, line_to_map
from payfirst.storage.table import Table, transact

CODE, CART, OUTCOME = "code", "cart", "outcome"


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
) -> None:
    """Make the one order of a paid session.

    Names that can stand in the way: session, guard, promo (none left), promo_uses (none left for this customer), `listing:ID`
    (not enough stock), code (its number is taken), cart.
    """
    sub = session.customer.sub
    writes: list[Write] = [
        *_fulfilled(session, attempt, outcome, keys.ORDER, _order_item(session, snapshot, attempt, outcome, now)),
        *_stock_sold(snapshot, attempt),
        _told(session, "order.created", now, order=outcome.number, order_number=outcome.code),
        *also,
    ]
    if snapshot.promo_code:
        writes += _promo_used(snapshot.promo_code, snapshot.promo_limit, attempt)
    if cart is not None:
        writes.append(
            Update(
                CART,
                keys.produce_cart(sub),
                when=(equal("version", cart.version),),
                set={"lines": [], "version": table.token(), "updated_at": instant(now), "promo": None},
            )
        )
    transact(table, writes)


def fulfil_booking(
    table: Table,
    session: Session,
    snapshot: BookingSnapshot,
    attempt: Attempt,
    outcome: Outcome,
    now: datetime,
    *,
    also: tuple[Write, ...] = (),
) -> None:
    """Make the one booking of a paid session; its cart is converted by the guard.

    Names that can stand in the way: session, guard, promo (none left), promo_uses (none left for this customer), `slot:…` (it
    is full), code (it is taken).
    """
    writes: list[Write] = [
        *_fulfilled(session, attempt, outcome, keys.BOOKING, _booking_item(session, snapshot, outcome, now)),
        _told(session, "booking.created", now, booking=outcome.number, book_id=outcome.code),
        *also,
    ]
    if snapshot.promo_code:
        writes += _promo_used(snapshot.promo_code, snapshot.promo_limit, attempt)
    if snapshot.slot and snapshot.capacity is not None:
        writes.append(slots.kept(snapshot.slot) if attempt.held_slot else slots.taken(snapshot.slot, snapshot.capacity))
    transact(table, writes)


def _told(session: Session, event: str, now: datetime, **facts: Any) -> Put:
    return told(session, event, now, by="payfirst", to=SessionStatus.ORDER_CREATED, **facts)


def _promo_used(code: str, limit: int | None, attempt: Attempt) -> list[Write]:
    # The attempt's own hold is used up; money that came after the hold was given back takes another use, if one is left.
    return promos.kept(code, attempt.owner) if attempt.held_promo else promos.taken(code, attempt.owner, limit, used=1)


def _fulfilled(session: Session, attempt: Attempt, outcome: Outcome, what: str, item: Item) -> list[Write]:
    sub = session.customer.sub
    return [
        changed(
            session,
            equal("captured", attempt.ref),
            absent("outcome"),
            to=SessionStatus.ORDER_CREATED,
            outcome={"number": outcome.number, "code": outcome.code},
        ),
        Put(OUTCOME, item, when=(absent("pk"),)),
        counted(sub, what),
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
            when=(equal("status", AttemptStatus.SUCCEEDED),),
            remove=("next_check_at", *keys.NOT_DUE),
        ),
    ]


def _stock_sold(snapshot: OrderSnapshot, attempt: Attempt) -> list[Write]:
    held = dict(attempt.held_stock)
    return [
        Update(
            f"listing:{listing}",
            keys.listing(listing),
            # The attempt's own hold is used up; without one the stock has to be there now.
            when=(at_least("held" if listing in held else "available", quantity),),
            add={"held" if listing in held else "available": -quantity, "sold": quantity},
        )
        for listing, quantity in quantities(snapshot.lines).items()
    ]


def _order_item(session: Session, snapshot: OrderSnapshot, attempt: Attempt, outcome: Outcome, now: datetime) -> Item:
    return {
        **keys.owned(session.customer.sub, keys.ORDER, outcome.number),
        "order_number": outcome.code,
        "session": session.uuid,
        "session_number": session.number,
        "status": OrderStatus.CONFIRMED.value,
        "payment_status": "paid",
        "amount": session.amount.minor,
        "currency": session.amount.currency.value,
        "lines": [line_to_map(line) for line in snapshot.lines],
        "delivery": delivery_to_map(snapshot.delivery),
        "items_total": snapshot.items_total.minor,
        "delivery_fee": snapshot.delivery_fee.minor,
        "rounding": snapshot.rounding.minor,
        **discount_to_map(snapshot),
        "receipt": attempt.receipt,
        "created_at": instant(now),
        "timeline": [{"status": OrderStatus.CONFIRMED.value, "at": instant(now)}],
    }


def _booking_item(session: Session, snapshot: BookingSnapshot, outcome: Outcome, now: datetime) -> Item:
    key = keys.owned(session.customer.sub, keys.BOOKING, outcome.number)
    return {
        **key,
        **keys.due(keys.COMPLETE, key, completes_at(snapshot, now)),
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
        "created_at": instant(now),
        "timeline": [{"status": BookingStatus.CONFIRMED.value, "at": instant(now)}],
    }
