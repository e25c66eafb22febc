"""The bookings of a day as the shop's people list them: found without a search, and moved and cancelled as it was said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from payfirst.domain.booking import Actor, Booking, ChangeRules, RefundStep
from payfirst.domain.errors import NotFoundError, RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import BookingStatus
from payfirst.storage import timeline
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Delete
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.fulfilment.bookings import cancel, complete, reschedule
from payfirst.usecases.operators.appointments import DayPage, enter_earlier, find, of_day, show
from payfirst.usecases.operators.review import refund_payment
from tests.integration.bookings.test_slots import DAY, OTHER, booked, by_calendar, given, pay
from tests.integration.carts.conftest import before_next_write
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import Shop, new_customer

HALF = ChangeRules(most_reschedules=0, reschedule_hours=24, refunds=(RefundStep(hours_before=0, percent=50),))
AMINA = Actor("operator:amina", "the pandit is ill")
ALL, HALF_OF_IT = Money(51000, Currency.INR), Money(25500, Currency.INR)


@pytest.fixture
def started(shop: Shop) -> Started:
    """A puja in a slot, paid and booked; half of its price goes back, and its customer cannot move it."""
    shop.calendar, shop.changes = by_calendar(500), HALF
    return pay(shop, new_customer())


def codes(page: DayPage) -> list[str]:
    return [booking.code for booking in page.bookings]


def listed(shop: Shop, day: date, status: BookingStatus | None = None) -> list[str]:
    return codes(of_day(day, status, table=shop.table, most=200))


def call_off(shop: Shop, booking: Booking, said: Money, *, in_full: bool = False) -> Booking:
    return cancel(booking, None, table=shop.table, now=shop.now, actor=AMINA, in_full=in_full, said=said)


def test_a_booking_is_listed_on_its_day_by_where_it_stands(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    assert booking.code in listed(shop, DAY)
    assert booking.code in listed(shop, DAY, BookingStatus.CONFIRMED)
    cancel(booking, None, table=shop.table, now=shop.now)
    assert booking.code not in listed(shop, DAY, BookingStatus.CONFIRMED)
    assert booking.code in listed(shop, DAY, BookingStatus.CANCELLED)


def test_a_booking_that_moves_changes_its_place_in_the_lists(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    moved = reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now, actor=AMINA)
    assert booking.code not in listed(shop, DAY)
    assert booking.code in listed(shop, OTHER)
    reschedule(moved, DAY, given(), None, table=shop.table, now=shop.now, actor=AMINA)
    assert booking.code in listed(shop, DAY)
    assert booking.code not in listed(shop, OTHER)


def test_a_day_costs_the_same_however_many_bookings_other_days_have(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    far = DAY + timedelta(days=7)
    reschedule(booking, far, given(), None, table=shop.table, now=shop.now, actor=AMINA)
    with counted(shop.table) as before:
        assert listed(shop, far) == [booking.code]
    for _ in range(30):
        pay(shop, new_customer())
    with counted(shop.table) as after:
        assert listed(shop, far) == [booking.code]
    assert before.operations == after.operations == ["Query", "BatchGetItem"]


def test_a_full_day_takes_two_requests_for_each_hundred_and_goes_on_where_a_page_ended(shop: Shop, started: Started) -> None:
    assert started
    day = DAY + timedelta(days=14)
    made = []
    for _ in range(5):
        booking = booked(shop, pay(shop, new_customer()))
        made.append(reschedule(booking, day, given(), None, table=shop.table, now=shop.now, actor=AMINA).code)
    with counted(shop.table) as requests:
        first = of_day(day, table=shop.table, most=3)
    assert requests.operations == ["Query", "BatchGetItem"]
    assert first.next
    rest = of_day(day, table=shop.table, most=3, after=first.next)
    assert sorted(codes(first) + codes(rest)) == sorted(made)
    assert (len(first.bookings), rest.next) == (3, None)


def test_a_day_without_bookings_costs_one_request(shop: Shop) -> None:
    with counted(shop.table) as requests:
        assert listed(shop, date(2020, 2, 29)) == []
    assert requests.operations == ["Query"]


def test_one_booking_shows_its_payment_and_what_cancelling_it_gives_back(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    with counted(shop.table) as requests:
        found = show(shop.table, booking.code, shop.now)
    assert requests.operations == ["GetItem", "GetItem", "GetItem", "BatchGetItem", "GetItem", "Query"]
    assert found.gives is not None
    assert (found.booking, found.gives.by_rule, found.gives.in_full) == (booking, HALF_OF_IT, ALL)
    call_off(shop, booking, HALF_OF_IT)
    after = show(shop.table, booking.code, shop.now)
    assert (after.gives, [refund.amount for refund in after.refunds]) == (None, [HALF_OF_IT])
    with pytest.raises(NotFoundError):
        find(shop.table, "BK-00000000")


def test_what_was_said_goes_back_or_nothing_happens(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    for wrong, in_full in ((ALL, False), (HALF_OF_IT, True), (Money(0, Currency.INR), False)):
        with pytest.raises(RefusedError) as refused:
            call_off(shop, booking, wrong, in_full=in_full)
        assert refused.value.stable_code == "REFUND_CHANGED"
    assert booked(shop, started) == booking
    assert shop.refunds(started) == []
    assert call_off(shop, booking, ALL, in_full=True).refund == ALL
    assert [int(refund["amount"]) for refund in shop.refunds(started)] == [51000]
    assert call_off(shop, booking, ALL, in_full=True) == booked(shop, started)
    with pytest.raises(RefusedError):
        call_off(shop, booking, HALF_OF_IT)


def test_money_that_goes_back_between_the_word_and_the_write_refuses_it(shop: Shop, started: Started) -> None:
    booking, ref = booked(shop, started), started.attempt.ref

    def give() -> None:
        refund_payment(shop.table, ref, Money(10000, Currency.INR), shop.now, by="operator:juma", why="a kindness")

    with before_next_write(shop.table, give), pytest.raises(RefusedError) as refused:
        call_off(shop, booking, HALF_OF_IT)
    assert refused.value.stable_code in ("REFUND_CHANGED", "REFUND_IN_PROGRESS")
    assert booked(shop, started).status is BookingStatus.CONFIRMED
    assert [int(refund["amount"]) for refund in shop.refunds(started)] == [10000]


def test_the_shop_moves_what_its_customer_may_not_and_says_why_to_its_own_people(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    with pytest.raises(RefusedError):
        reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now)
    moved = reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now, actor=AMINA)
    assert (moved.slot, moved.version, moved.timeline[-1].reason) == ((OTHER, booking.content.at), 2, None)
    assert moved.most_back is None, "what the shop moves takes nothing from its customer"
    call_off(shop, moved, HALF_OF_IT)
    told = [event for event in timeline.read(shop.table, shop.read(started.session)) if event.name.startswith("booking.")]
    assert [(event.name, event.by, event.facts.get("why")) for event in told[1:]] == [
        ("booking.rescheduled", "operator:amina", "the pandit is ill"),
        ("booking.cancelled", "operator:amina", "the pandit is ill"),
    ]


def test_what_the_shop_moves_is_none_of_its_customer_s_moves(shop: Shop) -> None:
    shop.calendar, shop.changes = by_calendar(500), replace(HALF, most_reschedules=1)
    started = pay(shop, new_customer())
    booking = booked(shop, started)
    for _ in range(2):
        booking = reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now, actor=AMINA)
        booking = reschedule(booking, DAY, given(), None, table=shop.table, now=shop.now, actor=AMINA)
    once = reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now)
    assert (once.version, booked(shop, started).moved_by_shop) == (6, 4)
    with pytest.raises(RefusedError, match="rescheduled 1 times"):
        reschedule(once, DAY, given(), None, table=shop.table, now=shop.now)
    assert reschedule(once, DAY, given(), None, table=shop.table, now=shop.now, actor=AMINA).moved_by_shop == 5


def test_a_booking_of_a_release_that_kept_no_lists_is_found_once_it_is_indexed(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    write(shop.table, Delete("day", shop_keys.appointment(*booking.slot, booking.code)))
    assert booking.code not in listed(shop, DAY)
    assert enter_earlier(shop.table, shop.now) >= 1
    assert booking.code in listed(shop, DAY)


def test_a_booking_that_took_place_stays_on_its_day(shop: Shop, started: Started) -> None:
    booking = booked(shop, started)
    shop.now = booking.starts_at + timedelta(hours=1)
    complete(booking, table=shop.table, now=shop.now, by="operator:amina")
    assert booking.code in listed(shop, DAY, BookingStatus.COMPLETED)
