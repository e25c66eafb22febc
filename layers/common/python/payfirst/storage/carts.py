"""Carts as items and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from payfirst.domain.cart import BookingCart, ProduceCart, TakenPromo
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.delivery import CURRENCY
from payfirst.domain.money import Currency
from payfirst.domain.session import BookingSnapshot
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Condition, Delete, Item, Put, Update, absent, equal
from payfirst.storage.dynamodb.table import Table, get, transact, write
from payfirst.storage.sessions import count_write
from payfirst.storage.snapshots import booking_snapshot, booking_snapshot_to_map, line_from_map, line_to_map

CART: Final = "cart"


def read_produce_cart(table: Table, sub: str) -> ProduceCart | None:
    """The customer's cart of produce; None before the first thing was put into it."""
    item = get(table, keys.produce_cart(sub))
    return produce_cart_from_item(item) if item else None


def read_booking_cart(table: Table, sub: str, number: int) -> BookingCart | None:
    """The customer's cart of that number; None when there is none."""
    item = get(table, keys.owned(sub, keys.CART, number))
    return booking_cart_from_item(item) if item and _is_whole(item) else None


def booking_carts_from_items(items: Iterable[Item]) -> tuple[BookingCart, ...]:
    """The carts of the items of a list."""
    return tuple(booking_cart_from_item(item) for item in items if _is_whole(item))


def _is_whole(item: Item) -> bool:
    # Late money for a cart that was deleted meanwhile leaves its guard at the cart's key: that it was paid for, and no cart.
    return "content" in item


def create_booking_cart(table: Table, sub: str, cart: BookingCart) -> None:
    """Store a new cart. ConditionFailedError when its number is taken."""
    transact(
        table,
        [Put(CART, booking_cart_to_item(sub, cart), when=(absent("pk"),)), count_write(sub, keys.CART)],
    )


def change_booking_cart(
    table: Table, sub: str, seen: BookingCart, content: BookingSnapshot, version: str, now: datetime
) -> None:
    """Give the cart another content and version. ConditionFailedError unless it is as it was `seen` and nobody pays for it."""
    change = {"content": booking_snapshot_to_map(content), "version": version, "touched_at": instant(now)}
    write(table, Update(CART, keys.owned(sub, keys.CART, seen.number), when=_as_seen(seen), set=change))


def delete_booking_cart(table: Table, sub: str, seen: BookingCart) -> None:
    """Delete the cart. ConditionFailedError unless it is as it was `seen` and nobody pays for it."""
    transact(
        table,
        [
            Delete(CART, keys.owned(sub, keys.CART, seen.number), when=_as_seen(seen)),
            count_write(sub, keys.CART, by=-1),
        ],
    )


def _as_seen(seen: BookingCart) -> tuple[Condition, ...]:
    return equal("version", seen.version), absent("live_attempt"), absent("converted_by")


def write_produce_cart(table: Table, sub: str, cart: ProduceCart, *, seen: str | None) -> None:
    """Store `cart` in place of the version `seen` (None: there was no cart). ConditionFailedError when it is another."""
    unchanged = absent("pk") if seen is None else equal("version", seen)
    write(table, Put(CART, produce_cart_to_item(sub, cart), when=(unchanged,)))


def produce_cart_to_item(sub: str, cart: ProduceCart) -> Item:
    """A cart of produce as its item."""
    return {
        **keys.produce_cart(sub),
        "version": cart.version,
        "lines": [line_to_map(line) for line in cart.lines],
        "items_made": cart.items_made,
        "updated_at": instant(cart.updated_at),
        "currency": cart.currency.value,
        **({"touched_at": instant(cart.touched_at)} if cart.touched_at else {}),
        **({"promo": {"code": cart.promo.code, "terms": cart.promo.terms}} if cart.promo else {}),
    }


def produce_cart_from_item(item: Item) -> ProduceCart:
    """The cart of produce of an item."""
    currency, touched, promo = Currency(item.get("currency", CURRENCY)), item.get("touched_at"), item.get("promo")
    return ProduceCart(
        version=item["version"],
        lines=tuple(line_from_map(line, currency) for line in item["lines"]),
        items_made=int(item["items_made"]),
        updated_at=read_instant(item["updated_at"]),
        touched_at=read_instant(touched) if touched else None,
        promo=TakenPromo(promo["code"], promo["terms"]) if promo else None,
    )


def renewal_write(sub: str, seen: ProduceCart, now: datetime) -> Update:
    """The cart of produce kept for another while, if it is as it was `seen`; for the write that makes a session from it."""
    unchanged = equal("version", seen.version)
    return Update(CART, keys.produce_cart(sub), when=(unchanged,), set={"touched_at": instant(now)})


def booking_cart_to_item(sub: str, cart: BookingCart) -> Item:
    """A new cart of a service as its item."""
    return {
        **keys.owned(sub, keys.CART, cart.number),
        "uuid": cart.uuid,
        "content": booking_snapshot_to_map(cart.content),
        "currency": cart.content.price.currency.value,
        "version": cart.version,
        "created_at": instant(cart.created_at),
    }


def booking_cart_from_item(item: Item) -> BookingCart:
    """The cart of a service of an item."""
    session, touched_at = item.get("session"), item.get("touched_at")
    return BookingCart(
        number=keys.number_of(item),
        uuid=item["uuid"],
        content=booking_snapshot(item["content"], Currency(item["currency"])),
        version=item["version"],
        created_at=read_instant(item["created_at"]),
        live_attempt=item.get("live_attempt"),
        converted_by=item.get("converted_by"),
        session=None if session is None else int(session),
        touched_at=read_instant(touched_at) if touched_at else None,
    )
