"""Attempts: claimed before the gateway is called, sent, failed, checked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.moves import UNRESOLVED, AttemptStatus, SessionStatus, attempt_sources
from payfirst.domain.session import AttemptCodes, Failure, Session
from payfirst.storage import checks, holds, totals
from payfirst.storage.decisions import Decision, decision_writes
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Put, Update, Write, above, absent, any_of, equal, one_of
from payfirst.storage.dynamodb.table import Table, batch_get, get, transact, write
from payfirst.storage.holds import ATTEMPT
from payfirst.storage.items import attempt_from_item, attempt_to_item, codes_to_map, failure_to_map, session_to_item
from payfirst.storage.sessions import SESSION, change_write, timeline_entry

TRANSACTION = "transaction"


def read(table: Table, ref: str) -> Attempt | None:
    """The attempt of that reference; None when there is none."""
    item = get(table, keys.attempt(ref))
    return attempt_from_item(item) if item else None


def read_again(table: Table, attempt: Attempt) -> Attempt:
    """The attempt as it is now; LookupError when it is gone, which no attempt ever is."""
    found = read(table, attempt.ref)
    if found is None:
        raise LookupError(f"the attempt {attempt.ref} is gone")
    return found


def read_pointer(table: Table, code: str) -> Mapping[str, Any] | None:
    """What a public code or a gateway's id points at: the map that was stored with it; None when nothing."""
    return get(table, keys.pointer(code))


def codes(attempt: Attempt) -> AttemptCodes:
    """The attempt's names as its session shows them."""
    return AttemptCodes(attempt.ref, attempt.transaction, attempt.number, attempt.gateway)


def claim(
    table: Table,
    session: Session,
    attempt: Attempt,
    now: datetime,
    *,
    pace_until: datetime,
    is_new: bool,
    also: Sequence[Write] = (),
) -> None:
    """Make `attempt` the one live attempt of `session`, before its gateway hears of it.

    `is_new` makes the session in the same write (document A), where `also` counts it; else it must be as it was read, payable
    and unexpired. Conflicts: session, attempt, transaction (its code is taken), guard, phone, promo, promo_uses, `listing:ID`,
    `slot:…`.
    """
    initiated = timeline_entry(
        session,
        "payment.initiated",
        now,
        to=SessionStatus.PAYMENT_INITIATED,
        amount=attempt.amount.minor,
        gateway=attempt.gateway,
        attempt=attempt.number,
        ordinal=session.attempts + 1,
    )
    writes: list[Write] = [
        *(_first_claim(session, attempt, now) if is_new else [_next_claim(session, attempt, now)]),
        Put(ATTEMPT, attempt_to_item(attempt), when=(absent("pk"),)),
        Put(
            TRANSACTION,
            {**keys.pointer(attempt.transaction), "ref": attempt.ref, **_session_pointer(attempt)},
            when=(absent("pk"),),
        ),
        Update(
            holds.GUARD,
            holds.guard_key(attempt),
            when=holds.guard_free(attempt),
            set={"live_attempt": attempt.ref, "session": attempt.session_number, **holds.renewal(attempt, now)},
        ),
        initiated,
        *also,
    ]
    if attempt.phone:
        writes.append(holds.phone_write(attempt, now, pace_until))
    writes += [holds.stock_write(number, quantity) for number, quantity in attempt.held_stock]
    writes += holds.promo_and_slot_writes(session.snapshot, attempt)
    transact(table, writes)


def _session_pointer(attempt: Attempt) -> dict[str, Any]:
    return {"owner": attempt.owner, "session": attempt.session_number}


def _first_claim(session: Session, attempt: Attempt, now: datetime) -> list[Write]:
    started = replace(
        session,
        status=SessionStatus.PAYMENT_INITIATED,
        live_attempt=attempt.ref,
        latest=codes(attempt),
        attempts=1,
        sequence=session.sequence + 1,
    )
    return [
        Put(SESSION, session_to_item(started), when=(absent("pk"),)),
        timeline_entry(session, "session.created", now, offset=0, to=session.status, amount=session.amount.minor),
    ]


def _next_claim(session: Session, attempt: Attempt, now: datetime) -> Update:
    return change_write(
        session,
        above("expires_at", instant(now)),
        absent("captured"),
        absent("live_attempt"),
        to=SessionStatus.PAYMENT_INITIATED,
        live_attempt=attempt.ref,
        latest=codes_to_map(codes(attempt)),
        attempts=session.attempts + 1,
        failure=None,
        due_pk=None,
        due_sk=None,
    )


def mark_sent(
    table: Table, attempt: Attempt, ids: Mapping[str, str | None], check: tuple[int, datetime] | None, *, found_by_id: bool
) -> None:
    """The gateway took the attempt: its ids, and when to check next. ConditionFailedError when it has moved on meanwhile.

    `found_by_id`: notices may name it by its gateway's id alone, so that leads to it.
    """
    change = Update(
        ATTEMPT,
        keys.attempt(attempt.ref),
        when=(one_of("status", attempt_sources(AttemptStatus.SENT)),),
        set={"status": AttemptStatus.SENT.value, **ids, **checks.due_again(attempt, check)},
    )
    checkout = ids.get("gateway_id")
    if not found_by_id or checkout is None:
        write(table, change)
    else:
        transact(table, [change, _checkout_pointer(attempt, checkout)])


