"""When an attempt's gateway is asked next: planned, taken by one caller, brought forward."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.moves import UNRESOLVED, AttemptStatus
from payfirst.storage import keys
from payfirst.storage.expressions import Update, absent, equal, one_of
from payfirst.storage.holds import ATTEMPT
from payfirst.storage.table import Table, write


def due_again(attempt: Attempt, check: tuple[int, datetime] | None) -> dict[str, Any]:
    """The attributes that plan the attempt's next look, or none."""
    if check is None:
        return {"next_check_at": None, "due_pk": None, "due_sk": None}
    rung, moment = check
    return {
        "check": rung,
        "next_check_at": instant(moment),
        **keys.due(keys.SETTLE, keys.attempt(attempt.ref), moment),
    }


def take_check(table: Table, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    """Take the look that is due, so that nobody else asks the gateway for it, and plan the one after."""
    seen = equal("next_check_at", instant(attempt.next_check_at)) if attempt.next_check_at else absent("next_check_at")
    write(table, Update(ATTEMPT, keys.attempt(attempt.ref), when=(seen,), set=due_again(attempt, check)))


def look_now(table: Table, attempt: Attempt, now: datetime) -> None:
    """Make the attempt's next look due at once. ConditionFailedError when it is resolved already, or looked at meanwhile."""
    seen = equal("next_check_at", instant(attempt.next_check_at)) if attempt.next_check_at else absent("next_check_at")
    change = due_again(attempt, (attempt.check, now))
    write(table, Update(ATTEMPT, keys.attempt(attempt.ref), when=(one_of("status", UNRESOLVED), seen), set=change))


def look_again(table: Table, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    """Plan one more look at an attempt that was given up while its gateway might still collect, or no more (None).

    ConditionFailedError when it is not failed any more.
    """
    write(
        table,
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(equal("status", AttemptStatus.FAILED),),
            set=due_again(attempt, check),
        ),
    )
