"""Attempts: claimed before the gateway is called, sent, failed, looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.moves import UNRESOLVED, AttemptStatus, SessionStatus, attempt_sources
from payfirst.domain.session import AttemptCodes, BookingSnapshot, Failure, Kind, Session
from payfirst.storage import keys, promos, slots
from payfirst.storage.expressions import (
    Condition,
    Put,
    Update,
    Write,
    above,
    absent,
    any_of,
    at_least,
    at_most,
    equal,
    one_of,
)
from payfirst.storage.items import attempt_from_item, attempt_to_item, codes_to_map, failure_to_map, session_to_item
from payfirst.storage.sessions import SESSION, changed, counted, told
from payfirst.storage.table import Table, batch_get, get, transact, write

ATTEMPT, GUARD, PHONE, TRANSACTION = "attempt", "guard", "phone", "transaction"


def read(table: Table, ref: str) -> Attempt | None:
    """The attempt of that reference; None when there is none."""
    item = get(table, keys.attempt(ref))
    return attempt_from_item(item) if item else None


def read_pointer(table: Table, code: str) -> Mapping[str, Any] | None:
    """What a public code or a gateway's id points at: the map that was stored with it; None when nothing."""
    return get(table, keys.pointer(code))


def guard_key(attempt: Attempt) -> keys.Key:
    """The guard of the cart version that the attempt pays for."""
    return keys.guard(attempt.owner, attempt.guard.key)


def guard_free(attempt: Attempt) -> tuple[Condition, ...]:
    """The cart version is neither paid for nor being paid for; in document A the cart must still be there, as it was."""
    unchanged = (equal("version", attempt.guard.version),) if attempt.kind is Kind.BOOKING else ()
    return (absent("live_attempt"), absent("converted_by"), *unchanged)


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

    `is_new` makes the session in the same write (document A); else it must be as it was read, payable and unexpired. Names
    that can stand in the way: session, attempt, transaction (its code is taken), guard, phone, promo, promo_uses, `listing:ID`,
    `slot:…`.
    """
    initiated = told(
        session,
        "payment.initiated",
        now,
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
            GUARD,
            guard_key(attempt),
            when=guard_free(attempt),
            set={"live_attempt": attempt.ref, "session": attempt.session_number},
        ),
        initiated,
        *also,
    ]
    if attempt.phone:
        writes.append(_phone_taken(attempt, now, pace_until))
    writes += [_stock_held(number, quantity) for number, quantity in attempt.held_stock]
    if isinstance(session.snapshot, BookingSnapshot):
        writes += _booking_held(session.snapshot, attempt)
    transact(table, writes)


def _booking_held(snapshot: BookingSnapshot, attempt: Attempt) -> list[Write]:
    writes: list[Write] = []
    if attempt.held_promo:
        writes += promos.taken(attempt.held_promo, attempt.owner, snapshot.promo_limit)
    if attempt.held_slot and snapshot.capacity is not None:
        writes.append(slots.taken(attempt.held_slot, snapshot.capacity, held=1))
    return writes


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
        counted(session.customer.sub, keys.SESSION),
        told(session, "session.created", now, offset=0, amount=session.amount.minor),
    ]


def _next_claim(session: Session, attempt: Attempt, now: datetime) -> Update:
    return changed(
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


def _phone_taken(attempt: Attempt, now: datetime, pace_until: datetime) -> Update:
    return Update(
        PHONE,
        keys.phone(attempt.phone or ""),
        when=(absent("attempt"), any_of(absent("next_push_at"), at_most("next_push_at", instant(now)))),
        set={"attempt": attempt.ref, "next_push_at": instant(pace_until)},
    )


def _stock_held(listing: int, quantity: Decimal) -> Update:
    return Update(
        f"listing:{listing}",
        keys.listing(listing),
        when=(at_least("available", quantity),),
        add={"available": -quantity, "held": quantity},
    )


def released(attempt: Attempt) -> list[Write]:
    """What an unresolved attempt holds, given back: the cart version, the phone, the promo's use, the stock, the slot."""
    writes: list[Write] = [freed_guard(attempt)]
    if attempt.phone:
        writes.append(freed_phone(attempt))
    return [*writes, *freed_holds(attempt)]


def freed_holds(attempt: Attempt) -> list[Write]:
    """The promo's use, the stock and the slot that the attempt held, given back to others."""
    writes: list[Write] = [
        Update(
            f"listing:{number}",
            keys.listing(number),
            when=(at_least("held", quantity),),
            add={"available": quantity, "held": -quantity},
        )
        for number, quantity in attempt.held_stock
    ]
    if attempt.held_promo:
        writes += promos.freed(attempt.held_promo, attempt.owner)
    if attempt.held_slot:
        writes.append(slots.freed(attempt.held_slot, held=1))
    return writes


