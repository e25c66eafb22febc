"""The catalogue as anybody may read it."""

from __future__ import annotations

from payfirst.domain.catalogue import Listing, Service, ServiceType
from payfirst.domain.errors import NotFoundError
from payfirst.storage import catalogue
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
