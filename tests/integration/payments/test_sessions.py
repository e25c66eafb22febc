"""A session freezes what the cart showed, or says what changed; it is extended while it can be paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payfirst.domain.errors import (
    CartEmptyError,
    NotChargeableError,
    NotFoundError,
    PaymentInProgressError,
    PriceChangedError,
    RefusedError,
    SessionExpiredError,
)
from payfirst.domain.ids import GivenId
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Session
from payfirst.storage.dynamodb import keys
from payfirst.usecases.checkout.create_session import extend_session
from tests.integration.payments.shop import LIFETIME, Shop, new_customer


def _extend(shop: Shop, session: Session) -> Session:
    given = GivenId(session.number)
    return extend_session(given, customer=session.customer, table=shop.table, now=shop.now, step=LIFETIME)


def test_a_price_that_changed_since_is_reported_and_nothing_is_stored(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer)
    shop.stock(listing=123, price=17500, available="10000")

    with pytest.raises(PriceChangedError) as caught:
        shop.session_from_cart(customer)

    [line] = caught.value.details["lines"]
    assert (line["listing_id"], line["price_at_addition"], line["current_price"]) == (123, "150.00", "175.00")
    assert shop.of_kind(customer, keys.SESSION) == []


def test_what_is_not_in_stock_is_refused_before_anybody_pays(shop: Shop) -> None:
    customer = new_customer()
    shop.stock(listing=123, price=15000, available="10")
    shop.fill_cart(customer, quantity="10.5")

    with pytest.raises(RefusedError) as caught:
        shop.session_from_cart(customer)

    assert caught.value.stable_code == "OUT_OF_STOCK"
    [line] = caught.value.details["lines"]
    assert (line["available"], line["quantity"]) == ("10", "10.5")


def test_a_listing_that_is_gone_is_out_of_stock(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer, listing=999)

    with pytest.raises(RefusedError, match="not enough in stock"):
        shop.session_from_cart(customer)


def test_an_empty_cart_makes_no_session(shop: Shop) -> None:
    with pytest.raises(CartEmptyError):
        shop.session_from_cart(new_customer())


def test_a_total_that_mpesa_cannot_collect_is_refused_when_the_session_is_made(shop: Shop) -> None:
    customer = new_customer()
    shop.fill_cart(customer, quantity="1667")

    with pytest.raises(NotChargeableError, match="250,000 whole shillings"):
        shop.session_from_cart(customer)


def test_a_fraction_of_a_shilling_is_rounded_up_once(shop: Shop) -> None:
    customer = new_customer()
    shop.stock(listing=123, price=15033, available="10")
    shop.fill_cart(customer, price=15033, quantity="1")

    session = shop.session_from_cart(customer)

    assert str(session.amount) == "201.00"


def test_a_session_is_extended_four_times(shop: Shop) -> None:
    session = shop.session(new_customer())
    for _ in range(4):
        session = _extend(shop, session)
    assert session.expires_at == session.created_at + LIFETIME * 5

    with pytest.raises(RefusedError, match="4 times"):
        _extend(shop, session)


def test_what_is_being_paid_was_paid_or_is_over_is_not_extended(shop: Shop) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)
    with pytest.raises(PaymentInProgressError):
        _extend(shop, session)
    shop.tell(started)
    with pytest.raises(RefusedError) as closed:
        _extend(shop, session)
    assert closed.value.stable_code == "SESSION_CLOSED"

    other = shop.session(new_customer())
    shop.now += LIFETIME
    with pytest.raises(SessionExpiredError):
        _extend(shop, other)


def test_a_failed_session_is_extended_and_paid(shop: Shop) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)
    shop.decide(started, "cancel")
    shop.tell(started, shop.notice(started, code=1032))
    shop.now += timedelta(minutes=14)
    _extend(shop, session)
    shop.now += timedelta(minutes=5)

    shop.tell(shop.initiate(session))

    assert shop.read(session).status is SessionStatus.ORDER_CREATED


def test_somebody_elses_session_is_an_unknown_one(shop: Shop) -> None:
    session = shop.session(new_customer())

    with pytest.raises(NotFoundError, match=r"^Session not found$"):
        extend_session(GivenId(session.number), customer=new_customer(), table=shop.table, now=shop.now, step=LIFETIME)


def test_a_cart_that_changed_during_the_payment_keeps_its_new_content(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    newer = shop.fill_cart(customer, quantity="7")

    shop.tell(started)

    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    [cart] = [item for item in shop.items() if item["sk"] == "CART"]
    assert cart["version"] == newer.version
    assert len(cart["lines"]) == 1
