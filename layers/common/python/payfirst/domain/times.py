"""Days and times of day as customers write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

_TWENTY_FOUR: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_TWELVE: Final = re.compile(r"(0?[1-9]|1[0-2]):([0-5][0-9]) ?([AaPp])[Mm]")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
NOON: Final = 12
_BACK: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_BACK: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class GivenTime:
    """A time of day, and the customer's own writing of it."""

    at: time
    text: str


def read_time(text: str) -> time:
    """The time of day in `HH:MM`, `HH:MM:SS` or `h:MM AM` in any case; ValueError for anything else, never a guess."""
    if found := _TWENTY_FOUR.fullmatch(text):
        hour, minute, second = found.groups(default="0")
        return time(int(hour), int(minute), int(second))
    if found := _TWELVE.fullmatch(text):
        hour, minute, half = found.groups()
        return time(int(hour) % NOON + (NOON if half in "Pp" else 0), int(minute))
    raise ValueError("A time like 14:30, 14:30:00 or 2:30 PM is expected.")


def read_day(text: str) -> date:
    """The day in `YYYY-MM-DD`; ValueError for any other form and for a day that no calendar has."""
    if not _DAY.fullmatch(text):
        raise ValueError("A day like 2025-07-20 is expected.")
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ValueError("There is no such day.") from exc


def read_month(text: str) -> date:
    """The first day of the month in `YYYY-MM`; ValueError for any other form and for a month that no calendar has."""
    found = _MONTH.fullmatch(text)
    if not found:
        raise ValueError("A month like 2025-07 is expected.")
    try:
        return date(int(found[1]), int(found[2]), 1)
    except ValueError as exc:
        raise ValueError("There is no such month.") from exc


def read_back(text: str) -> timedelta:
    """How far back `90m`, `24h` or `7d` is; ValueError for anything else, and for more than a year."""
    read = _BACK.fullmatch(text)
    if read is None:
        raise ValueError("A time like 90m, 24h or 7d is expected.")
    back = int(read[1]) * _UNITS[read[2]]
    if back > LONGEST_BACK:
        raise ValueError("At most a year (366d) is expected.")
    return back
