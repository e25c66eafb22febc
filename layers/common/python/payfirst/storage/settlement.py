"""Money and what becomes of it: recorded first, whatever stock or promos say, then fulfilled or sent back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.money import Money
from payfirst.domain.moves import (
    UNRESOLVED,
    AttemptStatus,
    BookingStatus,
    RefundStatus,
    SessionStatus,
    attempt_sources,
)
from payfirst.domain.refund import Refund
from payfirst.domain.session import BookingSnapshot, Failure, OrderSnapshot, Outcome, RefundShown, Session, quantities
from payfirst.storage import keys
from payfirst.storage.attempts import ATTEMPT, GUARD, freed_guard, freed_phone, guard_free, guard_key, promo_taken, released
from payfirst.storage.expressions import Item, Put, Update, Write, absent, at_least, equal, one_of
from payfirst.storage.items import booking_snapshot_to_map, delivery_to_map, failure_to_map, line_to_map, refund_to_map
from payfirst.storage.refunds import refund_to_item
from payfirst.storage.sessions import changed, counted, told
from payfirst.storage.table import Table, transact, write

RECEIPT, CODE, CART, OUTCOME, REFUND = "receipt", "code", "cart", "outcome", "refund"


@dataclass(frozen=True, slots=True)
class Collected:
    """What a gateway says that it collected: the amount, and the receipt where it states one."""

    amount: Money
    receipt: str | None


def _succeeded(attempt: Attempt, collected: Collected, now: datetime) -> list[Write]:
    """The attempt has the money; it stays due until the money is fulfilled or on its way back."""
    key = keys.attempt(attempt.ref)
    # What an unresolved attempt holds is decided in this write, so the write must find it unresolved; one that failed holds
    # nothing any more.
    sources = UNRESOLVED if attempt.unresolved else {attempt.status} & attempt_sources(AttemptStatus.SUCCEEDED)
    writes: list[Write] = [
        Update(
            ATTEMPT,
            key,
            when=(one_of("status", sources),),
            set={
                "status": AttemptStatus.SUCCEEDED.value,
                "captured": collected.amount.minor,
                "refundable": collected.amount.minor,
                "captured_at": instant(now),
                "receipt": collected.receipt,
                "failure": None,
                "review": None,
                "next_check_at": instant(now),
                **keys.due(keys.SETTLE, key, now),
            },
        )
    ]
    if collected.receipt:
        writes.append(
            Put(
                RECEIPT,
                {**keys.receipt(attempt.gateway, collected.receipt), "ref": attempt.ref},
                when=(absent("pk"),),
            )
        )
    return writes


def _received(session: Session, attempt: Attempt, collected: Collected, now: datetime) -> Put:
    return told(
        session,
        "payment.received",
        now,
        by="gateway",
        attempt=attempt.number,
        amount=collected.amount.minor,
        receipt=collected.receipt,
    )


def money(table: Table, session: Session, attempt: Attempt, collected: Collected, now: datetime) -> None:
    """Record the money that `session` waits for; nothing about stock, promos or carts can stand in the way.

    Names that can: attempt (somebody was faster), receipt (it serves another attempt), session (it does not wait for this one).
    """
    writes = [
        *_succeeded(attempt, collected, now),
        changed(
            session,
            equal("live_attempt", attempt.ref),
            absent("captured"),
            to=SessionStatus.PAID,
            captured=attempt.ref,
            live_attempt=None,
            failure=None,
        ),
        _received(session, attempt, collected, now),
    ]
    if attempt.unresolved and attempt.phone:
        writes.append(freed_phone(attempt))
    transact(table, writes)


def late_money(table: Table, session: Session, attempt: Attempt, collected: Collected, now: datetime) -> None:
    """Record money of an attempt that had ended, and honour it: the session and its cart version are still free.

    Names that can stand in the way: those of `money`, and guard.
    """
    transact(
        table,
        [
            *_succeeded(attempt, collected, now),
            changed(
                session,
                absent("live_attempt"),
                absent("captured"),
                one_of("status", (SessionStatus.FAILED, SessionStatus.EXPIRED)),
                to=SessionStatus.PAID,
                captured=attempt.ref,
                failure=None,
            ),
            Update(GUARD, guard_key(attempt), when=guard_free(attempt), set={"live_attempt": attempt.ref}),
            _received(session, attempt, collected, now),
        ],
    )


def surplus_money(
    table: Table, session: Session, attempt: Attempt, collected: Collected, failure: Failure, now: datetime
) -> None:
    """Record money that no session can take: a second payment, a wrong amount, a closed session. Its refund follows.

    A session that waited for this attempt fails with `failure` and frees what the attempt held.
    """
    awaited = session.live_attempt == attempt.ref
    change = (
        changed(
            session,
            equal("live_attempt", attempt.ref),
            to=SessionStatus.FAILED,
            live_attempt=None,
            failure=failure_to_map(failure),
        )
        if awaited
        else changed(session)
    )
    transact(
        table,
        [
            *_succeeded(attempt, collected, now),
            change,
            _received(session, attempt, collected, now),
            *(released(attempt) if awaited else []),
        ],
    )


def bind_receipt(table: Table, attempt: Attempt, receipt: str) -> None:
    """Bind the receipt of money that was known without one. Names that can stand in the way: attempt, receipt."""
    transact(
        table,
        [
            Update(ATTEMPT, keys.attempt(attempt.ref), when=(absent("receipt"),), set={"receipt": receipt}),
            Put(RECEIPT, {**keys.receipt(attempt.gateway, receipt), "ref": attempt.ref}, when=(absent("pk"),)),
        ],
    )


def contradiction(table: Table, attempt: Attempt, reason: str, now: datetime) -> None:
    """Put what contradicts a success on the list that a person sees, beside the attempt; the attempt does not change."""
    key = keys.review(attempt.ref, reason)
    item = {**key, **keys.due(keys.REVIEW, key, now), "ref": attempt.ref, "reason": reason, "at": instant(now)}
    write(table, Put("review", item))


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

    Names that can stand in the way: session, guard, `listing:ID` (not enough stock), code (its number is taken), cart.
    """
    sub = session.customer.sub
    writes: list[Write] = [
        *_fulfilled(session, attempt, outcome, keys.ORDER, _order_item(session, snapshot, attempt, outcome, now)),
        *_stock_sold(snapshot),
        told(session, "order.created", now, by="payfirst", order=outcome.number, order_number=outcome.code),
        *also,
    ]
    if cart is not None:
        writes.append(
            Update(
                CART,
                keys.produce_cart(sub),
                when=(equal("version", cart.version),),
                set={"lines": [], "version": table.token(), "updated_at": instant(now)},
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

    Names that can stand in the way: session, guard, promo (none left), code (it is taken).
    """
    writes: list[Write] = [
        *_fulfilled(session, attempt, outcome, keys.BOOKING, _booking_item(session, snapshot, outcome, now)),
        told(session, "booking.created", now, by="payfirst", booking=outcome.number, book_id=outcome.code),
        *also,
    ]
    if snapshot.promo_code:
        writes.append(_promo_used(snapshot.promo_code, attempt))
    transact(table, writes)


def _promo_used(code: str, attempt: Attempt) -> Update:
    # The attempt's own hold is used up; money that came after the hold was given back takes another use, if one is left.
    return Update("promo", keys.promo(code), add={"used": 1}) if attempt.held_promo else promo_taken(code, used=1)


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


def _stock_sold(snapshot: OrderSnapshot) -> list[Write]:
    return [
        Update(
            f"listing:{listing}",
            keys.listing(listing),
            when=(at_least("available", quantity),),
            add={"available": -quantity, "sold": quantity},
        )
        for listing, quantity in quantities(snapshot.lines).items()
    ]


def _order_item(session: Session, snapshot: OrderSnapshot, attempt: Attempt, outcome: Outcome, now: datetime) -> Item:
    return {
        **keys.owned(session.customer.sub, keys.ORDER, outcome.number),
        "order_number": outcome.code,
        "session": session.uuid,
        "session_number": session.number,
        "status": "confirmed",
        "payment_status": "paid",
        "amount": session.amount.minor,
        "currency": session.amount.currency.value,
        "lines": [line_to_map(line) for line in snapshot.lines],
        "delivery": delivery_to_map(snapshot.delivery),
        "items_total": snapshot.items_total.minor,
        "delivery_fee": snapshot.delivery_fee.minor,
        "rounding": snapshot.rounding.minor,
        "receipt": attempt.receipt,
        "created_at": instant(now),
        "timeline": [{"status": "confirmed", "at": instant(now)}],
    }


def _booking_item(session: Session, snapshot: BookingSnapshot, outcome: Outcome, now: datetime) -> Item:
    return {
        **keys.owned(session.customer.sub, keys.BOOKING, outcome.number),
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


def refund_due(
    table: Table,
    session: Session,
    attempt: Attempt,
    amount: Money,
    reason: str,
    failure: Failure,
    now: datetime,
    *,
    also: tuple[Write, ...] = (),
) -> None:
    """Owe `amount` of an attempt's money back: the refund `R{attempt}-1`, bounded by what is refundable.

    A session that was paid by this attempt and cannot be fulfilled fails with `failure` and frees its cart version.
    Names that can stand in the way: attempt, refund (it exists), session, guard.
    """
    refund = Refund(
        ref=attempt.ref,
        number=1,
        owner=attempt.owner,
        session_number=attempt.session_number,
        gateway=attempt.gateway,
        amount=amount,
        status=RefundStatus.DUE,
        reason=reason,
        created_at=now,
        receipt=attempt.receipt,
    )
    shown = RefundShown(amount, RefundStatus.DUE.value, reason)
    unfulfilled = session.captured == attempt.ref
    writes: list[Write] = [
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(
                one_of("status", attempt_sources(AttemptStatus.REFUND_DUE)),
                at_least("refundable", amount.minor),
            ),
            set={"status": AttemptStatus.REFUND_DUE.value, "held_promo": None},
            add={"refundable": -amount.minor},
            remove=("next_check_at", *keys.NOT_DUE),
        ),
        Put(REFUND, refund_to_item(refund), when=(absent("pk"),)),
        _refunding(session, attempt, shown, failure, unfulfilled=unfulfilled),
        told(session, "refund.due", now, by="payfirst", attempt=attempt.number, amount=amount.minor, reason=reason),
        *also,
    ]
    if unfulfilled:
        writes.append(freed_guard(attempt))
        if attempt.held_promo:
            writes.append(Update("promo", keys.promo(attempt.held_promo), add={"taken": -1}))
    transact(table, writes)


def _refunding(session: Session, attempt: Attempt, shown: RefundShown, failure: Failure, *, unfulfilled: bool) -> Update:
    if not unfulfilled:
        return changed(session, refund=refund_to_map(shown))
    return changed(
        session,
        equal("captured", attempt.ref),
        absent("outcome"),
        to=SessionStatus.FAILED,
        refund=refund_to_map(shown),
        failure=failure_to_map(failure),
    )
