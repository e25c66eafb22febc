"""Values in paths and bodies that need more than their form to be right."""

from __future__ import annotations

from datetime import date, datetime

from payfirst.domain.errors import FieldProblem, InvalidInputError, NotFoundError
from payfirst.domain.ids import GivenId, read_id
from payfirst.domain.times import is_over
from payfirst.settings import settings

NAIROBI = "Africa/Nairobi"


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


def check_day(field: str, day: date | None, now: datetime, zone: str = NAIROBI) -> None:
    """InvalidInputError on `field` for a day that is over in `zone`, where the shop's settings refuse those."""
    if day is not None and not settings().allow_past_dates and is_over(day, zone, now):
        raise InvalidInputError(FieldProblem(field, "This day is over; please choose another."))
