"""Complete the bookings whose time is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import RefusedError
from payfirst.domain.moves import BookingStatus
from payfirst.storage import bookings, due
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import due_index
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.fulfilment.bookings import complete
from payfirst.usecases.sweeps.retry_later import Batches

SPARE_S: Final = 10.0
"""What one booking may take: DynamoDB's time-outs, for its reads and for its write."""


@dataclass(frozen=True, slots=True)
class CompletionReport:
    """One run: entries that the index suggested, bookings completed, those that had moved on, those that failed, and whether it
    got to the end. `oldest_due_s`: for how many seconds the oldest had been due when the run began."""

    examined: int
    completed: int
    moved_on: int
    failed: int
    finished: bool
    oldest_due_s: int = field(default=0, compare=False)


def complete_bookings(table: Table, *, now: datetime, deadline: Deadline) -> CompletionReport:
    """Complete every booking that is CONFIRMED and took place before `now`; stops with seconds to spare.

    Any number of runs may overlap: each booking is completed by one write that finds it as it was read. Failures are as
    `Batches.each` says.
    """
    found = due.backlog(table, due_index.COMPLETE, now)
    every = chain(found.entries, due.dead_letters_due(table, due_index.COMPLETE, now))
    run = Batches(table, now, "completion.failed")
    run.each(due.batches(every, 1), lambda each: [_complete(table, each[0], now)], until=deadline, spare_s=SPARE_S)
    return CompletionReport(run.examined, run.done, run.moved_on, run.failed, run.finished, found.oldest_s)


def _complete(table: Table, entry: Entry, now: datetime) -> bool:
    """Whether the booking was completed here; one that was cancelled or moved to a later time meanwhile is left alone."""
    found = bookings.read_due(table, entry.key, now)
    if found is None or found.status is not BookingStatus.CONFIRMED:
        return False
    try:
        return complete(found, table=table, now=now, by="schedule").status is BookingStatus.COMPLETED
    except RefusedError:
        return False
