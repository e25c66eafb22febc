"""How far the sessions of the last hours came, read from the counters that the outbox keeps; no request looks at a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from payfirst.domain.fair_use import hour_of
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Kind
from payfirst.storage import outbox
from payfirst.storage.dynamodb.table import Table


class Stage(StrEnum):
    """How far a session came; the words are the events that say so."""

    CREATED = "session.created"
    INITIATED = "payment.initiated"
    PAID = "payment.received"
    FULFILLED = "fulfilled"
    EXPIRED = "session.expired"


@dataclass(frozen=True, slots=True)
class Funnel:
    """Of the sessions made since the beginning of the clock hour `since`: how many came to each stage.

    What happened in the last minute may not have left the outbox, and is not counted yet.
    """

    since: datetime
    counts: dict[Stage, int]
    by_status: dict[SessionStatus, int]
    """Document B's sessions by status: what these sessions are now; every one is counted once."""

    def rate(self, stage: Stage) -> float | None:
        """The stage's part of all these sessions, 0 to 1; None without any. `FULFILLED` is document B's success rate."""
        return self.counts[stage] / self.counts[Stage.CREATED] if self.counts[Stage.CREATED] else None


def funnel(table: Table, now: datetime, back: timedelta, kind: Kind | None = None) -> Funnel:
    """The funnel of the sessions made within `back` before `now`, rounded to whole clock hours; of one kind or of both."""
    since = hour_of(now - back)
    found = outbox.counts_since(table, since)
    kinds = [kind] if kind else list(Kind)
    counts = {stage: sum(found[each.value, stage.value] for each in kinds) for stage in Stage}
    counts[Stage.FULFILLED] = sum(found[each.value, f"{each.value}.created"] for each in kinds)
    by_status = {status: sum(found[each.value, f"{outbox.STATUS}{status.value}"] for each in kinds) for status in SessionStatus}
    return Funnel(since, counts, by_status)
