"""Refunds: owed, sent, and ended; each change is shown on the session in the same write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, RefundStatus, SessionStatus, attempt_sources, refund_sources
from payfirst.domain.refund import Refund
from payfirst.domain.session import Failure, RefundShown, Session
from payfirst.storage import keys
from payfirst.storage.expressions import Item, Put, Update, Write, absent, at_least, equal, one_of
from payfirst.storage.holds import ATTEMPT, freed_guard, freed_holds
from payfirst.storage.items import failure_to_map, refund_to_map
from payfirst.storage.sessions import changed, told
from payfirst.storage.table import Table, get, query, transact, write

REFUND, NEXT = "refund", "next"


def read(table: Table, ref: str, number: int) -> Refund | None:
    """The attempt's refund of that number; None when there is none."""
    item = get(table, keys.refund(ref, number))
    return refund_from_item(item) if item else None


def refund_to_item(refund: Refund) -> Item:
    """A refund that is due, as its item."""
    key = keys.refund(refund.ref, refund.number)
    return {
        **key,
        **keys.due(keys.REFUND, key, refund.created_at),
        "refund_id": refund.refund_id,
        "ref": refund.ref,
        "number": refund.number,
        "owner": refund.owner,
        "session_number": refund.session_number,
        "gateway": refund.gateway,
        "amount": refund.amount.minor,
        "currency": refund.amount.currency.value,
        "status": refund.status.value,
        "reason": refund.reason,
        "created_at": instant(refund.created_at),
        "check": refund.check,
        **({"receipt": refund.receipt} if refund.receipt else {}),
    }


def refund_from_item(item: Item) -> Refund:
    """The refund of an item."""
    sent_at = item.get("sent_at")
    return Refund(
        ref=item["ref"],
        number=int(item["number"]),
        owner=item["owner"],
        session_number=int(item["session_number"]),
        gateway=item["gateway"],
        amount=Money(int(item["amount"]), Currency(item["currency"])),
        status=RefundStatus(item["status"]),
        reason=item["reason"],
        created_at=read_instant(item["created_at"]),
        check=int(item["check"]),
        receipt=item.get("receipt"),
        token_hash=item.get("token_hash"),
        asked_hash=item.get("asked_hash"),
        conversation=item.get("conversation"),
        sent_at=read_instant(sent_at) if sent_at else None,
        detail=item.get("detail"),
    )


def refund_due(
    table: Table,
    session: Session,
    attempt: Attempt,
    amount: Money,
    reason: Failure,
    now: datetime,
    *,
    also: tuple[Write, ...] = (),
) -> None:
    """Owe `amount` of an attempt's money back: the refund `R{attempt}-1`, bounded by what is refundable.

    A session that was paid by this attempt and cannot be fulfilled fails with `reason` and frees its cart version.
    Names that can stand in the way: attempt, refund (it exists), session, guard.
    """
    refund = _new(attempt, amount, 1, now, reason.code)
    shown = RefundShown(amount, RefundStatus.DUE.value, reason.code)
    unfulfilled = session.captured == attempt.ref
    writes: list[Write] = [
        Update(
            ATTEMPT,
            keys.attempt(attempt.ref),
            when=(
                one_of("status", attempt_sources(AttemptStatus.REFUND_DUE)),
                at_least("refundable", amount.minor),
            ),
            set={"status": AttemptStatus.REFUND_DUE.value, "held_promo": None, "held_stock": None, "held_slot": None},
            add={"refundable": -amount.minor},
            remove=("next_check_at", *keys.NOT_DUE),
        ),
        Put(REFUND, refund_to_item(refund), when=(absent("pk"),)),
        _refunding(session, attempt, shown, reason, unfulfilled=unfulfilled),
        told(
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
        writes += [freed_guard(attempt), *freed_holds(attempt)]
    transact(table, writes)


def _new(attempt: Attempt, amount: Money, number: int, now: datetime, reason: str) -> Refund:
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
    )


def _refunding(session: Session, attempt: Attempt, shown: RefundShown, failure: Failure, *, unfulfilled: bool) -> Update:
    if not unfulfilled:
        # What a session that never had any money says of its failure has to be true of this money as well.
        failed = session.status is SessionStatus.FAILED and session.captured is None
        said: dict[str, Any] = {"failure": failure_to_map(failure)} if failed else {}
        return changed(session, refund=refund_to_map(shown), **said)
    return changed(
        session,
        equal("captured", attempt.ref),
        absent("outcome"),
        to=SessionStatus.FAILED,
        refund=refund_to_map(shown),
        failure=failure_to_map(failure),
    )


def give_back(
    table: Table, session: Session, attempt: Attempt, amount: Money, number: int, now: datetime, *, by: str, why: str
) -> None:
    """Owe `amount` of a payment back by a person's will, in full or in part; the order or booking stays as it is.

    Names that can stand in the way: attempt (not that much is refundable any more), refund (that number is taken), session.
    """
    refund, writes = owed(attempt, amount, number, now, reason=why)
    transact(table, [*writes, *_shown(session, refund, RefundStatus.DUE, now, by=by, why=why)])


def owed(attempt: Attempt, amount: Money, number: int, now: datetime, *, reason: str) -> tuple[Refund, list[Write]]:
    """The `number`th refund of a payment, and the writes that owe it, bounded by what is left; the session shows it beside.

    Names that can stand in the way: attempt (not that much is refundable any more), refund (that number is taken).
    """
    refund = _new(attempt, amount, number, now, reason)
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
    ]


