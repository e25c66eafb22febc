"""A cancelled booking gives its slot back and owes what its service's rule says, once."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest

from payfirst.domain.booking import Booking, ChangeRules, RefundStep
from payfirst.domain.errors import RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import BookingStatus, RefundStatus, SessionStatus
from payfirst.storage import timeline
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.fulfilment.bookings import cancel, complete, reschedule
from payfirst.usecases.operators.review import refund_payment
from payfirst.usecases.refunds.send_refund import pursue
from tests.integration.bookings.test_slots import OTHER, booked, by_calendar, given, pay
from tests.integration.carts.conftest import before_next_write
from tests.integration.payments.shop import Shop, new_customer

TWO_STEPS = ChangeRules(
    most_reschedules=2, reschedule_hours=24, refunds=(RefundStep(hours_before=48, percent=100), RefundStep(24, 50))
)


@pytest.fixture
def started(shop: Shop) -> Started:
    """A puja in a slot, paid and booked by the rule of two steps."""
    shop.calendar, shop.changes = by_calendar(1), TWO_STEPS
    return pay(shop, new_customer())


def give_up(shop: Shop, booking: Booking) -> Booking:
    return cancel(booking, "Change of plans", table=shop.table, now=shop.now)


def test_a_cancellation_frees_the_slot_and_owes_the_money_in_one_step(shop: Shop, started: Started) -> None:
    cancelled = give_up(shop, booked(shop, started))

    assert booked(shop, started) == cancelled
    assert (cancelled.status, cancelled.refund) == (BookingStatus.CANCELLED, Money(51000, Currency.INR))
    assert (cancelled.timeline[-1].status, cancelled.timeline[-1].reason) == ("CANCELLED", "Change of plans")
    assert shop.slot() == (0, 0)
    [refund] = shop.refunds(started)
    assert (refund["amount"], refund["reason"]) == (51000, "booking_cancelled")
    session = shop.read(started.session)
    assert session.refund is not None
    assert (session.status, session.refund.status) == (SessionStatus.ORDER_CREATED, "due")
    told = [event.name for event in timeline.read(shop.table, session)]
    assert told[-2:] == ["booking.cancelled", "refund.due"]


@pytest.mark.parametrize(("hours", "minor"), [(49, 51000), (48, 51000), (47, 25500), (24, 25500), (23, 0), (-1, 0)])
def test_the_service_says_how_much_goes_back_and_until_when(shop: Shop, started: Started, hours: int, minor: int) -> None:
    booking = booked(shop, started)
    shop.now = booking.starts_at - timedelta(hours=hours)
    cancelled = give_up(shop, booking)
    assert (cancelled.refund.minor if cancelled.refund else 0) == minor
    assert [int(refund["amount"]) for refund in shop.refunds(started)] == ([minor] if minor else [])
    assert shop.slot() == (0, 0)
    assert ("refund" in shop.due()) is bool(minor)


def test_cancelling_twice_refunds_once(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    first = give_up(shop, booking)
    assert give_up(shop, booking) == give_up(shop, first) == first
    assert len(shop.refunds(started)) == 1


def test_many_cancellations_at_once_refund_once(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    threads = [Thread(target=give_up, args=(shop, booking)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shop.refunds(started)) == 1
    assert shop.slot() == (0, 0)


def test_a_cancellation_that_a_reschedule_overtakes_frees_the_new_slot(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    with before_next_write(shop.table, lambda: reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now)):
        give_up(shop, booking)
    assert (shop.slot(), shop.slot(OTHER)) == ((0, 0), (0, 0))
    with pytest.raises(RefusedError) as refused:
        reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now)
    assert refused.value.stable_code == "BOOKING_NOT_CONFIRMED"


def test_what_was_given_back_before_counts_against_it(shop: Shop, started: Started) -> None:
    ref, booking = started.attempt.ref, booked(shop, started)
    first = refund_payment(shop.table, ref, Money(10000, Currency.INR), shop.now, by="operator:amina", why="a kindness")
    with pytest.raises(RefusedError) as refused:
        give_up(shop, booking)
    assert refused.value.stable_code == "REFUND_IN_PROGRESS"

    pursue(shop.notice_context(), ref, first.number)
    shop.end_refund(first.refund_id)
    shop.now += timedelta(seconds=91)
    assert pursue(shop.notice_context(), ref, first.number) is RefundStatus.REFUNDED
    assert give_up(shop, booking).refund == Money(41000, Currency.INR)


def test_a_booking_moves_as_often_and_as_late_as_its_service_allows(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    for day in (OTHER, OTHER + timedelta(days=1)):
        booking = reschedule(booking, day, given(), None, table=shop.table, now=shop.now)
    with pytest.raises(RefusedError) as refused:
        reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now)
    assert refused.value.stable_code == "RESCHEDULE_LIMIT"

    other = booked(shop, pay(shop, new_customer()))
    with pytest.raises(RefusedError) as refused:
        reschedule(other, OTHER, given(), None, table=shop.table, now=other.starts_at - timedelta(hours=23))
    assert refused.value.stable_code == "RESCHEDULE_TOO_LATE"
    assert shop.refunds(started) == []


def test_a_booking_that_took_place_is_completed_once_and_ends(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    with pytest.raises(RefusedError) as refused:
        complete(booking, table=shop.table, now=shop.now, by="operator:amina")
    assert refused.value.stable_code == "BOOKING_NOT_OVER"
    shop.now = booking.starts_at + timedelta(hours=1)
    done = complete(booking, table=shop.table, now=shop.now, by="operator:amina")
    assert complete(booking, table=shop.table, now=shop.now, by="operator:amina") == done
    assert [step.status for step in booked(shop, started).timeline] == ["CONFIRMED", "COMPLETED"]
    with pytest.raises(RefusedError):
        give_up(shop, booking)
    assert shop.refunds(started) == []
