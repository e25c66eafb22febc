"""Values in paths and bodies that need more than their form to be right."""

from __future__ import annotations

from datetime import date, datetime, time

from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.errors import FieldProblem, InvalidInputError, NotFoundError
from payfirst.domain.ids import GivenId, read_id
from payfirst.settings import settings


def given(text: str, message: str = "Session not found") -> GivenId:
    """The id in a path; NotFoundError with `message` for what cannot be one, as for one that is unknown."""
    found = read_id(text)
    if found is None:
        raise NotFoundError(message)
    return found


def given_number(text: str, message: str) -> int:
    """The catalogue number in a path; NotFoundError with `message` for what cannot be one, as for one that is unknown."""
    found = given(text, message)
    if found.number is None or found.uuid is not None:
        raise NotFoundError(message)
    return found.number


def check_day(field: str, day: date | None, now: datetime, zone: str = SHOP_ZONE) -> None:
    """InvalidInputError on `field` for a day in `zone` that the shop does not take."""
    said = settings().days.why_not(day, zone, now) if day is not None else None
    if said is not None:
        raise InvalidInputError(FieldProblem(field, said))


def check_start(day: date, at: time, now: datetime, zone: str) -> None:
    """InvalidInputError on `selected_date` as in `check_day`, on `selected_time` for an hour that is over today."""
    check_day("selected_date", day, now, zone)
    days = settings().days
    if days.is_over(day, at, zone, now):
        said = f"This time is over; please choose another. The last possible day is {days.last(zone, now)}."
        raise InvalidInputError(FieldProblem("selected_time", said))
