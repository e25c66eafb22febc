"""The catalogue as items and back: listings, services, promo codes. Stock and uses are counted by the writes that take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from payfirst.domain.booking import AS_USUAL, ChangeRules, RefundStep
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import Edits, Listing, Package, Service, ServiceType
from payfirst.domain.clock import SHOP_ZONE, instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesTo, AppliesToListing, Promo
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Item, Put, Update, Write, absent
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, get, query_all, transact

PAGE: Final = 500
"""The partitions of the catalogue, and the names of their listing counters."""


def read_listing(table: Table, number: int) -> Listing | None:
    """The listing of that number; None when there is none."""
    item = get(table, shop_keys.listing(number))
    return listing_from_item(item) if item else None


def all_listings(table: Table) -> tuple[Listing, ...]:
    """Every listing, by number."""
    return tuple(listing_from_item(item) for item in query_all(table, shop_keys.LISTINGS, page=PAGE, consistent=False))


def read_service(table: Table, kind: ServiceType, number: int) -> Service | None:
    """The service of that kind and number; None when there is none."""
    item = get(table, shop_keys.service(kind, number))
    return service_from_item(item) if item else None


def all_services(table: Table) -> tuple[Service, ...]:
    """Every service, by kind and number."""
    return tuple(service_from_item(item) for item in query_all(table, shop_keys.SERVICES, page=PAGE, consistent=False))


def add(table: Table, entry: Listing | Service | Promo) -> bool:
    """Store an entry that is not there yet; False, and nothing is written, where there is one, whatever it holds."""
    match entry:
        case Listing():
            item = listing_to_item(entry)
        case Service():
            item = service_to_item(entry)
        case Promo():
            item = promo_to_item(entry)
    try:
        transact(table, [Put("entry", item, when=(absent("pk"),)), *count_writes(counters_of(entry))])
    except ConditionFailedError:
        return False
    return True


def counters_of(entry: Listing | Service | Promo | None) -> dict[str, int]:
    """How many entries of each listing counter the public lists show because of this one: itself, while it is sold."""
    match entry:
        case Listing(active=True):
            return {shop_keys.LISTINGS: 1}
        case Service(active=True):
            return {shop_keys.service_list(entry.kind): 1}
        case _:
            return {}


def count_writes(changes: Mapping[str, int]) -> list[Write]:
    """So many entries more (or less) on each listing counter."""
    return [
        Update(f"listing counter {name}", shop_keys.listing_counter(name), add={"n": by}) for name, by in changes.items() if by
    ]


def listing_to_item(listing: Listing) -> Item:
    """A new listing, of which nothing is sold or held yet."""
    return {
        **shop_keys.listing(listing.number),
        "product_name": listing.product_name,
        "farm_name": listing.farm_name,
        "unit": listing.unit,
        "price": listing.price.minor,
        "currency": listing.price.currency.value,
        "available": listing.available,
        "held": 0,
        "sold": 0,
        "zone": listing.zone,
        **({"hold": True} if listing.hold else {}),
        **({"description": listing.description} if listing.description else {}),
        **_picture(listing.image_url),
        **_withdrawn(active=listing.active),
    }


def _picture(address: str | None) -> dict[str, str]:
    return {} if address is None else {"image_url": address}


def _withdrawn(*, active: bool) -> dict[str, bool]:
    return {} if active else {"withdrawn": True}


def _edits(item: Item) -> Edits:
    return Edits(int(item.get("edits", 0)), item.get("edited_by"), _moment(item, "edited_at"))


def listing_from_item(item: Item) -> Listing:
    """The listing of an item."""
    return Listing(
        number=shop_keys.listing_number(item),
        product_name=item["product_name"],
        farm_name=item["farm_name"],
        unit=item["unit"],
        price=Money(int(item["price"]), Currency(item["currency"])),
        available=Decimal(item["available"]),
        hold=item.get("hold", False),
        zone=item.get("zone", SHOP_ZONE),
        active="withdrawn" not in item,
        description=item.get("description", ""),
        image_url=item.get("image_url"),
        held=Decimal(item["held"]),
        edits=_edits(item),
    )


def service_to_item(service: Service) -> Item:
    """A service as its item."""
    return {
        **shop_keys.service(service.kind, service.number),
        "name": service.name,
        "description": service.description,
        "zone": service.zone,
        "currency": service.currency.value,
        "packages": [{"id": each.number, "name": each.name, "price": each.price.minor} for each in service.packages],
        **({"price": service.price.minor} if service.price else {}),
        **({"calendar": _calendar_to_map(service.calendar)} if service.calendar else {}),
        "changes": _changes_to_map(service.changes),
        **_picture(service.image_url),
        **_withdrawn(active=service.active),
    }


def service_from_item(item: Item) -> Service:
    """The service of an item."""
    currency, price = Currency(item["currency"]), item.get("price")
    kind, number = shop_keys.service_of(item)
    return Service(
        kind=ServiceType(kind),
        number=number,
        name=item["name"],
        description=item["description"],
        zone=item["zone"],
        currency=currency,
        packages=tuple(
            Package(int(each["id"]), each["name"], Money(int(each["price"]), currency)) for each in item["packages"]
        ),
        price=None if price is None else Money(int(price), currency),
        calendar=_calendar(item["calendar"]) if "calendar" in item else None,
        changes=_changes(item["changes"]) if "changes" in item else AS_USUAL,
        active="withdrawn" not in item,
        image_url=item.get("image_url"),
        edits=_edits(item),
    )


def _calendar_to_map(calendar: Calendar) -> dict[str, Any]:
    return {
        "weekdays": {str(day): _openings_to_list(openings) for day, openings in calendar.weekdays.items()},
        "exceptions": {day.isoformat(): _openings_to_list(openings) for day, openings in calendar.exceptions.items()},
        "slot_minutes": calendar.slot_minutes,
        "capacity": calendar.capacity,
        "lead_minutes": calendar.lead_minutes,
        "days_ahead": calendar.days_ahead,
        "hold": calendar.hold,
    }


def _calendar(raw: Item) -> Calendar:
    return Calendar(
        weekdays={int(day): _openings(openings) for day, openings in raw["weekdays"].items()},
        exceptions={date.fromisoformat(day): _openings(openings) for day, openings in raw["exceptions"].items()},
        slot_minutes=int(raw["slot_minutes"]),
        capacity=int(raw["capacity"]),
        lead_minutes=int(raw["lead_minutes"]),
        days_ahead=int(raw["days_ahead"]),
        hold=raw["hold"],
    )


def _openings_to_list(openings: Sequence[Opening]) -> list[list[str]]:
    return [[each.opens.isoformat(), each.closes.isoformat()] for each in openings]


def _openings(raw: Sequence[Sequence[str]]) -> tuple[Opening, ...]:
    return tuple(Opening(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in raw)


def _changes_to_map(rules: ChangeRules) -> dict[str, Any]:
    return {
        "most_reschedules": rules.most_reschedules,
        "refunds": [{"hours_before": step.hours_before, "percent": step.percent} for step in rules.refunds],
        **({} if rules.reschedule_hours is None else {"reschedule_hours": rules.reschedule_hours}),
    }


def _changes(raw: Item) -> ChangeRules:
    hours = raw.get("reschedule_hours")
    return ChangeRules(
        most_reschedules=int(raw["most_reschedules"]),
        reschedule_hours=None if hours is None else int(hours),
        refunds=tuple(RefundStep(int(step["hours_before"]), int(step["percent"])) for step in raw["refunds"]),
    )


def promo_to_item(promo: Promo) -> Item:
    """A new promo code, of which nothing is used yet."""
    optional: dict[str, Any] = {
        "amount": promo.amount.minor if promo.amount else None,
        "percent": promo.percent,
        "minimum": promo.minimum.minor if promo.minimum else None,
        "valid_from": instant(promo.valid_from) if promo.valid_from else None,
        "valid_until": instant(promo.valid_until) if promo.valid_until else None,
        "most_uses": promo.most_uses,
        "most_uses_each": promo.most_uses_each,
        "applies_to": [_applies_to_map(each) for each in promo.applies_to] or None,
    }
    return {
        **shop_keys.promo(promo.code),
        "code": promo.code,
        "currency": promo.currency.value,
        "taken": 0,
        "used": 0,
        **{name: value for name, value in optional.items() if value is not None},
    }


def promo_from_item(item: Item) -> Promo:
    """The promo of an item."""
    currency, most_uses = Currency(item["currency"]), item.get("most_uses")
    percent: Decimal | None = item.get("percent")
    each = item.get("most_uses_each")
    return Promo(
        code=item["code"],
        currency=currency,
        amount=_money(item, "amount", currency),
        percent=percent,
        minimum=_money(item, "minimum", currency),
        valid_from=_moment(item, "valid_from"),
        valid_until=_moment(item, "valid_until"),
        most_uses=None if most_uses is None else int(most_uses),
        taken=int(item["taken"]),
        most_uses_each=None if each is None else int(each),
        applies_to=tuple(_applies_to(raw) for raw in item.get("applies_to", ())),
    )


def _applies_to_map(each: AppliesTo | AppliesToListing) -> dict[str, Any]:
    if isinstance(each, AppliesToListing):
        return {"listing_id": each.listing_id}
    package = {} if each.package_id is None else {"package_id": each.package_id}
    return {"service_type": each.service_type, "service_id": each.service_id, **package}


def _applies_to(raw: Item) -> AppliesTo | AppliesToListing:
    if "listing_id" in raw:
        return AppliesToListing(int(raw["listing_id"]))
    package = raw.get("package_id")
    return AppliesTo(raw["service_type"], int(raw["service_id"]), None if package is None else int(package))


def _money(item: Item, name: str, currency: Currency) -> Money | None:
    return Money(int(item[name]), currency) if name in item else None


def _moment(item: Item, name: str) -> datetime | None:
    return read_instant(item[name]) if name in item else None
