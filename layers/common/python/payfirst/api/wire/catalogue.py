"""What can be bought, and where it can be delivered to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from payfirst.api.wire.fields import Count, Out
from payfirst.domain.catalogue import Listing, Service
from payfirst.domain.clock import instant
from payfirst.domain.locations import County, SubCounty
from payfirst.domain.money import Money
from payfirst.usecases.catalogue import FreeDay, FreeSlot


class ListingOut(Out):
    """A farm's produce at today's price. With `hold` a payment under way holds it; what is not `active` is not sold."""

    listing_id: int
    product_name: str
    farm_name: str
    price: str
    currency: str
    unit_of_measure: str
    available: Count
    timezone: str
    hold: bool
    active: bool
    description: str
    image_url: str | None

    @classmethod
    def of(cls, listing: Listing) -> ListingOut:
        return cls(
            listing_id=listing.number,
            product_name=listing.product_name,
            farm_name=listing.farm_name,
            price=str(listing.price),
            currency=listing.price.currency,
            unit_of_measure=listing.unit,
            available=listing.available,
            timezone=listing.zone,
            hold=listing.hold,
            active=listing.active,
            description=listing.description,
            image_url=listing.image_url,
        )


class PackageOut(Out):
    """One way to have a service."""

    id: int
    name: str
    price: str


class ServiceOut(Out):
    """A service; `price` is null where a package says it. It is booked by slots where it `has_calendar`, else for any time;
    with `hold` a payment under way holds its slot. What is not `active` is not sold."""

    id: int
    service_type: str
    name: str
    description: str
    timezone: str
    currency: str
    price: str | None
    packages: list[PackageOut]
    has_calendar: bool
    hold: bool
    active: bool
    image_url: str | None

    @classmethod
    def of(cls, service: Service) -> ServiceOut:
        packages = [PackageOut(id=each.number, name=each.name, price=str(each.price)) for each in service.packages]
        return cls(
            id=service.number,
            service_type=service.kind,
            name=service.name,
            description=service.description,
            timezone=service.zone,
            currency=service.currency,
            price=str(service.price) if service.price else None,
            packages=packages,
            has_calendar=service.calendar is not None,
            hold=service.calendar is not None and service.calendar.hold,
            active=service.active,
            image_url=service.image_url,
        )


class SlotOut(Out):
    """A start that can be booked now; a full one has `free` 0."""

    time: str
    starts_at: str
    ends_at: str
    capacity: int
    free: int

    @classmethod
    def of(cls, slot: FreeSlot) -> SlotOut:
        return cls(
            time=slot.at.isoformat(),
            starts_at=instant(slot.starts_at),
            ends_at=instant(slot.ends_at),
            capacity=slot.capacity,
            free=slot.free,
        )


class SlotsOut(Out):
    """What can be booked on a day of the service's zone; `any_time` where the service has no calendar."""

    service_id: int
    service_type: str
    date: dt.date
    timezone: str
    any_time: bool
    slots: list[SlotOut]

    @classmethod
    def of(cls, service: Service, day: dt.date, found: Sequence[FreeSlot]) -> SlotsOut:
        return cls(
            service_id=service.number,
            service_type=service.kind,
            date=day,
            timezone=service.zone,
            any_time=service.calendar is None and service.active,
            slots=[SlotOut.of(each) for each in found],
        )


class DayOfMonthOut(Out):
    """A day on which the service is open for booking now; a full one has `free_slots` 0."""

    date: dt.date
    free_slots: int


class DaysOut(Out):
    """The days of a month of the service's zone that can be booked; `any_time` where the service has no calendar."""

    service_id: int
    service_type: str
    month: str
    timezone: str
    any_time: bool
    days: list[DayOfMonthOut]

    @classmethod
    def of(cls, service: Service, month: dt.date, found: Sequence[FreeDay]) -> DaysOut:
        return cls(
            service_id=service.number,
            service_type=service.kind,
            month=f"{month:%Y-%m}",
            timezone=service.zone,
            any_time=service.calendar is None and service.active,
            days=[DayOfMonthOut(date=each.day, free_slots=each.free_slots) for each in found],
        )


class CountyOut(Out):
    """One of Kenya's 47 counties; `delivery_fee` is what it costs to deliver there, null where the shop does not deliver."""

    id: int
    name: str
    delivery_fee: str | None

    @classmethod
    def of(cls, county: County, fee: Money | None) -> CountyOut:
        return cls(id=county.id, name=county.name, delivery_fee=None if fee is None else str(fee))


class SubCountyOut(Out):
    """A sub-county of a county."""

    id: int
    name: str
    county_id: int

    @classmethod
    def of(cls, place: SubCounty) -> SubCountyOut:
        return cls(id=place.id, name=place.name, county_id=place.county_id)
