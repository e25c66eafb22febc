"""Document B's orders: the page that its front end goes to after the payment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from payfirst.api.wire.bookings import StepOut
from payfirst.api.wire.fields import Amount, Count, In, JsonNumber, Out, Text
from payfirst.api.wire.outcome import RefundOut
from payfirst.api.wire.snapshot import DeliveryOut
from payfirst.domain.clock import instant
from payfirst.domain.money import Money
from payfirst.domain.order import Order
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.session import OrderLine, RefundShown


class OrderLineOut(Out):
    """One listing of an order, at the price that was paid."""

    listing_id: int
    product_name: str
    farm_name: str
    quantity: JsonNumber
    unit_of_measure: str
    price: str
    subtotal: str

    @classmethod
    def of(cls, line: OrderLine) -> OrderLineOut:
        return cls(
            listing_id=line.listing_id,
            product_name=line.product_name,
            farm_name=line.farm_name,
            quantity=line.quantity,
            unit_of_measure=line.unit,
            price=str(line.price),
            subtotal=str(line.subtotal),
        )


class OrderListed(Out):
    """One order in a list."""

    order_id: int
    order_number: str
    order_status: str
    payment_status: PaymentStatus
    total_amount: str
    currency: str
    total_items: Count
    created_at: str

    @classmethod
    def of(cls, order: Order) -> OrderListed:
        return cls(**_common(order))


class OrderCancellationOut(Out):
    """What cancelling an order would give back now."""

    refund: str

    @classmethod
    def of(cls, gives: Money | None) -> Self | None:
        """None where the order cannot be cancelled."""
        return None if gives is None else cls(refund=str(gives))


class OrderOut(OrderListed):
    """A whole order; `receipt` is M-Pesa's, null where only its status is known. A cancelled one says how its refund stands."""

    session_id: str
    items: list[OrderLineOut]
    total_cost: str
    delivery_fee: str
    delivery_details: DeliveryOut
    receipt: str | None
    timeline: list[StepOut]
    promo_code: str | None = None
    discount: str | None = None
    rounding: str | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, order: Order, refund: RefundShown | None = None) -> Self:
        return cls(**cls.fields_of(order, refund))

    @classmethod
    def fields_of(cls, order: Order, refund: RefundShown | None, *, for_operators: bool = False) -> dict[str, Any]:
        """The fields of the answer, by name."""
        return {
            **_common(order),
            "session_id": order.session,
            "items": [OrderLineOut.of(line) for line in order.lines],
            "total_cost": str(order.items_total),
            "delivery_fee": str(order.delivery_fee),
            "delivery_details": DeliveryOut.of(order.delivery),
            "receipt": order.receipt,
            # The words in an order's steps may be operators': why it was cancelled.
            "timeline": [StepOut.of(step if for_operators else replace(step, reason=None)) for step in order.timeline],
            **({"promo_code": order.promo_code, "discount": str(order.discount)} if order.discount else {}),
            **({"rounding": str(order.rounding)} if order.rounding.minor else {}),
            **({"refund": RefundOut.of(refund)} if refund else {}),
        }


class OwnOrderOut(OrderOut):
    """An order of who asks; `cancellation` stands where it was asked for, null where its customer cannot cancel it."""

    cancellation: OrderCancellationOut | None = None

    @classmethod
    def with_cancellation(cls, order: Order, refund: RefundShown | None, gives: Money | None) -> Self:
        """The order with what cancelling it gives back; None where it cannot be cancelled."""
        return cls(**cls.fields_of(order, refund), cancellation=OrderCancellationOut.of(gives))


class CancelOrderIn(In):
    """`POST /api/orders/{order_id}/cancel/`; with `refund`, what was said to go back, that or nothing happens."""

    reason: Text | None = None
    refund: Amount | None = None


def _common(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.number,
        "order_number": order.code,
        "order_status": order.status,
        "payment_status": order.payment_status,
        "total_amount": str(order.amount),
        "currency": order.amount.currency,
        "total_items": order.total_items,
        "created_at": instant(order.created_at),
    }
