"""How much one customer and one phone may ask for: sessions open at once, and within a clock hour sessions and prompts.

A prompt is a message to somebody's phone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class FairUse:
    """The limits for each clock hour (UTC): sessions opened and payments asked for by one customer, prompts on one phone;
    and how many sessions of one customer may be open at once.

    0 sets no limit.
    """

    sessions_per_user: int = 0
    prompts_per_user: int = 0
    prompts_per_phone: int = 0
    open_sessions: int = 0


NO_LIMITS: Final = FairUse()

_HOUR: Final = timedelta(hours=1)


def hour_of(now: datetime) -> datetime:
    """The beginning of the clock hour of `now`."""
    return now.replace(minute=0, second=0, microsecond=0)


def seconds_until_next_hour(now: datetime) -> int:
    """How long a refused caller has to wait for a fresh count; at least a second."""
    return max(1, -int((now - hour_of(now) - _HOUR).total_seconds() // 1))
