"""How far the sessions of a time came, read from the counters that the outbox keeps; no request looks at a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Kind
from payfirst.storage import outbox
from payfirst.storage.dynamodb.table import Table

_MINUTE: Final = timedelta(minutes=1)


class Stage(StrEnum):
    """How far a session came; the words are the events that say so."""

    CREATED = "session.created"
    INITIATED = "payment.initiated"
    PAID = "payment.received"
    FULFILLED = "fulfilled"
    EXPIRED = "session.expired"


class Rate(StrEnum):
    """Document B's five rates."""

    SESSION_CREATION = "session_creation"
    PAYMENT_INITIATION = "payment_initiation"
    PAYMENT_SUCCESS = "payment_success"
    SESSION_EXPIRY = "session_expiry"
    ORDER_CREATION_SUCCESS = "order_creation_success"


_OF: Final[Mapping[Rate, tuple[Stage, Stage | None]]] = {
    Rate.SESSION_CREATION: (Stage.CREATED, None),
    Rate.PAYMENT_INITIATION: (Stage.INITIATED, Stage.CREATED),
    Rate.PAYMENT_SUCCESS: (Stage.PAID, Stage.INITIATED),
    Rate.SESSION_EXPIRY: (Stage.EXPIRED, Stage.CREATED),
    Rate.ORDER_CREATION_SUCCESS: (Stage.FULFILLED, Stage.PAID),
}
"""What is divided by what; None are the minutes of the time."""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `of`, the numerator and the denominator of a rate."""

    part: int
    of: int

    @property
    def value(self) -> float | None:
        """The rate; None where it is one of nothing."""
        return self.part / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Of the sessions made from the minute `since` until `until`: how many came to each stage.

    What happened in the last minute may not have left the outbox, and is not counted yet.
    """

    since: datetime
    until: datetime
    counts: dict[Stage, int]
    by_status: dict[SessionStatus, int]
    """Document B's sessions by status: what these sessions are now; every one is counted once."""

    def rate(self, stage: Stage) -> float | None:
        """The stage's part of all these sessions, 0 to 1; None without any. `FULFILLED` is document B's success rate."""
        return Share(self.counts[stage], self.counts[Stage.CREATED]).value

    @property
    def rates(self) -> dict[Rate, Share]:
        """Document B's five: sessions a minute, initiated of created, paid of initiated, expired of created, and orders or
        bookings of what was paid."""
        minutes = max(1, (self.until - self.since) // _MINUTE)
        return {rate: Share(self.counts[part], self.counts[of] if of else minutes) for rate, (part, of) in _OF.items()}


def funnel(table: Table, now: datetime, back: timedelta, kind: Kind | None = None) -> Funnel:
    """The funnel of the sessions made within `back` before `now`, its first minute whole; of one kind or of both."""
    since = (now - back).replace(second=0, microsecond=0)
    found = outbox.counts_since(table, since)
    kinds = [kind] if kind else list(Kind)

    def of(name: str) -> int:
        return sum(found[each.value, outbox.counter(name)] for each in kinds)

    counts = {stage: of(stage.value) for stage in Stage}
    counts[Stage.FULFILLED] = sum(found[each.value, outbox.counter(f"{each.value}.created")] for each in kinds)
    return Funnel(since, now, counts, {status: of(f"{outbox.STATUS}{status.value}") for status in SessionStatus})