def of_attempt(table: Table, ref: str) -> tuple[Refund, ...]:
    """All refunds of an attempt, oldest first."""
    page = query(table, f"ATT#{ref}", first="R#", last="R#~", limit=100, newest_first=False)
    return tuple(refund_from_item(item) for item in page.items)


def start_sending(table: Table, refund: Refund, token_hash: str | None, now: datetime, check: tuple[int, datetime]) -> None:
    """This caller alone sends the refund: whoever comes after finds it `sending` and only asks. ConditionFailedError then."""
    write(
        table,
        _moved(
            refund,
            RefundStatus.SENDING,
            token_hash=token_hash,
            receipt=refund.receipt,
            sent_at=instant(now),
            **_planned(refund, check),
        ),
    )


def put_back(table: Table, refund: Refund, check: tuple[int, datetime]) -> None:
    """Its gateway has nothing of it: the refund is due again, under the same number. ConditionFailedError when it has moved on.

    The word of this sending is a condition: a late repetition of this very write must not release another worker's sending.
    """
    change = _moved(refund, RefundStatus.DUE, sent_at=None, **_planned(refund, check))
    write(table, replace(change, when=(*change.when, equal("token_hash", refund.token_hash))))


def plan_check(table: Table, refund: Refund, check: tuple[int, datetime]) -> None:
    """Plan the next question about a refund that is under way. ConditionFailedError when it has moved on."""
    write(table, _moved(refund, None, **_planned(refund, check)))


def look_now(table: Table, ref: str, number: int, now: datetime) -> None:
    """The gateway tells of the refund's end: the next sweep asks, whatever the ladder says, even where a person has it by now.

    ConditionFailedError where nobody waits for its end, and from the second time on, once more after it was put before a
    person: who repeats a notice must not use the ladder up.
    """
    key = keys.refund(ref, number)
    waits = one_of("status", (RefundStatus.SENDING, RefundStatus.ACCEPTED, RefundStatus.NEEDS_REVIEW))
    due = keys.due(keys.REFUND, key, now)
    write(table, Update(REFUND, key, when=(waits, absent("told_at")), set={"told_at": instant(now), **due}))


def stays_under_review(table: Table, refund: Refund, now: datetime) -> None:
    """Its gateway does not say that it was made: it is on the list again. ConditionFailedError when it has ended."""
    write(table, _moved(refund, None, **keys.due(keys.REVIEW, keys.refund(refund.ref, refund.number), now)))


def expect_answer(table: Table, refund: Refund, asked_hash: str) -> None:
    """The answer to a question comes to an address of its own. ConditionFailedError when the refund has moved on."""
    write(table, _moved(refund, None, asked_hash=asked_hash))


def accepted(table: Table, refund: Refund, conversation: str | None) -> None:
    """The gateway has taken the refund; it is not paid back yet."""
    write(table, _moved(refund, RefundStatus.ACCEPTED, conversation=conversation))


def end(
    table: Table, session: Session, refund: Refund, status: RefundStatus, now: datetime, *, by: str, detail: str | None = None
) -> None:
    """The refund is `REFUNDED`, or needs a person (`NEEDS_REVIEW`); the session shows it.

    The word of its sending is a condition: what is known of one sending must not end the next one, which is under way.
    """
    key = keys.refund(refund.ref, refund.number)
    due = keys.due(keys.REVIEW, key, now) if status is RefundStatus.NEEDS_REVIEW else {"due_pk": None, "due_sk": None}
    change = _moved(refund, status, ended_at=instant(now), detail=detail, told_at=None, **due)
    sending = (equal("token_hash", refund.token_hash),) if refund.token_hash else ()
    transact(
        table,
        [
            replace(change, when=(*change.when, *sending)),
            *_shown(session, refund, status, now, by=by),
        ],
    )


def failed(table: Table, session: Session, refund: Refund, now: datetime, *, detail: str) -> None:
    """The gateway refused the refund for good; the amount is owed anew, under the next number."""
    following = replace(
        refund, number=refund.number + 1, status=RefundStatus.DUE, created_at=now, check=0, token_hash=None, sent_at=None
    )
    writes: list[Write] = [
        _moved(refund, RefundStatus.FAILED, ended_at=instant(now), detail=detail, due_pk=None, due_sk=None),
        *_shown(session, refund, RefundStatus.DUE, now, by="gateway"),
        Put(NEXT, refund_to_item(following), when=(absent("pk"),)),
    ]
    transact(table, writes)


def _planned(refund: Refund, check: tuple[int, datetime]) -> dict[str, Any]:
    rung, moment = check
    return {"check": rung, **keys.due(keys.REFUND, keys.refund(refund.ref, refund.number), moment)}


def _moved(refund: Refund, to: RefundStatus | None, **values: Any) -> Update:
    sources = {refund.status} if to is None else {refund.status} & refund_sources(to)
    status: Mapping[str, Any] = {} if to is None else {"status": to.value}
    return Update(REFUND, keys.refund(refund.ref, refund.number), when=(one_of("status", sources),), set={**status, **values})


def _shown(session: Session, refund: Refund, status: RefundStatus, now: datetime, *, by: str, **facts: Any) -> list[Write]:
    shown = RefundShown(refund.amount, status.value, refund.reason)
    return [
        changed(session, refund=refund_to_map(shown)),
        told(session, f"refund.{status.value}", now, by=by, refund=refund.refund_id, amount=refund.amount.minor, **facts),
    ]
