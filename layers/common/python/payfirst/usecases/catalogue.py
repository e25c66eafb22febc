"""The catalogue as anybody may read it."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.calendar import Calendar, bookable_on
from payfirst.domain.catalogue import Listing, Service, ServiceType
from payfirst.domain.days import Days
from payfirst.domain.errors import NotFoundError
from payfirst.domain.money import Currency
from payfirst.storage import catalogue, slots
from payfirst.storage.catalogue_pages import Place, Section, load_page
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.lists import Slice


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of the catalogue is to show; None for any. Words count in any case; `search` is part of the name."""

    active: bool = True
    search: str | None = None
    farm: str | None = None
    currency: Currency | None = None
    kind: ServiceType | None = None

    @property
    def is_search(self) -> bool:
        """Whether anything else is wanted than what is on sale."""
        return not self.active or any((self.search, self.farm, self.currency))

    def _names(self, name: str) -> bool:
        return self.search is None or self.search.casefold() in name.casefold()

    def takes_listing(self, item: Item) -> bool:
        """Whether the listing of `item` is to be shown."""
        listing = catalogue.listing_from_item(item)
        return (
            listing.active is self.active
            and self._names(listing.product_name)
            and (self.farm is None or self.farm.casefold() == listing.farm_name.casefold())
            and self.currency in (None, listing.price.currency)
        )

    def takes_service(self, item: Item) -> bool:
        """Whether the service of `item` is to be shown."""
        service = catalogue.service_from_item(item)
        return service.active is self.active and self._names(service.name) and self.currency in (None, service.currency)


LISTINGS: Final = Section(shop_keys.LISTINGS, (shop_keys.LISTINGS,))
_SERVICES: Final = {kind: shop_keys.service_list(kind) for kind in ServiceType}


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Listings by number, and the page that they came on."""

    listings: tuple[Listing, ...]
    page: Slice


@dataclass(frozen=True, slots=True)
class ServicePage:
    """Services by kind and number, and the page that they came on."""

    services: tuple[Service, ...]
    page: Slice


def list_listings(wanted: Wanted, *, table: Table, size: int, place: Place | None) -> ListingPage:
    """One page of the listings that are wanted."""
    found = load_page(table, LISTINGS, size=size, place=place, matches=wanted.takes_listing, is_search=wanted.is_search)
    return ListingPage(tuple(catalogue.listing_from_item(item) for item in found.items), found)


def find_listing(number: int, *, table: Table) -> Listing:
    """The listing of that number; NotFoundError."""
    listing = catalogue.read_listing(table, number)
    if listing is None:
        raise NotFoundError("Listing not found")
    return listing


def list_services(wanted: Wanted, *, table: Table, size: int, place: Place | None) -> ServicePage:
    """One page of the services that are wanted."""
    section = Section(shop_keys.SERVICES, tuple(_SERVICES.values()))
    if wanted.kind is not None:
        section = Section(shop_keys.SERVICES, (_SERVICES[wanted.kind],), prefix=shop_keys.services_of(wanted.kind))
    found = load_page(table, section, size=size, place=place, matches=wanted.takes_service, is_search=wanted.is_search)
    return ServicePage(tuple(catalogue.service_from_item(item) for item in found.items), found)


def find_service(number: int, kind: ServiceType | None, *, table: Table) -> Service:
    """The service of that number and kind; without a kind, the first kind that has the number. NotFoundError."""
    for candidate in (kind,) if kind else ServiceType:
        service = catalogue.read_service(table, candidate, number)
        if service is not None:
            return service
    raise NotFoundError("Service not found")


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A start that can be booked now: its time of day on the service's clock, its instants, and how many places it has left."""

    at: time
    starts_at: datetime
    ends_at: datetime
    capacity: int
    free: int


def slots_on(service: Service, calendar: Calendar, day: date, *, table: Table, now: datetime) -> tuple[FreeSlot, ...]:
    """The starts of `day` that the rules let book at `now`, in order, full ones included."""
    used = slots.used_between(table, service.kind, service.number, day, day)
    length = timedelta(minutes=calendar.slot_minutes)
    found = []
    for start in bookable_on(calendar, day, service.zone, now):
        at = start.astimezone(ZoneInfo(service.zone)).time()
        free = max(0, calendar.capacity - used.get((day, at), 0))
        found.append(FreeSlot(at, start, start + length, calendar.capacity, free))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class FreeDay:
    """A day with starts that can be booked now: how many of them have a place left; none where the day is full."""

    day: date
    free_slots: int


def last_of_month(day: date) -> date:
    """The last day of the month that `day` is in."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def days_in(
    service: Service, calendar: Calendar, first: date, *, table: Table, now: datetime, days: Days
) -> tuple[FreeDay, ...]:
    """The days of the month that begins with `first` on which the rules let book at `now`, in order, full ones included."""
    last = last_of_month(first)
    used = slots.used_between(table, service.kind, service.number, first, last)
    found = []
    for day in (first + timedelta(days=after) for after in range((last - first).days + 1)):
        starts = bookable_on(calendar, day, service.zone, now) if days.why_not(day, service.zone, now) is None else ()
        taken = (used.get((day, start.astimezone(ZoneInfo(service.zone)).time()), 0) for start in starts)
        if starts:
            found.append(FreeDay(day, sum(each < calendar.capacity for each in taken)))
    return tuple(found)
