"""By what a payment is found that has no code at hand: a phone number, its last four digits, an e-mail address.

They stand in the table only as keyed hashes: a bare one of a hundred million numbers is no secret.
"""

from __future__ import annotations

import hmac
from enum import StrEnum
from typing import Final

LAST_DIGITS: Final = 4


class By(StrEnum):
    """What a name of a payment's customer is."""

    PHONE = "phone"
    LAST_DIGITS = "last_digits"
    EMAIL = "email"


def keyed(key: bytes, by: By, name: str) -> str:
    """The word for `name` that nobody can make, or try out, without `key`: 32 hex digits."""
    return hmac.digest(key, f"{by}:{name}".encode(), "sha256").hex()[:32]
