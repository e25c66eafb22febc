"""What a person does about payments that no rule can settle. Each is safe to repeat, and recorded with who and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError, NotFoundError, RefusedError
from payfirst.domain.event import Event
from payfirst.domain.ids import read_id
from payfirst.domain.money import Money
from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import NOT_FULFILLED, SURPLUS, Refund, left_of, parts_of_refund_id, why_not_yet
from payfirst.domain.session import Session
from payfirst.gateways.base import Captured, Declined
from payfirst.gateways.registry import declaration_of, terms_of
from payfirst.storage import attempts, captures, lookup, notices, refunds, refunds_due, sessions, timeline
from payfirst.storage.decisions import Decision, close_doubts, open_doubts
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.context import SettlementContext
from payfirst.usecases.refunds.end_refund import twice
from payfirst.usecases.settlement.settle import settle

TRIES: Final = 4
DOUBTS_CLOSED: Final = "doubts_closed"

_UNPAID: Final = Declined("found_unpaid", "The payment was not made; nothing was charged.", retryable=True)


@dataclass(frozen=True, slots=True)
class Case:
    """An attempt with its session and its refunds."""

    attempt: Attempt
    session: Session
    refunds: tuple[Refund, ...]


def case(table: Table, ref: str) -> Case:
    """The case of an attempt; NotFoundError for a reference that is none."""
    attempt = attempts.read(table, ref)
    session = sessions.read(table, attempt.owner, attempt.session_number) if attempt else None
    if attempt is None or session is None:
        raise NotFoundError(f"There is no attempt {ref}.")
    return Case(attempt, session, refunds.of_attempt(table, ref))


@dataclass(frozen=True, slots=True)
class Story:
    """One payment: its session, its latest attempt, those that have the money or were asked for, their refunds, all that
    happened."""

    session: Session
    attempts: tuple[Attempt, ...]
    refunds: tuple[Refund, ...]
    events: tuple[Event, ...]


def find(table: Table, which: str, *, owner: str | None = None) -> Session:
    """The session behind `MT…`, `TXN…`, `BK-…`, `ORD-…` or `R…`; of the customer `owner` also behind its number or UUID.

    NotFoundError where there is none.
    """
    refund = parts_of_refund_id(which)
    given = read_id(refund[0] if refund else which)
    session = None
    if given is not None and given.code is not None:
        session = lookup.by_code(table, given.code)
    elif given is not None and given.number is not None and owner:
        session = sessions.read(table, owner, given.number)
    if session is None or (given and given.uuid and session.uuid != str(given.uuid)):
        raise NotFoundError(f"There is nothing under {which}.")
    return session


def story(table: Table, session: Session, which: str = "") -> Story:
    """The whole story of `session`, which `find` found by `which`; a UUID or a code of what it became names no attempt."""
    latest = session.latest.ref if session.latest else None
    refs = dict.fromkeys(ref for ref in (session.captured, latest, _attempt_named(table, which)) if ref)
    found = [attempt for attempt in (attempts.read(table, ref) for ref in refs) if attempt]
    paid_back = [refund for attempt in found for refund in refunds.of_attempt(table, attempt.ref)]
    return Story(session, tuple(found), tuple(paid_back), timeline.read(table, session))


def _attempt_named(table: Table, which: str) -> str | None:
    refund = parts_of_refund_id(which)
    given = read_id(refund[0] if refund else which)
    code = given.code if given else None
    if code is not None and code.startswith("TXN"):
        return str((attempts.read_pointer(table, code) or {}).get("ref", "")) or None
    return code if code is not None and code.startswith("MT") else None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a gateway told of an attempt, for people to read: `body` is redacted JSON, of the `size` bytes that came."""

    attempt: str
    received_at: datetime
    settled_at: datetime | None
    size: int
    body: str


def notices_of(table: Table, story: Story) -> tuple[tuple[Notice, ...], bool]:
    """The stored notices about the attempts of `story`, `notices.MOST_READ` of each, and whether one has more."""
    from payfirst.gateways.redaction import redacted  # noqa: PLC0415 - few requests read notices

    told: list[Notice] = []
    more = False
    for attempt in story.attempts:
        found, others = notices.of_attempt(table, attempt.ref)
        gateway = declaration_of(attempt.gateway)
        for one in found:
            body = redacted(gateway.readable(one.raw), gateway.shown)
            told.append(Notice(one.ref, one.received_at, one.settled_at, len(one.raw), body))
        more = more or others
    return tuple(told), more


