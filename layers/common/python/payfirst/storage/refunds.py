"""Refunds: read, sent, checked, and ended; their end is shown on the session in the same write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from payfirst.domain.clock import instant, read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import RefundStatus, refund_sources
from payfirst.domain.refund import GATEWAY, Refund, next_refund_check, public_reason
from payfirst.domain.session import Session
from payfirst.storage import paid_back, totals
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item, Put, Update, Write, absent, equal, one_of
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, get, query, transact, write

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
        **due_index.due(due_index.REFUND, key, refund.created_at),
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
        **({"why": refund.why} if refund.why else {}),
    }


def refund_from_item(item: Item) -> Refund:
    """The refund of an item."""
    sent_at, ended_at, told_at, detail = (item.get(name) for name in ("sent_at", "ended_at", "told_at", "detail"))
    # Before `ended_by` was kept only a person left words on a refund that was paid back.
    ended_by = item.get("ended_by") or ("operator" if detail and item["status"] == RefundStatus.REFUNDED else GATEWAY)
    return Refund(
        ref=item["ref"],
        number=int(item["number"]),
        owner=item["owner"],
        session_number=int(item["session_number"]),
        gateway=item["gateway"],
        amount=Money(int(item["amount"]), Currency(item["currency"])),
        status=RefundStatus(item["status"]),
        reason=public_reason(item["reason"]),
        created_at=read_instant(item["created_at"]),
        check=int(item["check"]),
        receipt=item.get("receipt"),
        token_hash=item.get("token_hash"),
        asked_hash=item.get("asked_hash"),
        conversation=item.get("conversation"),
        sent_at=read_instant(sent_at) if sent_at else None,
        ended_at=read_instant(ended_at) if ended_at else None,
        ended_by=ended_by if ended_at else None,
        told_at=read_instant(told_at) if told_at else None,
        is_due=due_index.is_due(item),
        detail=detail,
        is_dead_letter=due_index.is_due_as(item, due_index.REVIEW) and item["status"] != RefundStatus.NEEDS_REVIEW,
        why=item.get("why", item["reason"] if item["reason"] != public_reason(item["reason"]) else None),
    )


def of_attempt(table: Table, ref: str) -> tuple[Refund, ...]:
    """All refunds of an attempt, oldest first."""
    partition, first, last = keys.beside_attempt(ref, keys.REFUND)
    page = query(table, partition, first=first, last=last, limit=100, newest_first=False)
    return tuple(refund_from_item(item) for item in page.items)


def start_sending(table: Table, refund: Refund, token_hash: str | None, now: datetime, check: tuple[int, datetime]) -> None:
    """This caller alone sends the refund: whoever comes after finds it `sending` and only asks. ConditionFailedError then."""
    write(
        table,
        _move_write(
            refund,
            RefundStatus.SENDING,
            token_hash=token_hash,
            receipt=refund.receipt,
            sent_at=instant(now),
            **_check_plan(refund, check),
        ),
    )


def requeue(table: Table, refund: Refund, check: tuple[int, datetime]) -> None:
    """Its gateway has nothing of it: the refund is due again, under the same number. ConditionFailedError when it has moved on.

    The word of this sending is a condition: a late repetition of this very write must not release another worker's sending.
    """
    change = _move_write(refund, RefundStatus.DUE, sent_at=None, **_check_plan(refund, check))
    write(table, replace(change, when=(*change.when, equal("token_hash", refund.token_hash))))


def plan_check(table: Table, refund: Refund, check: tuple[int, datetime]) -> None:
    """Plan the next question about a refund that is under way. ConditionFailedError when it has moved on."""
    write(table, _move_write(refund, None, **_check_plan(refund, check)))


def check_now(table: Table, ref: str, number: int, now: datetime, *, refunded: bool) -> None:
    """The gateway tells of the refund's end: the next sweep asks, whatever the schedule says, even where a person has it.

    So it is where the refund has ended otherwise than the gateway says. ConditionFailedError where the end is no news, and from
    the second time on, once more after it ended or was put before a person: who repeats a notice must not use the schedule up.
    """
    key = keys.refund(ref, number)
    waits = one_of("status", (RefundStatus.SENDING, RefundStatus.ACCEPTED, RefundStatus.NEEDS_REVIEW))
    due = {"told_at": instant(now), **due_index.due(due_index.REFUND, key, now)}
    try:
        write(table, Update(REFUND, key, when=(waits, absent("told_at")), set=due))
    except ConditionFailedError as error:
        item = error.failed.get(REFUND)
        found = refund_from_item(item) if item else None
        if found is None or found.told_at is not None or not found.contradicted(refunded=refunded):
            raise
        write(table, Update(REFUND, key, when=(absent("told_at"),), set={"check": 0, **due}))


def asked_about(table: Table, refund: Refund) -> None:
    """Its gateway was asked about a refund that had ended, and nothing more is asked. ConditionFailedError if it moved on."""
    write(table, _move_write(refund, None, due_pk=None, due_sk=None))


def stays_under_review(table: Table, refund: Refund, now: datetime) -> None:
    """Its gateway does not say that it was made: it is on the list again. ConditionFailedError when it has ended."""
    write(table, _move_write(refund, None, **due_index.due(due_index.REVIEW, keys.refund(refund.ref, refund.number), now)))


def expect_answer(table: Table, refund: Refund, asked_hash: str) -> None:
    """The answer to a question comes to an address of its own. ConditionFailedError when the refund has moved on."""
    write(table, _move_write(refund, None, asked_hash=asked_hash))


def mark_accepted(table: Table, refund: Refund, conversation: str | None) -> None:
    """The gateway has taken the refund; it is not paid back yet."""
    write(table, _move_write(refund, RefundStatus.ACCEPTED, conversation=conversation))


def end(
    table: Table,
    session: Session,
    refund: Refund,
    status: RefundStatus,
    now: datetime,
    *,
    by: str,
    detail: str | None = None,
    by_hand: bool = False,
    ask_afterwards: bool = False,
) -> None:
    """The refund is `REFUNDED`, or needs a person (`NEEDS_REVIEW`); its session and its order show it.

    `by_hand`: the shop pays it back without its gateway, or has done so.

    The word of its sending is a condition: what is known of one sending must not end the next one, which is under way.
    `ask_afterwards`: where its gateway has had it too, that is asked once more.
    """
    key = keys.refund(refund.ref, refund.number)
    due: dict[str, Any] = dict.fromkeys(due_index.NOT_DUE)
    if status is RefundStatus.NEEDS_REVIEW:
        due = dict(due_index.due(due_index.REVIEW, key, now))
    elif ask_afterwards and refund.token_hash is not None:
        due = _check_plan(refund, next_refund_check(now, 0, now) or (0, now))
    change = _move_write(refund, status, ended_at=instant(now), ended_by=by, detail=detail, told_at=None, **due)
    sending = (equal("token_hash", refund.token_hash),) if refund.token_hash else ()
    transact(
        table,
        [
            replace(change, when=(*change.when, *sending)),
            *paid_back.shown_writes(session, refund, status, now, by=by, by_hand=by_hand),
            *totals.refund_end_writes(refund, status, now),
        ],
    )


def mark_failed(table: Table, session: Session, refund: Refund, now: datetime, *, detail: str) -> None:
    """The gateway refused the refund for good; the amount is owed anew, under the next number."""
    following = replace(
        refund, number=refund.number + 1, status=RefundStatus.DUE, created_at=now, check=0, token_hash=None, sent_at=None
    )
    writes: list[Write] = [
        _move_write(
            refund,
            RefundStatus.FAILED,
            ended_at=instant(now),
            ended_by=GATEWAY,
            detail=detail,
            due_pk=None,
            due_sk=None,
            told_at=None,
        ),
        *paid_back.shown_writes(session, refund, RefundStatus.DUE, now, by="gateway"),
        Put(NEXT, refund_to_item(following), when=(absent("pk"),)),
        *totals.refund_replace_writes(refund, following),
    ]
    transact(table, writes)


def _check_plan(refund: Refund, check: tuple[int, datetime]) -> dict[str, Any]:
    number, moment = check
    return {"check": number, **due_index.due(due_index.REFUND, keys.refund(refund.ref, refund.number), moment)}


def _move_write(refund: Refund, to: RefundStatus | None, **values: Any) -> Update:
    sources = {refund.status} if to is None else {refund.status} & refund_sources(to)
    status: Mapping[str, Any] = {} if to is None else {"status": to.value}
    return Update(REFUND, keys.refund(refund.ref, refund.number), when=(one_of("status", sources),), set={**status, **values})