def add_ids(table: Table, attempt: Attempt, ids: Mapping[str, str | None], *, found_by_id: bool) -> None:
    """The gateway's ids for an attempt that has moved on before its answer was stored; what is there already stays."""
    unknown = any_of(absent("gateway_id"), equal("gateway_id", ids["gateway_id"]))  # a notice may have told it meanwhile
    change = Update(ATTEMPT, keys.attempt(attempt.ref), when=(unknown,), set=ids)
    checkout = ids.get("gateway_id")
    if not found_by_id or checkout is None:
        write(table, change)
    else:
        transact(table, [change, _checkout_pointer(attempt, checkout)])


def _checkout_pointer(attempt: Attempt, checkout: str) -> Put:
    # The gateway makes this id: should it ever repeat one, the newest attempt is the one that is asked about.
    return Put("checkout", {**keys.pointer(keys.hashed(checkout)), "ref": attempt.ref})  # nosemgrep: unconditional-put


def mark_unknown(table: Table, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    """The gateway's answer was lost: the attempt is looked up, never sent again."""
    write(
        table,
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(one_of("status", attempt_sources(AttemptStatus.UNKNOWN)),),
            set={"status": AttemptStatus.UNKNOWN.value, **checks.due_again(attempt, check)},
        ),
    )


def fail(
    table: Table,
    session: Session,
    attempt: Attempt,
    failure: Failure,
    now: datetime,
    *,
    check: tuple[int, datetime] | None = None,
    gateway_id: str | None = None,
    also: tuple[Write, ...] = (),
    decision: Decision | None = None,
) -> None:
    """End `attempt` without money and free what it held; its session may be initiated again.

    `check` plans one more check where the gateway may take the failure back, or where only a notice told of it; `gateway_id` is
    what to ask by, where the attempt has no such id yet. A session that waits for another attempt stays as it is.
    """
    writes: list[Write] = [
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(one_of("status", _failing(attempt)), absent("captured")),
            set={
                "status": AttemptStatus.FAILED.value,
                "failure": failure_to_map(failure),
                "held_promo": None,
                "held_stock": None,
                "held_slot": None,
                **checks.due_again(attempt, check),
                **checks.named(attempt, gateway_id),
            },
        ),
        *also,
    ]
    if session.live_attempt == attempt.ref:
        writes += [
            change_write(
                session,
                equal("live_attempt", attempt.ref),
                to=SessionStatus.FAILED,
                live_attempt=None,
                failure=failure_to_map(failure),
            ),
            timeline_entry(
                session,
                "payment.failed",
                now,
                by="gateway",
                to=SessionStatus.FAILED,
                attempt=attempt.number,
                code=failure.code,
            ),
            *holds.release_writes(attempt),
        ]
    transact(table, decision_writes(session, writes, decision, now))


def _failing(attempt: Attempt) -> frozenset[AttemptStatus]:
    """From where this attempt may fail: unresolved, or when a person decides under review, or failed and a dead letter; money
    that is recorded is never taken back."""
    return _as_found(attempt) & (attempt_sources(AttemptStatus.FAILED) | {AttemptStatus.FAILED})


def _as_found(attempt: Attempt) -> frozenset[AttemptStatus]:
    """What the write must find: what was decided of an unresolved attempt holds of no other, and the other way round."""
    return UNRESOLVED if attempt.unresolved else frozenset({attempt.status})


def review(table: Table, session: Session, attempt: Attempt, reason: str, now: datetime, also: tuple[Write, ...] = ()) -> None:
    """Put `attempt` on the list that a person sees; nothing it holds is given back until that person decided.

    Of one whose money is recorded nothing can be made; it keeps the money.
    """
    key, by = keys.attempt(attempt.ref), "gateway" if attempt.captured is None else "payfirst"
    # Somebody else may have recorded its money, and found that nothing can be made of it: it looks the same otherwise.
    as_read = () if attempt.captured else (absent("captured"),)
    transact(
        table,
        [
            Update(
                ATTEMPT,
                key,
                when=(one_of("status", _as_found(attempt) & attempt_sources(AttemptStatus.NEEDS_REVIEW)), *as_read),
                set={
                    "status": AttemptStatus.NEEDS_REVIEW.value,
                    "review": reason,
                    "next_check_at": None,
                    **due_index.due(due_index.REVIEW, key, now),
                },
            ),
            change_write(session),
            timeline_entry(session, "payment.needs_review", now, by=by, attempt=attempt.number, reason=reason),
            *totals.review_writes(attempt),
            *also,
        ],
    )


def read_with_session(table: Table, attempt: Attempt, *more: keys.Key) -> list[dict[str, Any] | None]:
    """The session of `attempt` and the items at `more`, in one request and that order."""
    return batch_get(table, [keys.owned(attempt.owner, keys.SESSION, attempt.session_number), *more])
