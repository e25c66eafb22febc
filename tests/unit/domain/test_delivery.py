"""Where a shop delivers and what it costs, as its one setting says it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.delivery import EVERYWHERE, read_delivery_area
from payfirst.domain.locations import counties
from payfirst.domain.money import Currency, Money


def kes(amount: str) -> Money:
    return Money.of(amount, Currency.KES)


def test_by_default_every_county_costs_50_shillings() -> None:
    assert {EVERYWHERE.fee(county.id) for county in counties()} == {kes("50.00")}
    assert read_delivery_area("*=50.00") == EVERYWHERE


def test_counties_have_fees_of_their_own_and_a_star_is_all_others() -> None:
    area = read_delivery_area("1=0, 47=120.50,*=200")
    assert (area.fee(1), area.fee(47), area.fee(2)) == (kes("0"), kes("120.50"), kes("200"))


def test_without_a_star_the_shop_delivers_to_no_other_county() -> None:
    area = read_delivery_area("1=50,3=80")
    assert [county.name for county in counties() if area.fee(county.id) is not None] == ["Mombasa", "Kilifi"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1=", "=50", "48=50", "0=50", "01=50", "-1=50", "¹=50", "Mombasa=50", "1=50,1=60", "*=1,*=2"),
        *("1=-5", "1=0.005", "1=NaN", "1=Infinity", "1=50;2=60", "1=50,", "1=fifty"),
    ],
)
def test_what_is_no_table_of_fees_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the setting's name is what an operator is told
        read_delivery_area(text)


@given(st.dictionaries(st.integers(1, 47), st.integers(0, 10**7), min_size=1))
def test_every_table_of_fees_is_read_as_it_is_written(fees: dict[int, int]) -> None:
    area = read_delivery_area(",".join(f"{county}={Money(minor, Currency.KES)}" for county, minor in fees.items()))
    for county in range(1, 48):
        assert area.fee(county) == (Money(fees[county], Currency.KES) if county in fees else None)
