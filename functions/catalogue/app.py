"""What can be bought and where it can be delivered to; public, reads only."""

from __future__ import annotations

from datetime import date

from payfirst.api.app import build_app
from payfirst.api.catalogue_wire import CountyOut, ListingOut, ServiceOut, SlotsOut, SubCountyOut
from payfirst.api.errors import Reply
from payfirst.api.paging import unpaged
from payfirst.api.request import Request
from payfirst.api.resources import table
from payfirst.api.values import given_number
from payfirst.domain import locations
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.errors import FieldProblem, InvalidInputError, NotFoundError
from payfirst.domain.times import read_day
from payfirst.settings import settings
from payfirst.usecases import catalogue


def list_listings(request: Request) -> Reply:
    """`GET /api/listings/`"""
    return Reply(200, unpaged([ListingOut.of(each) for each in catalogue.list_listings(table=table(request.deadline))]))


def get_listing(request: Request, listing_id: str) -> Reply:
    """`GET /api/listings/{listing_id}/`"""
    number = given_number(listing_id, "Listing not found")
    return Reply(200, ListingOut.of(catalogue.find_listing(number, table=table(request.deadline))))


def list_services(request: Request) -> Reply:
    """`GET /api/services/`, with `?service_type=` in any case."""
    found = catalogue.list_services(_kind(request), table=table(request.deadline))
    return Reply(200, unpaged([ServiceOut.of(each) for each in found]))


def get_service(request: Request, service_id: str) -> Reply:
    """`GET /api/services/{service_id}/`; `?service_type=` where two kinds have the number, else the puja is meant."""
    number = given_number(service_id, "Service not found")
    return Reply(200, ServiceOut.of(catalogue.find_service(number, _kind(request), table=table(request.deadline))))


def list_slots(request: Request, service_id: str) -> Reply:
    """`GET /api/services/{service_id}/slots/?date=`; `?service_type=` as in `get_service`."""
    number, day = given_number(service_id, "Service not found"), _day(request)
    where = table(request.deadline)
    service = catalogue.find_service(number, _kind(request), table=where)
    found = catalogue.slots_on(service, service.calendar, day, table=where, now=request.now) if service.calendar else ()
    return Reply(200, SlotsOut.of(service, day, found))


def _day(request: Request) -> date:
    try:
        return read_day(request.parameter("date") or "")
    except ValueError as exc:
        raise InvalidInputError(FieldProblem("date", str(exc))) from exc


def _kind(request: Request) -> ServiceType | None:
    text = request.parameter("service_type")
    if text is None:
        return None
    if text.upper() not in ServiceType.__members__:
        raise InvalidInputError(FieldProblem("service_type", f"One of these is expected: {', '.join(ServiceType)}."))
    return ServiceType(text.upper())


def list_counties(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /api/locations/counties/`"""
    area = settings().delivery_fees
    return Reply(200, unpaged([CountyOut.of(each, area.fee(each.id)) for each in locations.counties()]))


def list_subcounties(request: Request, county_id: str) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /api/locations/counties/{county_id}/subcounties/`"""
    county = given_number(county_id, "County not found")
    if locations.county(county) is None:
        raise NotFoundError("County not found")
    return Reply(200, unpaged([SubCountyOut.of(each) for each in locations.subcounties(county)]))


handler = build_app(
    "catalogue",
    {
        "list_listings": list_listings,
        "get_listing": get_listing,
        "list_services": list_services,
        "get_service": get_service,
        "list_slots": list_slots,
        "list_counties": list_counties,
        "list_subcounties": list_subcounties,
    },
)
