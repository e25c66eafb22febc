"""The catalogue is read in pages whose cost is bounded, forth and back, whatever is looked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest

from payfirst.domain.catalogue import Listing, Service, ServiceType
from payfirst.domain.money import Currency, Money
from payfirst.storage import catalogue, catalogue_edits, catalogue_pages
from payfirst.storage.catalogue_pages import Place
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import Table, write
from payfirst.usecases.catalogue import ListingPage, ServicePage, Wanted, list_listings, list_services
from tests.integration.payments.requests import counted

MANY: Final = 2500
RARE: Final = 2400
"""The one listing that the farm has."""


def listing(number: int, *, farm: str = "Hill Farm", active: bool = True) -> Listing:
    return Listing(number, f"Kale {number}", farm, "kg", Money(2000, Currency.KES), Decimal(5), active=active)


def puja(kind: ServiceType, number: int) -> Service:
    return Service(kind, number, f"Puja {number}", "…", "Asia/Kolkata", Currency.INR, (), Money(51000, Currency.INR))


def stock(table: Table, numbers: list[int]) -> None:
    entries = [listing(number, farm="Rare Farm" if number == RARE else "Hill Farm") for number in numbers]
    for first in range(0, len(entries), catalogue_edits.AT_ONCE):
        catalogue_edits.store(table, [(entry, None) for entry in entries[first : first + catalogue_edits.AT_ONCE]])


def look(table: Table, wanted: Wanted = Wanted(), *, size: int = 3, place: Place | None = None) -> ListingPage:  # noqa: B008
    return list_listings(wanted, table=table, size=size, place=place)


def look_at_services(table: Table, wanted: Wanted, *, place: Place | None = None) -> ServicePage:
    return list_services(wanted, table=table, size=2, place=place)


def numbers(page: ListingPage) -> list[int]:
    return [each.number for each in page.listings]


def following(page: ListingPage) -> Place | None:
    return Place(str(page.page.edges[1]), onwards=True) if page.page.older else None


def preceding(page: ListingPage) -> Place | None:
    return Place(str(page.page.edges[0]), onwards=False) if page.page.newer else None


def walk(table: Table, wanted: Wanted, *, size: int = 3) -> list[ListingPage]:
    pages = [look(table, wanted, size=size)]
    while (place := following(pages[-1])) is not None:
        pages.append(look(table, wanted, size=size, place=place))
    return pages


def test_every_page_forth_and_back_shows_each_listing_once(table: Table) -> None:
    stock(table, list(range(1, 9)))
    pages = walk(table, Wanted())
    assert [numbers(page) for page in pages] == [[1, 2, 3], [4, 5, 6], [7, 8]]
    assert {page.page.count for page in pages} == {8}
    place, back = preceding(pages[-1]), []
    while place is not None:
        page = look(table, place=place)
        back.append(numbers(page))
        place = preceding(page)
    assert back == [[4, 5, 6], [1, 2, 3]]
    assert preceding(pages[0]) is None


def test_a_page_without_a_search_takes_one_query_and_one_count(table: Table) -> None:
    stock(table, list(range(1, 201)))
    with counted(table) as requests:
        page = look(table, size=100)
    assert requests.operations == ["Query", "BatchGetItem"]
    assert len(page.listings) == 100


def test_what_is_withdrawn_is_neither_shown_nor_counted_and_comes_back(table: Table) -> None:
    stock(table, [1, 2, 3])
    before, after = listing(2), listing(2, active=False)
    catalogue_edits.store(table, [(after, before)])
    page = look(table)
    assert (numbers(page), page.page.count) == ([1, 3], 2)
    assert numbers(look(table, Wanted(active=False))) == [2]
    catalogue_edits.store(table, [(before, after)])
    assert look(table).page.count == 3


def test_a_search_stops_after_a_thousand_entries_and_goes_on_behind_them(table: Table) -> None:
    stock(table, list(range(1, MANY + 1)))
    with counted(table) as requests:
        first = look(table, Wanted(farm="rare farm"))
    assert requests.operations == ["Query", "Query"]
    assert (numbers(first), first.page.count, first.page.older) == ([], 0, True)
    pages = walk(table, Wanted(farm="rare farm"))
    assert [numbers(page) for page in pages] == [[], [], [RARE]]
    back = preceding(pages[-1])
    assert back is not None
    assert numbers(look(table, Wanted(farm="rare farm"), place=back)) == []


def test_a_shop_full_of_withdrawn_things_costs_no_more(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_pages, "MOST_EXAMINED", 8)
    monkeypatch.setattr(catalogue_pages, "DENSE", 4)
    stock(table, list(range(1, 21)))
    for number in range(1, 20):
        write(table, Update("listing", shop_keys.listing(number), set={"withdrawn": True}))
    with counted(table) as requests:
        page = look(table)
    assert requests.operations == ["Query", "Query", "BatchGetItem"]
    assert numbers(page) == []
    assert [number for each in walk(table, Wanted()) for number in numbers(each)] == [20]


def test_words_count_in_any_case_and_together(table: Table) -> None:
    stock(table, [1, 2, 12])
    assert numbers(look(table, Wanted(search="KALE 1"))) == [1, 12]
    assert numbers(look(table, Wanted(search="2", farm="hill FARM", currency=Currency.KES))) == [2, 12]
    assert numbers(look(table, Wanted(currency=Currency.INR))) == []


def test_services_are_read_by_kind_and_number(table: Table) -> None:
    for kind, number in ((ServiceType.PUJA, 2), (ServiceType.ASTROLOGY, 7), (ServiceType.PUJA, 1), (ServiceType.PUJA, 30)):
        assert catalogue.add(table, puja(kind, number))
    everything = look_at_services(table, Wanted())
    assert [(each.kind, each.number) for each in everything.services] == [("ASTROLOGY", 7), ("PUJA", 1)]
    assert (everything.page.count, everything.page.older) == (4, True)
    pujas = look_at_services(table, Wanted(kind=ServiceType.PUJA))
    assert ([each.number for each in pujas.services], pujas.page.count) == ([1, 2], 3)
    last = look_at_services(table, Wanted(kind=ServiceType.PUJA), place=Place(str(pujas.page.edges[1]), onwards=True))
    assert ([each.number for each in last.services], last.page.older) == ([30], False)
    stars = look_at_services(table, Wanted(kind=ServiceType.ASTROLOGY), place=Place(str(pujas.page.edges[1]), onwards=True))
    assert stars.services == ()
