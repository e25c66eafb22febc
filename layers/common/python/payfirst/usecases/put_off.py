"""What keeps failing is tried later and later, then waits for a person; it never stops the others."""

from __future__ import annotations

from datetime import datetime

from payfirst.domain.errors import TemporaryError
from payfirst.observability import alarm
from payfirst.storage import due
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.schema import NewerItemError
from payfirst.storage.table import Table


def ends_the_run(error: Exception) -> bool:
    """Whether every other item would meet `error` too: what cannot be reached stays away, what is newer stands alone."""
    return isinstance(error, TemporaryError) and not isinstance(error, NewerItemError)


def put_off(table: Table, entry: Item, now: datetime) -> bool:
    """Try a failing entry again later; whether it has failed so often now that it is parked on the list for a person."""
    try:
        parked = due.put_off(table, entry, now)
    except (ConditionFailedError, TemporaryError):
        return False  # another run has just put it off or brought it further, or the table is away: the next run sees
    if parked:
        alarm("due.parked", item=entry["pk"], entry=entry["sk"])
    return parked
