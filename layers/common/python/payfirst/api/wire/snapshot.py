"""What a session of document B froze, as it is answered: a cart of produce with its delivery, or a service."""

from __future__ import annotations

from datetime import date
from typing import Any

from payfirst.api.wire.fields import Count, JsonNumber, Out
from payfirst.domain.clock import instant
from payfirst.domain.session import BookingSnapshot, Delivery, OrderLine, OrderSnapshot, Session


class SnapshotLineOut(Out):
    """One line of the cart as it was frozen."""

    cart_item_id: int
    listing_id: int
    product_name: str
    farm_name: str
    quantity: JsonNumber
    price_at_addition: JsonNumber
    subtotal: JsonNumber
    unit_of_measure: str

    @classmethod
    def of(cls, line: OrderLine) -> SnapshotLineOut:
        return cls(
            cart_item_id=line.cart_item_id,
            listing_id=line.listing_id,
            product_name=line.product_name,
            farm_name=line.farm_name,
            quantity=line.quantity,
            price_at_addition=line.price.major,
            subtotal=line.subtotal.major,
            unit_of_measure=line.unit,
        )


class SnapshotOut(Out):
    """The cart as it was frozen."""

    items: list[SnapshotLineOut]
    total_items: Count
    total_cost: JsonNumber
    created_at: str
    promo_code: str | None = None
    discount: JsonNumber | None = None


class DeliveryOut(Out):
    """Where to deliver, as it was given."""

    full_name: str
    phone_number: str
    county_id: int
    subcounty_id: int
    detailed_address: str
    special_instructions: str
    delivery_time_slot: str
    estimated_delivery_date: date | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        return cls(
            full_name=delivery.full_name,
            phone_number=delivery.phone_number,
            county_id=delivery.county_id,
            subcounty_id=delivery.subcounty_id,
            detailed_address=delivery.detailed_address,
            special_instructions=delivery.special_instructions,
            delivery_time_slot=delivery.delivery_time_slot,
            estimated_delivery_date=delivery.estimated_delivery_date,
        )


class BookedContentOut(Out):
    """What a session of document A froze, where a session is asked for in B's words."""

    service_type: str
    service_id: int
    package_id: int | None
    selected_date: date
    selected_time: str
    timezone: str
    total_cost: JsonNumber
    created_at: str


def frozen(session: Session) -> dict[str, Any]:
    """The fields that come from what the session froze: a cart of produce, or a service."""
    match session.snapshot:
        case OrderSnapshot() as order:
            return _frozen_order(order)
        case BookingSnapshot() as booking:
            content = BookedContentOut(
                service_type=booking.service_type,
                service_id=booking.service_id,
                package_id=booking.package_id,
                selected_date=booking.day,
                selected_time=booking.time_given,
                timezone=booking.zone,
                total_cost=session.amount.major,
                created_at=instant(session.created_at),
            )
            return {"cart_snapshot": content, "delivery_details": None, "delivery_fee": "0.00", "phone_number": None}


def _frozen_order(order: OrderSnapshot) -> dict[str, Any]:
    delivery = order.delivery
    snapshot = SnapshotOut(
        items=[SnapshotLineOut.of(line) for line in order.lines],
        total_items=order.total_items,
        total_cost=order.items_total.major,
        created_at=instant(order.taken_at),
        **({"promo_code": order.promo_code, "discount": order.discount.major} if order.discount else {}),
    )
    return {
        "cart_snapshot": snapshot,
        "delivery_details": DeliveryOut.of(delivery),
        "delivery_fee": str(order.delivery_fee),
        "phone_number": delivery.phone_number,
        **({"rounding": str(order.rounding)} if order.rounding.minor else {}),
    }
