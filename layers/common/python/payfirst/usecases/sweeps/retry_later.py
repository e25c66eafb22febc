"""What keeps failing is tried later and later, then it is a dead letter; what cannot be reached now counts for nothing.

A dead letter stands on the list for a person, is tried once an hour all the same, and leaves the list when that succeeds. It
never stops the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

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
