"""An order is shown as it was paid for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from payfirst.domain.errors import NotFoundError
from payfirst.domain.ids import GivenId
from payfirst.domain.order import Order
from payfirst.domain.session import Customer, OrderSnapshot
from payfirst.usecases.fulfilment.bookings import find_booking
from payfirst.usecases.fulfilment.orders import find_order, list_orders
from tests.integration.payments.shop import Shop, new_customer


def an_order(shop: Shop, customer: Customer, *, receipt: str | None = None) -> Order:
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.decide(started)
    shop.tell(started, shop.notice(started, receipt=receipt))
    outcome = shop.read(session).outcome
    assert outcome is not None
    return find_order(GivenId(number=outcome.number), customer=customer, table=shop.table)


def test_an_order_has_the_lines_the_delivery_the_totals_and_the_receipt_of_its_session(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.decide(started)
    shop.tell(started, shop.notice(started, receipt="TRK1234567"))
    outcome = shop.read(session).outcome
    assert outcome is not None
    order = find_order(GivenId(code=outcome.code), customer=customer, table=shop.table)
    frozen = session.snapshot
    assert isinstance(frozen, OrderSnapshot)
    assert (order.lines, order.delivery) == (frozen.lines, frozen.delivery)
    assert (order.items_total, order.delivery_fee, order.amount) == (
        frozen.items_total,
        frozen.delivery_fee,
        session.amount,
    )
    assert (order.session, order.receipt, order.total_items) == (session.uuid, "TRK1234567", Decimal(2))
    assert [step.status for step in order.timeline] == ["confirmed"]


def test_an_order_is_found_by_its_number_and_its_code_and_by_no_one_else(shop: Shop) -> None:
    customer = new_customer()
    order = an_order(shop, customer)
    for given in (GivenId(number=order.number), GivenId(code=order.code)):
        assert find_order(given, customer=customer, table=shop.table) == order
        with pytest.raises(NotFoundError):
            find_order(given, customer=new_customer(), table=shop.table)
        with pytest.raises(NotFoundError):
            find_booking(given, customer=customer, table=shop.table)


def test_orders_are_listed_newest_first_with_their_count(shop: Shop) -> None:
    customer = new_customer()
    first = an_order(shop, customer)
    shop.now += timedelta(minutes=1)
    second = an_order(shop, customer)
    page = list_orders(customer, table=shop.table, size=10, position=None)
    assert (page.orders, page.page.count) == ((second, first), 2)
    assert list_orders(new_customer(), table=shop.table, size=10, position=None).orders == ()
