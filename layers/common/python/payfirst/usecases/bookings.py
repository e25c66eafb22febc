"""Bookings after their payment: found, listed, moved to another slot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from payfirst.domain.booking import Booking, Step, why_not_reschedulable
from payfirst.domain.errors import ContentionError, NotFoundError
from payfirst.domain.ids import GivenId
from payfirst.domain.session import Customer
from payfirst.domain.times import GivenTime
from payfirst.observability import note
from payfirst.storage import bookings, keys
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.lists import Position, Slice, read_page
from payfirst.storage.table import Table
from payfirst.usecases.find import number_of_outcome

TRIES: Final = 4
NO_BOOKING: Final = "Booking not found"


@dataclass(frozen=True, slots=True)
class BookingPage:
    """Bookings, newest first, and the page that they came on."""

    bookings: tuple[Booking, ...]
    page: Slice


def list_bookings(customer: Customer, *, table: Table, size: int, position: Position | None) -> BookingPage:
    """One page of the customer's bookings, newest first."""
    page = read_page(table, customer.sub, keys.BOOKING, size=size, position=position)
    return BookingPage(tuple(bookings.booking_from_item(item) for item in page.items), page)


def find_booking(given: GivenId, *, customer: Customer, table: Table) -> Booking:
    """The customer's booking; NotFoundError for an unknown one and for somebody else's alike."""
    number = number_of_outcome(given, keys.BOOKING, customer=customer, table=table)
    booking = None if number is None else bookings.read(table, customer.sub, number)
    if booking is None:
        raise NotFoundError(NO_BOOKING)
    return booking


def reschedule(booking: Booking, day: date, at: GivenTime, reason: str | None, *, table: Table, now: datetime) -> Booking:
    """`booking` at another day and time; the same slot again writes nothing. No money moves.

    RefusedError BOOKING_NOT_CONFIRMED or RESCHEDULE_LIMIT, NotFoundError, ContentionError.
    """
    for _ in range(TRIES):
        problem = why_not_reschedulable(booking)
        if problem is not None:
            raise problem
        if booking.slot == (day, at.at):
            return booking
        moved = _moved(booking, day, at, reason, now)
        try:
            bookings.store_reschedule(table, booking, moved)
        except ConditionFailedError:
            booking = _again(booking, table)
            continue
        note("booking.rescheduled", booking=booking.code, version=moved.version)
        return moved
    raise ContentionError("This booking is being changed; please try again.")


def _moved(booking: Booking, day: date, at: GivenTime, reason: str | None, now: datetime) -> Booking:
    content = replace(booking.content, day=day, at=at.at, time_given=at.text)
    step = Step(booking.status, now, moved_from=booking.slot, moved_to=(day, at.at), reason=reason)
    return replace(booking, content=content, version=booking.version + 1, timeline=(*booking.timeline, step))


def _again(booking: Booking, table: Table) -> Booking:
    current = bookings.read(table, booking.owner, booking.number)
    if current is None:
        raise NotFoundError(NO_BOOKING)
    return current
