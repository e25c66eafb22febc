"""The catalogue as items and back: listings, services, promo codes. Stock and uses are counted by the writes that take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from payfirst.domain.booking import AS_USUAL, ChangeRules, RefundStep
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import Listing, Package, Service, ServiceType
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesTo, Promo
from payfirst.domain.session import BookingSnapshot
from payfirst.storage import keys
from payfirst.storage.expressions import Item, Put, absent
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.table import Table, batch_get, get, query, write

PAGE: Final = 500
_FIRST: Final = "!"
_LAST: Final = "~"


def read_listing(table: Table, number: int) -> Listing | None:
    """The listing of that number; None when there is none."""
    item = get(table, keys.listing(number))
    return listing_from_item(item) if item else None


def read_listings(table: Table, numbers: Sequence[int]) -> dict[int, Listing]:
    """The listings of those numbers (100 at most) that there are."""
    found = batch_get(table, [keys.listing(number) for number in numbers]) if numbers else []
    return {listing.number: listing for listing in map(listing_from_item, filter(None, found))}


def all_listings(table: Table) -> tuple[Listing, ...]:
    """Every listing, by number."""
    return tuple(listing_from_item(item) for item in _all(table, "LISTING"))


def read_service(table: Table, kind: ServiceType, number: int) -> Service | None:
    """The service of that kind and number; None when there is none."""
    item = get(table, keys.service(kind, number))
    return service_from_item(item) if item else None


def all_services(table: Table) -> tuple[Service, ...]:
    """Every service, by kind and number."""
    return tuple(service_from_item(item) for item in _all(table, "SERVICE"))


def read_promo(table: Table, code: str) -> Promo | None:
    """The promo of that code, in any case; None when there is none."""
    item = get(table, keys.promo(code))
    return promo_from_item(item) if item else None


def read_promo_uses(table: Table, sub: str, code: str) -> int:
    """How often the customer has used the promo code, payments under way included."""
    item = get(table, keys.promo_uses(sub, code))
    return int(item["taken"]) if item else 0


@dataclass(frozen=True, slots=True)
class OfferSeen:
    """What a cart asks for, as it stands now: the service, how many places of the slot are taken, the promo and its uses by
    this customer."""

    service: Service | None
    used: int
    promo: Promo | None
    promo_uses: int


def read_offer(table: Table, content: BookingSnapshot, sub: str) -> OfferSeen:
    """All that decides whether `content` can be paid for, in one request."""
    kind = ServiceType(content.service_type)
    wanted = [keys.service(kind, content.service_id), keys.slot(kind, content.service_id, content.day, content.at)]
    if content.promo_code:
        wanted += [keys.promo(content.promo_code), keys.promo_uses(sub, content.promo_code)]
    service, slot, promo, uses = [*batch_get(table, wanted), None, None][:4]
    return OfferSeen(
        service=service_from_item(service) if service else None,
        used=int(slot["used"]) if slot else 0,
        promo=promo_from_item(promo) if promo else None,
        promo_uses=int(uses["taken"]) if uses else 0,
    )


def _all(table: Table, partition: str) -> list[Item]:
    items: list[Item] = []
    first = _FIRST
    while True:
        page = query(table, partition, first=first, last=_LAST, limit=PAGE, newest_first=False, consistent=False)
        items += page.items
        if not page.more:
            return items
        first = f"{items[-1]['sk']}{_FIRST}"  # behind the last one, before any other


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
        write(table, Put("entry", item, when=(absent("pk"),)))
    except ConditionFailedError:
        return False
    return True


def listing_to_item(listing: Listing) -> Item:
    """A new listing, of which nothing is sold or held yet."""
    return {
        **keys.listing(listing.number),
        "product_name": listing.product_name,
        "farm_name": listing.farm_name,
        "unit": listing.unit,
        "price": listing.price.minor,
        "currency": listing.price.currency.value,
        "available": listing.available,
        "held": 0,
        "sold": 0,
        **({"hold": True} if listing.hold else {}),
    }


def listing_from_item(item: Item) -> Listing:
    """The listing of an item."""
    return Listing(
        number=int(item["sk"]),
        product_name=item["product_name"],
        farm_name=item["farm_name"],
        unit=item["unit"],
        price=Money(int(item["price"]), Currency(item["currency"])),
        available=Decimal(item["available"]),
        hold=item.get("hold", False),
    )


def service_to_item(service: Service) -> Item:
    """A service as its item."""
    return {
        **keys.service(service.kind, service.number),
        "name": service.name,
        "description": service.description,
        "zone": service.zone,
        "currency": service.currency.value,
        "packages": [{"id": each.number, "name": each.name, "price": each.price.minor} for each in service.packages],
        **({"price": service.price.minor} if service.price else {}),
        **({"calendar": _calendar_to_map(service.calendar)} if service.calendar else {}),
        "changes": _changes_to_map(service.changes),
    }


def service_from_item(item: Item) -> Service:
    """The service of an item."""
    currency, price = Currency(item["currency"]), item.get("price")
    kind, _, number = item["sk"].partition("#")
    return Service(
        kind=ServiceType(kind),
        number=int(number),
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
        **keys.promo(promo.code),
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


def _applies_to_map(each: AppliesTo) -> dict[str, Any]:
    package = {} if each.package_id is None else {"package_id": each.package_id}
    return {"service_type": each.service_type, "service_id": each.service_id, **package}


def _applies_to(raw: Item) -> AppliesTo:
    package = raw.get("package_id")
    return AppliesTo(raw["service_type"], int(raw["service_id"]), None if package is None else int(package))


def _money(item: Item, name: str, currency: Currency) -> Money | None:
    return Money(int(item[name]), currency) if name in item else None


def _moment(item: Item, name: str) -> datetime | None:
    return read_instant(item[name]) if name in item else None
