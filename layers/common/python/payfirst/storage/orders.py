"""Orders: read, moved towards the door, cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.booking import Step
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.ids import order_number, read_order_number
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import OrderStatus, RefundStatus, order_sources, order_undo_sources
from payfirst.domain.order import Order
from payfirst.domain.paid_back import STILL_BOUGHT, PaymentStatus
from payfirst.domain.refund import ORDER_CANCELLED, Refund
from payfirst.domain.session import OrderSnapshot, Outcome, Session, quantities
from payfirst.storage import paid_back, refunds_due, sessions
from payfirst.storage.bookings import timeline
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Clause, Item, Update, Write, at_least, one_of
from payfirst.storage.dynamodb.table import Table, batch_get, get, transact
from payfirst.storage.sessions import change_write, timeline_entry
from payfirst.storage.snapshots import (
    delivery_from_map,
    delivery_to_map,
    discount_from_map,
    discount_to_map,
    line_from_map,
    line_to_map,
)

ORDER: Final = "order"
CANCELLED: Final = ORDER_CANCELLED
"""Why the money of a cancelled order goes back, as its refund says it."""

_AT_ONCE: Final = 100


def read(table: Table, sub: str, number: int) -> Order | None:
    """The customer's order of that number; None when there is none."""
    item = get(table, keys.owned(sub, keys.ORDER, number))
    return order_from_item(item) if item else None


def by_code(table: Table, code: str) -> Order | None:
    """The order `ORD-…`, whoever owns it; None when there is none. For people who pack, not for customers."""
    pointer = get(table, keys.pointer(code))
    if pointer is None or pointer.get("what") != keys.ORDER:
        return None
    return read(table, pointer["owner"], int(pointer["number"]))


def of_days(table: Table, days: Sequence[str], *, after: str = "") -> Iterator[Order]:
    """The orders of those days in Nairobi (`YYYYMMDD`, 100 at most), by their numbers, those behind the order `after`: one
    request for the days' counters, and two for each hundred numbers that were drawn."""
    counters = batch_get(table, [shop_keys.order_sequence(day) for day in days])
    seen_on, seen = read_order_number(after) or ("", 0)
    drawn = (
        order_number(day, number)
        for day, counter in zip(days, counters, strict=True)
        if day >= seen_on
        for number in range(1 + (seen if day == seen_on else 0), int(counter["n"]) + 1 if counter else 1)
    )
    while codes := list(islice(drawn, _AT_ONCE)):
        pointers = batch_get(table, [keys.pointer(code) for code in codes])
        places = [keys.owned(found["owner"], keys.ORDER, int(found["number"])) for found in pointers if found]
        yield from up_to_date(table, [order_from_item(item) for item in batch_get(table, places) if item])


def up_to_date(table: Table, found: Sequence[Order]) -> tuple[Order, ...]:
    """`found` (100 at most) with the `payment_status` of today.

    An earlier release left it at `paid`: of what it cancelled the sessions know, and one request asks them all.
    """
    asked = [order for order in found if order.status is OrderStatus.CANCELLED and order.payment_status is PaymentStatus.PAID]
    if not asked:
        return tuple(found)
    places = [keys.owned(order.owner, keys.SESSION, order.session_number) for order in asked]
    known = {session.uuid: session.payment_status for session in sessions.read_many(table, places)}
    return tuple(replace(order, payment_status=known.get(order.session, order.payment_status)) for order in found)


def _step_write(
    order: Order,
    to: OrderStatus,
    now: datetime,
    reason: str | None = None,
    *,
    sources: frozenset[OrderStatus] | None = None,
    also: tuple[Clause, ...] = (),
    **values: Any,
) -> Update:
    """The order's own change: legal from the status that was read and no other.

    `sources` are those that lead to `to`, where it is no move towards the door.
    """
    steps = (*order.timeline, Step(to, now, reason=reason))
    return Update(
        ORDER,
        keys.owned(order.owner, keys.ORDER, order.number),
        when=(one_of("status", (order_sources(to) if sources is None else sources) & {order.status}), *also),
        set={"status": to.value, "timeline": [_step_to_map(step) for step in steps], **values},
    )


def _step_to_map(step: Step) -> dict[str, Any]:
    reason = {} if step.reason is None else {"reason": step.reason}
    return {"status": step.status, "at": instant(step.at), **reason}


def _outcome(order: Order, status: OrderStatus) -> dict[str, Any]:
    """How the session's own status shows the order."""
    return {"number": order.number, "code": order.code, "status": status.value}


