"""What is sold and bought in a world, as items of its table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal

from payfirst.domain.booking import ChangeRules
from payfirst.domain.cart import BookingCart, ProduceCart, TakenPromo
from payfirst.domain.catalogue import Listing, Service, ServiceType
from payfirst.domain.ids import Identifier
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import BookingSnapshot, OrderLine
from payfirst.storage.carts import produce_cart_to_item
from payfirst.storage.catalogue import listing_to_item, read_service, service_to_item
from payfirst.storage.dynamodb.expressions import Item, Put
from payfirst.storage.dynamodb.table import Table, write

TOMATOES = 123


def listing(number: int, available: str, price: int, *, hold: bool) -> Item:
    """Tomatoes by the kilogram; `price` in cents."""
    unit_price = Money(price, Currency.KES)
    return listing_to_item(Listing(number, "Tomatoes", "Green Valley", "kg", unit_price, Decimal(available), hold))


def produce(
    sub: str,
    version: str,
    quantity: str,
    price: int,
    now: datetime,
    *,
    hold: bool,
    promo: str | None = None,
    listing: int = TOMATOES,
) -> Item:
    """A cart with so many kilograms of tomatoes; a promo takes ten shillings off."""
    unit, amount = Money(price, Currency.KES), Decimal(quantity)
    subtotal = Money(int(price * amount), Currency.KES)
    line = OrderLine(1, listing, "Tomatoes", "Green Valley", "kg", amount, unit, subtotal, hold)
    taken = None if promo is None else TakenPromo(promo, "10.00 KES")
    return produce_cart_to_item(sub, ProduceCart(version, (line,), 1, now, promo=taken))


def puja_offered(price: int, currency: Currency) -> Item:
    """The puja that the carts are about, by its price in minor units."""
    return service_to_item(
        Service(ServiceType.PUJA, 1, "Ganesh Puja", "", "Asia/Kolkata", currency, (), Money(price, currency))
    )


def puja_cart(cart: Identifier, version: str, price: Money, promo: str | None, day: str, now: datetime) -> BookingCart:
    """A cart with a puja of that `price` on the afternoon of `day`; a promo takes ten whole units off."""
    content = BookingSnapshot(
        cart_id=cart.number,
        cart_uuid=str(cart.uuid),
        service_type="PUJA",
        service_id=1,
        service_name="Ganesh Puja",
        package_id=None,
        package_name=None,
        day=date.fromisoformat(day),
        at=time(14, 0),
        time_given="2:00 PM",
        zone="Asia/Kolkata",
        price=price,
        discount=Money(1000 if promo else 0, price.currency),
        promo_code=promo,
        address=None,
    )
    return BookingCart(cart.number, str(cart.uuid), content, version, now)


def with_changes(table: Table, kind: ServiceType, number: int, changes: ChangeRules) -> None:
    """From now on the service lets its customers change what `changes` says."""
    service = read_service(table, kind, number)
    if service is None:
        raise LookupError("there is no such service")
    write(table, Put("service", service_to_item(replace(service, changes=changes))))
