"""An attempt: one try to collect a session's amount through one gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from payfirst.domain.calendar import Slot
from payfirst.domain.money import Money
from payfirst.domain.moves import UNRESOLVED, AttemptStatus
from payfirst.domain.session import CartGuard, Failure, Kind


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `token_hash` is the SHA-256 of M-Pesa's callback token.

    `held_promo`, `held_stock` (listings and quantities) and `held_slot` are what it holds until it ends.
    `check` is the rung of the ladder that comes next and `next_check_at` its instant; an attempt that needs no further look
    has none.
    """

    ref: str
    number: int
    transaction: str
    owner: str
    session_number: int
    kind: Kind
    guard: CartGuard
    gateway: str
    amount: Money
    status: AttemptStatus
    created_at: datetime
    check: int = 0
    next_check_at: datetime | None = None
    phone: str | None = None
    token_hash: str | None = None
    held_promo: str | None = None
    held_stock: tuple[tuple[int, Decimal], ...] = ()
    held_slot: Slot | None = None
    gateway_id: str | None = None
    merchant_request_id: str | None = None
    payment_url: str | None = None
    captured: Money | None = None
    receipt: str | None = None
    failure: Failure | None = None
    review: str | None = None
    writer: str = ""

    @property
    def unresolved(self) -> bool:
        """Whether nobody knows the outcome yet."""
        return self.status in UNRESOLVED

    @property
    def collected(self) -> Money:
        """What it has brought; ValueError before it has brought anything."""
        if self.captured is None:
            raise ValueError(f"{self.ref} has brought nothing")
        return self.captured

    @property
    def reached_gateway(self) -> bool:
        """Whether the payer can act on it: M-Pesa's CheckoutRequestID or PhonePe's payment address is known."""
        return (self.gateway_id if self.gateway == "MPESA" else self.payment_url) is not None


def _spread(*tiers: tuple[int, int, int]) -> tuple[int, ...]:
    """Seconds since the push for tiers of (first, step, last)."""
    return tuple(second for first, step, last in tiers for second in range(first, last + 1, step))


_LADDERS: Final[dict[str, tuple[int, ...]]] = {
    # Suggested for Daraja, which documents none: dense while the prompt is on the phone, then ever rarer for a day.
    "MPESA": (10, 20, 40, 75, 120, 300, 900, 3600, 21600, 86400),
    # PhonePe's mandatory reconciliation: first after 20 to 25 s, then every 3 s for 30 s, 6 s for 60 s, 10 s for 60 s,
    # 30 s for 60 s, then every minute until the order ends,
    # which is an hour at most; the day after is for lost answers.
    "PHONEPE": (
        *_spread((22, 3, 52), (58, 6, 112), (122, 10, 172), (202, 30, 232), (292, 60, 4192)),
        7200,
        21600,
        86400,
    ),
}


def next_check(gateway: str, created_at: datetime, check: int, now: datetime) -> tuple[int, datetime] | None:
    """The first rung from `check` on that lies after `now`: (its number, its instant); None when the ladder ends.

    Rungs that passed while nobody looked are skipped: one look answers for all of them.
    """
    for rung, seconds in enumerate(_LADDERS[gateway][check:], start=check):
        moment = created_at + timedelta(seconds=seconds)
        if moment > now:
            return rung, moment
    return None