def attempt_of(table: Table, which: str) -> str:
    """The attempt that `which` names itself, or that paid for the order or booking `ORD-…` or `BK-…`; NotFoundError."""
    if which.startswith(("ORD-", "BK-")):
        return find(table, which).captured or which
    return which


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of an attempt (`DOUBTS_CLOSED` where nothing else was decided), and how many doubts beside it were closed."""

    result: str
    doubts_closed: int


def resolve(
    context: SettlementContext, ref: str, *, paid: bool | None, receipt: str | None = None, by: str, why: str
) -> Resolved:
    """Decide about an attempt under review, or a dead letter: paid in full, by its receipt where one was found, or never paid.

    Its open doubts are closed in the same write; None as `paid` closes them and decides nothing else. What is refused changes
    nothing: InvalidInputError, or RefusedError NOT_UNDER_REVIEW, ALREADY_CAPTURED or NOT_FULFILLABLE.
    """
    for _ in range(TRIES):
        found, doubts = case(context.table, ref), open_doubts(context.table, ref)
        decision = Decision(by, why, doubts)
        if paid is not None:
            receipt = terms_of(found.attempt.gateway).receipt(receipt) if receipt else None
            evidence = Captured(found.attempt.amount, receipt) if paid else _UNPAID
            _check_receipt(found.attempt, receipt)
            return Resolved(settle(replace(context, decision=decision), found.attempt, evidence), len(doubts))
        if not doubts and not found.attempt.awaits_decision:
            message = f"{ref} is {found.attempt.status}: nothing of it is to be resolved."
            raise RefusedError(message, code="NOT_UNDER_REVIEW")
        if not doubts:
            raise InvalidInputError(FieldProblem("found", "No doubt is open; say whether it was paid or unpaid."))
        try:
            close_doubts(context.table, found.session, decision, context.now)
        except ConditionFailedError:
            continue  # a doubt or the session has just changed: read them again
        return Resolved(DOUBTS_CLOSED, len(doubts))
    raise ContentionError("This payment is being changed; please try again.")


def _check_receipt(attempt: Attempt, receipt: str | None) -> None:
    is_known = attempt.awaits_decision and attempt.captured is not None
    if is_known and receipt not in (None, attempt.receipt):
        raise InvalidInputError(FieldProblem("receipt", f"Its money is recorded with the receipt {attempt.receipt}."))


def parts_of_refund(refund_id: str) -> tuple[str, int]:
    """The attempt of `R{attempt}-{n}`, and n; NotFoundError for what is no refund's id."""
    found = parts_of_refund_id(refund_id)
    if found is None:
        raise NotFoundError(f"There is no refund {refund_id}.")
    return found


def resolve_refund(table: Table, ref: str, number: int, now: datetime, *, by: str, why: str) -> Refund:
    """Record that a refund under review, or a dead letter, was paid back by hand; one that is recorded already stays as it is.

    Where its gateway had paid it back, the person's money may be the second: that is told once, on the list, and every time in
    the `detail` of the answer.
    """
    for _ in range(TRIES):
        refund = refunds.read(table, ref, number)
        if refund is None:
            raise NotFoundError(f"There is no refund R{ref}-{number}.")
        if refund.by_hand:
            return refund
        session = case(table, ref).session
        is_over = refund.status is RefundStatus.REFUNDED
        if not is_over and refund.status is not RefundStatus.NEEDS_REVIEW and not refund.is_dead_letter:
            message = f"{refund.refund_id} is {refund.status}: only what needs review is resolved."
            raise RefusedError(message, code="NOT_UNDER_REVIEW")
        try:
            if is_over:
                said = twice(refund, "a person says that they paid it as well")
                captures.contradiction(table, session, ref, said, now, by=by, refund=refund.refund_id, why=why)
                return replace(refund, detail=said)
            known = terms_of(refund.gateway).knows_refunds
            refunds.end(
                table, session, refund, RefundStatus.REFUNDED, now, by=by, detail=why, by_hand=True, ask_afterwards=known
            )
        except ConditionFailedError:
            continue
        return replace(refund, status=RefundStatus.REFUNDED, ended_by=by)
    raise ContentionError("This refund is being changed; please try again.")


def refund_payment(table: Table, ref: str, amount: Money | None, now: datetime, *, by: str, why: str) -> Refund:
    """Owe a payment back by a person's will: `amount`, or all that is left of it. The next sweep sends it.

    RefusedError while another refund of it is under way, or when not that much is left. InvalidInputError for a part that its
    gateway cannot pay back; all that is left goes back all the same, by hand where it has to.
    """
    found = case(table, ref)
    if found.attempt.captured is not None and found.attempt.awaits_decision:
        return _refund_unfulfilled(table, found, amount, now, Decision(by, why))
    if problem := why_not_yet(found.refunds):
        raise problem
    left = left_of(found.attempt.captured or Money(0, found.attempt.amount.currency), found.refunds)
    wanted = amount or left
    if wanted.minor <= 0 or wanted.minor > left.minor:
        raise RefusedError(f"{left} {left.currency} of this payment can be refunded.", code="NOT_REFUNDABLE")
    reason = terms_of(found.attempt.gateway).why_not_paid_back(wanted)
    if reason is not None and wanted != left:
        raise InvalidInputError(FieldProblem("amount", f"{reason}."))
    number = len(found.refunds) + 1
    try:
        refunds_due.give_back(table, found.session, found.attempt, wanted, number, now, by=by, why=why)
    except ConditionFailedError as error:
        raise ContentionError("This payment is still being settled; please look again in a minute.") from error
    return _made(table, ref, number)


def _refund_unfulfilled(table: Table, found: Case, amount: Money | None, now: datetime, decision: Decision) -> Refund:
    """Owe money back of which nothing was made; its session fails, and what it held is free."""
    attempt = found.attempt
    if amount not in (None, attempt.captured):
        raise InvalidInputError(FieldProblem("amount", "Nothing was made of this payment: it goes back as a whole."))
    reason = NOT_FULFILLED if found.session.captured == attempt.ref else SURPLUS
    try:
        refunds_due.refund_due(table, found.session, attempt, attempt.collected, reason, now, decision=decision)
    except ConditionFailedError as error:
        raise ContentionError("This payment is being changed; please look again.") from error
    return _made(table, attempt.ref, 1)


def _made(table: Table, ref: str, number: int) -> Refund:
    made = refunds.read(table, ref, number)
    if made is None:
        raise LookupError("a refund that was just written is not there")
    return made
