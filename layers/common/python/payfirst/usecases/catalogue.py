"""The catalogue as anybody may read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from payfirst.domain.calendar import Calendar, starts_on, why_not_bookable
from payfirst.domain.catalogue import Listing, Service, ServiceType
from payfirst.domain.errors import NotFoundError
from payfirst.storage import catalogue, slots
from payfirst.storage.table import Table


def list_listings(*, table: Table) -> tuple[Listing, ...]:
    """Every listing, by number."""
    return catalogue.all_listings(table)


def find_listing(number: int, *, table: Table) -> Listing:
    """The listing of that number; NotFoundError."""
    listing = catalogue.read_listing(table, number)
    if listing is None:
        raise NotFoundError("Listing not found")
    return listing


def list_services(kind: ServiceType | None, *, table: Table) -> tuple[Service, ...]:
    """Every service (of that kind), by kind and number."""
    return tuple(service for service in catalogue.all_services(table) if kind in (None, service.kind))


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
    used = slots.used_on(table, service.kind, service.number, day)
    length = timedelta(minutes=calendar.slot_minutes)
    found = []
    for start in starts_on(calendar, day, service.zone):
        at = start.astimezone(ZoneInfo(service.zone)).time()
        if why_not_bookable(calendar, day, at, service.zone, now) is None:
            free = max(0, calendar.capacity - used.get(at, 0))
            found.append(FreeSlot(at, start, start + length, calendar.capacity, free))
    return tuple(found)
