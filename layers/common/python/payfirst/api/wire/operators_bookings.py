"""Bookings as the shop's own people see them, and what they send to move or cancel one."""

from __future__ import annotations

from typing import Any

from payfirst.api.wire.bookings import BookingOut
from payfirst.api.wire.fields import Amount, Day, In, Out, Reason, TimeOfDay, fitting
from payfirst.api.wire.operators import GivenBackOut
from payfirst.domain.booking import Booking
from payfirst.domain.paid_back import PaymentStatus
from payfirst.usecases.fulfilment.bookings import GivesBack, Standing
from payfirst.usecases.operators.appointments import DayPage


class MoveBookingIn(In):
    """`POST /api/operators/bookings/{book_id}/move/`; `why` is for the shop's own people."""

    selected_date: Day
    selected_time: TimeOfDay
    why: Reason | None = None


class CallOffIn(In):
    """`POST /api/operators/bookings/{book_id}/cancel/`: `refund` is what was said to go back, by the rule or `in_full`."""

    refund: Amount
    in_full: bool = False
    why: Reason


class ShopBookingOut(BookingOut):
    """A booking with the gateway's receipt, null where none is known."""

    receipt: str | None

    @classmethod
    def fields_of(cls, booking: Booking) -> dict[str, Any]:
        return {**super().fields_of(booking), "receipt": booking.receipt}


class CancellationOut(Out):
    """What cancelling the booking now gives back: by its service's rule, or all that is left of its payment."""

    by_rule: str
    in_full: str

    @classmethod
    def of(cls, gives: GivesBack) -> CancellationOut:
        return cls(by_rule=str(gives.by_rule), in_full=str(gives.in_full))


class BookingDetailOut(ShopBookingOut):
    """A booking with its payment; `cancellation` is null where it cannot be cancelled any more."""

    payment_status: PaymentStatus
    refunds: list[GivenBackOut]
    cancellation: CancellationOut | None

    @classmethod
    def of_standing(cls, found: Standing) -> BookingDetailOut:
        return cls(
            **cls.fields_of(found.booking),
            payment_status=found.session.payment_status,
            refunds=[GivenBackOut.of(refund) for refund in found.refunds],
            cancellation=CancellationOut.of(found.gives) if found.gives else None,
        )


class BookingsOut(Out):
    """The bookings of one day on their services' clocks, by their time; `next` is what `after` takes for those that follow."""

    day: str
    bookings: list[ShopBookingOut]
    next: str | None

    @classmethod
    def of(cls, page: DayPage) -> BookingsOut:
        shown = fitting(map(ShopBookingOut.of, page.bookings))
        return cls(day=page.day.isoformat(), bookings=shown, next=page.behind(len(shown)))
