"""A cart ends after thirty quiet days, and never under a payment."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from payfirst.domain.cart import BookingCart, CartStatus
from payfirst.domain.errors import CartEmptyError, NotFoundError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import SessionStatus
from payfirst.domain.promo import Promo
from payfirst.domain.session import Customer
from payfirst.gateways.base import Captured
from payfirst.storage import catalogue
from payfirst.usecases.carts import produce_cart, service_carts
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.settle import settle
from tests.integration.payments.shop import Shop, new_customer

QUIET: Final = timedelta(days=30)
MOMENT: Final = timedelta(seconds=1)


@pytest.fixture
def customer() -> Customer:
    return new_customer()


def status(shop: Shop, customer: Customer, cart: BookingCart) -> CartStatus:
    view = service_carts.view_cart(GivenId(cart.number), customer=customer, table=shop.table, now=shop.now)
    assert (view.offer is not None) is (view.cart.status_at(shop.now) is CartStatus.ACTIVE and not view.cart.live_attempt)
    return view.cart.status_at(shop.now)


def active(shop: Shop, customer: Customer) -> list[int]:
    found = service_carts.carts_with(CartStatus.ACTIVE, customer, table=shop.table, now=shop.now)
    return [view.cart.number for view in found.carts]


def with_promo(shop: Shop, customer: Customer, cart: BookingCart) -> None:
    catalogue.add(shop.table, Promo("TEN", Currency.INR, amount=Money(1000, Currency.INR)))
    service_carts.apply_promo(
        GivenId(cart.number), "TEN", customer=customer, table=shop.table, now=shop.now, entropy=secrets.token_bytes
    )


def without_promo(shop: Shop, customer: Customer, cart: BookingCart) -> None:
    service_carts.remove_promo(
        GivenId(cart.number), customer=customer, table=shop.table, now=shop.now, entropy=secrets.token_bytes
    )


def paid_in_vain(shop: Shop, customer: Customer, cart: BookingCart) -> None:
    started = shop.process(cart, customer)
    shop.decide(started, "fail")
    shop.tell_phonepe(started, state="FAILED")


def test_a_cart_of_a_service_expires_after_thirty_quiet_days_and_not_a_second_earlier(shop: Shop, customer: Customer) -> None:
    cart = shop.booking_cart(customer)
    shop.now += QUIET - MOMENT
    assert (status(shop, customer, cart), active(shop, customer)) == (CartStatus.ACTIVE, [cart.number])
    shop.now += MOMENT
    assert (status(shop, customer, cart), active(shop, customer)) == (CartStatus.EXPIRED, [])
    with pytest.raises(NotFoundError, match="Active cart not found"):
        shop.process(cart, customer)
    for change in (with_promo, without_promo):
        with pytest.raises(RefusedError) as refused:
            change(shop, customer, cart)
        assert refused.value.stable_code == "CART_EXPIRED"
    page = service_carts.list_carts(customer, table=shop.table, now=shop.now, size=5, position=None)
    assert [view.cart.number for view in page.carts] == [cart.number]
    service_carts.delete_cart(GivenId(cart.number), customer=customer, table=shop.table)


@pytest.mark.parametrize("touch", [with_promo, without_promo, paid_in_vain])
def test_every_touch_renews_it(shop: Shop, customer: Customer, touch: Callable[[Shop, Customer, BookingCart], None]) -> None:
    cart = shop.booking_cart(customer)
    shop.now += QUIET - MOMENT
    touch(shop, customer, cart)
    shop.now += QUIET - MOMENT
    assert status(shop, customer, cart) is CartStatus.ACTIVE
    shop.now += MOMENT
    assert status(shop, customer, cart) is CartStatus.EXPIRED


def test_a_cart_that_is_being_paid_for_stays_however_long_that_takes(shop: Shop, customer: Customer) -> None:
    cart = shop.booking_cart(customer)
    started = shop.process(cart, customer)
    shop.now += QUIET * 3
    assert status(shop, customer, cart) is CartStatus.ACTIVE
    assert not shop.process(cart, customer).is_new
    shop.decide(started)
    shop.tell_phonepe(started)
    assert status(shop, customer, cart) is CartStatus.CONVERTED
    assert shop.read(started.session).status is SessionStatus.ORDER_CREATED


def test_money_that_comes_for_an_expired_cart_still_becomes_its_booking(shop: Shop, customer: Customer) -> None:
    cart = shop.booking_cart(customer)
    started = shop.process(cart, customer)
    shop.decide(started, "fail")
    shop.tell_phonepe(started, state="FAILED")
    shop.now += QUIET
    assert status(shop, customer, cart) is CartStatus.EXPIRED
    came = settle(shop.notice_context(), shop.attempt(started), Captured(started.attempt.amount, None))
    assert came is Settled.FULFILLED
    assert status(shop, customer, cart) is CartStatus.CONVERTED


def in_the_cart(shop: Shop, customer: Customer) -> list[int]:
    cart = produce_cart.read_cart(customer=customer, table=shop.table, now=shop.now).cart
    assert cart is not None
    return [line.cart_item_id for line in cart.lines]


def add(shop: Shop, customer: Customer) -> None:
    produce_cart.add_item(123, Decimal(1), customer=customer, table=shop.table, now=shop.now, entropy=secrets.token_bytes)


def test_a_cart_of_produce_is_empty_again_after_thirty_quiet_days(shop: Shop, customer: Customer) -> None:
    add(shop, customer)
    shop.now += QUIET - MOMENT
    assert in_the_cart(shop, customer) == [1]
    add(shop, customer)
    shop.now += QUIET - MOMENT
    assert in_the_cart(shop, customer) == [1]
    shop.now += MOMENT
    assert in_the_cart(shop, customer) == []
    with pytest.raises(CartEmptyError):
        shop.session_from_cart(customer)
    with pytest.raises(NotFoundError):
        produce_cart.remove_item(1, customer=customer, table=shop.table, now=shop.now, entropy=secrets.token_bytes)
    add(shop, customer)
    assert in_the_cart(shop, customer) == [2]


def test_a_session_keeps_the_cart_that_it_was_made_from(shop: Shop, customer: Customer) -> None:
    add(shop, customer)
    shop.now += QUIET - MOMENT
    session = shop.session_from_cart(customer)
    shop.now += timedelta(minutes=10)
    assert in_the_cart(shop, customer) == [1]
    started = shop.initiate(session)
    shop.tell(started, shop.notice(started, amount=str(session.amount)))
    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    assert in_the_cart(shop, customer) == []
