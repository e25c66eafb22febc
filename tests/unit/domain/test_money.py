"""Money is whole minor units; floats never touch it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.money import Currency, Money
from payfirst.gateways.mpesa.terms import MPESA
from payfirst.gateways.phonepe.terms import PHONEPE
from payfirst.gateways.registry import default_for

AMOUNTS = st.integers(0, 10**9)


@given(AMOUNTS)
def test_money_reads_back_what_it_shows(minor: int) -> None:
    money = Money(minor, Currency.INR)

    assert Money.of(str(money), Currency.INR) == money


def test_a_third_decimal_place_is_refused() -> None:
    with pytest.raises(ValueError, match="two decimal places"):
        Money.of(Decimal("9.999"), Currency.INR)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, Currency.INR) + Money(1, Currency.KES)


@given(AMOUNTS)
def test_shillings_are_rounded_up_to_whole_ones_and_rupees_are_not_rounded(minor: int) -> None:
    shillings, rupees = Money(minor, Currency.KES), Money(minor, Currency.INR)

    rounded = shillings + MPESA.rounding(shillings)
    assert rounded.minor % 100 == 0
    assert 0 <= rounded.minor - minor < 100
    assert PHONEPE.rounding(rupees).minor == 0


@pytest.mark.parametrize(
    ("minor", "currency", "chargeable"),
    [
        (99, Currency.INR, False),
        (100, Currency.INR, True),
        (0, Currency.KES, False),
        (100, Currency.KES, True),
        (150, Currency.KES, False),
        (25_000_000, Currency.KES, True),
        (25_000_100, Currency.KES, False),
    ],
)
def test_a_gateway_collects_only_what_it_can(minor: int, currency: Currency, *, chargeable: bool) -> None:
    assert default_for(currency).takes(Money(minor, currency)) is chargeable
