"""Complete the bookings whose time is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import RefusedError
from payfirst.domain.moves import BookingStatus
from payfirst.observability import alarm
from payfirst.storage import bookings, due, keys
from payfirst.storage.expressions import Item
from payfirst.storage.table import Table
from payfirst.usecases.bookings import complete
from payfirst.usecases.put_off import ends_the_run, put_off

SPARE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class CompletionReport:
    """One run: entries that the index suggested, bookings completed, those that had moved on, those that failed, and whether it
    got to the end."""

    examined: int
    completed: int
    moved_on: int
    failed: int
    finished: bool


def complete_bookings(table: Table, *, now: datetime, deadline: Deadline) -> CompletionReport:
    """Complete every booking that is CONFIRMED and took place before `now`; stops with seconds to spare.

    Any number of runs may overlap: each booking is completed by one write that finds it as it was read. One that cannot be
    completed stops no other; it is tried later and later, then parked for a person.
    """
    examined = completed = failed = 0
    for entry in due.entries(table, keys.COMPLETE, now):
        if deadline.remaining() < SPARE_S:
            return CompletionReport(examined, completed, examined - completed - failed, failed, finished=False)
        examined += 1
        try:
            completed += _complete(table, entry, now)
        except Exception as error:  # it is tried again later; the others must not wait for it
            if ends_the_run(error):
                raise
            alarm("completion.failed", item=entry["sk"])
            failed += 1
            put_off(table, entry, now)
    return CompletionReport(examined, completed, examined - completed - failed, failed, finished=True)


def _complete(table: Table, entry: Item, now: datetime) -> bool:
    """Whether the booking was completed here; one that was cancelled or moved to a later time meanwhile is left alone."""
    found = bookings.read_due(table, entry, now)
    if found is None or found.status is not BookingStatus.CONFIRMED:
        return False
    try:
        return complete(found, table=table, now=now, by="schedule").status is BookingStatus.COMPLETED
    except RefusedError:
        return False
