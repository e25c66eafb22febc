"""Captured money: recorded first, whatever stock or promos say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.money import Money
from payfirst.domain.moves import UNRESOLVED, AttemptStatus, SessionStatus, attempt_sources
from payfirst.domain.refund import GATEWAY
from payfirst.domain.session import Failure, Session
from payfirst.storage import checks, totals
from payfirst.storage.decisions import Decision, decision_writes
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Put, Update, Write, absent, equal, one_of
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, transact
from payfirst.storage.holds import ATTEMPT, GUARD, free_phone_write, guard_free, guard_key, release_writes
from payfirst.storage.items import failure_to_map
from payfirst.storage.sessions import change_write, timeline_entry

RECEIPT, DOUBT = "receipt", "doubt"


@dataclass(frozen=True, slots=True)
class Collected:
    """What a gateway says that it collected: the amount, and the receipt where it states one.

    `confirm` is when its gateway is asked, where only a notice says so, and `gateway_id` what the notice says to ask by.
    """

    amount: Money
    receipt: str | None
    confirm: tuple[int, datetime] | None = None
    gateway_id: str | None = None


def _success_writes(attempt: Attempt, collected: Collected, now: datetime) -> list[Write]:
    """The attempt has the money; it stays due until the money is fulfilled or on its way back."""
    key = keys.attempt(attempt.ref)
    # What an unresolved attempt holds is decided in this write, so the write must find it unresolved; one that failed holds
    # nothing any more.
    found = UNRESOLVED if attempt.unresolved else frozenset({attempt.status})
    sources = found & attempt_sources(AttemptStatus.SUCCEEDED)
    writes: list[Write] = [
        Update(
            ATTEMPT,
            key,
            when=(one_of("status", sources), absent("captured")),
            set={
                "status": AttemptStatus.SUCCEEDED.value,
                "captured": collected.amount.minor,
                "refundable": collected.amount.minor,
                "captured_at": instant(now),
                "receipt": collected.receipt,
                "failure": None,
                "review": None,
                "next_check_at": instant(now),
                **due_index.due(due_index.SETTLE, key, now),
                **checks.confirmed_later(collected.confirm),
                **checks.named(attempt, collected.gateway_id),
            },
        ),
        *totals.capture_writes(attempt, collected.amount, now),
    ]
    if collected.receipt:
        writes.append(
            Put(
                RECEIPT,
                {**keys.receipt(attempt.gateway, collected.receipt), "ref": attempt.ref},
                when=(absent("pk"),),
            )
        )
    return writes


def _received_entry(
    session: Session, attempt: Attempt, collected: Collected, now: datetime, *, to: SessionStatus | None = SessionStatus.PAID
) -> Put:
    return timeline_entry(
        session,
        "payment.received",
        now,
        by="gateway",
        to=to,
        attempt=attempt.number,
        amount=collected.amount.minor,
        receipt=collected.receipt,
    )


def money(
    table: Table,
    session: Session,
    attempt: Attempt,
    collected: Collected,
    now: datetime,
    *,
    decision: Decision | None = None,
) -> None:
    """Record the money that `session` waits for; no condition is about stock, promos or carts.

    Names that can: attempt (somebody was faster), receipt (it serves another attempt), session (it does not wait for this one).
    """
    writes = [
        *_success_writes(attempt, collected, now),
        change_write(
            session,
            equal("live_attempt", attempt.ref),
            absent("captured"),
            to=SessionStatus.PAID,
            captured=attempt.ref,
            live_attempt=None,
            failure=None,
        ),
        _received_entry(session, attempt, collected, now),
    ]
    if attempt.phone:
        writes.append(free_phone_write(attempt))
    transact(table, decision_writes(session, writes, decision, now))


def late_money(
    table: Table,
    session: Session,
    attempt: Attempt,
    collected: Collected,
    now: datetime,
    *,
    decision: Decision | None = None,
) -> None:
    """Record money of an attempt that had ended, and honour it: the session and its cart version are still free.

    Conflicts: those of `money`, and guard.
    """
    writes: list[Write] = [
        *_success_writes(attempt, collected, now),
        change_write(
            session,
            absent("live_attempt"),
            absent("captured"),
            to=SessionStatus.PAID,
            captured=attempt.ref,
            failure=None,
        ),
        Update(
            GUARD,
            guard_key(attempt),
            when=guard_free(attempt),
            set={"live_attempt": attempt.ref, "session": attempt.session_number},
        ),
        _received_entry(session, attempt, collected, now),
    ]
    transact(table, decision_writes(session, writes, decision, now))


def surplus_money(
    table: Table,
    session: Session,
    attempt: Attempt,
    collected: Collected,
    failure: Failure,
    now: datetime,
    *,
    decision: Decision | None = None,
) -> None:
    """Record money that no session can take: a second payment, a wrong amount, a closed session. Its refund follows.

    A session that waited for this attempt fails with `failure` and frees what the attempt held.
    """
    awaited = session.live_attempt == attempt.ref
    change = (
        change_write(
            session,
            equal("live_attempt", attempt.ref),
            to=SessionStatus.FAILED,
            live_attempt=None,
            failure=failure_to_map(failure),
        )
        if awaited
        else change_write(session)
    )
    writes = [
        *_success_writes(attempt, collected, now),
        change,
        _received_entry(session, attempt, collected, now, to=SessionStatus.FAILED if awaited else None),
        *(release_writes(attempt) if awaited else []),
    ]
    transact(table, decision_writes(session, writes, decision, now))


def bind_receipt(table: Table, attempt: Attempt, receipt: str) -> None:
    """Bind the receipt of money that was known without one. Conflicts: attempt, receipt."""
    transact(
        table,
        [
            Update(ATTEMPT, keys.attempt(attempt.ref), when=(absent("receipt"),), set={"receipt": receipt}),
            Put(RECEIPT, {**keys.receipt(attempt.gateway, receipt), "ref": attempt.ref}, when=(absent("pk"),)),
        ],
    )


def contradiction(
    table: Table, session: Session, ref: str, reason: str, now: datetime, *, by: str = GATEWAY, **facts: Any
) -> bool:
    """Put what contradicts what is recorded of an attempt on the list that a person sees; the attempt does not change.

    The timeline has it too, with who said so and `facts`. False where the same has been told before: it is told once, also when
    a person has closed it. ConditionFailedError when the session has changed.
    """
    key = keys.review(ref, reason)
    doubt = {**key, **due_index.due(due_index.REVIEW, key, now), "ref": ref, "reason": reason, "at": instant(now)}
    try:
        transact(
            table,
            [
                Put(DOUBT, doubt, when=(absent("pk"),)),
                change_write(session),
                timeline_entry(session, "payment.contradicted", now, by=by, reason=reason, **facts),
            ],
        )
    except ConditionFailedError as error:
        if DOUBT not in error.failed:
            raise
        return False
    return True
