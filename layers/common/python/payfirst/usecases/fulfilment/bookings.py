"""Bookings after their payment: found, listed, moved to another slot, cancelled, completed; by their customers or the shop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.booking import (
    AS_USUAL,
    THE_CUSTOMER,
    Actor,
    Booking,
    ChangeRules,
    Step,
    given_back,
    most_moves,
    percent_back,
    why_not_cancellable,
    why_not_completable,
    why_not_reschedulable,
)
from payfirst.domain.catalogue import Service
from payfirst.domain.days import ANY_DAY, Days
from payfirst.domain.errors import ContentionError, NotFoundError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Money
from payfirst.domain.moves import BookingStatus
from payfirst.domain.refund import BOOKING_CANCELLED, Refund, is_as_said, left_of, refund_changed, why_not_yet
from payfirst.domain.session import BookingSnapshot, Customer, Kind, Session
from payfirst.domain.times import GivenTime
from payfirst.gateways.registry import terms_of
from payfirst.observability import note
from payfirst.storage import attempts, bookings, offers, refunds, refunds_due, sessions, slots
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.lists import Position, Slice, read_page
from payfirst.usecases.carts.offer import in_slot, slot_full
from payfirst.usecases.lookup import number_of_outcome

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


def reschedule(
    booking: Booking,
    day: date,
    at: GivenTime,
    reason: str | None,
    *,
    table: Table,
    now: datetime,
    days: Days = ANY_DAY,
    actor: Actor = THE_CUSTOMER,
) -> Booking:
    """`booking` at another day and time; the same slot again writes nothing. No money moves. After a customer's own move
    cancelling never gives more back than it would have now; what the shop moves counts by its new day alone, and
    is none of its customer's moves. What a service's rule allows its customers does not bind the shop.

    RefusedError BOOKING_NOT_CONFIRMED, RESCHEDULE_LIMIT or RESCHEDULE_TOO_LATE, SLOT_… for a slot that cannot be booked (the
    old one is kept), NotFoundError, ContentionError.
    """
    for _ in range(TRIES):
        seen = _scene(booking, replace(booking.content, day=day, at=at.at), table)
        allowed = seen.rules if actor is THE_CUSTOMER else AS_USUAL
        problem = why_not_reschedulable(booking, allowed, days, now)
        if problem is not None:
            raise problem
        if booking.slot == (day, at.at):
            return booking
        moved = _moved(booking, day, at, reason, seen, now, days)
        if actor is THE_CUSTOMER:
            moved = replace(moved, most_back=percent_back(booking, seen.rules, now))
        else:
            moved = replace(moved, moved_by_shop=booking.moved_by_shop + 1)
        most = most_moves(booking, allowed)
        try:
            bookings.store_reschedule(table, seen.session, booking, moved, most, now, actor)
        except ConditionFailedError as error:
            if bookings.BOOKING not in error.failed and moved.content.slot and slots.name(moved.content.slot) in error.failed:
                raise slot_full() from error
            booking = _again(booking, table)
            continue
        note("booking.rescheduled", booking=booking.code, version=moved.version)
        return moved
    raise ContentionError("This booking is being changed; please try again.")


@dataclass(frozen=True, slots=True)
class GivesBack:
    """What cancelling a booking gives back now: by its service's rule, and where the shop gives back all that is left."""

    by_rule: Money
    in_full: Money


@dataclass(frozen=True, slots=True)
class Standing:
    """How a booking and its payment stand; `gives` is None where the booking cannot be cancelled any more."""

    booking: Booking
    session: Session
    refunds: tuple[Refund, ...]
    gives: GivesBack | None


def standing(booking: Booking, *, table: Table, now: datetime) -> Standing:
    """`booking` with its session, the refunds of its payment, and what cancelling it would give back at `now`."""
    seen = _scene(booking, booking.content, table)
    left = _left(seen, booking, table, now)
    is_open = why_not_cancellable(booking) is None
    return Standing(booking, seen.session, left.refunds, left.gives if is_open else None)


def cancel(
    booking: Booking,
    reason: str | None,
    *,
    table: Table,
    now: datetime,
    actor: Actor = THE_CUSTOMER,
    in_full: bool = False,
    said: Money | None = None,
) -> Booking:
    """`booking` cancelled: its slot is free and what its service's rule gives back is owed, or `in_full` all that is left.
    Once more changes nothing.

    What was given back before counts against it. `said` is what somebody was told would go back: exactly that is owed in the
    write, or RefusedError REFUND_CHANGED. RefusedError BOOKING_NOT_CONFIRMED or REFUND_IN_PROGRESS, NotFoundError,
    ContentionError.
    """
    for _ in range(TRIES):
        if booking.status is BookingStatus.CANCELLED:
            if not is_as_said(said, booking.refund):
                raise refund_changed(said, booking.refund)
            return booking
        problem = why_not_cancellable(booking)
        if problem is not None:
            raise problem
        seen = _scene(booking, booking.content, table)
        owed = _owed(_left(seen, booking, table, now), now, in_full=in_full)
        back = owed.refund.amount if owed else None
        if not is_as_said(said, back):
            current = _again(booking, table)
            if current == booking:
                raise refund_changed(said, back)
            booking = current  # somebody may just have done the same
            continue
        step = Step(BookingStatus.CANCELLED, now, reason=reason)
        cancelled = replace(
            booking,
            status=BookingStatus.CANCELLED,
            reason=reason,
            refund=back,
            timeline=(*booking.timeline, step),
            in_full=in_full,
        )
        try:
            bookings.store_cancelled(table, seen.session, booking, cancelled, owed, now, actor)
        except ConditionFailedError:
            booking = _again(booking, table)
            continue
        note("booking.cancelled", booking=booking.code, refund=str(cancelled.refund) if cancelled.refund else None)
        return cancelled
    raise ContentionError("This booking is being changed; please try again.")


