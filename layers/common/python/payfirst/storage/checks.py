"""When an attempt's gateway is asked next: planned, taken by one caller, brought forward."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.moves import UNRESOLVED, AttemptStatus
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update, absent, any_of, below_attribute, equal, one_of
from payfirst.storage.dynamodb.table import Table, write
from payfirst.storage.holds import ATTEMPT


def due_again(attempt: Attempt, check: tuple[int, datetime] | None) -> dict[str, Any]:
    """The attributes that plan the attempt's next check, or none."""
    if check is None:
        return {"next_check_at": None, **dict.fromkeys(due_index.NOT_DUE)}
    number, moment = check
    return {
        "check": number,
        "next_check_at": instant(moment),
        **due_index.due(due_index.SETTLE, keys.attempt(attempt.ref), moment),
    }


def named(attempt: Attempt, gateway_id: str | None) -> dict[str, Any]:
    """The attribute by which the gateway can be asked, where a notice states it before the answer to the push is stored."""
    return {"gateway_id": gateway_id} if gateway_id is not None and attempt.gateway_id is None else {}


def due_once_settled(attempt: Attempt) -> dict[str, Any]:
    """The attributes of an attempt whose money is settled: nothing is due, except the check of what only a notice told."""
    nothing = due_again(attempt, None)
    if attempt.confirm_at is None:
        return nothing
    return nothing | due_index.due(due_index.SETTLE, keys.attempt(attempt.ref), attempt.confirm_at)


def confirmed_later(check: tuple[int, datetime] | None) -> dict[str, Any]:
    """The attributes that plan the check of a success that only a notice told of, or end it (None)."""
    return {} if check is None else {"check": check[0], "confirm_at": instant(check[1])}


def take_confirmation(table: Table, attempt: Attempt, check: tuple[int, datetime] | None) -> Attempt:
    """Take the check of a success that is due, so that nobody else asks for it, and plan the one after, or none (None).

    The attempt as it is then. ConditionFailedError when somebody else has taken it.
    """
    later = replace(attempt, confirm_at=check[1] if check else None, check=check[0] if check else attempt.check)
    seen = equal("confirm_at", instant(attempt.confirm_at)) if attempt.confirm_at else absent("confirm_at")
    change = {"confirm_at": None, **confirmed_later(check), **due_once_settled(later)}
    settled = one_of("status", (AttemptStatus.SUCCEEDED, AttemptStatus.REFUND_DUE))
    write(table, Update(ATTEMPT, keys.attempt(attempt.ref), when=(settled, seen, absent("next_check_at")), set=change))
    return later


def take_check(table: Table, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    """Take the check that is due, so that nobody else asks the gateway for it, and plan the one after."""
    seen = equal("next_check_at", instant(attempt.next_check_at)) if attempt.next_check_at else absent("next_check_at")
    write(table, Update(ATTEMPT, keys.attempt(attempt.ref), when=(seen,), set=due_again(attempt, check)))


def check_now(table: Table, attempt: Attempt, now: datetime) -> None:
    """Make the attempt's next check due at once. ConditionFailedError when it is resolved already, or checked meanwhile."""
    seen = equal("next_check_at", instant(attempt.next_check_at)) if attempt.next_check_at else absent("next_check_at")
    change = due_again(attempt, (attempt.check, now))
    write(table, Update(ATTEMPT, keys.attempt(attempt.ref), when=(one_of("status", UNRESOLVED), seen), set=change))


def request(table: Table, attempt: Attempt) -> None:
    """Note that the attempt's planned check was asked for. ConditionFailedError when it was before, or has been taken."""
    moment = instant(attempt.next_check_at) if attempt.next_check_at else ""
    fresh = any_of(absent("requested"), below_attribute("requested", "next_check_at"))
    change = Update(ATTEMPT, keys.attempt(attempt.ref), when=(equal("next_check_at", moment), fresh), set={"requested": moment})
    write(table, change)


def plan_check_again(table: Table, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    """Plan one more check of an attempt that was given up while its gateway might still collect, or no more (None).

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
