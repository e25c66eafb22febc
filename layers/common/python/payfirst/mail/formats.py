"""Amounts, days and times as customers write them where the currency is at home."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name
from babel.numbers import format_currency

from payfirst.domain.money import Currency, Money

LOCALES: Final = {Currency.INR: "en_IN", Currency.KES: "en_KE", Currency.TZS: "en_TZ"}


def amount_text(amount: Money) -> str:
    """`₹1,00,000.00` or `Ksh 350.00`."""
    return format_currency(amount.major, amount.currency.value, locale=LOCALES[amount.currency])


def day_text(day: date, currency: Currency) -> str:
    """`Monday, 20 July 2026`."""
    return format_date(day, "full", locale=LOCALES[currency])


def slot_text(day: date, at: time, zone: str, currency: Currency) -> str:
    """A day and a time on the clock of `zone`, which is named: a customer may live elsewhere."""
    moment = datetime.combine(day, at, tzinfo=ZoneInfo(zone))
    return f"{day_text(day, currency)} at {_time(moment, currency)}"


def instant_text(moment: datetime, zone: str, currency: Currency) -> str:
    """An instant on the clock of `zone`, which is named."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{day_text(local.date(), currency)} at {_time(local, currency)}"


def _time(local: datetime, currency: Currency) -> str:
    locale = LOCALES[currency]
    clock = format_time(local, "short", tzinfo=local.tzinfo, locale=locale)
    return f"{clock} ({get_timezone_name(ZoneInfo(str(local.tzinfo)), locale=locale)})"
