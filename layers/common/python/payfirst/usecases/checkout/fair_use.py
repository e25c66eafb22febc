"""The refusals for a customer or a phone that has asked for as much as is fair."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from payfirst.domain.errors import FairUseError
from payfirst.domain.fair_use import FairUse, seconds_until_next_hour
from payfirst.observability import note
from payfirst.storage import fair_use
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Write
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.fair_use import Opened
from payfirst.storage.sessions import count_write


def one_more_session(
    table: Table, limits: FairUse, sub: str, number: int, now: datetime, *, seen: Opened | None = None
) -> list[Write]:
    """What counts the session `number` of the customer, in the write that makes it; `seen` is read where it is not given.

    Sessions are looked up only when as many were opened as may be open: some of them may have ended.

    FairUseError, until the first of them ends, when as many as `limits` allow are open already, or until the next hour.
    """
    if limits.open_sessions == limits.sessions_per_user == 0:
        return [count_write(sub, keys.SESSION)]
    seen = seen or fair_use.read_opened(table, sub)
    numbers: Sequence[int] = seen.numbers
    if 0 < limits.open_sessions <= len(numbers):
        ends, numbers = fair_use.still_open(table, sub, seen, now)
        if len(ends) >= limits.open_sessions:
            note("fair_use.reached", limits=["open_sessions"])
            message = "You have as many open payment sessions as you can; please pay one of them, or let it end."
            raise FairUseError(message, retry_after_seconds=max(1, int((min(ends) - now).total_seconds()) + 1))
    if not seen.may_open(limits, now):
        raise asked_enough({fair_use.SESSIONS}, now)
    return [fair_use.session_write(limits, sub, seen, (*numbers, number), now)]


def asked_enough(failed: set[str], now: datetime) -> FairUseError:
    """What to say when the condition of one of the counters failed; `failed` are the names of the writes that did."""
    reached = sorted(failed & fair_use.COUNTERS)
    note("fair_use.reached", limits=reached)
    if fair_use.PHONE_PROMPTS in failed:
        message = "This phone was prompted as often as an hour allows; please try again later."
    elif fair_use.PROMPTS in failed:
        message = "You have started as many payments as an hour allows; please try again later."
    else:
        message = "You have opened as many payment sessions as an hour allows; please try again later."
    return FairUseError(message, retry_after_seconds=seconds_until_next_hour(now))
