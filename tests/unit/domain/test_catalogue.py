"""What things cost, and what a promo code takes off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.catalogue import cost_of
from payfirst.domain.errors import RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesToListing, Promo, discount_of, discount_on
from payfirst.domain.session import Delivery, OrderLine, OrderSnapshot
from payfirst.gateways.mpesa.terms import MPESA

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PRICES = st.integers(0, 10**9).map(lambda minor: Money(minor, Currency.INR))
QUANTITIES = st.integers(1, 10**9).map(lambda thousandths: Decimal(thousandths).scaleb(-3))


def rupees(text: str) -> Money:
    return Money.of(text, Currency.INR)


@pytest.mark.parametrize(
    ("quantity", "price", "cost"),
    [
        ("2", "150.00", "300.00"),
        ("0.5", "65.50", "32.75"),
        ("0.333", "0.15", "0.05"),
        ("0.001", "4.99", "0.00"),
        ("0.1", "0.05", "0.01"),
    ],
)
def test_a_cost_is_rounded_half_up_to_a_cent(quantity: str, price: str, cost: str) -> None:
    assert str(cost_of(Decimal(quantity), Money.of(price, Currency.KES))) == cost


@given(QUANTITIES, PRICES)
def test_a_cost_is_never_off_by_more_than_half_a_cent(quantity: Decimal, price: Money) -> None:
    assert abs(cost_of(quantity, price).minor - quantity * price.minor) <= Decimal("0.5")


def test_ten_per_cent_of_999_takes_99_90() -> None:
    tenth = Promo("PUJA10", Currency.INR, percent=Decimal(10))
    assert discount_of(tenth, rupees("999.00"), NOW) == rupees("99.90")


@given(PRICES, st.integers(0, 10**9), st.none() | st.integers(0, 100))
def test_a_discount_is_never_below_zero_nor_above_the_price(price: Money, amount: int, percent: int | None) -> None:
    if percent is None:
        promo = Promo("A", Currency.INR, amount=Money(amount, Currency.INR))
    else:
        promo = Promo("A", Currency.INR, percent=Decimal(percent))
    assert 0 <= discount_of(promo, price, NOW).minor <= price.minor


def test_a_code_counts_from_its_first_instant_until_just_before_its_last() -> None:
    promo = Promo(
        "A", Currency.INR, amount=rupees("1"), valid_from=NOW, valid_until=NOW + timedelta(hours=1), minimum=rupees("10")
    )
    for moment in (NOW, NOW + timedelta(minutes=59, seconds=59)):
        assert discount_of(promo, rupees("10.00"), moment) == rupees("1")
    for moment in (NOW - timedelta(seconds=1), NOW + timedelta(hours=1)):
        with pytest.raises(RefusedError) as refused:
            discount_of(promo, rupees("10.00"), moment)
        assert refused.value.stable_code == "PROMO_EXPIRED"


def test_the_last_use_of_a_code_counts_and_the_one_after_does_not() -> None:
    last = Promo("A", Currency.INR, amount=rupees("1"), most_uses=3, taken=2)
    assert discount_of(last, rupees("10.00"), NOW) == rupees("1")
    with pytest.raises(RefusedError) as refused:
        discount_of(Promo("A", Currency.INR, amount=rupees("1"), most_uses=3, taken=3), rupees("10.00"), NOW)
    assert refused.value.stable_code == "PROMO_USED_UP"


def test_a_price_below_the_minimum_by_a_paisa_gets_nothing_off() -> None:
    promo = Promo("A", Currency.INR, amount=rupees("1"), minimum=rupees("10"))
    with pytest.raises(RefusedError) as refused:
        discount_of(promo, rupees("9.99"), NOW)
    assert refused.value.stable_code == "PROMO_BELOW_MINIMUM"


def a_line(number: int, quantity: Decimal, price: Money) -> OrderLine:
    return OrderLine(number, number, "Kale", "Hill Farm", "kg", quantity, price, cost_of(quantity, price))


SHILLINGS = st.integers(0, 10**7).map(lambda minor: Money(minor, Currency.KES))
LINES = st.lists(st.tuples(QUANTITIES, SHILLINGS), min_size=1, max_size=50).map(
    lambda drawn: tuple(a_line(number, quantity, price) for number, (quantity, price) in enumerate(drawn, 1))
)
FEE = Money(5000, Currency.KES)
DELIVERY = Delivery("John Doe", "0712345678", 1, 5, "123 Main Street")


@given(LINES, st.decimals(0, 100, places=2), st.integers(0, 10**9), st.booleans(), st.sets(st.integers(1, 50)))
def test_a_total_is_the_sum_of_its_lines_less_one_discount_rounded_once(
    lines: tuple[OrderLine, ...],
    percent: Decimal,
    amount: int,
    by_percent: bool,  # noqa: FBT001 - hypothesis names it
    meant: set[int],
) -> None:
    kind = {"percent": percent} if by_percent else {"amount": Money(amount, Currency.KES)}
    promo = Promo("A", Currency.KES, **kind, applies_to=tuple(AppliesToListing(number) for number in meant))
    covered = [line for line in lines if not meant or line.listing_id in meant]
    if not covered:
        with pytest.raises(RefusedError) as refused:
            discount_on(promo, lines, NOW, uses=0)
        assert refused.value.stable_code == "PROMO_NOT_APPLICABLE"
        return
    discount = discount_on(promo, lines, NOW, uses=0)
    whole = sum(line.subtotal.minor for line in covered)
    assert 0 <= discount.minor <= whole
    if by_percent:
        assert abs(discount.minor - whole * percent / 100) <= Decimal("0.5")
    items = sum((line.subtotal for line in lines), Money(0, Currency.KES))
    rounding = MPESA.rounding(items - discount + FEE)
    total = OrderSnapshot(lines, DELIVERY, items, FEE, rounding, NOW, discount, "A").total
    assert total.minor == sum(line.subtotal.minor for line in lines) - discount.minor + FEE.minor + rounding.minor
    assert total.minor % 100 == 0
    assert 0 <= rounding.minor < 100
