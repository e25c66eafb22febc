"""What a paid session became: document A's booking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payfirst.domain.money import Money
from payfirst.domain.moves import BookingStatus
from payfirst.domain.session import BookingSnapshot


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking; `content` is what was paid for, with the day and time as they stand after any reschedule.

    `version` counts its reschedules from 1; `session_number` is A's `payment_id`.
    """

    number: int
    code: str
    owner: str
    user_id: int | None
    email: str | None
    session_number: int
    status: BookingStatus
    amount: Money
    content: BookingSnapshot
    version: int
    created_at: datetime
    reason: str | None = None
