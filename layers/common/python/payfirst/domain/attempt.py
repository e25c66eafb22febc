"""An attempt: one try to collect a session's amount through one gateway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from payfirst.domain.calendar import Slot
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Money
from payfirst.domain.moves import UNRESOLVED, AttemptStatus
from payfirst.domain.session import CartGuard, Failure, Kind


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `token_hash` is the SHA-256 of the word in its callback address.

    `held_promo`, `held_stock` (listings and quantities) and `held_slot` are what it holds until it ends.
    `check` is the place in the gateway's check schedule that comes next and `next_check_at` its instant; an attempt that
    needs no further check has none. `is_dead_letter` says that it failed so often in sweeps that it waits for a person.
    `confirm_at` is when its gateway is asked about a success that only a notice told of. `phone_lock` is the name of the lock
    of its phone; None in what earlier releases stored.
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
    confirm_at: datetime | None = None
    phone: str | None = None
    phone_lock: str | None = None
    token_hash: str | None = None
    held_promo: str | None = None
    held_stock: tuple[tuple[int, Decimal], ...] = ()
    held_slot: Slot | None = None
    gateway_id: str | None = None
    merchant_request_id: str | None = None
    payment_url: str | None = None
    captured: Money | None = None
    captured_at: datetime | None = None
    receipt: str | None = None
    failure: Failure | None = None
    review: str | None = None
    is_dead_letter: bool = False
    writer: str = ""

    @property
    def unresolved(self) -> bool:
        """Whether nobody knows the outcome yet."""
        return self.status in UNRESOLVED

    @property
    def awaits_decision(self) -> bool:
        """Whether it is on the list of what a person decides."""
        return self.status is AttemptStatus.NEEDS_REVIEW or self.is_dead_letter

    @property
    def collected(self) -> Money:
        """What it has brought; ValueError before it has brought anything."""
        if self.captured is None:
            raise ValueError(f"{self.ref} has brought nothing")
        return self.captured

    def reached(self, terms: GatewayTerms) -> bool:
        """Whether the payer can act on it: its prompt on the phone has an id, or its page an address."""
        return (self.gateway_id if terms.prompts_phone else self.payment_url) is not None
