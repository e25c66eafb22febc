"""A catalogue file is taken whole or not at all, and never touches what payments count."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from ops.catalogue import compare, store, store_in_sight
from ops.catalogue_file import CatalogueError, as_raw, read_catalogue
from ops.catalogue_forms import CatalogueForm
from ops.seed import CATALOGUE, seed
from payfirst.domain.booking import RefundStep
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.days import Days
from payfirst.domain.errors import ContentionError
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesTo, AppliesToListing
from payfirst.storage import catalogue, catalogue_edits, offers
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.failures import StorageError
from payfirst.storage.dynamodb.table import Table, get, write

MANY: Final = 5000
BY_CALENDAR: Final = """
services:
  - type: PUJA
    id: 9
    name: Navagraha Puja
    description: For the nine planets.
    zone: Asia/Kolkata
    currency: INR
    price: "2100.00"
    calendar:
      opening: {mon: [09:00-12:00, 14:00-18:00], sat: [09:00-24:00]}
      exceptions: {2026-08-15: [], 2026-11-08: ["06:00-08:00"]}
      slot_minutes: 45
      capacity: 3
      lead_minutes: 120
      days_ahead: 60
      hold: at_initiate
    reschedule: {most: 3, hours_before: 24}
    cancel: [{hours_before: 48, percent: 100}, {hours_before: 24, percent: 50}]
promos:
  - {code: nine, currency: INR, percent: "9.5", minimum: "500", valid_from: 2026-01-01T00:00:00+05:30, most_uses: 100,
     most_uses_each: 1, applies_to: [{type: PUJA, id: 9}, {type: PUJA, id: 1, package: 2}]}
