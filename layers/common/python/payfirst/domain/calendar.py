"""When a service can be had: opening rules as plain data, and the slots that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.errors import RefusedError

SLOT_FULL: Final = "This slot is full; please choose another."


@dataclass(frozen=True, slots=True)
class Opening:
    """Open from `opens` until `closes` on the service's own clock; midnight as `closes` is the end of the day."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """A service's opening rules, in its own time zone.

    `weekdays` are the openings from Monday (0) to Sunday (6), `exceptions` those of single days (none: closed), which take the
    weekday's place. Each slot lasts `slot_minutes` and takes `capacity` bookings; it can be booked until `lead_minutes` before
    it starts and `days_ahead` days before its day. With `hold` a payment under way holds its slot.
    """

    weekdays: Mapping[int, tuple[Opening, ...]]
    slot_minutes: int
    capacity: int
    lead_minutes: int = 0
    days_ahead: int = 365
    exceptions: Mapping[date, tuple[Opening, ...]] = field(default_factory=dict)
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """One start of one service: the day and the time of day on the service's own clock."""

    service_type: str
    service_id: int
    day: date
    at: time


def instant_of(day: date, at: time, zone: str) -> datetime:
    """The instant of a local time: where the clocks skip it, as much later; where it comes twice, the first of them."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def starts_on(calendar: Calendar, day: date, zone: str) -> tuple[datetime, ...]:
    """The instants at which slots of `day` start, in order; each slot ends before its opening does.

    Slots follow each other in real time, so that they neither overlap nor shrink when the clocks change. Where the clocks go
    back, an hour comes twice under one name; its second coming is not offered.
    """
    length = timedelta(minutes=calendar.slot_minutes)
    found: set[datetime] = set()
    for opening in calendar.exceptions.get(day, calendar.weekdays.get(day.weekday(), ())):
        start, end = instant_of(day, opening.opens, zone), _end(day, opening, zone)
        while start + length <= end:
            local = start.astimezone(ZoneInfo(zone))
            if local.date() == day and not local.fold:
                found.add(start)
            start += length
    return tuple(sorted(found))


def bookable_on(calendar: Calendar, day: date, zone: str, now: datetime) -> tuple[datetime, ...]:
    """Those of the day's starts that the rules let book at `now` (`why_not_bookable`), in order, full ones included."""
    if day > _last_day(calendar, zone, now):
        return ()
    return tuple(start for start in starts_on(calendar, day, zone) if not _too_soon(calendar, start, now))


def _last_day(calendar: Calendar, zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date() + timedelta(days=calendar.days_ahead)


def _too_soon(calendar: Calendar, start: datetime, now: datetime) -> bool:
    return start <= now or start < now + timedelta(minutes=calendar.lead_minutes)


def _end(day: date, opening: Opening, zone: str) -> datetime:
    if opening.closes == time.min:
        return instant_of(day + timedelta(days=1), time.min, zone)
    return instant_of(day, opening.closes, zone)


def why_not_bookable(calendar: Calendar, day: date, at: time, zone: str, now: datetime) -> RefusedError | None:
    """What in the rules keeps `day` and `at` from being booked at `now`; None when nothing does. Says nothing of who is there.

    SLOT_NOT_OFFERED, SLOT_TOO_SOON (or over), SLOT_TOO_FAR.
    """
    start = instant_of(day, at, zone)
    if start.astimezone(ZoneInfo(zone)).time() != at or start not in starts_on(calendar, day, zone):
        return RefusedError("No slot of this service starts at this day and time.", code="SLOT_NOT_OFFERED")
    if _too_soon(calendar, start, now):
        return RefusedError("It is too late to book this slot; please choose another.", code="SLOT_TOO_SOON")
    if day > _last_day(calendar, zone, now):
        return RefusedError(f"Slots can be booked {calendar.days_ahead} days ahead.", code="SLOT_TOO_FAR")
    return None
