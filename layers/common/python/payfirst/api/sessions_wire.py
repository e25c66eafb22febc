"""Document B's sessions as they are answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal

from payfirst.api.fields import Count, JsonNumber, Out
from payfirst.domain.clock import instant
from payfirst.domain.event import Event
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import OrderStatus, SessionStatus
from payfirst.domain.session import BookingSnapshot, Delivery, Kind, OrderLine, OrderSnapshot, RefundShown, Session


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


class OrderShown(Out):
    """A session's order."""

    order_id: int
    order_number: str
    order_status: str
    payment_status: str


class FailureOut(Out):
    """Why the last attempt collected nothing."""

    code: str
    message: str
    retryable: bool


class RefundOut(Out):
    """Money on its way back."""

    amount: str
    status: str
    reason: str

    @classmethod
    def of(cls, refund: RefundShown) -> RefundOut:
        return cls(amount=str(refund.amount), status=refund.status, reason=refund.reason)


def order_of(session: Session) -> OrderShown | None:
    """The session's order as its status shows it; None before there is one."""
    if session.outcome is None or session.kind is not Kind.ORDER:
        return None
    number, code, status = session.outcome.number, session.outcome.code, session.outcome.status or OrderStatus.CONFIRMED
    return OrderShown(order_id=number, order_number=code, order_status=status, payment_status="paid")


def added(session: Session) -> dict[str, Any]:
    """What is added to a session's printed fields where it applies: `failure` and `refund`."""
    fields: dict[str, Any] = {}
    if session.failure is not None and session.status is SessionStatus.FAILED:
        failure = session.failure
        fields["failure"] = FailureOut(code=failure.code, message=failure.message, retryable=failure.retryable)
    if session.refund is not None:
        fields["refund"] = RefundOut.of(session.refund)
    return fields


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


class SessionOut(Out):
    """A whole session."""

    session_id: str
    user: int | str
    cart_snapshot: SnapshotOut | BookedContentOut
    delivery_details: DeliveryOut | None
    total_amount: str
    currency: str
    delivery_fee: str
    phone_number: str | None
    session_status: SessionStatus
    order: OrderShown | None
    created_at: str
    expires_at: str
    rounding: str | None = None
    failure: FailureOut | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, now: datetime) -> SessionOut:
        return cls(
            session_id=session.uuid,
            user=session.customer.shown,
            **_frozen(session),
            total_amount=str(session.amount),
            currency=session.amount.currency,
            session_status=session.status_at(now),
            order=order_of(session),
            created_at=instant(session.created_at),
            expires_at=instant(session.expires_at),
            **added(session),
        )


def _frozen(session: Session) -> dict[str, Any]:
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


class StatusOut(Out):
    """How far a session's payment got."""

    session_id: str
    session_status: SessionStatus
    order: OrderShown | None
    expires_at: str
    created_at: str
    failure: FailureOut | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, now: datetime) -> StatusOut:
        return cls(
            session_id=session.uuid,
            session_status=session.status_at(now),
            order=order_of(session),
            expires_at=instant(session.expires_at),
            created_at=instant(session.created_at),
            **added(session),
        )


class OrderNamed(Out):
    """A session's order in a list."""

    order_id: int
    order_number: str


class SessionListed(Out):
    """One session in a list."""

    session_id: str
    session_status: SessionStatus
    total_amount: str
    created_at: str
    order_details: OrderNamed | None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, now: datetime) -> SessionListed:
        order = order_of(session)
        return cls(
            session_id=session.uuid,
            session_status=session.status_at(now),
            total_amount=str(session.amount),
            created_at=instant(session.created_at),
            order_details=OrderNamed(order_id=order.order_id, order_number=order.order_number) if order else None,
            **({"refund": RefundOut.of(session.refund)} if session.refund else {}),
        )


class ExtendedOut(Out):
    """A session that can be paid longer."""

    status: Literal["success"] = "success"
    message: str
    expires_at: str

    @classmethod
    def of(cls, session: Session) -> ExtendedOut:
        return cls(status="success", message="Session extended", expires_at=instant(session.expires_at))


class EventOut(Out):
    """One entry of a session's timeline as its customer sees it."""

    sequence: int
    event: str
    at: str
    amount: str | None = None

    @classmethod
    def of(cls, event: Event, currency: Currency) -> EventOut:
        amount = event.facts.get("amount")
        shown = {} if amount is None else {"amount": str(Money(int(amount), currency))}
        return cls(sequence=event.sequence, event=event.name, at=instant(event.at), **shown)


class TimelineOut(Out):
    """A session's timeline, oldest first."""

    session_id: str
    events: list[EventOut]

    @classmethod
    def of(cls, session: Session, events: Iterable[Event]) -> TimelineOut:
        shown = [EventOut.of(event, session.amount.currency) for event in events]
        return cls(session_id=session.uuid, events=shown)
