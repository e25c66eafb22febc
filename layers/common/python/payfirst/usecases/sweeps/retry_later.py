"""What keeps failing is tried later and later, then it is a dead letter; what cannot be reached now counts for nothing.

A dead letter stands on the list for a person, is tried once an hour all the same, and leaves the list when that succeeds. It
never stops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import ContentionError, PayFirstError, TemporaryError
from payfirst.observability import alarm, note, warn
from payfirst.storage import due
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb.failures import ConditionFailedError, lies_in_the_request
from payfirst.storage.dynamodb.schema import NewerItemError
from payfirst.storage.dynamodb.table import Table

_ABOUT_THE_MESSAGE: Final = frozenset({"MessageRejected", "BadRequestException"})
"""What SES says of one e-mail. Everything else it refuses for is a right, a limit, a setting or its own trouble."""


def is_passing(error: Exception) -> bool:
    """Whether `error` says nothing about the item it was met with: configuration, a limit, contention, or silence."""
    if isinstance(error, PayFirstError):
        return isinstance(error, TemporaryError)
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in _ABOUT_THE_MESSAGE:
        return False
    return not isinstance(error, ConditionFailedError) and not lies_in_the_request(error)


def ends_the_run(error: Exception) -> bool:
    """Whether every other item would meet `error` too; what is newer, or changes all the time, stands alone."""
    return is_passing(error) and not isinstance(error, NewerItemError | ContentionError)


def count_failure(table: Table, entry: Entry, now: datetime, error: Exception, event: str) -> None:
    """The log hears of `error`, which `entry` alone met; unless it is a passing one, the entry is tried later and later."""
    if is_passing(error):
        warn(event, item=entry.name, error=type(error).__name__)
        return
    alarm(event, item=entry.name)
    retry_later(table, entry, now)


def retry_later(table: Table, entry: Entry, now: datetime) -> bool:
    """Try a failing entry again later; whether it has failed so often now that it is a dead letter, which a person sees."""
    try:
        is_dead = due.retry_later(table, entry, now)
    except ConditionFailedError:
        return False  # another run has just made it due later or brought it further
    except Exception as error:  # noqa: BLE001 - it stays due as it is; the others must not wait for it
        if not isinstance(error, TemporaryError):  # the table is away for a moment: the next run sees
            alarm("due.not_retried", item=entry.name)
        return False
    if is_dead:
        alarm("due.dead_letter", item=entry.name)
    return is_dead


def forget_failures(table: Table, entry: Entry, now: datetime) -> None:
    """The entry went as far as it goes now: what it failed before counts no longer."""
    try:
        due.forget_failures(table, entry, now)
    except (ConditionFailedError, TemporaryError):
        note("due.moved_on", item=entry.name)  # somebody else has it, or its next success says so


Work = Callable[[Sequence[Entry]], Iterable[int]]
"""What is done to a batch of entries; it yields to how many of them it was, step by step, for the others may have moved on."""


@dataclass(slots=True)
class Batches:
    """What came of batches so far: entries that were taken up, those that something was done to, those that failed, and whether
    the last one was reached."""

    table: Table
    now: datetime
    event: str
    """What the log calls the failure of one entry."""

    examined: int = 0
    done: int = 0
    failed: int = 0
    finished: bool = True

    @property
    def moved_on(self) -> int:
        """Entries that were no longer due."""
        return self.examined - self.done - self.failed

    def each(self, batches: Iterable[Sequence[Entry]], work: Work, *, until: Deadline, spare_s: float) -> None:
        """Do `work` to each batch, as long as `until` leaves `spare_s` seconds for the next one.

        Where a batch fails, each of its entries is tried by itself; one that fails alone is tried later and later, then it is a
        dead letter, which a person sees. What every other entry would meet too is raised.
        """
        for entries in batches:
            if until.remaining() < spare_s:
                self.finished = False
                break
            self.examined += len(entries)
            self._one(entries, work)

    def _one(self, entries: Sequence[Entry], work: Work) -> None:
        try:
            for done in work(entries):
                self.done += done
        except Exception as error:  # one of them is broken, and the others must not wait
            if ends_the_run(error):
                raise
            if len(entries) > 1:
                for entry in entries:
                    self._one([entry], work)
            else:
                self.failed += 1
                count_failure(self.table, entries[0], self.now, error, self.event)
