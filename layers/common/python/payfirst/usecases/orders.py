"""Orders after their payment: found and listed."""

from __future__ import annotations

from dataclasses import dataclass

from payfirst.domain.errors import NotFoundError
from payfirst.domain.ids import GivenId
from payfirst.domain.moves import OrderStatus
from payfirst.domain.order import Order
from payfirst.domain.session import Customer, RefundShown
from payfirst.storage import keys, orders, sessions
from payfirst.storage.lists import Position, Slice, read_page
from payfirst.storage.table import Table
from payfirst.usecases.find import number_of_outcome


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders, newest first, and the page that they came on."""

    orders: tuple[Order, ...]
    page: Slice


def list_orders(customer: Customer, *, table: Table, size: int, position: Position | None) -> OrderPage:
    """One page of the customer's orders, newest first."""
    page = read_page(table, customer.sub, keys.ORDER, size=size, position=position)
    return OrderPage(tuple(orders.order_from_item(item) for item in page.items), page)


def find_order(given: GivenId, *, customer: Customer, table: Table) -> Order:
    """The customer's order; NotFoundError for an unknown one and for somebody else's alike."""
    number = number_of_outcome(given, keys.ORDER, customer=customer, table=table)
    order = None if number is None else orders.read(table, customer.sub, number)
    if order is None:
        raise NotFoundError("Order not found")
    return order


def refund_of(order: Order, *, table: Table) -> RefundShown | None:
    """How the money of a cancelled order stands; None for any other, which costs no request."""
    if order.status is not OrderStatus.CANCELLED:
        return None
    session = sessions.read(table, order.owner, order.session_number)
    return session.refund if session else None