def freed_guard(attempt: Attempt) -> Update:
    """The cart version may be paid for by another attempt."""
    return Update(GUARD, guard_key(attempt), when=(equal("live_attempt", attempt.ref),), remove=("live_attempt",))


def freed_phone(attempt: Attempt) -> Update:
    """The phone may be prompted again."""
    return Update(PHONE, keys.phone(attempt.phone or ""), when=(equal("attempt", attempt.ref),), remove=("attempt",))


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


def mark_sent(table: Table, attempt: Attempt, ids: Mapping[str, str | None], check: tuple[int, datetime] | None) -> None:
    """The gateway took the attempt: its ids, and when to look next. ConditionFailedError when it has moved on meanwhile."""
    change = Update(
        ATTEMPT,
        keys.attempt(attempt.ref),
        when=(equal("status", AttemptStatus.CREATED),),
        set={"status": AttemptStatus.SENT.value, **ids, **due_again(attempt, check)},
    )
    checkout = ids.get("gateway_id")
    if attempt.gateway != "MPESA" or checkout is None:
        write(table, change)
    else:
        transact(table, [change, _checkout_pointer(attempt, checkout)])


def add_ids(table: Table, attempt: Attempt, ids: Mapping[str, str | None]) -> None:
    """The gateway's ids for an attempt that has moved on before its answer was stored; what is there already stays."""
    change = Update(ATTEMPT, keys.attempt(attempt.ref), when=(absent("gateway_id"),), set=ids)
    checkout = ids.get("gateway_id")
    if attempt.gateway != "MPESA" or checkout is None:
        write(table, change)
    else:
        transact(table, [change, _checkout_pointer(attempt, checkout)])


def _checkout_pointer(attempt: Attempt, checkout: str) -> Put:
    # The gateway makes this id: should it ever repeat one, the newest attempt is the one that is asked about.
    return Put("checkout", {**keys.pointer(keys.hashed(checkout)), "ref": attempt.ref})


def mark_unknown(table: Table, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    """The gateway's answer was lost: the attempt is looked up, never sent again."""
    write(
        table,
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(equal("status", AttemptStatus.CREATED),),
            set={"status": AttemptStatus.UNKNOWN.value, **due_again(attempt, check)},
        ),
    )


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


def fail(
    table: Table,
    session: Session,
    attempt: Attempt,
    failure: Failure,
    now: datetime,
    *,
    check: tuple[int, datetime] | None = None,
    also: tuple[Write, ...] = (),
) -> None:
    """End `attempt` without money and free what it held; its session may be initiated again.

    `check` plans one more look where the gateway is known to take a failure back. A session that waits for another attempt
    stays as it is.
    """
    writes: list[Write] = [
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(one_of("status", _failing(attempt)),),
            set={
                "status": AttemptStatus.FAILED.value,
                "failure": failure_to_map(failure),
                "held_promo": None,
                "held_stock": None,
                "held_slot": None,
                **due_again(attempt, check),
            },
        ),
        *also,
    ]
    if session.live_attempt == attempt.ref:
        writes += [
            changed(
                session,
                equal("live_attempt", attempt.ref),
                to=SessionStatus.FAILED,
                live_attempt=None,
                failure=failure_to_map(failure),
            ),
            told(session, "payment.failed", now, by="gateway", attempt=attempt.number, code=failure.code),
            *released(attempt),
        ]
    transact(table, writes)


def _failing(attempt: Attempt) -> frozenset[AttemptStatus]:
    """From where this attempt may fail: unresolved, or under review when a person decides; nothing else is ever taken back."""
    return UNRESOLVED if attempt.unresolved else frozenset({attempt.status}) & attempt_sources(AttemptStatus.FAILED)


def review(table: Table, session: Session, attempt: Attempt, reason: str, now: datetime, also: tuple[Write, ...] = ()) -> None:
    """Put `attempt` on the list that a person sees; nothing it holds is given back until that person decided."""
    key = keys.attempt(attempt.ref)
    transact(
        table,
        [
            Update(
                ATTEMPT,
                key,
                when=(one_of("status", attempt_sources(AttemptStatus.NEEDS_REVIEW)),),
                set={
                    "status": AttemptStatus.NEEDS_REVIEW.value,
                    "review": reason,
                    "next_check_at": None,
                    **keys.due(keys.REVIEW, key, now),
                },
            ),
            changed(session),
            told(session, "payment.needs_review", now, by="gateway", attempt=attempt.number, reason=reason),
            *also,
        ],
    )


def read_with_session(table: Table, attempt: Attempt, *more: keys.Key) -> list[dict[str, Any] | None]:
    """The session of `attempt` and the items at `more`, in one request and that order."""
    return batch_get(table, [keys.owned(attempt.owner, keys.SESSION, attempt.session_number), *more])
