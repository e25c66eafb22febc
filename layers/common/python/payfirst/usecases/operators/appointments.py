"""The bookings of a day, and one of them, for the shop's own people: whoever owns it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from payfirst.domain.booking import Booking
from payfirst.domain.days import LONGEST_HORIZON
from payfirst.domain.errors import NotFoundError
from payfirst.domain.moves import BookingStatus
from payfirst.storage import appointments, bookings, due
from payfirst.storage.dynamodb import due_index
from payfirst.storage.dynamodb.table import Table, write
from payfirst.usecases.fulfilment.bookings import Standing, complete, standing


@dataclass(frozen=True, slots=True)
class DayPage:
    """Bookings of one day, by their time; `next` is what `after` takes for those that follow."""

    day: date
    bookings: tuple[Booking, ...]
    next: str | None

    def behind(self, count: int) -> str | None:
        """`next` where only the first `count` are shown."""
        return self.next if count == len(self.bookings) else appointments.place_of(self.bookings[count - 1])


def of_day(day: date, status: BookingStatus | None = None, *, table: Table, most: int, after: str = "") -> DayPage:
    """At most `most` bookings of a day on their services' clocks, those behind the place `after`; those with `status` where one
    is given. Two requests for each hundred of the day, whatever else is stored."""
    found = (booking for booking in appointments.of_day(table, day, after=after) if status in (None, booking.status))
    shown = tuple(islice(found, most))
    return DayPage(day, shown, appointments.place_of(shown[-1]) if next(found, None) else None)


def find(table: Table, code: str) -> Booking:
    """The booking `BK-…`, whoever owns it; NotFoundError."""
    booking = bookings.by_code(table, code)
    if booking is None:
        raise NotFoundError(f"There is no booking {code}.")
    return booking


def show(table: Table, code: str, now: datetime) -> Standing:
    """The booking `BK-…` with its payment, and what cancelling it would give back at `now`. NotFoundError."""
    return standing(find(table, code), table=table, now=now)


def enter_earlier(table: Table, now: datetime) -> int:
    """Let `of_day` find the CONFIRMED bookings that an earlier release made; how many there are. Safe to repeat."""
    entered = 0
    for entry in due.entries(table, due_index.COMPLETE, now + timedelta(days=2 * LONGEST_HORIZON)):
        booking = bookings.read(table, entry.named.owner or "", entry.named.number or 0)
        if booking is not None:
            write(table, bookings.day_write(booking.owner, booking.number, booking.code, booking.content))
            entered += 1
    return entered


def complete_by_code(table: Table, code: str, now: datetime, *, by: str) -> Booking:
    """Complete the booking `BK-…`. NotFoundError, and errors as in `complete`."""
    return complete(find(table, code), table=table, now=now, by=by)
