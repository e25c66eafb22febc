"""Expire the sessions that nobody paid in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.clock import Deadline
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Session
from payfirst.observability import alarm, note
from payfirst.storage import due, keys, sessions
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.table import Table
from payfirst.usecases.put_off import ends_the_run, put_off

BATCH: Final = 50
"""Sessions in one transaction: each takes two of its hundred actions."""

SPARE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ExpiryReport:
    """One run: entries that the index suggested, sessions expired, those that had moved on, those that failed, and whether it
    got to the end."""

    examined: int
    expired: int
    moved_on: int
    failed: int
    finished: bool


def expire_sessions(table: Table, *, now: datetime, deadline: Deadline, grace: timedelta) -> ExpiryReport:
    """Expire every pending session whose `expires_at` lies `grace` or more before `now`; stops with seconds to spare.

    Any number of runs may overlap: each session is expired by one write that finds it as it was read. One that cannot be read
    or written stops no other; it is tried later and later, then parked for a person.
    """
    latest = now - grace
    examined = expired = failed = 0
    for entries in due.batches(due.entries(table, keys.EXPIRE, latest), BATCH):
        if deadline.remaining() < SPARE_S:
            return ExpiryReport(examined, expired, examined - expired - failed, failed, finished=False)
        try:
            done, broken = _expire(table, entries, now, latest), 0
        except Exception as error:  # one of them is broken: each is tried by itself, and the others must not wait
            if ends_the_run(error):
                raise
            done, broken = _one_by_one(table, entries, now, latest)
        examined += len(entries)
        expired += done
        failed += broken
    return ExpiryReport(examined, expired, examined - expired - failed, failed, finished=True)


def _one_by_one(table: Table, entries: Sequence[Item], now: datetime, latest: datetime) -> tuple[int, int]:
    """How many of `entries` were expired, and how many are broken."""
    done = broken = 0
    for entry in entries:
        try:
            done += _expire(table, [entry], now, latest)
        except Exception as error:  # see above
            if ends_the_run(error):
                raise
            alarm("expiry.failed", item=entry["sk"])
            broken += 1
            put_off(table, entry, now)
    return done, broken


def _expire(table: Table, entries: Sequence[Item], now: datetime, latest: datetime) -> int:
    """How many of `entries` were expired here; a rival that breaks the batch costs only its own session."""
    overdue = [session for session in sessions.read_many(table, entries) if _is_overdue(session, latest)]
    if not overdue:
        return 0
    try:
        sessions.expire(table, overdue, now, latest)
    except ConditionFailedError:
        if len(entries) == 1:
            return 0
        return sum(_expire(table, [entry], now, latest) for entry in entries)
    for session in overdue:
        note("session.expired", session=session.uuid)
    return len(overdue)


def _is_overdue(session: Session, latest: datetime) -> bool:
    return session.status is SessionStatus.PENDING and session.expires_at <= latest