"""


def take(table: Table, file: Path) -> int:
    found = compare(table, read_catalogue(file))
    store(table, found)
    return len(found)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_is_new_is_added_and_the_same_file_again_changes_nothing(table: Table, tmp_path: Path) -> None:
    file = written(tmp_path, BY_CALENDAR)
    assert (take(table, file), take(table, file)) == (2, 0)
    assert take(table, CATALOGUE / "puja.yaml") == 5


def test_rules_of_a_file_are_those_of_the_service(table: Table, tmp_path: Path) -> None:
    take(table, written(tmp_path, BY_CALENDAR))
    [service] = catalogue.all_services(table)
    assert service.calendar is not None
    assert (service.calendar.capacity, service.calendar.hold, len(service.calendar.weekdays[0])) == (3, True, 2)
    assert service.changes.refunds == (RefundStep(48, 100), RefundStep(24, 50))
    assert service.changes.reschedule_hours == 24
    promo = offers.read_promo(table, "NINE", "").promo
    assert promo is not None
    assert (promo.most_uses_each, promo.percent, len(promo.applies_to)) == (1, Decimal("9.5"), 2)


def test_an_export_is_a_file_that_changes_nothing(table: Table, tmp_path: Path) -> None:
    seed(table)
    take(table, written(tmp_path, BY_CALENDAR))
    entries = [*catalogue.all_listings(table), *catalogue.all_services(table), *catalogue_edits.all_promos(table)]
    raw = {
        "listings": [as_raw(each) for each in catalogue.all_listings(table)],
        "services": [as_raw(each) for each in catalogue.all_services(table)],
        "promos": [as_raw(each) for each in catalogue_edits.all_promos(table)],
    }
    again = written(tmp_path, yaml.safe_dump(raw, sort_keys=False))
    assert read_catalogue(again) == entries
    assert compare(table, read_catalogue(again)) == []


def test_a_changed_price_is_taken_and_stock_and_uses_are_left_alone(table: Table, tmp_path: Path) -> None:
    seed(table)
    write(table, Update("listing", shop_keys.listing(123), add={"available": -4, "held": 1, "sold": 3}))
    write(table, Update("promo", shop_keys.promo("PUJA10"), add={"taken": 2, "used": 1}))
    listing = '{id: 123, product_name: Fresh Tomatoes, farm_name: Hill Farm, unit: kg, price: "170.00", available: "5"}'
    promo = '{code: PUJA10, currency: INR, percent: "12", most_uses: 9}'
    file = written(tmp_path, f"listings: [{listing}]\npromos: [{promo}]")

    found = compare(table, read_catalogue(file))
    assert [line for each in found for line in each.lines()] == [
        "~ listing 123, farm_name: Green Valley Farm -> Hill Farm",
        "~ listing 123, price: 150.00 -> 170.00",
        "~ promo PUJA10, percent: 10 -> 12",
        "~ promo PUJA10, most_uses: nothing -> 9",
    ]
    store(table, found)

    tomatoes, tenth = get(table, shop_keys.listing(123)), get(table, shop_keys.promo("PUJA10"))
    assert tomatoes is not None
    assert tenth is not None
    assert (tomatoes["price"], tomatoes["available"], tomatoes["held"], tomatoes["sold"]) == (17000, 9996, 1, 3)
    assert (tenth["percent"], tenth["most_uses"], tenth["taken"], tenth["used"]) == (12, 9, 2, 1)


def test_three_mistakes_are_named_with_their_lines_and_change_nothing(table: Table, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "listings:\n"
        '  - {id: 1, product_name: Kale, farm_name: Hill Farm, unit: kg, price: "20", available: "5"}\n'
        '  - {id: 2, product_name: Kale, farm_name: Hill Farm, unit: kg, price: "20.001", available: "5"}\n'
        "  - id: 3\n"
        "    product_name: Kale\n"
        "    colour: green\n"
        "    farm_name: Hill Farm\n"
        "    unit: kg\n"
        '    price: "20"\n'
        '    available: "-5"\n',
    )
    with pytest.raises(CatalogueError) as refused:
        take(table, file)
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["shop.yaml, line 3", "shop.yaml, line 6", "shop.yaml, line 10"]
    assert "two decimal places" in lines[0]
    assert "colour" in lines[1]
    assert "below zero" in lines[2]
    assert catalogue.all_listings(table) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Asia/Kolkata", "Asia/Kolkatta", "line 7: services.0.zone: there is no time zone"),
        ("09:00-12:00, 14:00-18:00", "09:00-12:00, 11:00-18:00", "overlap"),
        ("sat: [09:00-24:00]", "sat: [19:00-09:00]", "ends after it begins"),
        ("sat: [", "saturday: [", "line 11"),
        ("capacity: 3", "capacity: 0", "line 14"),
        ("percent: 50", "percent: 150", "line 19"),
        ('price: "2100.00"', "price: 2100.5", "in quotes"),
        ('percent: "9.5"', 'amount: "1", percent: "9.5"', "either an amount or per cent"),
        ("+05:30", "", "offset"),
        ("2026-08-15", "9999-12-31", r"line 12: .*exceptions\.9999-12-31: .*the last possible day is 2"),
        ("2026-08-15", "0001-01-01", "line 12: .*the last one 2"),
        ("2026-08-15", "1787000000", "line 12: .*1787000000: A day like"),
        ("2026-01-01T00:00:00+05:30", "0001-01-01T00:00:00+05:30", "line 21: .*valid_from: .*the last one 2"),
        (
            "valid_from: 2026-01-01T00:00:00+05:30",
            "valid_until: 9999-12-31T23:59:59-05:00",
            "line 21: .*the last possible day is 2",
        ),
        (
            "exceptions: {2026-08-15: [],",
            'exceptions: {2026-08-15: [],\n        " 2026-08-15": [],',
            r"line 13: .*exceptions\. 2026-08-15: .*there twice, here and in line 12; keep one",
        ),
        ('["06:00-08:00"]', '["08:00-06:00"]', r"line 12: .*exceptions\.2026-11-08\.0: an opening"),
        (
            "[{hours_before: 48, percent: 100}, {hours_before: 24",
            "[{hours_before: 24, percent: 100},\n      {hours_before: 24",
            r"line 20: .*cancel\.1\.hours_before: 24 is there twice, here and in line 19; keep one",
        ),
        ("Asia/Kolkata", "localtime", "line 7: .*zone: there is no time zone localtime"),
        ("Asia/Kolkata", "posixrules", "line 7: .*zone: there is no time zone"),
        ("Asia/Kolkata", "Factory", "line 7: .*zone: there is no time zone"),
        ("Asia/Kolkata", "asia/kolkata", "line 7: .*zone: there is no time zone"),
        ("Asia/Kolkata", "../zoneinfo/UTC", "line 7: .*zone: there is no time zone"),
        ("2100.00", "0", "line 9: services.0.price: an amount above zero"),
        ('percent: "9.5"', "amount: 0", "line 21: promos.0.amount: an amount above zero"),
        (
            "most_uses: 100",
            "valid_until: 2025-12-31T00:00:00Z, most_uses: 100",
            "line 21: promos.0.valid_until: .*after valid_from",
        ),
        ("lead_minutes: 120", "lead_minutes: 9000000000", "line 15: .*lead_minutes"),
        ("hours_before: 24}", "hours_before: 90000000}", "line 18: .*hours_before"),
        ("{hours_before: 48", "{hours_before: 90000000", "line 19: .*hours_before"),
    ],
)
def test_each_mistake_is_named_where_it_stands(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in BY_CALENDAR
    with pytest.raises(CatalogueError, match=said):
        read_catalogue(written(tmp_path, BY_CALENDAR.replace(old, new, 1)))


def test_nothing_is_sold_for_nothing_and_no_package_is_there_twice(tmp_path: Path) -> None:
    listing = "listings:\n  - {id: 1, product_name: Kale, farm_name: Hill Farm, unit: kg, price: 0, available: 5}\n"
    with pytest.raises(CatalogueError, match=r"line 2: listings\.0\.price: an amount above zero"):
        read_catalogue(written(tmp_path, listing))
    free = "packages:\n      - {id: 1, name: One, price: 0}\n      - {id: 2, name: Two, price: 5}"
    with pytest.raises(CatalogueError, match=r"line 10: services\.0\.packages\.0\.price: an amount above zero"):
        read_catalogue(written(tmp_path, BY_CALENDAR.replace('price: "2100.00"', free)))
    twice = free.replace("price: 0", "price: 5").replace("id: 2", "id: 1")
    with pytest.raises(CatalogueError, match=r"line 11: .*packages\.1\.id: 1 is there twice, here and in line 10"):
        read_catalogue(written(tmp_path, BY_CALENDAR.replace('price: "2100.00"', twice)))


def test_how_far_ahead_a_catalogue_may_name_days_is_the_shops_own_affair(tmp_path: Path) -> None:
    file = written(tmp_path, BY_CALENDAR)
    early = datetime(2026, 1, 1, tzinfo=UTC)
    assert read_catalogue(file, Days(ahead=311), early)
    with pytest.raises(CatalogueError, match="2026-11-07"):
        read_catalogue(file, Days(ahead=310), early)
    assert read_catalogue(file, Days(past=False), early + timedelta(days=3650)), "what is over may stay in a file"


def test_an_entry_that_is_there_twice_is_a_mistake(tmp_path: Path) -> None:
    entry = '  - {id: 1, product_name: Kale, farm_name: Hill Farm, unit: kg, price: "20", available: "5"}\n'
    with pytest.raises(CatalogueError, match="line 3: listing 1 is there twice"):
        read_catalogue(written(tmp_path, f"listings:\n{entry}{entry}"))


def test_somebody_elses_entry_of_the_same_moment_is_not_overwritten(table: Table, tmp_path: Path) -> None:
    found = compare(table, read_catalogue(written(tmp_path, BY_CALENDAR)))
    take(table, written(tmp_path, BY_CALENDAR.replace("Navagraha", "Nine Planets")))
    with pytest.raises(ContentionError):
        store(table, found)
    assert catalogue.all_services(table)[0].name == "Nine Planets Puja"


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt(), EndpointConnectionError(endpoint_url="http://127.0.0.1")])
def test_an_import_that_is_stopped_in_the_middle_says_how_far_it_came_and_the_same_one_again_ends_it(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str], stopped_by: BaseException
) -> None:
    entry = '  - {{id: {}, product_name: Kale, farm_name: Hill Farm, unit: kg, price: "20", available: "5"}}\n'
    file = written(tmp_path, "listings:\n" + "".join(entry.format(number) for number in range(1, 301)))
    calls = iter(range(3))

    def stop(**_: Any) -> None:
        if next(calls) == 2:
            raise stopped_by

    name = "before-call.dynamodb.TransactWriteItems"
    table.client.meta.events.register(name, stop)
    with pytest.raises((KeyboardInterrupt, StorageError)):
        store_in_sight(table, compare(table, read_catalogue(file)))
    table.client.meta.events.unregister(name, stop)

    [said] = [line for line in capsys.readouterr().err.splitlines() if "entries" in line]
    assert said == "At least 194 of 300 entries are written; the same import again writes the rest."
    assert len(catalogue.all_listings(table)) == 194
    assert take(table, file) == 106
    assert len(catalogue.all_listings(table)) == 300


def test_five_thousand_listings_are_stored_within_a_minute(table: Table, tmp_path: Path) -> None:
    entry = '  - {{id: {}, product_name: Kale, farm_name: Hill Farm, unit: kg, price: "20", available: "5"}}\n'
    file = written(tmp_path, "listings:\n" + "".join(entry.format(number) for number in range(1, MANY + 1)))
    began = time.monotonic()
    assert take(table, file) == MANY
    assert time.monotonic() - began < 60
    assert len(catalogue.all_listings(table)) == MANY
    assert take(table, file) == 0


@given(st.integers(1, 10**9), st.decimals("0.01", 10**6, places=2), st.decimals(0, 10**6, places=3), st.booleans())
def test_a_listing_survives_its_way_into_a_file_and_back(number: int, price: Decimal, stock: Decimal, hold: bool) -> None:  # noqa: FBT001
    raw = {
        "id": min(number, 10**9 - 1),
        "product_name": "Kale",
        "farm_name": "Hill Farm",
        "unit": "kg",
        "price": str(price),
        "available": str(stock),
        "hold": "at_initiate" if hold else "none",
    }
    [form] = CatalogueForm.model_validate({"listings": [raw]}).listings
    [again] = CatalogueForm.model_validate({"listings": [as_raw(form.entry())]}).listings
    assert again.entry() == form.entry()


WITH_EVERYTHING: Final = """
listings:
  - {id: 301, product_name: Basmati Rice, farm_name: Hill Farm, unit: kg, price: "80.00", available: "250.5", currency: INR,
     zone: Asia/Kolkata, hold: at_initiate, active: false}
