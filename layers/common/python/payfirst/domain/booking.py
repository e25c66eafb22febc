"""What a paid session became: document A's booking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from payfirst.domain.calendar import instant_of
from payfirst.domain.days import Days
from payfirst.domain.errors import RefusedError
from payfirst.domain.money import Money
from payfirst.domain.moves import BookingStatus
from payfirst.domain.session import BookingSnapshot

CHANCE_TO_MOVE: Final = timedelta(days=1)
"""How long a booking stays CONFIRMED whose time was over when it was made or moved, where the shop allows such days."""

MAX_RESCHEDULES: Final = 100
"""Each one stays in the booking's own item, which has room for several hundred."""


@dataclass(frozen=True, slots=True)
class RefundStep:
    """Who cancels at least `hours_before` hours before the slot starts gets `percent` per cent back."""

    hours_before: int
    percent: int


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """What a service lets its customers change: how often and until how many hours before its start a booking may move (None:
    at any time), and what a cancellation gives back. Who fits no step of `refunds` gets nothing."""

    most_reschedules: int = MAX_RESCHEDULES
    reschedule_hours: int | None = None
    refunds: tuple[RefundStep, ...] = (RefundStep(hours_before=0, percent=100),)


AS_USUAL: Final = ChangeRules()
"""The rules of a service that has none of its own: all of it back until the booking starts, nothing from then on."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes a booking, as its timeline names them; `why` are an operator's words, for no customer."""

    by: str = "customer"
    why: str | None = None


THE_CUSTOMER: Final = Actor()


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

    `version` counts its reschedules from 1; `session_number` is A's `payment_id`; `refund` is what its cancellation gave back.
    `most_back` is the per cent that cancelling it would have given back when that was least of all its customer's
    reschedules; None where they never moved it, or by a release that did not say. With `in_full` the shop gave back more than
    the rule: all that was left. `moved_by_shop` says how many of its reschedules were not its customer's. `receipt` is the
    gateway's, None where none is known, or where an earlier release made it.
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
    refund: Money | None = None
    most_back: int | None = None
    in_full: bool = False
    moved_by_shop: int = 0
    receipt: str | None = None

    @property
    def slot(self) -> tuple[date, time]:
        """The day and the time of day in the service's zone."""
        return self.content.day, self.content.at

    @property
    def starts_at(self) -> datetime:
        """The instant at which it starts."""
        return instant_of(*self.slot, self.content.zone)


def completes_at(content: BookingSnapshot, now: datetime) -> datetime:
    """When a booking of `content`, made or moved at `now`, has taken place: at its slot's end, or at the end of its day where
    its service has no slots."""
    if content.minutes is None:
        ends = instant_of(content.day + timedelta(days=1), time.min, content.zone)
    else:
        ends = instant_of(content.day, content.at, content.zone) + timedelta(minutes=content.minutes)
    return ends if ends > now else now + CHANCE_TO_MOVE


def has_begun(content: BookingSnapshot, now: datetime) -> bool:
    """Whether the slot that it takes has begun. A service without slots takes any time, so none is too late."""
    return content.slot is not None and instant_of(content.day, content.at, content.zone) <= now


def why_not_in_time(content: BookingSnapshot, days: Days, now: datetime) -> RefusedError | None:
    """What keeps `content` from being paid for at `now` because of its day or its hour; None when nothing does.

    SLOT_TOO_SOON or SLOT_TOO_FAR.
    """
    said = days.why_not(content.day, content.zone, now)
    if said is not None:
        return RefusedError(said, code="SLOT_TOO_FAR" if content.day > days.last(content.zone, now) else "SLOT_TOO_SOON")
    if has_begun(content, now) or days.is_over(content.day, content.at, content.zone, now):
        return RefusedError("This time is over; please choose another.", code="SLOT_TOO_SOON")
    return None


def most_moves(booking: Booking, rules: ChangeRules) -> int:
    """How often `booking` may be rescheduled in all: what the shop moves takes nothing from what `rules` allow."""
    return min(rules.most_reschedules + booking.moved_by_shop, MAX_RESCHEDULES)


def why_not_reschedulable(booking: Booking, rules: ChangeRules, days: Days, now: datetime) -> RefusedError | None:
    """What keeps `booking` from another slot; None when nothing does. The write's conditions say the same."""
    if booking.status is not BookingStatus.CONFIRMED:
        return _not_confirmed(booking, "rescheduled")
    most = most_moves(booking, rules)
    if booking.version > most:
        allowed = min(rules.most_reschedules, MAX_RESCHEDULES)
        return RefusedError(f"A booking can be rescheduled {allowed} times.", code="RESCHEDULE_LIMIT")
    hours = rules.reschedule_hours
    if hours is not None and now > booking.starts_at - timedelta(hours=hours):
        return RefusedError(f"A booking can be rescheduled until {hours} hours before it.", code="RESCHEDULE_TOO_LATE")
    if days.is_over(*booking.slot, booking.content.zone, now):
        return RefusedError("This booking has begun; it cannot be rescheduled any more.", code="RESCHEDULE_TOO_LATE")
    return None


def why_not_cancellable(booking: Booking) -> RefusedError | None:
    """What keeps `booking` from being cancelled; None when nothing does."""
    return None if booking.status is BookingStatus.CONFIRMED else _not_confirmed(booking, "cancelled")


def why_not_completable(booking: Booking, now: datetime) -> RefusedError | None:
    """What keeps `booking` from being completed; None when nothing does."""
    if booking.status is not BookingStatus.CONFIRMED:
        return _not_confirmed(booking, "completed")
    if now < booking.starts_at:
        return RefusedError("This booking has not begun yet.", code="BOOKING_NOT_OVER")
    return None


def _not_confirmed(booking: Booking, verb: str) -> RefusedError:
    message = f"This booking is {booking.status}; only a CONFIRMED one can be {verb}."
    return RefusedError(message, code="BOOKING_NOT_CONFIRMED")


def percent_back(booking: Booking, rules: ChangeRules, now: datetime) -> int:
    """The per cent of its price that cancelling `booking` at `now` gives back: the best step that still fits, and never more
    than at any of its customer's reschedules, so that nobody moves a booking for a better step."""
    left = booking.starts_at - now
    if left <= timedelta(0):
        return 0
    percent = max((step.percent for step in rules.refunds if left >= timedelta(hours=step.hours_before)), default=0)
    if booking.most_back is not None:
        percent = min(percent, booking.most_back)
    return percent


def given_back(booking: Booking, rules: ChangeRules, now: datetime, step: int) -> Money:
    """What cancelling `booking` at `now` gives back by its service's rule, rounded half up to a minor unit.

    Its gateway pays back multiples of `step` minor units: rounded up, which never exceeds the amount.
    """
    percent = percent_back(booking, rules, now)
    minor = int((Decimal(booking.amount.minor) * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return Money(minor + -minor % step, booking.amount.currency)
