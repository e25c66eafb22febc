"""Identifiers: an integer and a UUID of the same bits, and the public codes that people read to each other.

The integer is the milliseconds since 2020 shifted by 12 bits, plus 12 random bits; it stays below 2^53, so that JavaScript
keeps it whole. The UUID is version 7 (RFC 9562) with the same milliseconds and the same 12 bits, so that either form gives the
sort key; its other 62 bits are random and are stored to be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from payfirst.domain.text import folded

Entropy = Callable[[int], bytes]
"""Random bytes by number; `secrets.token_bytes` where a request enters."""

EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
RANDOM_BITS: Final = 12
LARGEST: Final = 2**53 - 1
_UNIX_EPOCH_MS: Final = int(EPOCH.timestamp() * 1000)
_MILLISECOND: Final = timedelta(milliseconds=1)

PUBLIC_CODE: Final = re.compile(r"TXN[0-9A-F]{10}|MT[0-9a-f]{13}|BK-[0-9A-F]{8}|ORD-[0-9]{8}-[0-9]{3,9}")
_INTEGER: Final = re.compile(r"[0-9]{1,16}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One object's id in both forms."""

    number: int
    uuid: UUID


@dataclass(frozen=True, slots=True)
class GivenId:
    """An id as a caller gave it: a number (with the UUID it came from, if it was one) or a public code."""

    number: int | None = None
    uuid: UUID | None = None
    code: str | None = None


def new_identifier(now: datetime, entropy: Entropy) -> Identifier:
    """A fresh id for something made at `now`; two of the same millisecond differ in 12 random bits."""
    since_2020 = (now - EPOCH) // _MILLISECOND
    bits = int.from_bytes(entropy(10))
    low, tail = bits & 0xFFF, (bits >> 12) & (2**62 - 1)
    number = (since_2020 << RANDOM_BITS) | low
    unix_ms = since_2020 + _UNIX_EPOCH_MS
    return Identifier(number, UUID(int=(unix_ms << 80) | (0x7 << 76) | (low << 64) | (0b10 << 62) | tail))


def made_at(number: int) -> datetime:
    """The instant at which the id was made, to the millisecond, aware UTC."""
    return EPOCH + timedelta(milliseconds=number >> RANDOM_BITS)


def number_of(uuid: UUID) -> int | None:
    """The integer form of one of our UUIDs; None for a UUID that is not one of ours."""
    since_2020 = (uuid.int >> 80) - _UNIX_EPOCH_MS
    number = (since_2020 << RANDOM_BITS) | (uuid.int >> 64 & 0xFFF)
    return number if uuid.version == 7 and 0 < number <= LARGEST else None  # noqa: PLR2004


def read_id(text: str | int) -> GivenId | None:
    """What `text` names: an integer below 2^53 (also as text), one of our UUIDs, or a public code; None for anything else."""
    text = folded(str(text))
    if _INTEGER.fullmatch(text):
        number = int(text)
        return GivenId(number=number) if 0 < number <= LARGEST else None
    if _UUID.fullmatch(text.lower()):
        uuid = UUID(text)
        number_in_uuid = number_of(uuid)
        return GivenId(number=number_in_uuid, uuid=uuid) if number_in_uuid else None
    return GivenId(code=text) if PUBLIC_CODE.fullmatch(text) else None


def new_attempt_ref(entropy: Entropy) -> str:
    """An attempt's own reference, `MT` and 13 lowercase hex digits: what PhonePe knows as `merchantOrderId`."""
    return f"MT{entropy(7).hex()[:13]}"


def new_transaction_code(entropy: Entropy) -> str:
    """An attempt's public code in document A: `TXN` and 10 uppercase hex digits."""
    return f"TXN{entropy(5).hex().upper()}"


def new_booking_code(entropy: Entropy) -> str:
    """A booking's public code: `BK-` and 8 uppercase hex digits."""
    return f"BK-{entropy(4).hex().upper()}"


def order_number(day: str, sequence: int) -> str:
    """An order's public code: `ORD-20240115-001`; `day` is `YYYYMMDD` in Nairobi, the sequence grows past 999."""
    return f"ORD-{day}-{sequence:03d}"


def read_order_number(code: str) -> tuple[str, int] | None:
    """Day (`YYYYMMDD`) and sequence of `ORD-…`; None for anything else."""
    if not code.startswith("ORD-") or not PUBLIC_CODE.fullmatch(code):
        return None
    _, day, sequence = code.split("-")
    return day, int(sequence)


def new_callback_token(ref: str, entropy: Entropy) -> str:
    """The word in M-Pesa's callback address: the reference's 13 digits and a 128-bit secret, all lowercase hex."""
    return ref.removeprefix("MT") + entropy(16).hex()


def ref_of_callback_token(token: str) -> str | None:
    """The attempt that a callback token belongs to; None when it has not the form of one. It proves nothing by itself."""
    return f"MT{token[:13]}" if re.fullmatch(r"[0-9a-f]{45}", token) else None
