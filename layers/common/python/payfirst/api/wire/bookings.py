"""Document A's bookings, and the history that bookings and orders show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any, Self

from payfirst.api.wire.fields import Amount, Day, In, LocalTime, Out, Text, TimeOfDay
from payfirst.domain.booking import Booking, Step
from payfirst.domain.clock import instant
from payfirst.domain.money import Money
from payfirst.domain.moves import BookingStatus
from payfirst.domain.session import Address


def address_shown(address: Address | None) -> dict[str, str] | str | None:
    """The address as the customer gave it."""
    return dict(address) if isinstance(address, Mapping) else address


class BookingUser(Out):
    """Whose booking it is."""

    id: int | str
    email: str | None


class BookingCartOut(Out):
    """The cart that became the booking."""

    cart_id: str
    total_price: str


class BookedSlotOut(Out):
    """A day and a time of day in the service's zone."""

    selected_date: date
    selected_time: LocalTime

    @classmethod
    def of(cls, slot: tuple[date, time]) -> BookedSlotOut:
        return cls(selected_date=slot[0], selected_time=slot[1])


class StepOut(Out):
    """One entry of a history; a reschedule shows both slots, and a booking's the customer's own reason."""

    status: str
    at: str
    moved_from: BookedSlotOut | None = None
    moved_to: BookedSlotOut | None = None
    reason: str | None = None

    @classmethod
    def of(cls, step: Step) -> StepOut:
        moved: dict[str, Any] = {}
        if step.moved_from and step.moved_to:
            moved = {
                "moved_from": BookedSlotOut.of(step.moved_from),
                "moved_to": BookedSlotOut.of(step.moved_to),
                "reason": step.reason,
            }
        elif step.reason is not None:
            moved = {"reason": step.reason}
        return cls(status=step.status, at=instant(step.at), **moved)


class CancellationRefundOut(Out):
    """What a cancellation gives back; its payment shows how far it has got."""

    amount: str


class CancellingOut(Out):
    """What cancelling a booking would give back now, by its service's rule."""

    refund: str


class BookingOut(Out):
    """A booking, wherever one is shown; a cancelled one has its `refund`, null where its service's rule gives nothing back."""

    id: int
    book_id: str
    user: BookingUser
    cart: BookingCartOut
    customer_name: str | None
    phone_number: str | None
    service_type: str
    service_id: int
    service_name: str
    package_id: int | None
    package_name: str | None
    selected_date: date
    selected_time: LocalTime
    timezone: str
    status: str
    total_amount: str
    currency: str
    payment_id: int
    created_at: str
    address: dict[str, str] | str | None
    version: int
    timeline: list[StepOut]
    refund: CancellationRefundOut | None = None

    @classmethod
    def of(cls, booking: Booking) -> Self:
        return cls(**cls.fields_of(booking))

    @classmethod
    def fields_of(cls, booking: Booking) -> dict[str, Any]:
        """The fields of the answer, by name."""
        content = booking.content
        cancelled: dict[str, Any] = {}
        if booking.status is BookingStatus.CANCELLED:
            cancelled = {"refund": CancellationRefundOut(amount=str(booking.refund)) if booking.refund else None}
        return {
            "id": booking.number,
            "book_id": booking.code,
            "user": BookingUser(id=booking.owner if booking.user_id is None else booking.user_id, email=booking.email),
            "cart": BookingCartOut(cart_id=content.cart_uuid, total_price=str(booking.amount)),
            "customer_name": content.customer_name,
            "phone_number": content.phone_number,
            "service_type": content.service_type,
            "service_id": content.service_id,
            "service_name": content.service_name,
            "package_id": content.package_id,
            "package_name": content.package_name,
            "selected_date": content.day,
            "selected_time": content.at,
            "timezone": content.zone,
            "status": booking.status,
            "total_amount": str(booking.amount),
            "currency": booking.amount.currency,
            "payment_id": booking.session_number,
            "created_at": instant(booking.created_at),
            "address": address_shown(content.address),
            "version": booking.version,
            "timeline": [StepOut.of(step) for step in booking.timeline],
            **cancelled,
        }


class OwnBookingOut(BookingOut):
    """A booking of who asks; `cancellation` stands where it was asked for, null where there is nothing left to cancel."""

    cancellation: CancellingOut | None = None

    @classmethod
    def with_cancellation(cls, booking: Booking, by_rule: Money | None) -> OwnBookingOut:
        """The booking with what cancelling it gives back; None where it cannot be cancelled."""
        cancelling = None if by_rule is None else CancellingOut(refund=str(by_rule))
        return cls(**cls.fields_of(booking), cancellation=cancelling)


class RescheduleIn(In):
    """`POST /api/booking/bookings/{booking_id}/reschedule/`"""

    selected_date: Day
    selected_time: TimeOfDay
    reason: Text | None = None


class CancelIn(In):
    """`POST /api/booking/bookings/{booking_id}/cancel/`; with `refund`, what was said to go back, that or nothing happens."""

    reason: Text | None = None
    refund: Amount | None = None


class RescheduledOut(Out):
    """A booking in its slot."""

    message: str
    booking: BookingOut

    @classmethod
    def of(cls, booking: Booking) -> RescheduledOut:
        return cls(message="Booking rescheduled successfully", booking=BookingOut.of(booking))
