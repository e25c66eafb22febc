"""Promo codes on produce: what they take off, and never one use more than there are."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from payfirst.domain.errors import CartEmptyError, PriceChangedError, RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesTo, AppliesToListing, Promo
from payfirst.domain.session import Customer, OrderSnapshot, Session
from payfirst.gateways.base import Captured
from payfirst.storage import catalogue, orders
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Put, Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.carts import produce_cart
from payfirst.usecases.carts.produce_cart import CartView
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.settle import settle
from tests.integration.payments.shop import Shop, new_customer

USES: Final = 5
CUSTOMERS: Final = 60
TOMATOES, ONIONS = 123, 125


def offer(shop: Shop, **rules: Any) -> None:
    """`FRESH` takes 10.00 off, under `rules`."""
    usual = {"amount": Money(1000, Currency.KES)} if "percent" not in rules else {}
    write(shop.table, Put("promo", catalogue.promo_to_item(Promo("FRESH", Currency.KES, **{**usual, **rules}))))


def fill(shop: Shop, customer: Customer, quantities: Sequence[tuple[int, str]] = ((TOMATOES, "2"),)) -> None:
    for listing, quantity in quantities:
        produce_cart.add_item(
            listing, Decimal(quantity), customer=customer, table=shop.table, now=shop.now, entropy=secrets.token_bytes
        )


def apply(shop: Shop, customer: Customer, code: str = "fresh") -> CartView:
    return produce_cart.apply_promo(code, customer=customer, table=shop.table, now=shop.now, entropy=secrets.token_bytes)


def look(shop: Shop, customer: Customer) -> CartView:
    return produce_cart.read_cart(customer=customer, table=shop.table, now=shop.now)


def with_code(shop: Shop) -> Customer:
    """A customer with two kilos of tomatoes and the code in the cart."""
    customer = new_customer()
    fill(shop, customer)
    apply(shop, customer)
    return customer


def pay(shop: Shop, started: Started) -> None:
    shop.tell(started, shop.notice(started, amount=str(started.session.amount)))


def frozen(session: Session) -> OrderSnapshot:
    assert isinstance(session.snapshot, OrderSnapshot)
    return session.snapshot


def uses(shop: Shop) -> tuple[int, int]:
    found = get(shop.table, shop_keys.promo("FRESH"))
    assert found is not None
    return int(found["taken"]), int(found["used"])


def test_a_code_is_taken_off_once_frozen_in_the_session_and_shown_by_the_order(shop: Shop) -> None:
    offer(shop)
    customer = with_code(shop)
    promo = look(shop, customer).promo
    assert promo is not None
    assert (promo.discount, promo.changed, promo.problem) == (Money(1000, Currency.KES), False, None)
    session = shop.session_from_cart(customer)
    assert uses(shop) == (0, 0)
    assert (str(session.amount), str(frozen(session).items_total), str(frozen(session).discount)) == (
        "340.00",
        "300.00",
        "10.00",
    )
    started = shop.initiate(session)
    assert uses(shop) == (1, 0)
    pay(shop, started)
    assert uses(shop) == (1, 1)
    outcome = shop.read(session).outcome
    assert outcome is not None
    order = orders.read(shop.table, customer.sub, outcome.number)
    assert order is not None
    assert (order.promo_code, str(order.discount), str(order.amount)) == ("FRESH", "10.00", "340.00")
    emptied = look(shop, customer)
    assert (emptied.cart.promo if emptied.cart else "no cart", emptied.promo) == (None, None)


def test_sixty_customers_who_pay_with_a_code_of_five_uses_make_five_discounted_orders(shop: Shop) -> None:
    offer(shop, most_uses=USES)
    sessions = [shop.session_from_cart(with_code(shop)) for _ in range(CUSTOMERS)]

    def take_part(session: Session) -> Started | None:
        try:
            started = shop.initiate(session)
        except RefusedError as error:
            if error.stable_code != "PROMO_USED_UP":
                raise
            return None
        pay(shop, started)
        return started

    with ThreadPoolExecutor(12) as pool:
        started = [each for each in pool.map(take_part, sessions) if each]

    items = [item for item in shop.items() if item["pk"].startswith("U#") and item["sk"].startswith("O#") and "lines" in item]
    assert [(item["promo_code"], int(item["discount"]), int(item["amount"])) for item in items] == [
        ("FRESH", 1000, 34000)
    ] * USES
    assert len(started) == USES
    assert uses(shop) == (USES, USES)


def test_one_customer_uses_a_code_as_often_as_it_allows(shop: Shop) -> None:
    offer(shop, most_uses_each=1)
    customer = with_code(shop)
    first, second = shop.session_from_cart(customer), shop.session_from_cart(customer)
    started = shop.initiate(first)
    fill(shop, customer)
    with pytest.raises(RefusedError) as refused:
        shop.session_from_cart(customer)
    assert refused.value.stable_code == "PROMO_LIMIT_REACHED"
    pay(shop, started)
    with pytest.raises(RefusedError) as refused:
        shop.initiate(second)
    assert refused.value.stable_code in ("SESSION_CLOSED", "PROMO_LIMIT_REACHED")
    problem = look(shop, customer).promo
    assert problem is not None
    assert problem.problem is not None
    assert (problem.discount.minor, problem.problem.stable_code) == (0, "PROMO_LIMIT_REACHED")


def test_a_use_comes_back_when_the_payment_fails_and_late_money_takes_another_or_goes_back(shop: Shop) -> None:
    offer(shop, most_uses=1)
    late = shop.initiate(shop.session_from_cart(with_code(shop)))
    shop.tell(late, shop.notice(late, code=1032))
    assert uses(shop) == (0, 0)
    pay(shop, shop.initiate(shop.session_from_cart(with_code(shop))))
    came = settle(shop.notice_context(), shop.attempt(late), Captured(late.attempt.amount, None))
    assert came is Settled.REFUND_DUE
    failure = shop.read(late.session).failure
    assert failure is not None
    assert failure.code == "promo_used_up"
    assert uses(shop) == (1, 1)


def test_a_percentage_is_of_the_lines_that_are_meant_together_and_rounded_once(shop: Shop) -> None:
    shop.stock(listing=ONIONS, price=11033, available="100")
    offer(shop, percent=Decimal("12.5"), applies_to=(AppliesToListing(ONIONS), AppliesToListing(TOMATOES)))
    customer = new_customer()
    shop.stock(listing=124, price=3000, available="100")
    fill(shop, customer, [(TOMATOES, "0.5"), (ONIONS, "0.333"), (124, "1")])
    promo = apply(shop, customer).promo
    assert promo is not None
    # 75.00 and 36.74: an eighth of 111.74 is 13.9675.
    assert promo.discount == Money(1397, Currency.KES)
    assert str(shop.session_from_cart(customer).amount) == "178.00"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"valid_until": timedelta(0)}, "PROMO_EXPIRED"),
        ({"valid_from": timedelta(seconds=1)}, "PROMO_EXPIRED"),
        ({"minimum": Money(30001, Currency.KES)}, "PROMO_BELOW_MINIMUM"),
        ({"applies_to": (AppliesTo("PUJA", 1),)}, "PROMO_NOT_APPLICABLE"),
        ({"applies_to": (AppliesToListing(999),)}, "PROMO_NOT_APPLICABLE"),
        ({"most_uses": 0}, "PROMO_USED_UP"),
    ],
)
def test_a_code_that_does_not_count_is_refused_by_cart_and_session(shop: Shop, rules: dict[str, Any], code: str) -> None:
    offer(shop)
    customer = with_code(shop)
    offer(shop, **{name: shop.now + rule if isinstance(rule, timedelta) else rule for name, rule in rules.items()})
    with pytest.raises(RefusedError) as again:
        apply(shop, customer)
    with pytest.raises(RefusedError) as session:
        shop.session_from_cart(customer)
    seen = look(shop, customer).promo
    assert seen is not None
    assert seen.problem is not None
    assert {again.value.stable_code, session.value.stable_code, seen.problem.stable_code} == {code}


def test_a_code_that_takes_something_else_off_is_reported_until_it_is_taken_again(shop: Shop) -> None:
    offer(shop)
    customer = with_code(shop)
    offer(shop, percent=Decimal(20))
    seen = look(shop, customer).promo
    assert seen is not None
    assert (seen.changed, seen.discount) == (True, Money(6000, Currency.KES))
    with pytest.raises(PriceChangedError) as refused:
        shop.session_from_cart(customer)
    assert refused.value.details == {"promo_code": "FRESH", "terms_at_addition": "10.00 KES", "current_terms": "20%"}
    apply(shop, customer)
    assert str(shop.session_from_cart(customer).amount) == "290.00"


def test_an_empty_cart_takes_no_code_and_a_code_can_be_put_back(shop: Shop) -> None:
    offer(shop)
    with pytest.raises(CartEmptyError):
        apply(shop, new_customer())
    customer = with_code(shop)
    produce_cart.remove_promo(customer=customer, table=shop.table, now=shop.now, entropy=secrets.token_bytes)
    assert look(shop, customer).promo is None
    assert str(shop.session_from_cart(customer).amount) == "350.00"
    with pytest.raises(RefusedError) as refused:
        apply(shop, customer, "NOSUCH")
    assert refused.value.stable_code == "PROMO_UNKNOWN"


def test_a_cart_holds_one_currency_and_delivers_in_its_own(shop: Shop) -> None:
    shop.stock(listing=ONIONS, price=11000, available="100")
    write(shop.table, Update("listing", shop_keys.listing(ONIONS), set={"currency": "INR"}))
    customer = new_customer()
    fill(shop, customer)
    with pytest.raises(RefusedError) as mixed:
        fill(shop, customer, [(ONIONS, "1")])
    alone = new_customer()
    fill(shop, alone, [(ONIONS, "1")])
    with pytest.raises(RefusedError) as foreign:
        shop.session_from_cart(alone)
    assert (mixed.value.stable_code, foreign.value.stable_code) == ("CURRENCY_MIXED", "CURRENCY_MIXED")


def test_what_is_withdrawn_is_neither_put_into_a_cart_nor_frozen(shop: Shop) -> None:
    customer = new_customer()
    fill(shop, customer)
    write(shop.table, Update("listing", shop_keys.listing(TOMATOES), set={"withdrawn": True}))
    assert look(shop, customer).listings == {}
    with pytest.raises(RefusedError) as refused:
        shop.session_from_cart(customer)
    assert refused.value.stable_code == "OUT_OF_STOCK"
    assert refused.value.details["lines"][0]["available"] == "0"
