"""What a paid session became: document A's booking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from payfirst.domain.errors import RefusedError
from payfirst.domain.money import Money
from payfirst.domain.moves import BookingStatus
from payfirst.domain.session import BookingSnapshot

MAX_RESCHEDULES: Final = 100
"""Each one stays in the booking's own item, which has room for several hundred."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a booking's or an order's history; a reschedule says from which slot to which, and why."""

    status: str
    at: datetime
    moved_from: tuple[date, time] | None = None
    moved_to: tuple[date, time] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking; `content` is what was paid for, with the day and time as they stand after any reschedule.

    `version` counts its reschedules from 1; `session_number` is A's `payment_id`.
    """

    number: int
    code: str
    owner: str
    user_id: int | None
    email: str | None
    session_number: int
    status: BookingStatus
    amount: Money
    content: BookingSnapshot
    version: int
    created_at: datetime
    reason: str | None = None
    timeline: tuple[Step, ...] = ()

    @property
    def slot(self) -> tuple[date, time]:
        """The day and the time of day in the service's zone."""
        return self.content.day, self.content.at


def why_not_reschedulable(booking: Booking) -> RefusedError | None:
    """What keeps `booking` from another slot; None when nothing does. The write's conditions say the same."""
    if booking.status is not BookingStatus.CONFIRMED:
        message = f"This booking is {booking.status}; only a CONFIRMED one can be rescheduled."
        return RefusedError(message, code="BOOKING_NOT_CONFIRMED")
    if booking.version > MAX_RESCHEDULES:
        return RefusedError(f"A booking can be rescheduled {MAX_RESCHEDULES} times.", code="RESCHEDULE_LIMIT")
    return None
