"""What operators type, read: each reader takes a word as it was typed and says in one sentence what is wrong with it."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

import typer
from typer.models import OptionInfo

from payfirst.domain.catalogue import ServiceType, read_image_url
from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.days import ANY_DAY
from payfirst.domain.ids import GivenId, read_id
from payfirst.domain.money import Currency, Money
from payfirst.domain.refund import parts_of_refund_id
from payfirst.domain.text import clean, folded
from payfirst.domain.times import GivenTime, read_back, read_day, read_time

LONGEST_REASON: Final = 500
LONGEST_NAME: Final = 100
LARGEST_AMOUNT: Final = Decimal(10**9)

_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_ENTRY: Final = re.compile(r"(?:([A-Za-z]{1,20})-)?([1-9][0-9]{0,8})")


AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON, for scripts.")]


class WrongInputError(Exception):
    """A word on the command line is not what it should be; the message says so in one sentence."""


def option(*names: str, help: str, show_default: bool | str = True) -> OptionInfo:  # noqa: A002 - typer's own name
    """A `typer.Option` of any text but an empty one: that is a variable which is not set, and no wish for all."""
    made: OptionInfo = typer.Option(*names, callback=_not_empty, help=help, show_default=show_default)
    return made


def _not_empty(context: typer.Context, parameter: typer.CallbackParam, given: str | None) -> str | None:
    source = context.get_parameter_source(parameter.name or "")
    if given == "" and source is not None and source.name != "DEFAULT":
        raise typer.BadParameter("'' is no value; leave the option out where nothing is meant.")
    return given


def order_code(given: str) -> str:
    """`ORD-20260720-001`; WrongInputError for anything else."""
    return _code(given, "ORD-", "an order", "ORD-YYYYMMDD-NNN")


def booking_code(given: str) -> str:
    """`BK-449034CB`; WrongInputError for anything else."""
    return _code(given, "BK-", "a booking", "BK- and eight digits or letters")


def attempt_ref(given: str) -> str:
    """`MT7a8b9c0d1e2f3`; WrongInputError for anything else."""
    return _code(given, "MT", "an attempt", "MT and thirteen digits or letters")


def payment(given: str) -> str:
    """What a payment is called: its attempt, or the order or booking that it became; WrongInputError for anything else."""
    found = read_id(given)
    if found is None or found.code is None or not found.code.startswith(("MT", "ORD-", "BK-")):
        raise WrongInputError(f"{given!r} is no payment; write MT…, ORD-… or BK-….")
    return found.code


def _code(given: str, prefix: str, what: str, form: str) -> str:
    found = read_id(given)
    if found is None or found.code is None or not found.code.startswith(prefix):
        raise WrongInputError(f"{given!r} is not {what}; write {form}.")
    return found.code


def catalogue_entry(given: str) -> tuple[ServiceType | None, int]:
    """A listing as its number, `123`, or a service as `PUJA-1`, in any case; WrongInputError for anything else."""
    read = _ENTRY.fullmatch(folded(given))
    if read is None or (read[1] and read[1].upper() not in ServiceType.__members__):
        raise WrongInputError(f"{given!r} is nothing in a catalogue; write a listing as 123, a service as PUJA-1.")
    return ServiceType(read[1].upper()) if read[1] else None, int(read[2])


def package_price(given: str) -> tuple[int, Decimal]:
    """A package with its price, `2=999.00`; WrongInputError for anything else."""
    package, equals, cost = given.partition("=")
    read = _ENTRY.fullmatch(folded(package))
    if not equals or read is None or read[1]:
        raise WrongInputError(f"{given!r} is no package with its price; write 2=999.00.")
    return int(read[2]), price(cost)


def price(given: str) -> Decimal:
    """An amount above zero in whole units of any currency; WrongInputError for anything else."""
    return amount(given, next(iter(Currency))).major


def picture(given: str) -> str:
    """The https address of a picture; WrongInputError for anything else."""
    try:
        return read_image_url(given.strip())
    except ValueError as error:
        raise WrongInputError(f"{given!r}: {error}") from error


def description(given: str) -> str:
    """What an entry of the catalogue is, in 1 to 500 characters, cleaned as customers' texts; WrongInputError likewise."""
    return _words(given, "A description or a name", LONGEST_REASON)


