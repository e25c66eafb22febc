"""What can be bought and where it can be delivered to; public, reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.paging import page_size, paged, place, unpaged
from payfirst.api.request import Request
from payfirst.api.resources import cursor_key, public_origin, table
from payfirst.api.values import check_day, given_number
from payfirst.api.wire.catalogue import CountyOut, DaysOut, ListingOut, ServiceOut, SlotsOut, SubCountyOut
from payfirst.api.wire.config import ConfigOut
from payfirst.domain import locations
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.errors import FieldProblem, InvalidInputError, NotFoundError
from payfirst.domain.money import Currency
from payfirst.domain.times import read_day, read_month
from payfirst.gateways.registry import currencies
from payfirst.settings import settings
from payfirst.usecases import catalogue

if TYPE_CHECKING:
    from payfirst.storage.lists import Slice


def get_config(request: Request) -> Reply:  # noqa: ARG001 - a handler's form
    """`GET /api/config/`"""
    return Reply(200, ConfigOut.of(settings()), {"Cache-Control": "public, max-age=300"})


def list_listings(request: Request) -> Reply:
    """`GET /api/listings/`, with `?search=`, `?farm=`, `?currency=` and `?active=` in any case."""
    found = catalogue.list_listings(
        _wanted(request), table=table(request.deadline), size=page_size(request), place=place(request, cursor_key)
    )
    return _page(request, found.page, [ListingOut.of(each) for each in found.listings])


def _page(request: Request, page: Slice, results: Sequence[BaseModel]) -> Reply:
    return Reply(200, paged(request, cursor_key, public_origin(request), page, results))


def _wanted(request: Request) -> catalogue.Wanted:
    currency = _one_of(request, "currency", currencies())
    return catalogue.Wanted(
        active=_one_of(request, "active", ("TRUE", "FALSE")) != "FALSE",
        search=request.parameter("search") or None,
        farm=request.parameter("farm") or None,
        currency=Currency(currency) if currency else None,
        kind=_kind(request),
    )


def _one_of(request: Request, name: str, words: Collection[str]) -> str | None:
    """The parameter in upper case; InvalidInputError unless it is one of `words`."""
    text = request.parameter(name)
    if text is not None and text.upper() not in words:
        raise InvalidInputError(FieldProblem(name, f"One of these is expected: {', '.join(words)}."))
    return text.upper() if text is not None else None


def get_listing(request: Request, listing_id: str) -> Reply:
    """`GET /api/listings/{listing_id}/`"""
    number = given_number(listing_id, "Listing not found")
    return Reply(200, ListingOut.of(catalogue.find_listing(number, table=table(request.deadline))))


def list_services(request: Request) -> Reply:
    """`GET /api/services/`, with `?service_type=`, `?search=`, `?currency=` and `?active=` in any case."""
    found = catalogue.list_services(
        _wanted(request), table=table(request.deadline), size=page_size(request), place=place(request, cursor_key)
    )
    return _page(request, found.page, [ServiceOut.of(each) for each in found.services])


def get_service(request: Request, service_id: str) -> Reply:
    """`GET /api/services/{service_id}/`; `?service_type=` where two kinds have the number, else the puja is meant."""
    number = given_number(service_id, "Service not found")
    return Reply(200, ServiceOut.of(catalogue.find_service(number, _kind(request), table=table(request.deadline))))


def list_slots(request: Request, service_id: str) -> Reply:
    """`GET /api/services/{service_id}/slots/?date=`; `?service_type=` as in `get_service`."""
    number, day = given_number(service_id, "Service not found"), _day(request)
    where = table(request.deadline)
    service = catalogue.find_service(number, _kind(request), table=where)
    check_day("date", day, request.now, service.zone)
    is_sold = service.active and service.calendar
    found = catalogue.slots_on(service, is_sold, day, table=where, now=request.now) if is_sold else ()
    return Reply(200, SlotsOut.of(service, day, found))


def _day(request: Request) -> date:
    try:
        return read_day(request.parameter("date") or "")
    except ValueError as exc:
        raise InvalidInputError(FieldProblem("date", str(exc))) from exc


def list_days(request: Request, service_id: str) -> Reply:
    """`GET /api/services/{service_id}/days/?month=`; `?service_type=` as in `get_service`."""
    number, first = given_number(service_id, "Service not found"), _month(request)
    where = table(request.deadline)
    service = catalogue.find_service(number, _kind(request), table=where)
    today = request.now.astimezone(ZoneInfo(service.zone)).date()
    check_day("month", min(max(first, today), catalogue.last_of_month(first)), request.now, service.zone)
    is_sold = service.active and service.calendar
    days = settings().days
    found = catalogue.days_in(service, is_sold, first, table=where, now=request.now, days=days) if is_sold else ()
    return Reply(200, DaysOut.of(service, first, found))


def _month(request: Request) -> date:
    try:
        return read_month(request.parameter("month") or "")
    except ValueError as exc:
        raise InvalidInputError(FieldProblem("month", str(exc))) from exc


def _kind(request: Request) -> ServiceType | None:
    word = _one_of(request, "service_type", ServiceType.__members__)
    return ServiceType(word) if word else None


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
        "get_config": get_config,
        "list_listings": list_listings,
        "get_listing": get_listing,
        "list_services": list_services,
        "get_service": get_service,
        "list_slots": list_slots,
        "list_days": list_days,
        "list_counties": list_counties,
        "list_subcounties": list_subcounties,
    },
)