def complete(booking: Booking, *, table: Table, now: datetime, by: str) -> Booking:
    """`booking` held as it was agreed; once more changes nothing.

    RefusedError BOOKING_NOT_CONFIRMED, or BOOKING_NOT_OVER before it starts, NotFoundError, ContentionError.
    """
    for _ in range(TRIES):
        if booking.status is BookingStatus.COMPLETED:
            return booking
        problem = why_not_completable(booking, now)
        if problem is not None:
            raise problem
        step = Step(BookingStatus.COMPLETED, now)
        completed = replace(booking, status=BookingStatus.COMPLETED, timeline=(*booking.timeline, step))
        try:
            bookings.store_completed(table, _session(booking, table), booking, completed, now, by=by)
        except ConditionFailedError:
            booking = _again(booking, table)
            continue
        note("booking.completed", booking=booking.code)
        return completed
    raise ContentionError("This booking is being changed; please try again.")


@dataclass(frozen=True, slots=True)
class _Scene:
    """The session that a booking came from, and its service as it is now; None where it is not offered any more."""

    session: Session
    service: Service | None
    used: int

    @property
    def rules(self) -> ChangeRules:
        return self.service.changes if self.service else AS_USUAL


def _scene(booking: Booking, content: BookingSnapshot, table: Table) -> _Scene:
    session = _session(booking, table)
    seen = offers.read_offer(table, replace(content, promo_code=None), booking.owner)
    return _Scene(session, seen.service, seen.used)


def _session(booking: Booking, table: Table) -> Session:
    session = sessions.read(table, booking.owner, booking.session_number)
    if session is None:
        raise LookupError(f"the session of {booking.code} is gone")
    return session


@dataclass(frozen=True, slots=True)
class _Left:
    """What of a payment can still go back, and its refunds so far."""

    attempt: Attempt
    refunds: tuple[Refund, ...]
    gives: GivesBack


def _left(seen: _Scene, booking: Booking, table: Table, now: datetime) -> _Left:
    attempt = attempts.read(table, seen.session.captured or "")
    if attempt is None or attempt.captured is None:
        raise LookupError(f"the payment of session {seen.session.uuid} is gone")
    amount = given_back(booking, seen.rules, now, terms_of(attempt.gateway).step)
    before = refunds.of_attempt(table, attempt.ref)
    # What a person gave back as a kindness counts against the rule.
    return _Left(attempt, before, GivesBack(left_of(amount, before), left_of(attempt.captured, before)))


def _owed(left: _Left, now: datetime, *, in_full: bool) -> bookings.Owed | None:
    """What is still to be given back; None for nothing. RefusedError while another refund is under way."""
    back = left.gives.in_full if in_full else left.gives.by_rule
    if not back.minor:
        return None
    if problem := why_not_yet(left.refunds):
        raise problem
    return bookings.Owed(*refunds_due.owe_writes(left.attempt, back, len(left.refunds) + 1, now, reason=BOOKING_CANCELLED))


def _moved(booking: Booking, day: date, at: GivenTime, reason: str | None, seen: _Scene, now: datetime, days: Days) -> Booking:
    content = replace(booking.content, day=day, at=at.at, time_given=at.text)
    content = (
        in_slot(content, seen.service, seen.used, now, days)
        if seen.service
        else replace(content, capacity=None, hold=False, minutes=None)
    )
    step = Step(booking.status, now, moved_from=booking.slot, moved_to=(day, at.at), reason=reason)
    return replace(
        booking,
        content=content,
        version=booking.version + 1,
        timeline=(*booking.timeline, step),
    )


def _again(booking: Booking, table: Table) -> Booking:
    current = bookings.read(table, booking.owner, booking.number)
    if current is None:
        raise NotFoundError(NO_BOOKING)
    return current


def read_booking(session: Session, *, table: Table) -> Booking | None:
    """The booking of a paid session; None before there is one, and for a session of produce."""
    if session.outcome is None or session.kind is not Kind.BOOKING:
        return None
    return bookings.read(table, session.customer.sub, session.outcome.number)
