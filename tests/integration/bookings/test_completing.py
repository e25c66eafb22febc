"""Bookings are completed once their time is over, by a sweep that finds them by the keys that they were written with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from typing import Final

import pytest

from payfirst.domain.booking import Booking
from payfirst.domain.clock import Deadline, instant
from payfirst.domain.moves import BookingStatus
from payfirst.storage import timeline
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.fulfilment.bookings import cancel, complete, reschedule
from payfirst.usecases.sweeps.complete_bookings import CompletionReport, complete_bookings
from tests.integration.bookings.test_slots import DAY, OTHER, booked, by_calendar, given, pay
from tests.integration.payments.shop import Shop, new_customer

MINUTES: Final = timedelta(minutes=45)


def sweep(shop: Shop, *, left: float = 60.0) -> CompletionReport:
    return complete_bookings(shop.table, now=shop.now, deadline=Deadline(lambda: left))


def due_at(shop: Shop, booking: Booking) -> str | None:
    item = get(shop.table, keys.owned(booking.owner, keys.BOOKING, booking.number))
    assert item is not None
    assert ("due_pk" in item) is ("due_sk" in item)
    return item.get("due_sk")


def in_a_slot(shop: Shop, day: date = DAY) -> tuple[Started, Booking]:
    shop.calendar = by_calendar(3)
    started = pay(shop, new_customer(), day)
    return started, booked(shop, started)


def told(shop: Shop, started: Started) -> list[tuple[str, str]]:
    return [(event.name, event.by) for event in timeline.read(shop.table, shop.read(started.session))]


def test_a_booking_is_completed_when_its_slot_is_over_and_told_once(shop: Shop) -> None:
    started, booking = in_a_slot(shop)
    shop.now = booking.starts_at + MINUTES - timedelta(seconds=1)
    assert sweep(shop) == CompletionReport(0, 0, 0, 0, finished=True)
    shop.now += timedelta(seconds=1)
    assert sweep(shop) == CompletionReport(1, 1, 0, 0, finished=True)
    assert sweep(shop) == CompletionReport(0, 0, 0, 0, finished=True)
    done = booked(shop, started)
    assert (done.status, [step.status for step in done.timeline]) == (BookingStatus.COMPLETED, ["CONFIRMED", "COMPLETED"])
    assert told(shop, started)[-1] == ("booking.completed", "schedule")
    assert due_at(shop, done) is None


def test_sweeps_that_overlap_complete_each_booking_once(shop: Shop) -> None:
    made = [in_a_slot(shop, DAY)[0] for _ in range(3)] + [in_a_slot(shop, OTHER)[0] for _ in range(3)]
    shop.now += timedelta(days=365)
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: sweep(shop), range(3)))
    assert sum(report.failed for report in reports) == 0
    for started in made:
        assert [name for name, _ in told(shop, started)].count("booking.completed") == 1


def test_without_slots_a_booking_is_over_with_its_day_in_its_own_zone(shop: Shop) -> None:
    booking = booked(shop, pay(shop, new_customer()))
    # Midnight in Kolkata is half past six in the evening of the day before, in UTC.
    assert due_at(shop, booking) == "2026-07-20T18:30:00Z"


def test_a_rescheduled_booking_is_completed_after_its_new_time_and_a_cancelled_one_never(shop: Shop) -> None:
    _, booking = in_a_slot(shop)
    moved = reschedule(booking, OTHER, given(time(9, 45)), None, table=shop.table, now=shop.now)
    assert due_at(shop, moved) == instant(moved.starts_at + MINUTES)
    _, other = in_a_slot(shop)
    assert due_at(shop, cancel(other, None, table=shop.table, now=shop.now)) is None
    shop.now = booking.starts_at + MINUTES
    assert sweep(shop).examined == 0
    shop.now = moved.starts_at + MINUTES
    assert sweep(shop).completed == 1


def test_what_was_booked_for_a_day_that_is_over_can_be_moved_for_a_day(shop: Shop) -> None:
    shop.now = datetime.fromisoformat("2026-08-01T00:00:00+00:00")
    booking = booked(shop, pay(shop, new_customer()))
    assert due_at(shop, booking) == "2026-08-02T00:00:00Z"


def test_an_operator_who_was_faster_leaves_nothing_to_do(shop: Shop) -> None:
    _, booking = in_a_slot(shop)
    shop.now = booking.starts_at + MINUTES
    complete(booking, table=shop.table, now=shop.now, by="operator:amina")
    assert sweep(shop).examined == 0


def test_one_broken_booking_stops_no_other_and_is_tried_later(shop: Shop) -> None:
    _, broken = in_a_slot(shop)
    started, whole = in_a_slot(shop)
    write(shop.table, Update("booking", keys.owned(broken.owner, keys.BOOKING, broken.number), set={"timeline": "lost"}))
    shop.now = whole.starts_at + MINUTES
    report = sweep(shop)
    assert (report.examined, report.completed, report.failed, report.finished) == (2, 1, 1, True)
    assert booked(shop, started).status is BookingStatus.COMPLETED
    assert due_at(shop, broken) == instant(shop.now + timedelta(minutes=1))


def test_a_sweep_stops_with_seconds_to_spare(shop: Shop) -> None:
    _, booking = in_a_slot(shop)
    shop.now = booking.starts_at + MINUTES
    assert sweep(shop, left=9.9) == CompletionReport(0, 0, 0, 0, finished=False)
    assert sweep(shop, left=10.0).completed == 1


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=40)])
def test_the_event_says_when_the_sweep_came(shop: Shop, late: timedelta) -> None:
    started, booking = in_a_slot(shop)
    shop.now = booking.starts_at + MINUTES + late
    sweep(shop)
    assert timeline.read(shop.table, shop.read(started.session))[-1].at == shop.now
