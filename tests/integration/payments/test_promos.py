"""A promo's uses are held when a payment begins and counted when it succeeds: never one more than there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import pytest

from payfirst.domain.errors import PriceChangedError, RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesTo, Promo
from payfirst.domain.session import Customer
from payfirst.gateways.base import Captured
from payfirst.storage import catalogue
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.settle import settle
from tests.integration.payments.shop import Shop, new_customer

USES: Final = 5
CUSTOMERS: Final = 60


def offer(shop: Shop, **rules: Any) -> None:
    """`FIVE` takes 10.00 off, under `rules`."""
    promo = Promo("FIVE", Currency.INR, **{"amount": Money(1000, Currency.INR), **rules})
    write(shop.table, Put("promo", catalogue.promo_to_item(promo)))


def uses(shop: Shop) -> tuple[int, int]:
    found = get(shop.table, shop_keys.promo("FIVE"))
    assert found is not None
    return int(found["taken"]), int(found["used"])


def begin(shop: Shop, customer: Customer) -> Started:
    return shop.process(shop.booking_cart(customer, promo="FIVE", discount=1000), customer)


def refusal(shop: Shop, customer: Customer) -> str:
    with pytest.raises(RefusedError) as refused:
        begin(shop, customer)
    return refused.value.stable_code


def pay(shop: Shop, started: Started) -> None:
    shop.decide(started)
    shop.tell_phonepe(started)


def test_sixty_customers_who_pay_with_a_promo_of_five_uses_make_five_discounted_bookings(shop: Shop) -> None:
    offer(shop, most_uses=USES)
    customers = [new_customer() for _ in range(CUSTOMERS)]

    def take_part(customer: Customer) -> Started | None:
        try:
            started = begin(shop, customer)
        except RefusedError as error:
            if error.stable_code != "PROMO_USED_UP":
                raise
            return None
        pay(shop, started)
        return started

    with ThreadPoolExecutor(12) as pool:
        started = [each for each in pool.map(take_part, customers) if each]

    items = [item for item in shop.items() if item["sk"].startswith("B#") and "content" in item]
    assert [int(item["content"]["discount"]) for item in items] == [1000] * USES
    assert len(started) == USES
    assert uses(shop) == (USES, USES)


def test_one_customer_uses_a_promo_as_often_as_it_allows_and_others_still_may(shop: Shop) -> None:
    offer(shop, most_uses_each=1)
    mine = new_customer()
    first = begin(shop, mine)
    assert refusal(shop, mine) == "PROMO_LIMIT_REACHED"
    pay(shop, first)
    assert refusal(shop, mine) == "PROMO_LIMIT_REACHED"
    begin(shop, new_customer())
    assert uses(shop) == (2, 1)


def test_many_carts_of_one_customer_at_once_take_one_use(shop: Shop) -> None:
    offer(shop, most_uses_each=1)
    mine = new_customer()
    carts = [shop.booking_cart(mine, promo="FIVE", discount=1000) for _ in range(8)]

    def process(number: int) -> str:
        try:
            shop.process(carts[number], mine)
        except RefusedError as error:
            return error.stable_code
        return "started"

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(process, range(8)))
    assert said == ["PROMO_LIMIT_REACHED"] * 7 + ["started"]


def test_a_use_comes_back_to_shop_and_customer_when_the_payment_fails(shop: Shop) -> None:
    offer(shop, most_uses=1, most_uses_each=1)
    mine = new_customer()
    started = begin(shop, mine)
    shop.decide(started, "fail")
    for _ in range(2):
        shop.tell_phonepe(started, state="FAILED")
    assert uses(shop) == (0, 0)
    pay(shop, begin(shop, mine))
    assert uses(shop) == (1, 1)


@pytest.mark.parametrize("most", [1, 2])
def test_late_money_takes_a_use_again_where_one_is_left_and_goes_back_where_none_is(shop: Shop, most: int) -> None:
    offer(shop, most_uses=most)
    late = begin(shop, new_customer())
    shop.decide(late, "fail")
    shop.tell_phonepe(late, state="FAILED")
    pay(shop, begin(shop, new_customer()))

    came = settle(shop.notice_context(), shop.attempt(late), Captured(late.attempt.amount, None))

    assert came is (Settled.FULFILLED if most > 1 else Settled.REFUND_DUE)
    failure = shop.read(late.session).failure
    assert (failure.code if failure else None) == (None if most > 1 else "promo_used_up")
    assert uses(shop) == (most, most)


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"valid_until": timedelta(0)}, "PROMO_EXPIRED"),
        ({"valid_from": timedelta(seconds=1)}, "PROMO_EXPIRED"),
        ({"minimum": Money(51001, Currency.INR)}, "PROMO_BELOW_MINIMUM"),
        ({"applies_to": (AppliesTo("PUJA", 2),)}, "PROMO_NOT_APPLICABLE"),
        ({"applies_to": (AppliesTo("PUJA", 1, 2),)}, "PROMO_NOT_APPLICABLE"),
        ({"applies_to": (AppliesTo("ASTROLOGY", 1), AppliesTo("PUJA", 1, 1))}, None),
        ({"minimum": Money(51000, Currency.INR), "valid_until": timedelta(seconds=1)}, None),
    ],
)
def test_a_promo_that_does_not_count_any_more_is_refused_when_the_payment_begins(
    shop: Shop, rules: dict[str, Any], code: str | None
) -> None:
    offer(shop, **{name: shop.now + rule if isinstance(rule, timedelta) else rule for name, rule in rules.items()})
    if code is None:
        begin(shop, new_customer())
    else:
        assert refusal(shop, new_customer()) == code
    assert uses(shop) == ((1, 0) if code is None else (0, 0))


def test_a_discount_that_changed_since_is_reported_and_not_silently_used(shop: Shop) -> None:
    offer(shop, amount=Money(2000, Currency.INR))
    with pytest.raises(PriceChangedError) as refused:
        begin(shop, new_customer())
    assert refused.value.details == {"price_at_addition": "10.00", "current_price": "20.00"}
