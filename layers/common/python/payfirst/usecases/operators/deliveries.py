"""The orders of some days, and one of them, for those who pack and deliver: whoever owns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from payfirst.domain.money import Money
from payfirst.domain.moves import OrderStatus, order_sources
from payfirst.domain.order import Order
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.refund import Refund, left_of
from payfirst.domain.session import RefundShown, Session
from payfirst.storage import orders, refunds, sessions
from payfirst.storage.due import batches
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.lists import LONGEST_STRETCH
from payfirst.usecases.fulfilment.orders import find_by_code

AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """Orders by their numbers, the latest refund of those of which something goes back (by session), and the number behind
    which the next page begins; None where this is the last."""

    orders: tuple[Order, ...]
    refunds: Mapping[str, RefundShown]
    next: str | None

    def behind(self, count: int) -> str | None:
        """`next` where only the first `count` are shown."""
        return self.next if count == len(self.orders) else self.orders[count - 1].code


def of_days(
    first: date, last: date, status: OrderStatus | None = None, *, table: Table, most: int, after: str = ""
) -> OrdersPage:
    """At most `most` orders of the days from `first` to `last` in Nairobi (92 at most), those behind the order `after`; those
    with `status` where one is given, of 500 that are looked at. What other days hold costs nothing."""
    days = [(first + timedelta(days=ahead)).strftime("%Y%m%d") for ahead in range((last - first).days + 1)]
    shown: list[Order] = []
    seen, ends = "", None
    for looked, order in enumerate(orders.of_days(table, days, after=after)):
        if len(shown) == most or looked == LONGEST_STRETCH:
            ends = seen
            break
        seen = order.code
        if status in (None, order.status):
            shown.append(order)
    return OrdersPage(tuple(shown), _refunds(shown, table), ends)


def _refunds(found: Sequence[Order], table: Table) -> dict[str, RefundShown]:
    """One request for each hundred orders of which something goes back; none where nothing does."""
    asked = (order for order in found if order.payment_status is not PaymentStatus.PAID)
    places = [keys.owned(order.owner, keys.SESSION, order.session_number) for order in asked]
    read = (session for batch in batches(places, AT_ONCE) for session in sessions.read_many(table, batch))
    return {session.uuid: session.refund for session in read if session.refund}


@dataclass(frozen=True, slots=True)
class OrderFound:
    """An order with its session and all refunds of its payment."""

    order: Order
    session: Session
    refunds: tuple[Refund, ...]

    @property
    def gives_back(self) -> Money | None:
        """What cancelling it would give back now, perhaps nothing; None where it cannot be cancelled."""
        open_still = self.order.status in order_sources(OrderStatus.CANCELLED)
        return left_of(self.order.amount, self.refunds) if open_still else None


def show(table: Table, code: str) -> OrderFound:
    """The order `ORD-…` with its payment; NotFoundError."""
    order, session = find_by_code(table, code)
    current = replace(order, payment_status=session.payment_status)
    return OrderFound(current, session, refunds.of_attempt(table, session.captured or ""))
