"""A day that the shop takes is one with which everything that follows can be reckoned."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.calendar import Calendar, Opening, instant_of, starts_on
from payfirst.domain.days import EARLIEST, LONGEST_HORIZON, Days

NOW = datetime(2025, 7, 20, 18, 31, tzinfo=UTC)
INDIA, NAIROBI = "Asia/Kolkata", "Africa/Nairobi"
STRICT, LENIENT = Days(past=False), Days()
ROUND_THE_CLOCK = Calendar({day: (Opening(time(0), time(0)),) for day in range(7)}, slot_minutes=1440, capacity=1)


@given(
    st.dates(),
    st.times(),
    st.sampled_from(["Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London", "UTC"]),
    st.booleans(),
    st.integers(1, LONGEST_HORIZON),
)
def test_with_a_day_that_is_taken_nothing_overflows(day: date, at: time, zone: str, past: bool, ahead: int) -> None:  # noqa: FBT001
    days = Days(past, ahead)
    said = days.why_not(day, zone, NOW)
    last = NOW.astimezone(ZoneInfo(zone)).date() + timedelta(days=ahead)
    first = EARLIEST if past else NOW.astimezone(ZoneInfo(zone)).date()
    assert (said is None) is (first <= day <= last)
    if said is None:
        assert instant_of(day + timedelta(days=1), at, zone) > instant_of(day, at, zone)
        starts_on(ROUND_THE_CLOCK, day, zone)
    else:
        assert str(last) in said


def test_today_is_today_in_the_zone_of_the_service() -> None:
    assert STRICT.why_not(date(2025, 7, 20), INDIA, NOW) is not None  # just after midnight there
    assert STRICT.why_not(date(2025, 7, 21), INDIA, NOW) is None
    assert STRICT.why_not(date(2025, 7, 20), NAIROBI, NOW) is None
    assert LENIENT.why_not(date(2025, 7, 20), INDIA, NOW) is None


@pytest.mark.parametrize(("at", "over"), [(time(0, 0), True), (time(0, 1), True), (time(0, 2), False)])
def test_an_hour_is_over_when_it_has_begun(at: time, over: bool) -> None:  # noqa: FBT001
    assert STRICT.is_over(date(2025, 7, 21), at, INDIA, NOW) is over
    assert not LENIENT.is_over(date(2025, 7, 21), at, INDIA, NOW)
