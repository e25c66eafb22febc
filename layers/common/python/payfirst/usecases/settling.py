"""What settling is given and what it answers: the evidence about an attempt, the scene it is found in, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payfirst.domain.ids import Entropy
from payfirst.domain.session import Session
from payfirst.gateways.base import StatusAnswer
from payfirst.settings import LatePayment
from payfirst.storage.fulfilment import CartSeen
from payfirst.storage.table import Table


class Settled(StrEnum):
    """What came of settling an attempt."""

    FULFILLED = "fulfilled"
    REFUND_DUE = "refund_due"
    FAILED = "failed"
    NEEDS_REVIEW = "needs_review"
    PENDING = "pending"
    NOTHING_TO_DO = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class Disputed:
    """The gateway contradicts itself about money; a person decides."""

    reason: str


Evidence = StatusAnswer | Disputed
Check = tuple[int, datetime]
"""A look that is planned: its rung and its instant."""


@dataclass(frozen=True, slots=True)
class Settling:
    """What settling needs: the table, the instant, randomness, and what becomes of late money."""

    table: Table
    now: datetime
    entropy: Entropy
    late_payment: LatePayment
    decided: bool = False
    """A person has decided, so that an attempt under review may move."""


@dataclass(frozen=True, slots=True)
class Scene:
    session: Session
    cart: CartSeen | None
