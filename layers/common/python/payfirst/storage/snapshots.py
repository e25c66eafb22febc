"""What is bought, as the maps that sessions, carts, orders and bookings hold, and back."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import BookingSnapshot, Delivery, Kind, OrderLine, OrderSnapshot
from payfirst.storage.dynamodb.expressions import Item


def stated(values: dict[str, Any]) -> dict[str, Any]:
    """The values that are there: an item holds no attribute without one."""
    return {name: value for name, value in values.items() if value is not None}


def snapshot_to_map(snapshot: OrderSnapshot | BookingSnapshot) -> dict[str, Any]:
    """What a session froze, as the map that its item holds."""
    return _order_to_map(snapshot) if isinstance(snapshot, OrderSnapshot) else booking_snapshot_to_map(snapshot)


def snapshot_from_map(kind: Kind, raw: Item, currency: Currency) -> OrderSnapshot | BookingSnapshot:
    """What a session of that kind froze, of its item's map."""
    return _order(raw, currency) if kind is Kind.ORDER else booking_snapshot(raw, currency)


def line_to_map(line: OrderLine) -> dict[str, Any]:
    """An order line as the map that an item holds."""
    return {
        "cart_item_id": line.cart_item_id,
        "listing_id": line.listing_id,
        "product_name": line.product_name,
        "farm_name": line.farm_name,
        "unit": line.unit,
        "quantity": line.quantity,
        "price": line.price.minor,
        "subtotal": line.subtotal.minor,
        **({"hold": True} if line.hold else {}),
    }


def line_from_map(raw: Item, currency: Currency) -> OrderLine:
    """The order line of an item's map."""
    return OrderLine(
        cart_item_id=int(raw["cart_item_id"]),
        listing_id=int(raw["listing_id"]),
        product_name=raw["product_name"],
        farm_name=raw["farm_name"],
        unit=raw["unit"],
        quantity=Decimal(raw["quantity"]),
        price=Money(int(raw["price"]), currency),
        subtotal=Money(int(raw["subtotal"]), currency),
        hold=raw.get("hold", False),
    )


def delivery_to_map(delivery: Delivery) -> dict[str, Any]:
    """Where an order goes, as the map that a session or an order holds."""
    day = delivery.estimated_delivery_date
    return {
        "full_name": delivery.full_name,
        "phone_number": delivery.phone_number,
        "county_id": delivery.county_id,
        "subcounty_id": delivery.subcounty_id,
        "detailed_address": delivery.detailed_address,
        "special_instructions": delivery.special_instructions,
        "delivery_time_slot": delivery.delivery_time_slot,
        **stated({"estimated_delivery_date": day.isoformat() if day else None}),
    }


def delivery_from_map(raw: Item) -> Delivery:
    """Where an order goes, of an item's map."""
    day = raw.get("estimated_delivery_date")
    return Delivery(
        full_name=raw["full_name"],
        phone_number=raw["phone_number"],
        county_id=int(raw["county_id"]),
        subcounty_id=int(raw["subcounty_id"]),
        detailed_address=raw["detailed_address"],
        special_instructions=raw["special_instructions"],
        delivery_time_slot=raw["delivery_time_slot"],
        estimated_delivery_date=date.fromisoformat(day) if day else None,
    )


def _order_to_map(snapshot: OrderSnapshot) -> dict[str, Any]:
    return {
        "lines": [line_to_map(line) for line in snapshot.lines],
        "delivery": delivery_to_map(snapshot.delivery),
        "items_total": snapshot.items_total.minor,
        "delivery_fee": snapshot.delivery_fee.minor,
        "rounding": snapshot.rounding.minor,
        "taken_at": instant(snapshot.taken_at),
        **discount_to_map(snapshot),
        **stated({"promo_limit": snapshot.promo_limit}),
    }


def discount_to_map(snapshot: OrderSnapshot) -> dict[str, Any]:
    """The promo of a cart of produce as attributes of a session's snapshot or of an order; nothing where there is none."""
    discount = snapshot.discount.minor if snapshot.discount else None
    return stated({"promo_code": snapshot.promo_code, "discount": discount})


def discount_from_map(raw: Item, currency: Currency) -> Money | None:
    """What the promo of an item takes off; None where there is none."""
    return Money(int(raw["discount"]), currency) if "discount" in raw else None


def _order(raw: Item, currency: Currency) -> OrderSnapshot:
    limit = raw.get("promo_limit")
    return OrderSnapshot(
        lines=tuple(line_from_map(line, currency) for line in raw["lines"]),
        delivery=delivery_from_map(raw["delivery"]),
        items_total=Money(int(raw["items_total"]), currency),
        delivery_fee=Money(int(raw["delivery_fee"]), currency),
        rounding=Money(int(raw["rounding"]), currency),
        taken_at=read_instant(raw["taken_at"]),
        discount=discount_from_map(raw, currency),
        promo_code=raw.get("promo_code"),
        promo_limit=None if limit is None else int(limit),
    )


def booking_snapshot_to_map(snapshot: BookingSnapshot) -> dict[str, Any]:
    """A booking's content as the map that a session, a cart or a booking holds."""
    return stated(
        {
            "cart_id": snapshot.cart_id,
            "cart_uuid": snapshot.cart_uuid,
            "service_type": snapshot.service_type,
            "service_id": snapshot.service_id,
            "service_name": snapshot.service_name,
            "package_id": snapshot.package_id,
            "package_name": snapshot.package_name,
            "day": snapshot.day.isoformat(),
            "at": snapshot.at.isoformat(),
            "time_given": snapshot.time_given,
            "zone": snapshot.zone,
            "price": snapshot.price.minor,
            "discount": snapshot.discount.minor,
            "promo_code": snapshot.promo_code,
            "address": snapshot.address,
            "capacity": snapshot.capacity,
            "hold": snapshot.hold or None,
            "promo_limit": snapshot.promo_limit,
            "minutes": snapshot.minutes,
            "customer_name": snapshot.customer_name,
            "phone_number": snapshot.phone_number,
        }
    )


def booking_snapshot(raw: Item, currency: Currency) -> BookingSnapshot:
    """The booking's content of an item's map."""
    package, capacity, limit = raw.get("package_id"), raw.get("capacity"), raw.get("promo_limit")
    minutes = raw.get("minutes")
    return BookingSnapshot(
        cart_id=int(raw["cart_id"]),
        cart_uuid=raw["cart_uuid"],
        service_type=raw["service_type"],
        service_id=int(raw["service_id"]),
        service_name=raw["service_name"],
        package_id=None if package is None else int(package),
        package_name=raw.get("package_name"),
        day=date.fromisoformat(raw["day"]),
        at=time.fromisoformat(raw["at"]),
        time_given=raw["time_given"],
        zone=raw["zone"],
        price=Money(int(raw["price"]), currency),
        discount=Money(int(raw["discount"]), currency),
        promo_code=raw.get("promo_code"),
        address=raw.get("address"),
        capacity=None if capacity is None else int(capacity),
        hold=raw.get("hold", False),
        promo_limit=None if limit is None else int(limit),
        minutes=None if minutes is None else int(minutes),
        customer_name=raw.get("customer_name"),
        phone_number=raw.get("phone_number") or None,  # erasing leaves an empty one
    )
