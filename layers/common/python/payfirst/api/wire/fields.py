"""Field types that several requests and answers share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from payfirst.domain.ids import GivenId, read_id
from payfirst.domain.text import clean, folded
from payfirst.domain.times import GivenTime, read_day, read_time

MOST_BYTES: Final = 5_000_000
"""Of one list, written as cautiously as can be; Lambda lets no answer of more than 6 MB pass."""
LARGEST_AMOUNT: Final = Decimal(10**9)
LARGEST_QUANTITY: Final = Decimal(10**6)
FEWEST_DIGITS: Final = 7
MOST_DIGITS: Final = 15
"""Of a phone number: E.164 has no longer ones."""
_CALLABLE: Final = re.compile("[+(]?[0-9][0-9 ()./\\-\u2010-\u2015\u2212]*")
_DECIMAL: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


AS_SENT: Final = frozenset({"phone_number", "selected_time"})
"""What is read leniently and echoed as it was given."""


class In(BaseModel):
    """A request: fields that are not known are refused, and texts are folded before anything looks at them."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _folded(cls, sent: object) -> object:
        if not isinstance(sent, dict):
            return sent
        return {
            name: folded(value) if isinstance(value, str) and name not in AS_SENT else value for name, value in sent.items()
        }


class Out(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, defer_build=True)


Shown = TypeVar("Shown", bound=Out)


def fitting(found: Iterable[Shown]) -> list[Shown]:
    """The first of `found`, as many as one answer can carry, and one at least: customers' words have no part in the others'."""
    kept: list[Shown] = []
    size = 0
    for each in found:
        size += len(json.dumps(each.model_dump_json()))
        if kept and size > MOST_BYTES:
            break
        kept.append(each)
    return kept


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("A number is expected.")  # noqa: TRY004 - pydantic collects ValueErrors
    text = format(value, "f") if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 40 else str(value)  # noqa: PLR2004
    if not _DECIMAL.fullmatch(text):
        raise ValueError("A number of at most 12 digits, and at most six after the point, is expected, not below zero.")
    return Decimal(text)


def _amount(value: object) -> Decimal:
    amount = _decimal(value)
    if amount > LARGEST_AMOUNT:
        raise ValueError(f"An amount of at most {LARGEST_AMOUNT} is expected.")
    if amount != round(amount, 2):
        raise ValueError("An amount with at most two decimal places is expected.")
    return amount


def _quantity(value: object) -> Decimal:
    quantity = _decimal(value)
    if quantity > LARGEST_QUANTITY:
        raise ValueError(f"A quantity of at most {LARGEST_QUANTITY} is expected.")
    if not quantity or quantity != round(quantity, 3):
        raise ValueError("A quantity above zero with at most three decimal places is expected.")
    return quantity.normalize() + 0


def _level(value: object) -> Decimal:
    level = _decimal(value)
    if level != round(level, 3):
        raise ValueError("A quantity with at most three decimal places is expected.")
    return level.normalize() + 0


def _step(value: object) -> Decimal:
    if isinstance(value, str) and value.startswith("-"):
        return -_quantity(value[1:])
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and value < 0:
        return -_quantity(-value)
    return _quantity(value)


def _given_id(value: object) -> GivenId:
    given = None if isinstance(value, bool) or not isinstance(value, int | str) else read_id(value)
    if given is None:
        raise ValueError("An id is expected: the integer, or the code.")
    return given


def _number(value: object) -> int:
    given = None if isinstance(value, bool) or not isinstance(value, int | str) else read_id(value)
    if given is None or given.number is None or given.uuid is not None:
        raise ValueError("A whole number above zero is expected.")
    return given.number


def _text(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _phone(value: object) -> object:
    if isinstance(value, str):
        clean(value)  # what is kept is as it was given; what it is a number of, is read where it is used
    return value


def _contact_number(value: object) -> object:
    if not isinstance(value, str):
        return value
    number = clean(value)
    if not _CALLABLE.fullmatch(number) or not FEWEST_DIGITS <= sum(each.isdigit() for each in number) <= MOST_DIGITS:
        raise ValueError(f"A phone number of {FEWEST_DIGITS} to {MOST_DIGITS} digits like +91 98765 43210 is expected.")
    return number


def _day(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError("A day like 2025-07-20 is expected.")  # noqa: TRY004 - pydantic collects ValueErrors
    return read_day(value)


def _given_time(value: object) -> GivenTime:
    if not isinstance(value, str):
        raise ValueError("A time like 14:30, 14:30:00 or 2:30 PM is expected.")  # noqa: TRY004 - as above
    return GivenTime(read_time(folded(value)), value.strip())


Amount = Annotated[Decimal, BeforeValidator(_amount, json_schema_input_type=Decimal | str)]
"""Money in whole units, number or string, at most two decimal places."""

Quantity = Annotated[Decimal, BeforeValidator(_quantity, json_schema_input_type=Decimal | str)]
"""How much of a listing: above zero, at most three decimal places (0.5 kg)."""

StockLevel = Annotated[Decimal, BeforeValidator(_level, json_schema_input_type=Decimal | str)]
"""How much of a listing there is: at most three decimal places, and not below zero."""

StockStep = Annotated[Decimal, BeforeValidator(_step, json_schema_input_type=Decimal | str)]
"""How much comes to a stock, or goes from it where it is below zero: at most three decimal places, never nothing."""

AnyId = Annotated[Any, BeforeValidator(_given_id, json_schema_input_type=int | str)]
"""An id in any of its forms; a `GivenId`."""

Number = Annotated[int, BeforeValidator(_number, json_schema_input_type=int | str)]
"""A catalogue number: the integer, or the same as a string."""

Day = Annotated[
    date,
    BeforeValidator(_day, json_schema_input_type=str),
    Field(examples=["2025-07-20"], json_schema_extra={"format": "date"}),
]
"""A day, `YYYY-MM-DD`."""

TimeOfDay = Annotated[
    Any, BeforeValidator(_given_time, json_schema_input_type=str), Field(examples=["14:30", "14:30:00", "2:30 PM"])
]
"""A time of day, `14:30`, `14:30:00` or `2:30 PM`; a `GivenTime`, which keeps the customer's writing."""

LocalTime = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$", "examples": ["14:30:00"]})
]
"""A time of day in the service's own zone, as it leaves; the format `time` of JSON Schema would demand an offset."""

Text = Annotated[str, StringConstraints(max_length=500), BeforeValidator(_text)]
"""A customer's words. Limits that stand before the cleaning are looked at after it, and speak of characters."""

RequiredText = Annotated[str, StringConstraints(min_length=1, max_length=500), BeforeValidator(_text)]
"""A customer's words; not empty."""

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(_text)]
"""A customer's word or two; not empty."""

PhoneNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), BeforeValidator(_phone)]
"""A phone number as it was given."""

ContactNumber = Annotated[str, StringConstraints(max_length=100), BeforeValidator(_contact_number)]
"""A number that people call, wherever it is; blanks, brackets, dots and hyphens of any kind stay as they were written."""

Reason = Annotated[str, StringConstraints(min_length=3, max_length=500), BeforeValidator(_text)]
"""Why a person does this, as the timeline keeps it."""

JsonNumber = Annotated[Decimal, PlainSerializer(float, return_type=float), Field(examples=[150.0])]
"""An exact number that leaves as a JSON number with a decimal point."""


def _whole_or_decimal(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


Count = Annotated[Decimal, PlainSerializer(_whole_or_decimal, return_type=int | float)]
"""A sum of quantities: an integer when whole."""


class NothingIn(In):
    """A request that takes no fields."""
