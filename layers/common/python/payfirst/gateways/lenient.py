"""Reading what gateways send: a body that is not what it should be gives `None`, never an exception.

Numbers are read as Decimal, so that no amount passes through a float. Every reader takes any value that JSON can hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from payfirst.domain.money import Currency, Money

LONGEST_WORD: Final = 256
LONGEST_TEXT: Final = 8192
_LONGEST_DETAIL: Final = 200
_SMALLEST_EXPONENT: Final = -6
_LARGEST_EXPONENT: Final = 15
_TOKEN_LENGTH: Final = 20
_NUMBER_LIKE: Final = re.compile(r"\+?\d(?:[^\w.]{0,3}\d){8,}")
"""Nine digits or more, with blanks or signs between them; M-Pesa's codes have points between theirs."""


def _decimal_of(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError as exc:
        raise ValueError("the number is out of range") from exc


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def json_object(raw: bytes | str) -> dict[str, Any] | None:
    """The JSON object in `raw` with every fraction as Decimal; `None` when it is anything else."""
    try:
        body = json.loads(raw, parse_float=_decimal_of, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """`value` if it is a list, a list of it alone if it is an object (as XML turned into JSON is), else an empty one."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def text(value: object, longest: int = LONGEST_WORD) -> str | None:
    """`value` as text without outer blanks; whole numbers count as text (`1032` is `"1032"`), nothing else does.

    `None` for empty text, for more than `longest` characters and for what no UTF-8 can hold.
    """
    if not isinstance(value, str):
        number = whole(value)
        return None if number is None else str(number)
    stripped = value.strip()
    if not stripped or len(stripped) > longest or not _is_storable(stripped):
        return None
    return stripped


def _is_storable(value: str) -> bool:
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def decimal(value: object) -> Decimal | None:
    """`value` as Decimal, from a number or from text in decimal notation; `None` if it is neither or absurdly large."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    if isinstance(value, str) and len(value) > LONGEST_WORD:
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    in_range = number.is_finite() and (not number or _SMALLEST_EXPONENT <= number.adjusted() <= _LARGEST_EXPONENT)
    return number if in_range else None


def whole(value: object) -> int | None:
    """`value` as an integer, from a number or from text; `None` when it has a fraction or is no number."""
    number = decimal(value)
    if number is None or number != number.to_integral_value():
        return None
    return int(number)


def money_of_major(value: object, currency: Currency) -> Money | None:
    """The amount that `value` states in whole units (`1.00`, `"150"`), or `None`."""
    number = decimal(value)
    if number is None or number < 0:
        return None
    try:
        return Money.of(number, currency)
    except ValueError:
        return None


def money_of_minor(value: object, currency: Currency) -> Money | None:
    """The amount that `value` states in minor units (paisa), or `None`."""
    number = whole(value)
    return None if number is None or number < 0 else Money(number, currency)


def detail(value: object) -> str:
    """A gateway's words, fit for a log: one line, 200 characters at most, no token, word with `@` or whole phone number."""
    words = (text(value, LONGEST_TEXT) or "").split()
    shown = " ".join("…" if _is_hidden(word) else word for word in words)
    return _NUMBER_LIKE.sub(_last_three, shown)[:_LONGEST_DETAIL]


def _last_three(found: re.Match[str]) -> str:
    return f"…{re.sub('[^0-9]', '', found[0])[-3:]}"


def _is_hidden(word: str) -> bool:
    return "@" in word or (len(word) >= _TOKEN_LENGTH and any(character.isdigit() for character in word))
