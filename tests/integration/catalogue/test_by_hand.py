"""One entry of the catalogue, changed by whoever saw it, at most once, and by nobody who was slower."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from ops.catalogue import compare, store
from payfirst.domain.catalogue import Listing, Service, ServiceType, read_image_url
from payfirst.domain.errors import InvalidInputError, NotFoundError, RefusedError
from payfirst.storage import catalogue
from payfirst.storage.catalogue_edits import Stock
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import Table, write
from payfirst.usecases.catalogue import Wanted, list_listings
from payfirst.usecases.operators.edit_catalogue import Change, change_listing, change_service, version_of
from tests.integration.carts.conftest import before_next_write, catalogue_table
from tests.integration.payments.requests import counted

__all__ = ["catalogue_table"]

NOW: Final = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
WHO: Final = "operator:amina"


def listing(table: Table) -> Listing:
    found = catalogue.read_listing(table, 123)
    assert found is not None
    return found


def change(table: Table, version: str | None, **what: Any) -> Listing:
    return change_listing(table, 123, Change(**what), version=version, by=WHO, now=NOW)[1]


def sell(table: Table, quantity: int) -> None:
    write(table, Update("listing", shop_keys.listing(123), add={"available": -quantity, "sold": quantity}))


def refusal(act: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        act()
    return refused.value


def test_a_change_says_only_what_it_says_and_who_made_it(catalogue_table: Table) -> None:
    before = listing(catalogue_table)
    picture = "https://shop.example/tomatoes.jpg"
    after = change(catalogue_table, "0-10000", price=Decimal("160.00"), image_url=picture, description="Ripe")
    assert listing(catalogue_table) == after
    assert (str(after.price), after.image_url, after.description) == ("160.00", picture, "Ripe")
    assert (after.edits.count, after.edits.by, after.edits.at) == (1, WHO, NOW)
    kept = {"price": before.price, "image_url": None, "description": "", "edits": before.edits}
    assert replace(after, **kept) == before  # type: ignore[arg-type]
    assert change(catalogue_table, "1-10000", image_url="").image_url is None
    assert listing(catalogue_table).image_url is None


def test_one_edit_reads_once_and_writes_once(catalogue_table: Table) -> None:
    with counted(catalogue_table) as seen:
        change(catalogue_table, "0-10000", price=Decimal(160), stock=Stock(by=Decimal(5)))
    assert seen.operations == ["GetItem", "TransactWriteItems"]
    with counted(catalogue_table) as seen:
        change(catalogue_table, "1-10005", price=Decimal(160))
    assert seen.operations == ["GetItem"], "what is so already is not written"


def test_of_two_who_saw_the_same_one_is_told_that_the_other_was_faster(catalogue_table: Table) -> None:
    with before_next_write(catalogue_table, lambda: change(catalogue_table, "0-10000", price=Decimal(170))):
        refused = refusal(lambda: change(catalogue_table, "0-10000", price=Decimal(160)))
    assert (refused.stable_code, refused.details) == ("CHANGED_MEANWHILE", {"version": "1-10000"})
    assert "Somebody was faster" in refused.message
    assert str(listing(catalogue_table).price) == "170.00"
    assert refusal(lambda: change(catalogue_table, "0-10000", active=False)).stable_code == "CHANGED_MEANWHILE"


def test_ten_who_saw_the_same_add_to_the_stock_once(catalogue_table: Table) -> None:
    def add(_: int) -> bool:
        try:
            change(catalogue_table, "0-10000", stock=Stock(by=Decimal(20)))
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(add, range(10))) == 1
    assert listing(catalogue_table).available == 10020
    assert listing(catalogue_table).edits.count == 1


def test_a_stock_that_was_counted_is_not_set_over_a_sale_but_added_to_and_priced_beside_it(catalogue_table: Table) -> None:
    sell(catalogue_table, 10)
    refused = refusal(lambda: change(catalogue_table, "0-10000", stock=Stock(to=Decimal(9000))))
    assert (refused.stable_code, refused.details) == ("CHANGED_MEANWHILE", {"version": "0-9990"})
    assert listing(catalogue_table).available == 9990
    assert change(catalogue_table, "0-10000", price=Decimal(160)).price.minor == 16000
    assert change(catalogue_table, "1-10000", stock=Stock(by=Decimal("2.5"))).available == Decimal("9992.5")
    assert change(catalogue_table, "2-9992.5", stock=Stock(to=Decimal(9000))).available == 9000
    assert listing(catalogue_table).available == 9000


def test_no_more_is_taken_away_than_is_there(catalogue_table: Table) -> None:
    with before_next_write(catalogue_table, lambda: sell(catalogue_table, 9_998)):
        refused = refusal(lambda: change(catalogue_table, "0-10000", stock=Stock(by=Decimal(-3))))
    assert (refused.stable_code, refused.message[:5]) == ("STOCK_TOO_LOW", "Only ")
    assert change(catalogue_table, "0-2", stock=Stock(by=Decimal(-2))).available == 0


def test_without_a_version_what_is_there_is_changed_even_while_it_is_bought(catalogue_table: Table) -> None:
    with before_next_write(catalogue_table, lambda: sell(catalogue_table, 1)):
        assert change(catalogue_table, None, stock=Stock(to=Decimal("12.5"))).available == Decimal("12.5")
    with before_next_write(catalogue_table, lambda: change(catalogue_table, None, price=Decimal(1))):
        change(catalogue_table, None, active=False)
    found = listing(catalogue_table)
    assert (str(found.price), found.active, found.available, found.edits.count) == ("1.00", False, Decimal("12.5"), 3)


def test_an_import_is_an_edit_too(catalogue_table: Table) -> None:
    seen = listing(catalogue_table)
    store(catalogue_table, compare(catalogue_table, [replace(seen, product_name="Tomatoes")]))
    assert refusal(lambda: change(catalogue_table, version_of(seen), price=Decimal(1))).stable_code == "CHANGED_MEANWHILE"
    assert version_of(listing(catalogue_table)) == "1-10000"


def test_the_public_list_counts_what_is_on_sale_once(catalogue_table: Table) -> None:
    def count() -> int:
        return list_listings(Wanted(), table=catalogue_table, size=100, place=None).page.count

    before = count()
    change(catalogue_table, None, active=False)
    change(catalogue_table, None, active=False)
    assert count() == before - 1
    change(catalogue_table, None, active=True)
    assert count() == before


@pytest.mark.parametrize("version", ["", "x", "0", "-1", "0-", "0-10000-1", "1e3-5", "0-10000 "])
def test_a_version_that_nobody_was_answered_is_refused_on_its_field(catalogue_table: Table, version: str) -> None:
    with pytest.raises(InvalidInputError, match="version"):
        change(catalogue_table, version, price=Decimal(1))


def puja(table: Table, version: str | None = "0", number: int = 1, **what: Any) -> Service:
    kind = ServiceType.PUJA
    return change_service(table, number, kind, Change(**what), version=version, by=WHO, now=NOW)[1]


def test_a_service_is_changed_likewise(catalogue_table: Table) -> None:
    after = puja(catalogue_table, prices={2: Decimal(1100)}, name="Ganesha Puja", active=False)
    assert [str(each.price) for each in after.packages] == ["510.00", "1100.00"]
    assert catalogue.read_service(catalogue_table, ServiceType.PUJA, 1) == after
    assert refusal(lambda: puja(catalogue_table, prices={1: Decimal(1)})).details == {"version": "1"}
    with pytest.raises(InvalidInputError, match="price"):
        puja(catalogue_table, "1", price=Decimal(5))
    with pytest.raises(InvalidInputError, match="packages"):
        puja(catalogue_table, "1", prices={7: Decimal(5)})
    with pytest.raises(NotFoundError):
        puja(catalogue_table, number=404, active=True)
    with pytest.raises(NotFoundError):
        change_listing(catalogue_table, 404, Change(active=True), version=None, by=WHO, now=NOW)


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example/1.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "//shop.example/1.jpg",
        "https://user@shop.example/1.jpg",
        "https://127.0.0.1/1.jpg",
        "https://localhost/1.jpg",
        "https://shop.example/\"onerror='x",
        "https://shop.example/1.jpg#x",
        "https://shop.example/<svg>",
        "https://shop.example/a b",
        "https://shop.example\\@evil.example/",
        "https://shop.example/" + "x" * 480,
        "",
    ],
)
def test_a_picture_is_an_https_address_and_nothing_else(address: str) -> None:
    with pytest.raises(ValueError, match="https address"):
        read_image_url(address)


@pytest.mark.parametrize("address", ["https://shop.example", "https://cdn.shop.example:8443/a/b_c-1.jpg?w=300&h=2%20"])
def test_a_picture_of_the_shops_own_is_taken(address: str) -> None:
    assert read_image_url(address) == address
