"""Times and days are read as customers mean them, or not at all."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.times import read_day, read_time

TO_THE_MINUTE = st.times().map(lambda at: at.replace(second=0, microsecond=0))
TO_THE_SECOND = st.times().map(lambda at: at.replace(microsecond=0))


@given(TO_THE_MINUTE)
def test_twenty_four_hours_are_read_as_they_are_written(at: time) -> None:
    assert read_time(at.strftime("%H:%M")) == at


@given(TO_THE_SECOND)
def test_seconds_are_kept(at: time) -> None:
    assert read_time(at.isoformat()) == at


@given(TO_THE_MINUTE, st.sampled_from(["AM", "am", "Am", "aM"]), st.sampled_from(["%02d", "%d"]), st.sampled_from(["", " "]))
def test_twelve_hours_are_read_in_any_case_with_and_without_a_zero_or_a_space(at: time, case: str, form: str, gap: str) -> None:
    half = case if at.hour < 12 else case.replace("A", "P").replace("a", "p")
    assert read_time(f"{form % (at.hour % 12 or 12)}:{at.minute:02d}{gap}{half}") == at


@pytest.mark.parametrize(
    ("text", "at"),
    [("2:00 PM", time(14)), ("12:00 AM", time(0)), ("12:00 pm", time(12)), ("12:59 am", time(0, 59)), ("00:00", time(0))],
)
def test_the_hours_that_are_easily_mistaken(text: str, at: time) -> None:
    assert read_time(text) == at


@pytest.mark.parametrize(
    "text",
    [
        *("25:00", "24:00", "10:60", "10:30:60", "10", "10:3", "9:30", "", " ", "tomorrow", "noon", "13:00 PM", "0:30 AM"),
        *("10:30 XM", "10:30:00 AM", "10:30\n", "१०:३०", "10:30Z", "10:30+05:30", "-1:00", "10.30", "1030", "10:30  AM"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_time(text)


@given(st.text(max_size=12))
def test_any_other_text_is_a_time_or_refused_and_nothing_else(text: str) -> None:
    try:
        at = read_time(text)
    except ValueError:
        return
    assert f"{at.minute:02d}" in text


@given(st.dates())
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    assert read_day(day.isoformat()) == day


@pytest.mark.parametrize(
    "text",
    ["2025-02-31", "2025-02-29", "2025-13-01", "0000-01-01", "20250720", "2025-7-20", "2025-W29-7", "20-07-2025", "", "today"],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="day"):
        read_day(text)
