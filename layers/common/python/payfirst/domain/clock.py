"""Instants and deadlines. Nothing in the package asks a clock of its own: these come in as arguments."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

SHOP_ZONE: Final = "Africa/Nairobi"
"""The clock of the farm's shop: its days, its order numbers, and a service that names no other."""

BOOKINGS_ZONE: Final = "Asia/Kolkata"
"""The clock of the pujas' shop: whose today is meant where a day of bookings is asked for without saying which."""

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def utc_now() -> datetime:
    """The present instant, aware UTC; called only where a request enters."""
    return datetime.now(UTC)


def clocks() -> tuple[float, float]:
    """Seconds by a clock that goes on while the machine sleeps, and by one that is set right after it was stopped."""
    boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # only Linux has it
    return time.clock_gettime(boot), time.time()


def instant(moment: datetime) -> str:
    """`moment` as every answer and item shows it: `2024-01-15T10:30:00Z`, whole seconds, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def read_instant(text: str) -> datetime:
    """The inverse of `instant`; ValueError for any other form."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"{text!r} is no instant")
    return datetime.fromisoformat(text)  # a tenth of what strptime takes, and lists of twenty read sixty of them


@dataclass(frozen=True, slots=True)
class Deadline:
    """How much time is left, in seconds; `remaining` may be asked often and may be below zero."""

    remaining: Callable[[], float]


def lasting(seconds: float) -> Deadline:
    """A deadline that ends `seconds` from now."""
    ends = time.monotonic() + seconds
    return Deadline(lambda: ends - time.monotonic())
