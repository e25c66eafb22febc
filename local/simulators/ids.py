"""Identifiers and times in the shapes that the gateways print; randomness and instants come in as arguments."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

# Kenya and India keep one offset all year.
NAIROBI: Final = timezone(timedelta(hours=3))
KOLKATA: Final = timezone(timedelta(hours=5, minutes=30))

_RECEIPT_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SUBSCRIBER_AT_END: Final = re.compile(r"^(ws_CO_.*?)(\d{9})$")


def nairobi_time(instant: float) -> datetime:
    """The moment `instant` (seconds since 1970) on a clock in Nairobi."""
    return datetime.fromtimestamp(instant, UTC).astimezone(NAIROBI)


def digits(draw: random.Random, count: int) -> str:
    """`count` random decimal digits."""
    return "".join(draw.choices("0123456789", k=count))


def hexadecimal(draw: random.Random, count: int) -> str:
    """`count` random lowercase hexadecimal digits."""
    return "".join(draw.choices("0123456789abcdef", k=count))


def checkout_request_id(instant: float, phone: str) -> str:
    """`ws_CO_ddmmyyyyHHMMSSmmm` and the payer's last nine digits, as Daraja makes it."""
    moment = nairobi_time(instant)
    return f"ws_CO_{moment:%d%m%Y%H%M%S}{moment.microsecond // 1000:03d}{phone[-9:]}"


def merchant_request_id(draw: random.Random) -> str:
    """Such as `6e86-45dd-91ac-fd5d4178ab52485825`."""
    groups = "-".join(hexadecimal(draw, 4) for _ in range(3))
    return f"{groups}-{hexadecimal(draw, 12)}{digits(draw, 6)}"


def conversation_id(draw: random.Random, instant: float) -> str:
    """Such as `AG_20240706_20106e9209f64bebd05b`."""
    return f"AG_{nairobi_time(instant):%Y%m%d}_2010{hexadecimal(draw, 16)}"


def mpesa_receipt(draw: random.Random, instant: float) -> str:
    """Ten characters whose first three are year, month and day, such as `SKE52PAWR9`."""
    moment = nairobi_time(instant)
    year = chr(ord("A") + (moment.year - 2006) % 26)
    month = chr(ord("A") + moment.month - 1)
    day = "0123456789ABCDEFGHIJKLMNOPQRSTUV"[moment.day]
    return year + month + day + "".join(draw.choices(_RECEIPT_ALPHABET, k=7))


def phonepe_id(prefix: str, draw: random.Random, instant: float) -> str:
    """`OMO` (order), `OM` (payment) or `OMR` (refund) with the time and random digits."""
    moment = datetime.fromtimestamp(instant, UTC).astimezone(KOLKATA)
    return f"{prefix}{moment:%y%m%d%H%M%S}{moment.microsecond // 1000:03d}{digits(draw, 7)}"


def masked_phone(phone: str) -> str:
    """A number that can be told from another but not dialled: `2547…678`."""
    return f"{phone[:4]}…{phone[-3:]}"


def masked_ref(ref: str) -> str:
    """`ref` for a log line: a CheckoutRequestID without the payer's number that ends it."""
    found = _SUBSCRIBER_AT_END.match(ref)
    return f"{found[1]}…{found[2][-3:]}" if found else ref


def amount_text(minor: int) -> str:
    """35000 is `350.00`."""
    return f"{minor // 100}.{minor % 100:02d}"
