"""The evidence about an attempt, the scene it is found in, and what came of settling it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payfirst.domain.session import Session
from payfirst.gateways.base import StatusAnswer
from payfirst.storage.dynamodb.table import Key
from payfirst.storage.fulfilment import CartSeen


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
"""A check that is planned: its place in the schedule and its instant."""


@dataclass(frozen=True, slots=True)
class NoticeEvidence:
    """The gateway's notice that brought the evidence.

    `key` is where it is stored, for the last write to mark it as settled. An end that rests on its word `alone` is asked about
    once more, by `gateway_id` where the attempt does not know its own yet. `doubt` is what it says against the evidence.
    """

    key: Key | None = None
    alone: bool = False
    gateway_id: str | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    session: Session
    cart: CartSeen | None
