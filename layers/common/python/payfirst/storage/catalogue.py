"""The catalogue as items and back: listings, services, promo codes. Stock and uses are counted by the writes that take them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from payfirst.domain.catalogue import Listing, Package, Service, ServiceType
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import Promo
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
    )


def _money(item: Item, name: str, currency: Currency) -> Money | None:
    return Money(int(item[name]), currency) if name in item else None


def _moment(item: Item, name: str) -> datetime | None:
    return read_instant(item[name]) if name in item else None
