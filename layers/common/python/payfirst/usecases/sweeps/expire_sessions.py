"""Expire the sessions that nobody paid in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from payfirst.domain.clock import Deadline
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Session
from payfirst.observability import note
from payfirst.storage import due, sessions
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import due_index
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.sweeps.retry_later import Batches

READ: Final = 100
BATCH: Final = 50
"""Sessions in one transaction: each takes two of its hundred actions."""

SPARE_S: Final = 10.0
"""What one batch may take: DynamoDB's time-outs, for its reads and for its write."""


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """One run: entries that the index suggested, sessions expired, those that had moved on, those that failed, and whether it
    got to the end. `oldest_due_s`: for how many seconds the oldest had been due when the run began."""

    examined: int
    expired: int
    moved_on: int
    failed: int
    finished: bool
    oldest_due_s: int = field(default=0, compare=False)


def expire_sessions(table: Table, *, now: datetime, deadline: Deadline, grace: timedelta) -> ExpiryReport:
    """Expire every pending session whose `expires_at` lies `grace` or more before `now`; stops with seconds to spare.

    Any number of runs may overlap: each session is expired by one write that finds it as it was read. Failures are as
    `Batches.each` says.
    """
    latest = now - grace
    found = due.backlog(table, due_index.EXPIRE, latest)
    dead = ([entry] for entry in due.dead_letters_due(table, due_index.EXPIRE, now))  # each by itself: it would break a batch
    run = Batches(table, now, "expiry.failed")
    every = chain(due.batches(found.entries, READ), dead)
    run.each(every, lambda entries: _expire(table, entries, now, latest), until=deadline, spare_s=SPARE_S)
    return ExpiryReport(run.examined, run.done, run.moved_on, run.failed, run.finished, found.oldest_s)


def _expire(table: Table, entries: Sequence[Entry], now: datetime, latest: datetime) -> Iterator[int]:
    """How many of `entries` are expired here, a transaction at a time."""
    found = sessions.read_many(table, [entry.key for entry in entries])
    for group in due.batches((session for session in found if _is_overdue(session, latest)), BATCH):
        yield _write(table, group, now, latest)


def _write(table: Table, overdue: Sequence[Session], now: datetime, latest: datetime) -> int:
    """How many of `overdue` were expired here; a rival that breaks the batch costs only its own session."""
    try:
        sessions.expire(table, overdue, now, latest)
    except ConditionFailedError:
        return 0 if len(overdue) == 1 else sum(_write(table, [session], now, latest) for session in overdue)
    for session in overdue:
        note("session.expired", session=session.uuid)
    return len(overdue)


def _is_overdue(session: Session, latest: datetime) -> bool:
    return session.status is SessionStatus.PENDING and session.expires_at <= latest
