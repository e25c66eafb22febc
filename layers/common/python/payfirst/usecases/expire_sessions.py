"""Expire the sessions that nobody paid in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.clock import Deadline
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Session
from payfirst.observability import note
from payfirst.storage import due, keys, sessions
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.table import Table

BATCH: Final = 50
"""Sessions in one transaction: each takes two of its hundred actions."""

SPARE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """One run: entries that the index suggested, sessions expired, those that had moved on, and whether it got to the end."""

    examined: int
    expired: int
    moved_on: int
    finished: bool


def expire_sessions(table: Table, *, now: datetime, deadline: Deadline, grace: timedelta) -> ExpiryReport:
    """Expire every pending session whose `expires_at` lies `grace` or more before `now`; stops with seconds to spare.

    Any number of runs may overlap: each session is expired by one write that finds it as it was read.
    """
    latest = now - grace
    examined = expired = moved_on = 0
    finished = True
    for entries in due.batches(due.entries(table, keys.EXPIRE, latest), BATCH):
        if deadline.remaining() < SPARE_S:
            finished = False
            break
        overdue = [session for session in sessions.read_many(table, entries) if _is_overdue(session, latest)]
        done = _expire_all(table, overdue, now, latest)
        examined += len(entries)
        expired += done
        moved_on += len(entries) - done
    return ExpiryReport(examined, expired, moved_on, finished)


def _is_overdue(session: Session, latest: datetime) -> bool:
    return session.status is SessionStatus.PENDING and session.expires_at <= latest


def _expire_all(table: Table, overdue: Sequence[Session], now: datetime, latest: datetime) -> int:
    """How many of `overdue` were expired here; a rival that breaks the batch costs only its own session."""
    if not overdue:
        return 0
    try:
        sessions.expire(table, overdue, now, latest)
    except ConditionFailedError:
        if len(overdue) == 1:
            return 0
        return sum(_expire_all(table, [session], now, latest) for session in overdue)
    for session in overdue:
        note("session.expired", session=session.uuid)
    return len(overdue)
