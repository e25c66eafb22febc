"""Field types of a catalogue file: how each is written in it, and what it is read as."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from ops.words import number
from ops.yaml_file import Fraction
from payfirst.domain.calendar import Opening
from payfirst.domain.catalogue import read_image_url
from payfirst.domain.days import LONGEST_HOURS, Days
from payfirst.domain.money import Currency, Money
from payfirst.domain.text import clean, folded
from payfirst.domain.times import read_day
from payfirst.gateways.registry import currencies

_OPENING: Final = re.compile(r"([0-2][0-9]:[0-5][0-9])-([0-2][0-9]:[0-5][0-9])")
LARGEST_AMOUNT: Final = 10**9


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool | Fraction) or not isinstance(value, int | str):
        raise ValueError("a whole number, or a number in quotes, is expected")  # noqa: TRY004 - pydantic collects ValueErrors
    text = folded(str(value))
    if text.startswith("-"):
        raise ValueError("a number that is not below zero is expected")
    return number(text)


def _amount(value: object) -> Decimal:
    found = _decimal(value)
    if found > LARGEST_AMOUNT:
        raise ValueError(f"an amount of at most {LARGEST_AMOUNT} is expected")
    Money.of(found, next(iter(Currency)))  # says it where there are more than two decimal places
    return found


def _price(value: object) -> Decimal:
    found = _amount(value)
    if not found:
        raise ValueError("an amount above zero is expected; nothing is given away here")
    return found


def _collected(value: object) -> object:
    taken = [currency.value for currency in currencies()]
    if value not in taken:
        raise ValueError(f"a currency is expected that the shop can be paid in: {' or '.join(taken)}")
    return value


def _stock(value: object) -> Decimal:
    found = _decimal(value)
    if found != round(found, 3):
        raise ValueError("at most three decimal places are expected")
    return found


@dataclass(frozen=True, slots=True)
class Calendars:
    """Which days a file may name, as of `now`."""

    days: Days
    now: datetime

    def check(self, day: date) -> None:
        """ValueError with what keeps `day` out."""
        said = self.days.why_not(day, "UTC", self.now)
        if said is not None:
            raise ValueError(said)


def _moment(value: object, info: ValidationInfo) -> datetime:
    try:
        read = datetime.fromisoformat(folded(value)) if isinstance(value, str) else None
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise ValueError("an instant with an offset or a Z is expected, like 2026-01-01T00:00:00Z")
    _checked(read.date(), info)  # before its offset: at the ends of the calendar there is no instant in UTC
    return read.astimezone(UTC)


def _words(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _day(key: str, info: ValidationInfo) -> str:
    """A day as it was written, so that mistakes at it are found in the file."""
    _checked(read_day(folded(key)), info)
    return key


def _once(things: Iterable[tuple[str | int, Any]], *field: str) -> None:
    """Of things with their place in a list or a mapping, no two may be the same; where a `field` of theirs is what counts, that
    is where the mistake is."""
    first: dict[Any, str | int] = {}
    for place, thing in things:
        if thing in first:
            where = {"at": (place, *field), "before": (first[thing], *field), "what": str(thing)}
            raise PydanticCustomError("twice", "{what} is there twice", where)
        first[thing] = place


def _days_once(by_day: dict[str, Any]) -> dict[str, Any]:
    _once((key, folded(key)) for key in by_day)
    return by_day


def once(field: str) -> AfterValidator:
    """A list of which no two have the same `field`."""

    def check(entries: list[Any]) -> list[Any]:
        _once(((at, getattr(each, field)) for at, each in enumerate(entries)), field)
        return entries

    return AfterValidator(check)


def _checked(day: date, info: ValidationInfo) -> None:
    if isinstance(info.context, Calendars):
        info.context.check(day)


@cache
def _zones() -> frozenset[str]:
    """The names that tzdata lists, which the deployed functions know too; systems have files of their own beside them.

    `Factory` is no place: it says that nobody has set a zone.
    """
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split()) - {"Factory"}


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError(f"there is no time zone {value}")
    return value


def _opening(value: object) -> Opening:
    """`09:00-12:30`; `24:00` is the end of the day."""
    read = _OPENING.fullmatch(value) if isinstance(value, str) else None
    try:
        opens, closes = (read[1], read[2]) if read else ("", "")
        found = Opening(time.fromisoformat(opens), time.min if closes == "24:00" else time.fromisoformat(closes))
    except ValueError as exc:
        raise ValueError("an opening like 09:00-12:30 is expected") from exc
    if found.closes <= found.opens and closes != "24:00":
        raise ValueError("an opening ends after it begins")
    return found


def _apart(openings: list[Any]) -> list[Any]:
    ordered = sorted(openings, key=lambda each: each.opens)
    for earlier, later in pairwise(ordered):
        if earlier.closes == time.min or later.opens < earlier.closes:
            raise ValueError("openings of a day may not overlap")
    return ordered


Number = Annotated[int, Field(strict=True, gt=0, lt=10**9)]
Count = Annotated[int, Field(strict=True, ge=0, lt=10**9)]
Hours = Annotated[int, Field(strict=True, ge=0, le=LONGEST_HOURS)]
Description = Annotated[str, Field(strict=True, max_length=500), BeforeValidator(_words)]
ImageUrl = Annotated[str, Field(strict=True), AfterValidator(read_image_url)]
Words = Annotated[str, Field(strict=True, min_length=1, max_length=500), BeforeValidator(_words)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
Payable = Annotated[Currency, BeforeValidator(_collected)]
Price = Annotated[Decimal, BeforeValidator(_price)]
Percent = Annotated[Decimal, BeforeValidator(_amount), Field(gt=0, le=100)]
Stock = Annotated[Decimal, BeforeValidator(_stock)]
Moment = Annotated[Any, BeforeValidator(_moment)]
Openings = Annotated[list[Annotated[Any, BeforeValidator(_opening)]], AfterValidator(_apart)]
OpeningsByDay = Annotated[dict[Annotated[str, AfterValidator(_day)], Openings], AfterValidator(_days_once)]
Hold = Literal["none", "at_initiate"]
Zone = Annotated[str, AfterValidator(_zone)]