def any_id(given: str) -> GivenId:
    """A session's UUID or any public code; WrongInputError for what is neither."""
    refund = parts_of_refund_id(given)
    found = read_id(refund[0] if refund else given)
    if found is None or (found.uuid is None and found.code is None):
        raise WrongInputError(f"{given!r} is neither a session's UUID nor TXN…, MT…, BK-…, ORD-… or RMT….")
    return found


def phone(given: str) -> str:
    """A number as user pools know them, `+254712345678` (E.164); WrongInputError for anything else."""
    found = re.sub(r"[ ()-]", "", folded(given))
    if not _PHONE.fullmatch(found):
        raise WrongInputError(f"{given!r} is no phone number; write it with its country, as +254712345678.")
    return found


def day(given: str, now: datetime) -> date:
    """A day in Nairobi as `2026-07-20`, up to the usual horizon; WrongInputError for anything else."""
    try:
        found = read_day(folded(given))
    except ValueError as error:
        raise WrongInputError(f"{given!r} is not a day; write it as YYYY-MM-DD.") from error
    said = ANY_DAY.why_not(found, SHOP_ZONE, now)
    if said is not None:
        raise WrongInputError(f"{given!r}: {said}")
    return found


def time_of_day(given: str) -> GivenTime:
    """A time of day as `14:30` or `2:30 PM`; WrongInputError for anything else."""
    try:
        return GivenTime(read_time(folded(given)), folded(given))
    except ValueError as error:
        raise WrongInputError(f"{given!r} is no time of day; write it as 14:30 or 2:30 PM.") from error


def time_back(given: str) -> timedelta:
    """`90m`, `24h` or `7d`, a year at most; WrongInputError for anything else."""
    try:
        return read_back(folded(given))
    except ValueError as error:
        raise WrongInputError(f"{given!r} is no time back: {error}") from error


def number(given: str) -> Decimal:
    """A number in digits of ASCII, 12 at most, and at most 6 more after a point; ValueError for anything else."""
    text = folded(given)
    if not _NUMBER.fullmatch(text):
        raise ValueError('a number like 150 or "150.50" is expected, of at most 12 digits')
    return Decimal(text)


def amount(given: str, currency: Currency) -> Money:
    """An amount above zero in whole units; WrongInputError for anything else."""
    try:
        major = number(given)
        wanted = Money.of(major, currency) if major > 0 else None
    except ValueError:
        wanted = None
    if wanted is None:
        raise WrongInputError(f"{given!r} is no amount; write it as 100.00.")
    if major > LARGEST_AMOUNT:
        raise WrongInputError(f"{given!r} is too much; an amount is at most {LARGEST_AMOUNT:,}.")
    return wanted


def amount_or_nothing(given: str, currency: Currency) -> Money:
    """An amount in whole units, or 0; WrongInputError for anything else."""
    return Money(0, currency) if re.fullmatch(r"0+(\.0+)?", folded(given)) else amount(given, currency)


def quantity(given: str) -> Decimal:
    """A quantity that is not below zero, with at most three decimal places; WrongInputError for anything else."""
    try:
        wanted = number(given)
    except ValueError:
        wanted = None
    if wanted is None or wanted != round(wanted, 3):
        raise WrongInputError(
            f"{given!r} is no quantity; write it as 12 or 2.5, with three decimal places and 12 digits at most."
        )
    return wanted


def reason(given: str) -> str:
    """A sentence of 1 to 500 characters in one line, cleaned as texts of customers are; WrongInputError for anything else."""
    return _words(given, "A reason", LONGEST_REASON)


def name(given: str) -> str:
    """Who somebody is, in 1 to 100 characters, cleaned likewise; WrongInputError for anything else."""
    return _words(given, "A name", LONGEST_NAME)


def receipt(given: str) -> str | None:
    """A gateway's receipt, cleaned likewise; None where nothing was given; WrongInputError for anything else."""
    return _words(given, "A receipt", LONGEST_NAME) if given else None


def _words(given: str, what: str, longest: int) -> str:
    try:
        said = "" if len(given.strip().splitlines()) > 1 else clean(given)
    except ValueError:
        said = ""
    if not 1 <= len(said) <= longest:
        raise WrongInputError(f"{what} of 1 to {longest} printable characters is expected.")
    return said
