"""A booking moves to another slot as often as its customer likes, one write at a time, and never costs again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from threading import Thread

import pytest

from payfirst.domain.booking import MAX_RESCHEDULES, Booking
from payfirst.domain.errors import NotFoundError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.moves import BookingStatus
from payfirst.domain.session import Customer
from payfirst.domain.times import GivenTime
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item, Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.fulfilment.bookings import find_booking, list_bookings, reschedule
from payfirst.usecases.fulfilment.orders import find_order
from tests.integration.carts.conftest import before_next_write
from tests.integration.payments.shop import Shop, new_customer

NEXT_DAY = date(2026, 7, 21)
ELEVEN = GivenTime(time(11), "11:00 AM")


def a_booking(shop: Shop, customer: Customer) -> Booking:
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    return find_booking(GivenId(number=outcome.number), customer=customer, table=shop.table)


def raw(shop: Shop, booking: Booking) -> Item:
    found = get(shop.table, keys.owned(booking.owner, keys.BOOKING, booking.number))
    assert found is not None
    return found


def move(shop: Shop, booking: Booking, day: date = NEXT_DAY, at: GivenTime = ELEVEN) -> Booking:
    return reschedule(booking, day, at, "Change of plans", table=shop.table, now=shop.now + timedelta(days=1))


def test_a_booking_is_found_by_its_number_and_its_code_and_by_no_one_else(shop: Shop) -> None:
    customer = new_customer()
    booking = a_booking(shop, customer)
    by_code = find_booking(GivenId(code=booking.code), customer=customer, table=shop.table)
    assert by_code == booking
    assert [step.status for step in booking.timeline] == ["CONFIRMED"]
    for given in (GivenId(number=booking.number), GivenId(code=booking.code)):
        with pytest.raises(NotFoundError):
            find_booking(given, customer=new_customer(), table=shop.table)
    with pytest.raises(NotFoundError):
        find_order(GivenId(code=booking.code), customer=customer, table=shop.table)


def test_a_reschedule_moves_the_slot_counts_up_and_stays_in_the_history(shop: Shop) -> None:
    customer = new_customer()
    booking = a_booking(shop, customer)
    moved = move(shop, booking)
    found = find_booking(GivenId(number=booking.number), customer=customer, table=shop.table)
    assert found == moved
    assert (found.slot, found.version, found.status) == ((NEXT_DAY, time(11)), 2, BookingStatus.CONFIRMED)
    step = found.timeline[-1]
    assert (step.moved_from, step.moved_to, step.reason) == (booking.slot, found.slot, "Change of plans")
    assert (found.amount, found.content.price, found.session_number) == (
        booking.amount,
        booking.content.price,
        booking.session_number,
    )


def test_the_same_slot_in_other_words_writes_nothing(shop: Shop) -> None:
    booking = a_booking(shop, new_customer())
    before = raw(shop, booking)
    same = move(shop, booking, booking.content.day, GivenTime(time(10, 30), "10:30 AM"))
    assert same == booking
    assert raw(shop, booking) == before


@pytest.mark.parametrize("status", [BookingStatus.CANCELLED, BookingStatus.COMPLETED])
def test_only_a_confirmed_booking_moves_even_if_it_ended_a_moment_ago(shop: Shop, status: BookingStatus) -> None:
    booking = a_booking(shop, new_customer())
    ended = Update("booking", keys.owned(booking.owner, keys.BOOKING, booking.number), set={"status": status})
    with pytest.raises(RefusedError) as refused, before_next_write(shop.table, lambda: write(shop.table, ended)):
        move(shop, booking)
    assert refused.value.stable_code == "BOOKING_NOT_CONFIRMED"
    with pytest.raises(RefusedError):
        move(shop, replace(booking, status=status), booking.content.day, GivenTime(time(10, 30), "10:30"))
    assert raw(shop, booking)["content"]["day"] == booking.content.day.isoformat()


def test_two_reschedules_at_once_are_both_in_the_history_and_the_later_one_holds(shop: Shop) -> None:
    customer = new_customer()
    booking = a_booking(shop, customer)
    other = GivenTime(time(9), "9:00 AM")
    with before_next_write(shop.table, lambda: move(shop, booking, NEXT_DAY, other)):
        moved = move(shop, booking)
    found = find_booking(GivenId(number=booking.number), customer=customer, table=shop.table)
    assert found == moved
    assert (found.version, found.slot) == (3, (NEXT_DAY, time(11)))
    assert [step.moved_to for step in found.timeline] == [None, (NEXT_DAY, time(9)), (NEXT_DAY, time(11))]


def test_many_at_once_to_the_same_slot_make_one_entry(shop: Shop) -> None:
    customer = new_customer()
    booking = a_booking(shop, customer)
    threads = [Thread(target=move, args=(shop, booking)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = find_booking(GivenId(number=booking.number), customer=customer, table=shop.table)
    assert (found.version, len(found.timeline)) == (2, 2)


def test_a_booking_moves_a_hundred_times_and_not_once_more(shop: Shop) -> None:
    booking = a_booking(shop, new_customer())
    for number in range(MAX_RESCHEDULES):
        booking = move(shop, booking, NEXT_DAY + timedelta(days=number))
    with pytest.raises(RefusedError) as refused:
        move(shop, booking, NEXT_DAY - timedelta(days=1))
    assert refused.value.stable_code == "RESCHEDULE_LIMIT"
    assert len(raw(shop, booking)["timeline"]) == MAX_RESCHEDULES + 1


def test_bookings_are_listed_newest_first_with_their_count(shop: Shop) -> None:
    customer = new_customer()
    first = a_booking(shop, customer)
    shop.now += timedelta(minutes=1)
    second = a_booking(shop, customer)
    page = list_bookings(customer, table=shop.table, size=10, position=None)
    assert (page.bookings, page.page.count) == ((second, first), 2)
    assert list_bookings(new_customer(), table=shop.table, size=10, position=None).bookings == ()