def move(table: Table, session: Session, order: Order, to: OrderStatus, now: datetime, *, by: str) -> None:
    """Take `order` one step further. Conflicts: order (it has moved on), session (it has changed)."""
    again = True if any(step.status == to for step in order.timeline) else None  # it was taken back since
    transact(
        table,
        [
            _step_write(order, to, now),
            change_write(session, outcome=_outcome(order, to)),
            timeline_entry(session, f"order.{to.value}", now, by=by, order=order.number, order_number=order.code, again=again),
        ],
    )


def undo(table: Table, session: Session, order: Order, to: OrderStatus, now: datetime, *, by: str) -> None:
    """Take `order` back to `to`, where it was before its last step, while something of it is paid for and not on its way back.

    Conflicts: order (it, or what it says of its payment, is no longer so), session (it has changed).
    """
    paid_for = one_of("payment_status", STILL_BOUGHT)
    transact(
        table,
        [
            _step_write(order, to, now, sources=order_undo_sources(to), also=(paid_for,)),
            change_write(session, outcome=_outcome(order, to)),
            timeline_entry(
                session,
                "order.step_undone",
                now,
                by=by,
                order=order.number,
                order_number=order.code,
                undone=order.status.value,
                status=to.value,
            ),
        ],
    )


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a cancellation owes: `amount` of what `attempt` collected, as its `number`th refund."""

    attempt: Attempt
    amount: Money
    number: int


def cancel(
    table: Table,
    session: Session,
    order: Order,
    owed: GivenBack | None,
    now: datetime,
    *,
    by: str,
    why: str | None,
    reason: str | None = None,
) -> Refund | None:
    """Cancel `order`: its stock is for sale again and `owed` (None: all went back before) is due, in one transaction.

    `why` are an operator's words, for no customer; `reason` are its customer's own.

    Conflicts: order (it has moved on), session, `listing:ID` (that much was never sold), attempt,
    refund (somebody gave money back meanwhile).
    """
    refund: Refund | None = None
    back = session.paid_back
    writes: list[Write] = _restock_writes(order)
    amount = owed.amount.minor if owed else 0
    shown: dict[str, Any] = {"outcome": _outcome(order, OrderStatus.CANCELLED)}
    writes.append(
        timeline_entry(
            session,
            "order.cancelled",
            now,
            by=by,
            order=order.number,
            order_number=order.code,
            why=why,
            reason=reason,
            amount=amount,
        )
    )
    if owed is not None:
        refund, due = refunds_due.owe_writes(owed.attempt, owed.amount, owed.number, now, reason=CANCELLED, why=why)
        back = paid_back.back_after(session, refund, RefundStatus.DUE)
        shown |= {**paid_back.shown_values(session, refund, RefundStatus.DUE, back), "sequence": session.sequence + 2}
        writes += [
            *due,
            timeline_entry(
                session, "refund.due", now, offset=2, by=by, refund=refund.refund_id, amount=amount, reason=CANCELLED, why=why
            ),
        ]
    step = _step_write(order, OrderStatus.CANCELLED, now, why or reason, payment_status=back.status(session.amount).value)
    transact(table, [step, change_write(session, **shown), *writes])
    return refund


def _restock_writes(order: Order) -> list[Write]:
    return [
        Update(
            f"listing:{listing}",
            shop_keys.listing(listing),
            when=(at_least("sold", quantity),),
            add={"available": quantity, "sold": -quantity},
        )
        for listing, quantity in quantities(order.lines).items()
    ]


def new_order_item(session: Session, snapshot: OrderSnapshot, attempt: Attempt, outcome: Outcome, now: datetime) -> Item:
    """The item of the order that a payment has just made."""
    return {
        **keys.owned(session.customer.sub, keys.ORDER, outcome.number),
        "order_number": outcome.code,
        "session": session.uuid,
        "session_number": session.number,
        "status": OrderStatus.CONFIRMED.value,
        "payment_status": PaymentStatus.PAID.value,
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


def order_from_item(item: Item) -> Order:
    """The order of an item."""
    currency = Currency(item["currency"])
    return Order(
        number=keys.number_of(item),
        code=item["order_number"],
        owner=keys.owner_of(item),
        session=item["session"],
        session_number=int(item["session_number"]),
        status=OrderStatus(item["status"]),
        payment_status=PaymentStatus(item["payment_status"]),
        amount=Money(int(item["amount"]), currency),
        lines=tuple(line_from_map(line, currency) for line in item["lines"]),
        delivery=delivery_from_map(item["delivery"]),
        items_total=Money(int(item["items_total"]), currency),
        delivery_fee=Money(int(item["delivery_fee"]), currency),
        rounding=Money(int(item["rounding"]), currency),
        created_at=read_instant(item["created_at"]),
        timeline=timeline(item),
        receipt=item.get("receipt"),
        discount=discount_from_map(item, currency),
        promo_code=item.get("promo_code"),
    )
