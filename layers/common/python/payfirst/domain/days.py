"""Which days the shop takes: whatever names a day or an hour is held against this at the door, so that no arithmetic on a day
that was let in can overflow later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.calendar import instant_of

EARLIEST: Final = date(2000, 1, 1)
"""The first day that is ever taken, also where days that are over are."""

LONGEST_HORIZON: Final = 3650


@dataclass(frozen=True, slots=True)
class Days:
    """The days from today until `ahead` days later; where `past`, also those that are over, from EARLIEST on."""

    past: bool = True
    ahead: int = 400

    def last(self, zone: str, now: datetime) -> date:
        """The last day that is taken at `now`, on the calendar of `zone`."""
        return _today(zone, now) + timedelta(days=self.ahead)

    def why_not(self, day: date, zone: str, now: datetime) -> str | None:
        """What keeps `day` from being taken, as a sentence; None when nothing does."""
        last = self.last(zone, now)
        if day > last:
            return f"This day is too far ahead; the last possible day is {last}."
        if day < EARLIEST:
            return f"This day is too long ago; the first possible day is {EARLIEST}, the last one {last}."
        if not self.past and day < _today(zone, now):
            return f"This day is over; please choose another. The last possible day is {last}."
        return None

    def is_over(self, day: date, at: time, zone: str, now: datetime) -> bool:
        """Whether what starts on `day` at `at` has begun and is therefore not taken any more."""
        return not self.past and instant_of(day, at, zone) <= now


LONGEST_HOURS: Final = 24 * 366
"""A year: the most hours before a start by which anything is ruled."""

ANY_DAY: Final = Days()
"""The usual horizon, with days that are over."""


def _today(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()
