"""What operators type, read: each reader takes a word as it was typed and says in one sentence what is wrong with it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from payfirst.domain.ids import GivenId, read_id
from payfirst.domain.money import Currency, Money
from payfirst.domain.refund import parts_of_refund_id

LONGEST_REASON: Final = 500
LARGEST_AMOUNT: Final = Decimal(10**9)
LONGEST_BACK: Final = timedelta(days=366)

_BACK: Final = re.compile(r"([1-9][0-9]{0,3})([hd])")


class WrongInputError(Exception):
    """A word on the command line is not what it should be; the message says so in one sentence."""


def order_code(given: str) -> str:
    """`ORD-20260720-001`; WrongInputError for anything else."""
    return _code(given, "ORD-", "an order", "ORD-YYYYMMDD-NNN")


def booking_code(given: str) -> str:
    """`BK-449034CB`; WrongInputError for anything else."""
    return _code(given, "BK-", "a booking", "BK- and eight digits or letters")


def attempt_ref(given: str) -> str:
    """`MT7a8b9c0d1e2f3`; WrongInputError for anything else."""
    return _code(given, "MT", "an attempt", "MT and thirteen digits or letters")


def _code(given: str, prefix: str, what: str, form: str) -> str:
    found = read_id(given)
    if found is None or found.code is None or not found.code.startswith(prefix):
        raise WrongInputError(f"{given!r} is not {what}; write {form}.")
    return found.code


def any_id(given: str) -> GivenId:
    """A session's UUID or any public code; WrongInputError for what is neither."""
    refund = parts_of_refund_id(given)
    found = read_id(refund[0] if refund else given)
    if found is None or (found.uuid is None and found.code is None):
        raise WrongInputError(f"{given!r} is neither a session's UUID nor TXN…, MT…, BK-…, ORD-… or RMT….")
    return found


def day(given: str) -> date:
    """A day as `2026-07-20`; WrongInputError for anything else."""
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise WrongInputError(f"{given!r} is not a day; write it as YYYY-MM-DD.") from error


def time_back(given: str) -> timedelta:
    """`24h` or `7d`, a year at most; WrongInputError for anything else."""
    read = _BACK.fullmatch(given)
    if read is None:
        raise WrongInputError(f"{given!r} is no time; write it as 24h or 7d.")
    back = timedelta(hours=int(read[1])) if read[2] == "h" else timedelta(days=int(read[1]))
    if back > LONGEST_BACK:
        raise WrongInputError(f"{given!r} is too far back; the counts are kept for a year.")
    return back


def amount(given: str, currency: Currency) -> Money:
    """An amount above zero in whole units; WrongInputError for anything else."""
    try:
        major = Decimal(given)
        wanted = Money.of(major, currency) if major.is_finite() and 0 < major < LARGEST_AMOUNT else None
    except (InvalidOperation, ValueError):
        wanted = None
    if wanted is None:
        raise WrongInputError(f"{given!r} is no amount; write it as 100.00.")
    return wanted


def quantity(given: str) -> Decimal:
    """A quantity that is not below zero, with at most three decimal places; WrongInputError for anything else."""
    try:
        number = Decimal(given)
    except InvalidOperation as error:
        raise WrongInputError(f"{given!r} is no number.") from error
    if not number.is_finite() or number < 0 or number != round(number, 3):
        raise WrongInputError("A number that is not below zero, with at most three decimal places, is expected.")
    return number


def reason(given: str) -> str:
    """A sentence of 1 to 500 printable characters, without blanks around it; WrongInputError for anything else."""
    said = given.strip()
    if not said or len(said) > LONGEST_REASON or not said.isprintable():
        raise WrongInputError(f"A reason of 1 to {LONGEST_REASON} printable characters is expected.")
    return said
