"""Seeding adds what is missing and never touches what a table holds already."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ops.catalogue_file import CatalogueError, read_catalogue
from ops.seed import CATALOGUE, SeedReport, seed
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.money import Currency, Money
from payfirst.storage import catalogue, offers
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import Table, get, write


def test_the_catalogue_of_the_contract_is_there_after_seeding(table: Table) -> None:
    seed(table)
    tomatoes = catalogue.read_listing(table, 123)
    assert tomatoes is not None
    assert (tomatoes.product_name, tomatoes.farm_name) == ("Fresh Tomatoes", "Green Valley Farm")
    assert (tomatoes.price, tomatoes.unit, tomatoes.available) == (Money(15000, Currency.KES), "kg", Decimal(10_000))
    for number in (1, 2):
        puja = catalogue.read_service(table, ServiceType.PUJA, number)
        assert puja is not None
        assert puja.zone == "Asia/Kolkata"
        assert [(each.number, str(each.price)) for each in puja.packages] == [(1, "510.00"), (2, "999.00")]
    assert catalogue.read_service(table, ServiceType.ASTROLOGY, 1) is not None
    ten_off, tenth_off = (offers.read_promo(table, code, "").promo for code in ("discount10", "PUJA10"))
    assert ten_off is not None
    assert tenth_off is not None
    assert (ten_off.amount, ten_off.percent) == (Money(1000, Currency.INR), None)
    assert (tenth_off.amount, tenth_off.percent) == (None, Decimal(10))


def test_seeding_twice_adds_nothing_and_leaves_stock_and_prices_alone(table: Table) -> None:
    first = seed(table)
    sold = Update("listing", shop_keys.listing(123), set={"price": 17000}, add={"available": -4, "sold": 4})
    write(table, sold)
    before = get(table, shop_keys.listing(123))
    assert seed(table) == SeedReport(added=0, kept=first.added)
    assert get(table, shop_keys.listing(123)) == before


def test_what_is_missing_is_added_beside_what_is_there(table: Table) -> None:
    farm = seed(table, [CATALOGUE / "farm.yaml"])
    everything = seed(table)
    assert everything.kept == farm.added
    assert everything.added > 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listings: [{id: 1, colour: red}]", "colour"),
        ("goods: []", "listings"),
        ("promos: [{code: A, currency: INR}]", "per cent"),
        ("promos: [{code: A, currency: INR, amount: '1', valid_until: 2026-01-01}]", "offset"),
        ("services: [{type: YOGA, id: 1, name: a, description: b, zone: UTC, currency: INR, price: '1'}]", "YOGA"),
        (
            "listings: [{id: 1, product_name: a, farm_name: b, unit: kg, price: '1.001', available: '1'}]",
            "two decimal places",
        ),
        ("listings: {", "bad.yaml"),
    ],
)
def test_a_catalogue_with_a_mistake_is_refused_by_name_and_stores_nothing(
    table: Table, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=said):
        seed(table, [CATALOGUE / "farm.yaml", file])
    assert catalogue.all_listings(table) == ()


def test_the_catalogue_in_the_documents_can_be_read() -> None:
    assert all(read_catalogue(file) for file in sorted(CATALOGUE.glob("*.yaml")))


def test_a_long_list_is_read_to_its_end(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(table)
    whole = catalogue.all_listings(table), catalogue.all_services(table)
    monkeypatch.setattr(catalogue, "PAGE", 2)
    assert (catalogue.all_listings(table), catalogue.all_services(table)) == whole
    assert [listing.number for listing in whole[0]] == [123, 124, 125, 126, 127]
