"""Kenyan mobile numbers as M-Pesa wants them."""

from __future__ import annotations

import re
from typing import Final

_WRITTEN: Final = re.compile(r"\+?[0-9][0-9 -]*")
_MOBILE: Final = re.compile(r"[17][0-9]{8}")
_LONGEST: Final = 32
_KENYA: Final = 254


def normalise_phone(written: str) -> str:
    """`0712 345 678`, `+254-712-345678`, `254112345678` as `254712345678`; ValueError if it is no Kenyan mobile number.

    The error never repeats the number.
    """
    import phonenumbers  # noqa: PLC0415 - only the functions that take a number need its tables

    stripped = written.strip()
    if len(stripped) > _LONGEST or not _WRITTEN.fullmatch(stripped):
        raise ValueError("a phone number has digits, spaces and dashes only")
    if stripped.startswith("254"):
        stripped = f"+{stripped}"
    try:
        number = phonenumbers.parse(stripped, "KE")
    except phonenumbers.NumberParseException:
        number = None
    national = "" if number is None or number.country_code != _KENYA else str(number.national_number)
    if not _MOBILE.fullmatch(national):
        raise ValueError("this is not a Kenyan mobile number such as 0712345678 or 0112345678")
    return f"{_KENYA}{national}"