services:
  - {type: PUJA, id: 8, name: Lakshmi Puja, description: "For wealth.", zone: Africa/Nairobi, currency: KES, price: "5000",
     active: false}
promos:
  - {code: FRESH, currency: KES, percent: "10", applies_to: [{listing: 301}, {type: PUJA, id: 8}]}
"""


def test_currency_zone_hold_and_what_is_not_sold_survive_the_way_in_and_out(table: Table, tmp_path: Path) -> None:
    take(table, written(tmp_path, WITH_EVERYTHING))
    [rice], [puja], [promo] = catalogue.all_listings(table), catalogue.all_services(table), catalogue_edits.all_promos(table)
    assert (rice.price, rice.zone, rice.hold, rice.active) == (Money(8000, Currency.INR), "Asia/Kolkata", True, False)
    assert (puja.price, puja.zone, puja.active) == (Money(500000, Currency.KES), "Africa/Nairobi", False)
    assert promo.applies_to == (AppliesToListing(301), AppliesTo(ServiceType.PUJA, 8))
    raw = {"listings": [as_raw(rice)], "services": [as_raw(puja)], "promos": [as_raw(promo)]}
    again = read_catalogue(written(tmp_path, yaml.safe_dump(raw, sort_keys=False)))
    assert again == [rice, puja, promo]
    on_sale = written(tmp_path, WITH_EVERYTHING.replace(", active: false", "").replace(",\n     active: false", ""))
    assert [line for each in compare(table, read_catalogue(on_sale)) for line in each.lines()] == [
        "~ listing 301, active: False -> nothing",
        "~ PUJA 8, active: False -> nothing",
    ]


@pytest.mark.parametrize("meant", ["{listing: 301, type: PUJA}", "{type: PUJA}", "{package: 1}", "{listing: 301, package: 1}"])
def test_a_promo_counts_for_a_service_or_for_a_listing(tmp_path: Path, meant: str) -> None:
    with pytest.raises(CatalogueError, match=r"line 9: .*either a service, with type and id, or a listing"):
        read_catalogue(written(tmp_path, WITH_EVERYTHING.replace("{listing: 301}", meant)))


def test_two_imports_of_the_same_moment_do_not_undo_each_other(table: Table, tmp_path: Path) -> None:
    take(table, written(tmp_path, WITH_EVERYTHING))
    dearer = compare(table, read_catalogue(written(tmp_path, WITH_EVERYTHING.replace('"80.00"', '"90.00"'))))
    take(table, written(tmp_path, WITH_EVERYTHING.replace('"80.00"', '"85.00"')))
    with pytest.raises(ContentionError):
        store(table, dearer)
    [rice] = catalogue.all_listings(table)
    assert str(rice.price) == "85.00"
