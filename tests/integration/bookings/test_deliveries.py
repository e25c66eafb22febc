"""Orders as riders list them, and as their customers cancel them before they are packed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from payfirst.domain.errors import NotFoundError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import OrderStatus
from payfirst.domain.order import Order
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.session import Customer
from payfirst.storage import timeline
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.fulfilment.orders import cancel_order, cancel_own_order, move_order
from payfirst.usecases.operators.deliveries import OrdersPage, of_days, show
from payfirst.usecases.operators.review import refund_payment
from tests.integration.bookings.test_orders import an_order
from tests.integration.carts.conftest import before_next_write
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import Shop, new_customer


def listed(
    shop: Shop, first: date, last: date | None = None, status: OrderStatus | None = None, *, after: str = ""
) -> OrdersPage:
    return of_days(first, last or first, status, table=shop.table, most=200, after=after)


def codes(page: OrdersPage) -> list[str]:
    return [order.code for order in page.orders]


def day_of(order: Order) -> date:
    return date.fromisoformat(f"{order.code[4:8]}-{order.code[8:10]}-{order.code[10:12]}")


def give_up(shop: Shop, customer: Customer, order: Order, *, allowed: bool = True, said: str | None = None) -> Order:
    given, told = GivenId(code=order.code), None if said is None else Decimal(said)
    where, now = shop.table, shop.now
    return cancel_own_order(given, "I am away", customer=customer, table=where, now=now, allowed=allowed, said=told)


def test_the_orders_of_some_days_cost_the_same_whatever_other_days_hold(shop: Shop) -> None:
    shop.now += timedelta(days=40)
    order = an_order(shop, new_customer())
    day = day_of(order)
    with counted(shop.table) as before:
        assert codes(listed(shop, day, day + timedelta(days=6))) == [order.code]
    shop.now += timedelta(days=10)
    for _ in range(5):
        an_order(shop, new_customer())
    with counted(shop.table) as after:
        assert codes(listed(shop, day, day + timedelta(days=6))) == [order.code]
    assert before.operations == after.operations == ["BatchGetItem", "BatchGetItem", "BatchGetItem"]


def test_a_list_goes_on_where_its_page_ended_and_shows_what_goes_back(shop: Shop) -> None:
    shop.now += timedelta(days=80)
    made = [an_order(shop, new_customer()) for _ in range(2)]
    shop.now += timedelta(days=1)
    made.append(an_order(shop, new_customer()))
    first, last = day_of(made[0]), day_of(made[-1])
    page = of_days(first, last, table=shop.table, most=2)
    assert codes(page) == [order.code for order in made[:2]]
    assert page.next == made[1].code
    rest = listed(shop, first, last, after=page.next)
    assert (codes(rest), rest.next) == ([made[2].code], None)
    cancel_order(shop.table, made[0].code, shop.now, by="operator:amina", why="rotten")
    with counted(shop.table) as requests:
        page = listed(shop, first, status=OrderStatus.CANCELLED)
    assert requests.operations == ["BatchGetItem"] * 4
    assert codes(page) == [made[0].code]
    assert page.refunds[made[0].session].amount == made[0].amount


def test_one_order_shows_its_refunds_in_four_requests(shop: Shop) -> None:
    order = an_order(shop, new_customer(), receipt="SHOWN12345")
    cancel_order(shop.table, order.code, shop.now, by="operator:amina", why="rotten")
    with counted(shop.table) as requests:
        found = show(shop.table, order.code)
    assert requests.operations == ["GetItem", "GetItem", "GetItem", "Query"]
    assert (found.order.receipt, found.order.payment_status) == ("SHOWN12345", PaymentStatus.REFUND_DUE)
    assert [refund.amount for refund in found.refunds] == [order.amount]
    with pytest.raises(NotFoundError):
        show(shop.table, "ORD-20200101-001")


def sold(shop: Shop, order: Order) -> int:
    item = get(shop.table, shop_keys.listing(order.lines[0].listing_id))
    assert item is not None
    return int(item["sold"])


def test_a_customer_cancels_an_order_once_and_all_of_it_goes_back(shop: Shop) -> None:
    customer = new_customer()
    order = an_order(shop, customer)
    before = sold(shop, order)
    ended = give_up(shop, customer, order)
    assert (ended.status, ended.payment_status) == (OrderStatus.CANCELLED, PaymentStatus.REFUND_DUE)
    assert give_up(shop, customer, order) == ended
    assert sold(shop, order) == before - 2
    found = show(shop.table, order.code)
    assert [(refund.amount, refund.reason, refund.why) for refund in found.refunds] == [
        (Money(order.amount.minor, Currency.KES), "order_cancelled", None)
    ]
    [event] = [event for event in timeline.read(shop.table, found.session) if event.name == "order.cancelled"]
    assert (event.by, event.facts["reason"]) == ("customer", "I am away")
    assert "why" not in event.facts


def refused(shop: Shop, customer: Customer, order: Order, **rule: Any) -> str:
    with pytest.raises(RefusedError) as error:
        give_up(shop, customer, order, **rule)
    assert show(shop.table, order.code).refunds == ()
    return error.value.stable_code


def test_an_order_that_is_packed_or_of_a_shop_that_does_not_let_them_stays(shop: Shop) -> None:
    customer = new_customer()
    order = an_order(shop, customer)
    assert refused(shop, customer, order, allowed=False) == "ORDER_NOT_CANCELLABLE"
    move_order(shop.table, order.code, OrderStatus.PACKED, shop.now, by="operator:amina")
    assert refused(shop, customer, order) == "ORDER_NOT_CANCELLABLE"
    with pytest.raises(NotFoundError):
        give_up(shop, new_customer(), order)


def test_an_order_that_is_packed_between_the_look_and_the_write_stays(shop: Shop) -> None:
    customer = new_customer()
    order = an_order(shop, customer)

    def pack() -> None:
        move_order(shop.table, order.code, OrderStatus.PACKED, shop.now, by="operator:amina")

    with before_next_write(shop.table, pack):
        assert refused(shop, customer, order) == "ORDER_NOT_CANCELLABLE"


def test_an_order_whose_payment_was_given_back_in_part_since_it_was_said_stays(shop: Shop) -> None:
    customer = new_customer()
    order = an_order(shop, customer)
    ref = show(shop.table, order.code).session.captured or ""

    def give_a_part() -> None:
        part = refund_payment(shop.table, ref, Money(5000, Currency.KES), shop.now, by="operator:amina", why="late")
        write(shop.table, Update("refund", keys.refund(ref, part.number), set={"status": "refunded"}))

    with before_next_write(shop.table, give_a_part), pytest.raises(RefusedError) as error:
        give_up(shop, customer, order, said="350.00")
    assert (error.value.stable_code, error.value.details) == ("REFUND_CHANGED", {"refund": "300.00"})
    assert show(shop.table, order.code).order.status is OrderStatus.CONFIRMED
    with pytest.raises(RefusedError):
        cancel_order(shop.table, order.code, shop.now, by="operator:amina", why="late", said=Decimal("350.00"))
    assert show(shop.table, order.code).gives_back == Money(30000, Currency.KES)
    assert give_up(shop, customer, order, said="300.00").status is OrderStatus.CANCELLED


def test_who_says_the_same_at_the_same_moment_is_told_that_it_was_done(shop: Shop) -> None:
    """Both read the order; what the slower one reads of its payment is what the faster one has left of it."""
    customer = new_customer()
    order = an_order(shop, customer)
    refund = cancel_order(shop.table, order.code, shop.now, by="operator:amina", why="rain", said=Decimal("350.00"))
    assert cancel_order(shop.table, order.code, shop.now, by="operator:amina", why="rain", said=Decimal("350.00")) == refund
    with ThreadPoolExecutor(4) as people:
        other = an_order(shop, customer)
        ended = list(people.map(lambda _: give_up(shop, customer, other, said="350.00"), range(4)))
    assert {each.status for each in ended} == {OrderStatus.CANCELLED}


def test_numbers_that_were_drawn_in_vain_are_passed_over(shop: Shop) -> None:
    write(shop.table, Update("sequence", shop_keys.order_sequence("20200229"), set={"n": 130}))
    page = listed(shop, date(2020, 2, 29))
    assert (codes(page), page.next) == ([], None)
