"""What the query of an operator's request asks for: days, a status, a kind of service."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from payfirst.api.request import Request
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.ids import read_id
from payfirst.domain.times import read_day
from payfirst.settings import settings

Word = TypeVar("Word", bound=StrEnum)

MOST_DAYS: Final = timedelta(days=31)


def days(request: Request) -> tuple[date, date]:
    """`?from=` and `?to=` in Nairobi, MOST_DAYS at most, or `?day=`: where only one is named, that one; today without any."""
    day = day_in(request, SHOP_ZONE)
    first, last = (_named_day(request, name, SHOP_ZONE) for name in ("from", "to"))
    first, last = first or last or day, last or first or day
    if not first <= last < first + MOST_DAYS:
        said = f"A day not before `from`, and at most {MOST_DAYS.days} days with it, is expected."
        raise InvalidInputError(FieldProblem("to", said))
    return first, last


def day_in(request: Request, zone: str) -> date:
    """`?day=`; today in `zone` where none is asked for."""
    return _named_day(request, "day", zone) or request.now.astimezone(ZoneInfo(zone)).date()


def _named_day(request: Request, name: str, zone: str) -> date | None:
    text = request.parameter(name)
    if text is None:
        return None
    try:
        day = read_day(text)
    except ValueError as error:
        raise InvalidInputError(FieldProblem(name, str(error))) from error
    said = replace(settings().days, past=True).why_not(day, zone, request.now)
    if said is not None:
        raise InvalidInputError(FieldProblem(name, said))
    return day


def word(request: Request, name: str, words: type[Word]) -> Word | None:
    """One of `words`, in any case; None where none is asked for."""
    text = (request.parameter(name) or "").lower()
    found = next((word for word in words if word.value.lower() == text), None)
    if text and found is None:
        raise InvalidInputError(FieldProblem(name, f"One of these is expected: {', '.join(words)}."))
    return found


def flag(request: Request, name: str) -> bool:
    """Whether `name` is asked for, by `true`."""
    text = request.parameter(name)
    if text not in (None, "true"):
        raise InvalidInputError(FieldProblem(name, "true is expected."))
    return text is not None


def before(request: Request) -> int | None:
    """`?before=`, the number with which an earlier page ended."""
    text = request.parameter("before")
    known = None if text is None else read_id(text)
    if text is not None and (known is None or known.number is None):
        raise InvalidInputError(FieldProblem("before", "The `before` of an earlier page is expected."))
    return known.number if known else None


def service_type(request: Request) -> ServiceType | None:
    """`?service_type=`, in any case."""
    text = request.parameter("service_type")
    try:
        return None if text is None else ServiceType(text.upper())
    except ValueError as error:
        said = f"One of these is expected: {', '.join(ServiceType)}."
        raise InvalidInputError(FieldProblem("service_type", said)) from error
