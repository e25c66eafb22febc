"""The days of a month on which a service can be had, in one request of its slots, however many were taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from payfirst.domain.calendar import Calendar, Opening, Slot
from payfirst.domain.catalogue import Service, ServiceType
from payfirst.domain.days import ANY_DAY, Days
from payfirst.domain.money import Currency, Money
from payfirst.storage import slots
from payfirst.storage.dynamodb.table import Table, transact, write
from payfirst.usecases.catalogue import days_in, slots_on
from tests.integration.payments.requests import counted

NOW: Final = datetime(2026, 7, 10, 4, 0, tzinfo=UTC)
JULY: Final = date(2026, 7, 1)
MORNINGS: Final = Calendar({day: (Opening(time(9), time(11)),) for day in range(5)}, slot_minutes=60, capacity=2, days_ahead=15)
PUJA: Final = Service(ServiceType.PUJA, 1, "Puja", "", "Asia/Kolkata", Currency.INR, (), Money(51000, Currency.INR))


def free(table: Table, calendar: Calendar = MORNINGS, first: date = JULY, days: Days = ANY_DAY) -> dict[int, int]:
    found = days_in(PUJA, calendar, first, table=table, now=NOW, days=days)
    assert all((each.day.year, each.day.month) == (first.year, first.month) for each in found)
    return {each.day.day: each.free_slots for each in found}


def take(table: Table, day: date, at: time, places: int) -> None:
    for _ in range(places):
        write(table, slots.take_write(Slot(ServiceType.PUJA, 1, day, at), 99))


def test_weekdays_from_now_until_the_calendar_ends_have_their_free_starts(table: Table) -> None:
    take(table, date(2026, 7, 13), time(9), 2)
    take(table, date(2026, 7, 14), time(9), 1)
    take(table, date(2026, 7, 15), time(9), 2)
    take(table, date(2026, 7, 15), time(10), 3)
    take(table, date(2026, 8, 3), time(9), 2)

    # The tenth is a Friday: at 9:30 its first hour is over; from the 26th on it is too far.
    assert free(table) == {10: 1, 13: 1, 14: 2, 15: 0, 16: 2, 17: 2, 20: 2, 21: 2, 22: 2, 23: 2, 24: 2}
    assert free(table, first=date(2026, 6, 1)) == free(table, first=date(2026, 8, 1)) == {}
    assert set(free(table, days=Days(ahead=3))) == {10, 13}


def test_a_month_says_of_each_day_what_the_day_itself_says(table: Table) -> None:
    take(table, date(2026, 7, 13), time(10), 2)
    busy = replace(MORNINGS, exceptions={date(2026, 7, 18): (Opening(time(6), time(8)),), date(2026, 7, 20): ()})
    month = free(table, busy)
    for after in range(31):
        day = JULY + timedelta(days=after)
        found = slots_on(PUJA, busy, day, table=table, now=NOW)
        assert (day.day in month) is bool(found), day
        assert month.get(day.day, 0) == sum(each.free > 0 for each in found), day


def test_a_month_is_one_request_even_where_every_five_minutes_were_booked(table: Table) -> None:
    dense = replace(MORNINGS, weekdays={day: (Opening(time(0), time(0)),) for day in range(7)}, slot_minutes=5, days_ahead=60)
    starts = [time(hour, minute) for hour in range(24) for minute in range(0, 60, 5)]
    for after in range(10):
        day = date(2026, 8, 1) + timedelta(days=after)
        for first in range(0, len(starts), 96):
            transact(table, [slots.take_write(Slot(ServiceType.PUJA, 1, day, at), 99) for at in starts[first : first + 96]])
    with counted(table) as seen:
        found = free(table, dense, date(2026, 8, 1))
    assert seen.operations == ["Query"]
    assert set(found.values()) == {288}
    with counted(table) as seen:
        full = free(table, replace(dense, capacity=1), date(2026, 8, 1))
    assert seen.operations == ["Query"]
    assert [full[day] for day in (1, 10, 11)] == [0, 0, 288]
