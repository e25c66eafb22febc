"""Refunds that are owed: each is bounded by what its attempt holds, and shown on the session in the same write."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.money import Money
from payfirst.domain.moves import AttemptStatus, RefundStatus, SessionStatus, attempt_sources
from payfirst.domain.refund import GIVEN_BACK, Refund
from payfirst.domain.session import Failure, Session
from payfirst.storage import checks, paid_back, totals
from payfirst.storage.decisions import Decision, decision_writes
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Put, Update, Write, absent, at_least, equal, one_of
from payfirst.storage.dynamodb.table import Table, transact
from payfirst.storage.holds import ATTEMPT, free_guard_write, free_writes
from payfirst.storage.items import failure_to_map
from payfirst.storage.refunds import REFUND, refund_to_item
from payfirst.storage.sessions import change_write, timeline_entry


def refund_due(
    table: Table,
    session: Session,
    attempt: Attempt,
    amount: Money,
    reason: Failure,
    now: datetime,
    *,
    also: tuple[Write, ...] = (),
    decision: Decision | None = None,
) -> None:
    """Owe `amount` of an attempt's money back: the refund `R{attempt}-1`, bounded by what is refundable.

    A session that was paid by this attempt and cannot be fulfilled fails with `reason` and frees its cart version.
    Conflicts: attempt, refund (it exists), session, guard.
    """
    refund = _new(attempt, amount, 1, now, reason.code)
    unfulfilled = session.captured == attempt.ref
    writes: list[Write] = [
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(
                one_of("status", {attempt.status} & attempt_sources(AttemptStatus.REFUND_DUE)),
                at_least("refundable", amount.minor),
            ),
            set={
                "status": AttemptStatus.REFUND_DUE.value,
                "held_promo": None,
                "held_stock": None,
                "held_slot": None,
                **checks.due_once_settled(attempt),
            },
            add={"refundable": -amount.minor},
            remove=("review",),
        ),
        Put(REFUND, refund_to_item(refund), when=(absent("pk"),)),
        *totals.owe_writes(refund, attempt),
        _refunding(session, refund, reason, unfulfilled=unfulfilled),
        timeline_entry(
            session,
            "refund.due",
            now,
            by="payfirst",
            to=SessionStatus.FAILED if unfulfilled else None,
            attempt=attempt.number,
            amount=amount.minor,
            reason=reason.code,
        ),
        *also,
    ]
    if unfulfilled:
        writes += [free_guard_write(attempt), *free_writes(attempt)]
    transact(table, decision_writes(session, writes, decision, now))


def _new(attempt: Attempt, amount: Money, number: int, now: datetime, reason: str) -> Refund:
    """The refund as it is made; ValueError for one of nothing, which nobody could send. (Earlier releases have made some.)"""
    if amount.minor <= 0:
        raise ValueError(f"a refund of {amount} sends nothing back")
    return Refund(
        ref=attempt.ref,
        number=number,
        owner=attempt.owner,
        session_number=attempt.session_number,
        gateway=attempt.gateway,
        amount=amount,
        status=RefundStatus.DUE,
        reason=reason,
        created_at=now,
        receipt=attempt.receipt,
        is_due=True,
    )


def _refunding(session: Session, refund: Refund, failure: Failure, *, unfulfilled: bool) -> Update:
    shown = paid_back.shown_values(session, refund, RefundStatus.DUE, paid_back.back_after(session, refund, RefundStatus.DUE))
    if not unfulfilled:
        # What a session that never had any money says of its failure has to be true of this money as well.
        failed = session.status is SessionStatus.FAILED and session.captured is None
        said: dict[str, Any] = {"failure": failure_to_map(failure)} if failed else {}
        return change_write(session, **shown, **said)
    return change_write(
        session,
        equal("captured", refund.ref),
        absent("outcome"),
        to=SessionStatus.FAILED,
        failure=failure_to_map(failure),
        **shown,
    )


def give_back(
    table: Table, session: Session, attempt: Attempt, amount: Money, number: int, now: datetime, *, by: str, why: str
) -> None:
    """Owe `amount` of a payment back by a person's will, in full or in part; the order or booking stays as it is.

    Conflicts: attempt (not that much is refundable any more), refund (that number is taken), session.
    """
    refund, writes = owe_writes(attempt, amount, number, now, reason=GIVEN_BACK, why=why)
    transact(table, [*writes, *paid_back.shown_writes(session, refund, RefundStatus.DUE, now, by=by, why=why)])


def owe_writes(
    attempt: Attempt, amount: Money, number: int, now: datetime, *, reason: str, why: str | None = None
) -> tuple[Refund, list[Write]]:
    """The `number`th refund of a payment, and the writes that owe it, bounded by what is left; the session shows it beside.

    Conflicts: attempt (not that much is refundable any more), refund (that number is taken).
    """
    refund = replace(_new(attempt, amount, number, now, reason), why=why)
    return refund, [
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(
                one_of("status", (AttemptStatus.SUCCEEDED, AttemptStatus.REFUND_DUE)),
                absent("next_check_at"),  # what is still being settled may yet become a booking, an order or a refund
                at_least("refundable", amount.minor),
            ),
            add={"refundable": -amount.minor},
        ),
        Put(REFUND, refund_to_item(refund), when=(absent("pk"),)),
        *totals.owe_writes(refund),
    ]
