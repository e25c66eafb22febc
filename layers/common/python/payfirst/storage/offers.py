"""What carts ask for, as it stands now: all that decides whether they can be paid for, in as few requests as there can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from payfirst.domain.catalogue import Listing, Service, ServiceType
from payfirst.domain.promo import Promo
from payfirst.domain.session import BookingSnapshot
from payfirst.storage.catalogue import listing_from_item, promo_from_item, service_from_item
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table, batch_get

AT_ONCE: Final = 100
"""What one request reads."""


@dataclass(frozen=True, slots=True)
class PromoSeen:
    """A promo and how often this customer has used it, payments under way included; None for a code that does not exist."""

    promo: Promo | None
    uses: int


@dataclass(frozen=True, slots=True)
class OfferSeen:
    """What a cart of a service asks for, as it stands now: the service, how many places of the slot are taken, the promo."""

    service: Service | None
    used: int
    promo: PromoSeen


@dataclass(frozen=True, slots=True)
class ProduceSeen:
    """What a cart of produce asks for, as it stands now; a listing that is not sold any more is missing."""

    listings: Mapping[int, Listing]
    promo: PromoSeen


def read_offer(table: Table, content: BookingSnapshot, sub: str) -> OfferSeen:
    """All that decides whether `content` can be paid for, in one request."""
    return read_offers(table, [content], sub)[0]


def read_offers(table: Table, contents: Sequence[BookingSnapshot], sub: str) -> list[OfferSeen]:
    """The same of several carts of one customer, in their order; what they have in common is read once."""
    found = _read(table, [key for content in contents for key in _keys(content, sub)])
    return [_offer(content, sub, found) for content in contents]


def read_produce(table: Table, numbers: Sequence[int], code: str | None, sub: str) -> ProduceSeen:
    """The listings of those numbers and the promo of that code, in one request."""
    wanted = [shop_keys.listing(number) for number in numbers]
    found = _read(table, [*wanted, *(_promo_keys(code, sub) if code else ())])
    items = (found.get(keys.place_of(key)) for key in wanted)
    listings = {listing.number: listing for listing in map(listing_from_item, filter(None, items)) if listing.active}
    return ProduceSeen(listings, _promo(code, sub, found))


def read_promo(table: Table, code: str, sub: str) -> PromoSeen:
    """The promo of that code, in any case."""
    return _promo(code, sub, _read(table, _promo_keys(code, sub)))


def _read(table: Table, wanted: Sequence[keys.Key]) -> dict[keys.Place, Item]:
    each = list({keys.place_of(key): key for key in wanted}.values())
    found: dict[keys.Place, Item] = {}
    for first in range(0, len(each), AT_ONCE):
        for item in filter(None, batch_get(table, each[first : first + AT_ONCE])):
            found[keys.place_of(item)] = item
    return found


def _promo_keys(code: str, sub: str) -> tuple[keys.Key, keys.Key]:
    return shop_keys.promo(code), keys.promo_uses(sub, code)


def _promo(code: str | None, sub: str, found: Mapping[keys.Place, Item]) -> PromoSeen:
    if code is None:
        return PromoSeen(None, 0)
    promo, uses = (found.get(keys.place_of(key)) for key in _promo_keys(code, sub))
    return PromoSeen(promo_from_item(promo) if promo else None, int(uses["taken"]) if uses else 0)


def _keys(content: BookingSnapshot, sub: str) -> list[keys.Key]:
    kind = ServiceType(content.service_type)
    wanted = [shop_keys.service(kind, content.service_id), shop_keys.slot(kind, content.service_id, content.day, content.at)]
    return [*wanted, *(_promo_keys(content.promo_code, sub) if content.promo_code else ())]


def _offer(content: BookingSnapshot, sub: str, found: Mapping[keys.Place, Item]) -> OfferSeen:
    service, slot = (found.get(keys.place_of(key)) for key in _keys(content, sub)[:2])
    return OfferSeen(
        service=service_from_item(service) if service else None,
        used=int(slot["used"]) if slot else 0,
        promo=_promo(content.promo_code, sub, found),
    )
