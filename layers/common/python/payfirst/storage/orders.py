"""Orders: read, moved towards the door, cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.booking import Step
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.ids import order_number
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import OrderStatus, RefundStatus, order_sources
from payfirst.domain.order import Order
from payfirst.domain.refund import Refund
from payfirst.domain.session import RefundShown, Session, quantities
from payfirst.storage import keys, refunds
from payfirst.storage.bookings import timeline
from payfirst.storage.expressions import Item, Update, Write, at_least, one_of
from payfirst.storage.items import refund_to_map
from payfirst.storage.sessions import changed, told
from payfirst.storage.snapshots import delivery_from_map, discount_from_map, line_from_map
from payfirst.storage.table import Table, batch_get, get, transact

ORDER: Final = "order"
CANCELLED: Final = "order_cancelled"
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


def of_day(table: Table, day: str) -> Iterator[Order]:
    """The orders of one day in Nairobi (`YYYYMMDD`), in the order of their numbers: found by the day's own counter."""
    counter = get(table, keys.order_sequence(day))
    drawn = int(counter["n"]) if counter else 0
    for first in range(1, drawn + 1, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, drawn + 1))
        pointers = batch_get(table, [keys.pointer(order_number(day, number)) for number in numbers])
        places = [keys.owned(found["owner"], keys.ORDER, int(found["number"])) for found in pointers if found]
        yield from (order_from_item(item) for item in batch_get(table, places) if item)


def _stepped(order: Order, to: OrderStatus, now: datetime, reason: str | None = None) -> Update:
    """The order's own change: legal from the status that was read and no other."""
    steps = (*order.timeline, Step(to, now, reason=reason))
    return Update(
        ORDER,
        keys.owned(order.owner, keys.ORDER, order.number),
        when=(one_of("status", order_sources(to) & {order.status}),),
        set={"status": to.value, "timeline": [_step_to_map(step) for step in steps]},
    )


def _step_to_map(step: Step) -> dict[str, Any]:
    reason = {} if step.reason is None else {"reason": step.reason}
    return {"status": step.status, "at": instant(step.at), **reason}


def _outcome(order: Order, status: OrderStatus) -> dict[str, Any]:
    """How the session's own status shows the order."""
    return {"number": order.number, "code": order.code, "status": status.value}


def move(table: Table, session: Session, order: Order, to: OrderStatus, now: datetime, *, by: str) -> None:
    """Take `order` one step further. Names that can stand in the way: order (it has moved on), session (it has changed)."""
    transact(
        table,
        [
            _stepped(order, to, now),
            changed(session, outcome=_outcome(order, to)),
            told(session, f"order.{to.value}", now, by=by, order=order.number, order_number=order.code),
        ],
    )


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a cancellation owes: `amount` of what `attempt` collected, as its `number`th refund."""

    attempt: Attempt
    amount: Money
    number: int


def cancel(
    table: Table, session: Session, order: Order, owed: GivenBack | None, now: datetime, *, by: str, why: str
) -> Refund | None:
    """Cancel `order`: its stock is for sale again and `owed` (None: all went back before) is due, in one transaction.

    Names that can stand in the way: order (it has moved on), session, `listing:ID` (that much was never sold), attempt,
    refund (somebody gave money back meanwhile).
    """
    refund: Refund | None = None
    writes: list[Write] = [_stepped(order, OrderStatus.CANCELLED, now, why), *_restocked(order)]
    amount = owed.amount.minor if owed else 0
    shown: dict[str, Any] = {"outcome": _outcome(order, OrderStatus.CANCELLED)}
    writes.append(
        told(session, "order.cancelled", now, by=by, order=order.number, order_number=order.code, why=why, amount=amount)
    )
    if owed is not None:
        refund, due = refunds.owed(owed.attempt, owed.amount, owed.number, now, reason=CANCELLED)
        shown |= {
            "refund": refund_to_map(RefundShown(refund.amount, RefundStatus.DUE.value, CANCELLED)),
            "sequence": session.sequence + 2,
        }
        writes += [
            *due,
            told(
                session, "refund.due", now, offset=2, by=by, refund=refund.refund_id, amount=amount, reason=CANCELLED, why=why
            ),
        ]
    transact(table, [changed(session, **shown), *writes])
    return refund


def _restocked(order: Order) -> list[Write]:
    return [
        Update(
            f"listing:{listing}",
            keys.listing(listing),
            when=(at_least("sold", quantity),),
            add={"available": quantity, "sold": -quantity},
        )
        for listing, quantity in quantities(order.lines).items()
    ]


def order_from_item(item: Item) -> Order:
    """The order of an item."""
    currency = Currency(item["currency"])
    return Order(
        number=int(item["sk"].split("#")[1]),
        code=item["order_number"],
        owner=item["pk"].removeprefix("U#"),
        session=item["session"],
        session_number=int(item["session_number"]),
        status=OrderStatus(item["status"]),
        payment_status=item["payment_status"],
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
