"""No prompt is sent while its result would go to an address that Safaricom refuses, whatever is being paid for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from payfirst.api import resources
from payfirst.api.request import Request
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import MisconfiguredError
from payfirst.domain.money import Currency
from payfirst.domain.session import Customer
from payfirst.usecases.checkout.initiate_payment import initiate_payment
from payfirst.usecases.context import PaymentContext
from tests.fresh import forget
from tests.integration.payments.shop import Shop, new_customer, new_phone
from tests.unit.test_settings import PRODUCTION


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A function in production whose notices would go to API Gateway's own host, which spells a forbidden word."""
    refused = {"CALLBACK_ORIGIN": "https://a1b2.execute-api.af-south-1.amazonaws.com"}
    region = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {**PRODUCTION, **refused, **region}.items():
        monkeypatch.setenv(name, value)
    forget()
    yield
    forget()


def deployed_till(shop: Shop) -> PaymentContext:
    """What the function gives its use cases, on the test's table and clock."""
    request = Request({}, shop.now, Deadline(lambda: 25.0))
    return replace(
        resources.payment_context(request), table=shop.table, queue=shop.queue, search_key=shop.payment_context().search_key
    )


def kes_cart(shop: Shop, customer: Customer) -> None:
    shop.process(shop.booking_cart(customer, currency=Currency.KES), customer, phone=new_phone(), context=deployed_till(shop))


def session(shop: Shop, customer: Customer) -> None:
    given = shop.given(shop.session(customer))
    initiate_payment(given, None, customer=customer, context=deployed_till(shop))


@pytest.mark.parametrize("pay", [kes_cart, session])
@pytest.mark.usefixtures("production")
def test_nothing_is_claimed_and_nothing_is_sent(shop: Shop, pay: object) -> None:
    assert callable(pay)
    with pytest.raises(MisconfiguredError, match="callback address"):
        pay(shop, new_customer())
    assert not [item for item in shop.items() if item["pk"].startswith("ATT#")]


@pytest.mark.usefixtures("production")
def test_phonepe_does_not_mind(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "gateway", shop.gateways.__getitem__)
    context = replace(
        deployed_till(shop), gateway=resources.payment_context(Request({}, shop.now, Deadline(lambda: 25.0))).gateway
    )
    assert context.gateway("PHONEPE").terms.name == "PHONEPE"
