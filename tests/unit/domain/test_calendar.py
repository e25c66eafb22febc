"""Slots follow the rules and nothing else, on every day of every zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.calendar import Calendar, Opening, instant_of, starts_on, why_not_bookable

ZONES = (
    "Asia/Kolkata",
    "Africa/Nairobi",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "America/St_Johns",
)
NINE_TO_NOON = (Opening(time(9), time(12)),)
EVERY_DAY = Calendar(dict.fromkeys(range(7), NINE_TO_NOON), slot_minutes=45, capacity=3)
SUNDAY = date(2026, 3, 29)
"""Berlin's clocks go from 2:00 to 3:00."""


@st.composite
def openings(draw: st.DrawFn) -> tuple[Opening, ...]:
    opens = draw(st.integers(0, 1430))
    closes = draw(st.integers(opens + 1, 1440))
    return (Opening(time(*divmod(opens, 60)), time(*divmod(closes % 1440, 60))),)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    weekdays = {day: draw(openings()) for day in draw(st.sets(st.integers(0, 6)))}
    return Calendar(weekdays, draw(st.integers(5, 240)), draw(st.integers(1, 9)), draw(st.integers(0, 3000)))


def local(start: datetime, zone: str) -> datetime:
    return start.astimezone(ZoneInfo(zone))


@given(calendars(), st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES))
def test_slots_lie_in_their_opening_on_their_day_and_never_overlap(calendar: Calendar, day: date, zone: str) -> None:
    starts = starts_on(calendar, day, zone)
    length = timedelta(minutes=calendar.slot_minutes)
    for start in starts:
        [opening] = calendar.weekdays[day.weekday()]
        assert local(start, zone).date() == day
        assert start >= instant_of(day, opening.opens, zone)
        following = day + timedelta(days=1)
        ends = instant_of(day, opening.closes, zone) if opening.closes > time.min else instant_of(following, time.min, zone)
        assert start + length <= ends
    assert all(later - earlier >= length for earlier, later in pairwise(starts))


@given(calendars(), st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES))
def test_every_slot_is_found_again_by_its_day_and_time_of_day(calendar: Calendar, day: date, zone: str) -> None:
    starts = starts_on(calendar, day, zone)
    names = [local(start, zone).time() for start in starts]
    assert len(set(names)) == len(names)
    assert tuple(instant_of(day, name, zone) for name in names) == starts
    early = datetime(1999, 1, 1, tzinfo=UTC)
    far = Calendar(calendar.weekdays, calendar.slot_minutes, 1, days_ahead=20_000)
    assert all(why_not_bookable(far, day, name, zone, early) is None for name in names)


def test_the_hour_that_the_clocks_skip_has_no_slots_and_the_one_that_comes_twice_has_them_once() -> None:
    night = Calendar(dict.fromkeys(range(7), (Opening(time(0), time(5)),)), slot_minutes=60, capacity=1)
    spring = [local(start, "Europe/Berlin").hour for start in starts_on(night, SUNDAY, "Europe/Berlin")]
    autumn = [local(start, "Europe/Berlin").hour for start in starts_on(night, date(2026, 10, 25), "Europe/Berlin")]
    assert spring == [0, 1, 3, 4]
    assert autumn == [0, 1, 2, 3, 4]


def test_a_day_that_a_zone_left_out_has_no_slots() -> None:
    assert starts_on(EVERY_DAY, date(2011, 12, 30), "Pacific/Apia") == ()
    assert len(starts_on(EVERY_DAY, date(2011, 12, 31), "Pacific/Apia")) == 4


def test_an_exception_takes_the_place_of_the_weekday() -> None:
    closed, short = date(2026, 8, 15), date(2026, 10, 20)
    exceptions = {closed: (), short: (Opening(time(10), time(11)),)}
    calendar = Calendar(EVERY_DAY.weekdays, 45, 3, exceptions=exceptions)
    assert starts_on(calendar, closed, "Asia/Kolkata") == ()
    assert [local(start, "Asia/Kolkata").time() for start in starts_on(calendar, short, "Asia/Kolkata")] == [time(10)]


NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""9:30 on a Monday in India."""


@pytest.mark.parametrize(
    ("day", "at", "code"),
    [
        (date(2026, 3, 2), time(9, 0), "SLOT_TOO_SOON"),
        (date(2026, 3, 2), time(9, 45), "SLOT_TOO_SOON"),
        (date(2026, 3, 2), time(10, 30), None),
        (date(2026, 3, 2), time(10, 31), "SLOT_NOT_OFFERED"),
        (date(2026, 3, 2), time(11, 15), None),
        (date(2026, 3, 2), time(12, 0), "SLOT_NOT_OFFERED"),
        (date(2026, 3, 9), time(9, 0), None),
        (date(2026, 3, 10), time(9, 0), "SLOT_TOO_FAR"),
        (date(2025, 3, 10), time(9, 0), "SLOT_TOO_SOON"),
    ],
)
def test_a_slot_is_booked_neither_too_late_nor_too_early_nor_beside_the_rules(day: date, at: time, code: str | None) -> None:
    calendar = Calendar(EVERY_DAY.weekdays, 45, 3, lead_minutes=60, days_ahead=7)
    problem = why_not_bookable(calendar, day, at, "Asia/Kolkata", NOW)
    assert (problem.stable_code if problem else None) == code
