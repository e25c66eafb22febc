"""Captured money: recorded first, whatever stock or promos say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.money import Money
from payfirst.domain.moves import UNRESOLVED, AttemptStatus, SessionStatus, attempt_sources
from payfirst.domain.session import Failure, Session
from payfirst.storage import keys
from payfirst.storage.expressions import Put, Update, Write, absent, equal, one_of
from payfirst.storage.holds import ATTEMPT, GUARD, freed_phone, guard_free, guard_key, released
from payfirst.storage.items import failure_to_map
from payfirst.storage.sessions import changed, told
from payfirst.storage.table import Table, query, transact, write

RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Collected:
    """What a gateway says that it collected: the amount, and the receipt where it states one."""

    amount: Money
    receipt: str | None


def _succeeded(attempt: Attempt, collected: Collected, now: datetime) -> list[Write]:
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
            when=(one_of("status", sources),),
            set={
                "status": AttemptStatus.SUCCEEDED.value,
                "captured": collected.amount.minor,
                "refundable": collected.amount.minor,
                "captured_at": instant(now),
                "receipt": collected.receipt,
                "failure": None,
                "review": None,
                "next_check_at": instant(now),
                **keys.due(keys.SETTLE, key, now),
            },
        )
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


def _received(
    session: Session, attempt: Attempt, collected: Collected, now: datetime, *, to: SessionStatus | None = SessionStatus.PAID
) -> Put:
    return told(
        session,
        "payment.received",
        now,
        by="gateway",
        to=to,
        attempt=attempt.number,
        amount=collected.amount.minor,
        receipt=collected.receipt,
    )


def money(table: Table, session: Session, attempt: Attempt, collected: Collected, now: datetime) -> None:
    """Record the money that `session` waits for; nothing about stock, promos or carts can stand in the way.

    Names that can: attempt (somebody was faster), receipt (it serves another attempt), session (it does not wait for this one).
    """
    writes = [
        *_succeeded(attempt, collected, now),
        changed(
            session,
            equal("live_attempt", attempt.ref),
            absent("captured"),
            to=SessionStatus.PAID,
            captured=attempt.ref,
            live_attempt=None,
            failure=None,
        ),
        _received(session, attempt, collected, now),
    ]
    if attempt.phone:
        writes.append(freed_phone(attempt))
    transact(table, writes)


def late_money(table: Table, session: Session, attempt: Attempt, collected: Collected, now: datetime) -> None:
    """Record money of an attempt that had ended, and honour it: the session and its cart version are still free.

    Names that can stand in the way: those of `money`, and guard.
    """
    transact(
        table,
        [
            *_succeeded(attempt, collected, now),
            changed(
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
            _received(session, attempt, collected, now),
        ],
    )


def surplus_money(
    table: Table, session: Session, attempt: Attempt, collected: Collected, failure: Failure, now: datetime
) -> None:
    """Record money that no session can take: a second payment, a wrong amount, a closed session. Its refund follows.

    A session that waited for this attempt fails with `failure` and frees what the attempt held.
    """
    awaited = session.live_attempt == attempt.ref
    change = (
        changed(
            session,
            equal("live_attempt", attempt.ref),
            to=SessionStatus.FAILED,
            live_attempt=None,
            failure=failure_to_map(failure),
        )
        if awaited
        else changed(session)
    )
    transact(
        table,
        [
            *_succeeded(attempt, collected, now),
            change,
            _received(session, attempt, collected, now, to=SessionStatus.FAILED if awaited else None),
            *(released(attempt) if awaited else []),
        ],
    )


def bind_receipt(table: Table, attempt: Attempt, receipt: str) -> None:
    """Bind the receipt of money that was known without one. Names that can stand in the way: attempt, receipt."""
    transact(
        table,
        [
            Update(ATTEMPT, keys.attempt(attempt.ref), when=(absent("receipt"),), set={"receipt": receipt}),
            Put(RECEIPT, {**keys.receipt(attempt.gateway, receipt), "ref": attempt.ref}, when=(absent("pk"),)),
        ],
    )


def close_doubts(table: Table, ref: str, now: datetime, *, by: str, why: str) -> int:
    """Take the attempt's open doubts off the list; how many there were."""
    page = query(table, f"ATT#{ref}", first="REVIEW#", last="REVIEW#~", limit=100)
    doubts = [item for item in page.items if "due_pk" in item]
    for item in doubts:
        key = {"pk": item["pk"], "sk": item["sk"]}
        closed = {"closed_at": instant(now), "by": by, "why": why}
        write(table, Update("doubt", key, set=closed, remove=keys.NOT_DUE))
    return len(doubts)


def contradiction(table: Table, attempt: Attempt, reason: str, now: datetime) -> None:
    """Put what contradicts a success on the list that a person sees, beside the attempt; the attempt does not change."""
    key = keys.review(attempt.ref, reason)
    item = {**key, **keys.due(keys.REVIEW, key, now), "ref": attempt.ref, "reason": reason, "at": instant(now)}
    # The same contradiction found again is due again.
    write(table, Put("review", item))  # nosemgrep: unconditional-put
