"""What a person does about payments that no rule can settle. Each is safe to repeat, and recorded with who and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import read_instant
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError, NotFoundError, RefusedError
from payfirst.domain.event import Event
from payfirst.domain.ids import read_id
from payfirst.domain.money import Money
from payfirst.domain.moves import AttemptStatus, RefundStatus
from payfirst.domain.refund import Refund, parts_of_refund_id, why_not_by_gateway
from payfirst.domain.session import Session
from payfirst.gateways.base import Captured, Declined
from payfirst.storage import attempts, captures, due, keys, refunds, search, sessions, timeline
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.table import Table, get
from payfirst.usecases.reconcile import settle_entry
from payfirst.usecases.settle import settle
from payfirst.usecases.settling import Settled, Settling
from payfirst.usecases.take_notice import Desk

TRIES: Final = 4
OVERDUE: Final = timedelta(minutes=2)
"""How long after its time unfinished work is no longer only the sweep's affair."""

_UNPAID: Final = Declined("found_unpaid", "The payment was not made; nothing was charged.", retryable=True)
_DUE_AS: Final = {keys.SESSION: keys.EXPIRE, keys.BOOKING: keys.COMPLETE, "E": keys.OUTBOX}
"""What is left to do, by the sort key; of an event that has left it is the letter about it."""

_ENDED: Final = frozenset({RefundStatus.REFUNDED, RefundStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Stuck:
    """Something that waits for a person, or has waited too long for a sweep: what it is, its key, and since when."""

    what: str
    key: str
    since: datetime


def stuck(table: Table, now: datetime) -> Iterator[Stuck]:
    """Everything under review, then everything that is due for longer than two minutes."""
    for entry in due.entries(table, keys.REVIEW, now):
        yield _stuck("needs review", entry)
    for what in (keys.SETTLE, keys.REFUND, keys.EXPIRE, keys.COMPLETE, keys.OUTBOX, keys.MAIL):
        for entry in due.entries(table, what, now - OVERDUE):
            yield _stuck(f"overdue: {what}", entry)


def _stuck(what: str, entry: Item) -> Stuck:
    name = entry["pk"].removeprefix("ATT#")
    if entry["sk"].startswith("R#"):
        name = f"R{name}-{int(entry['sk'].removeprefix('R#'))}"
    elif not entry["pk"].startswith("ATT#"):
        name = f"{entry['pk']} {entry['sk']}"
    return Stuck(what, name, read_instant(entry["due_sk"]))


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
    """One payment: its session, its latest attempt and the one that has the money, their refunds, all that happened."""

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
        session = search.by_code(table, given.code)
    elif given is not None and given.number is not None and owner:
        session = sessions.read(table, owner, given.number)
    if session is None or (given and given.uuid and session.uuid != str(given.uuid)):
        raise NotFoundError(f"There is nothing under {which}.")
    return session


def story(table: Table, session: Session) -> Story:
    """The whole story of `session`."""
    refs = dict.fromkeys(ref for ref in (session.captured, session.latest.ref if session.latest else None) if ref)
    found = [attempt for attempt in (attempts.read(table, ref) for ref in refs) if attempt]
    paid_back = [refund for attempt in found for refund in refunds.of_attempt(table, attempt.ref)]
    return Story(session, tuple(found), tuple(paid_back), timeline.read(table, session))


def resolve_as_found(work: Settling, ref: str, *, paid: bool, receipt: str | None, by: str, why: str) -> Settled:
    """End an attempt under review: paid in full, with the receipt where a person found one, or never paid at all."""
    if not paid:
        return resolve_attempt(work, ref, _UNPAID, by=by, why=why)
    return resolve_attempt(work, ref, Captured(case(work.table, ref).attempt.amount, receipt), by=by, why=why)


def resolve_attempt(work: Settling, ref: str, decision: Captured | Declined, *, by: str, why: str) -> Settled:
    """End an attempt that is under review as a person found it to be; RefusedError when it is not under review."""
    found = case(work.table, ref)
    if found.attempt.status is not AttemptStatus.NEEDS_REVIEW:
        raise RefusedError(f"{ref} is {found.attempt.status}: only what needs review is resolved.", code="NOT_UNDER_REVIEW")
    _remark(work.table, ref, "operator.resolved", work.now, by=by, why=why)
    return settle(replace(work, decided=True), found.attempt, decision)


def replay(desk: Desk, which: str, *, no_answer_after: timedelta) -> str:
    """Take an attempt (`MT…`), a refund (`R…`) or a stored notice (`INBOX#…`) up again, as a sweep would; what came of it.

    What else `stuck` lists (a session, a booking or an event, by its whole key) is due for the next sweep.
    """
    refund = parts_of_refund_id(which)
    if which.startswith("INBOX#"):
        key = {"pk": which, "sk": "INBOX"}
    elif refund is not None:
        key = dict(keys.refund(*refund))
    elif which.startswith("U#"):
        return _due_again(desk, which)
    else:
        key = dict(keys.attempt(which))
    entry = get(desk.settling.table, key)
    if entry is None:
        raise NotFoundError(f"There is nothing under {which}.")
    if "settled_at" in entry:
        return "this notice is settled; there is nothing to do"
    return str(settle_entry(desk, entry, no_answer_after=no_answer_after))


def _due_again(desk: Desk, which: str) -> str:
    partition, _, sort = which.partition(" ")
    if sort[:1] not in _DUE_AS:
        raise NotFoundError(f"There is nothing to take up under {which}.")
    entry = get(desk.settling.table, {"pk": partition, "sk": sort})
    if entry is None or "due_pk" not in entry:
        raise NotFoundError(f"{which} needs no work.")
    kind = keys.MAIL if "delivered_at" in entry else _DUE_AS[sort[:1]]
    try:
        due.again(desk.settling.table, entry, kind, desk.settling.now)
    except ConditionFailedError as error:
        raise ContentionError(f"{which} is just being worked on; please look again.") from error
    return "due for the next sweep"


def close_doubts(table: Table, ref: str, now: datetime, *, by: str, why: str) -> int:
    """Close the doubts that stand beside an attempt, recorded with who and why; how many were open. Safe to repeat."""
    closed = captures.close_doubts(table, ref, now, by=by, why=why)
    if closed:
        _remark(table, ref, "operator.resolved", now, by=by, why=why)
    return closed


def _remark(table: Table, ref: str, event: str, now: datetime, *, by: str, why: str) -> None:
    for _ in range(TRIES):
        try:
            timeline.remark(table, case(table, ref).session, event, now, by=by, why=why)
        except ConditionFailedError:
            continue  # the session has just changed: read it again
        return
    raise ContentionError("This session is being changed; please try again.")


def parts_of_refund(refund_id: str) -> tuple[str, int]:
    """The attempt of `R{attempt}-{n}`, and n; NotFoundError for what is no refund's id."""
    found = parts_of_refund_id(refund_id)
    if found is None:
        raise NotFoundError(f"There is no refund {refund_id}.")
    return found


def resolve_refund(table: Table, ref: str, number: int, now: datetime, *, by: str, why: str) -> Refund:
    """Record that a refund under review was paid back by hand; a refund that is recorded already stays as it is."""
    for _ in range(TRIES):
        refund = refunds.read(table, ref, number)
        if refund is None:
            raise NotFoundError(f"There is no refund R{ref}-{number}.")
        if refund.status is RefundStatus.REFUNDED:
            return refund
        if refund.status is not RefundStatus.NEEDS_REVIEW:
            message = f"{refund.refund_id} is {refund.status}: only what needs review is resolved."
            raise RefusedError(message, code="NOT_UNDER_REVIEW")
        try:
            refunds.end(table, case(table, ref).session, refund, RefundStatus.REFUNDED, now, by=by, detail=why)
        except ConditionFailedError:
            continue
        return replace(refund, status=RefundStatus.REFUNDED)
    raise ContentionError("This refund is being changed; please try again.")


def refund_payment(table: Table, ref: str, amount: Money | None, now: datetime, *, by: str, why: str) -> Refund:
    """Owe a payment back by a person's will: `amount`, or all that is left of it. The next sweep sends it.

    RefusedError while another refund of it is under way, or when not that much is left. InvalidInputError for a part that its
    gateway cannot pay back; all that is left goes back all the same, by hand where it has to.
    """
    found = case(table, ref)
    open_refunds = [refund.refund_id for refund in found.refunds if refund.status not in _ENDED]
    if open_refunds:
        raise RefusedError(f"{open_refunds[0]} is under way; wait for its end.", code="REFUND_IN_PROGRESS")
    returned = sum(refund.amount.minor for refund in found.refunds if refund.status is RefundStatus.REFUNDED)
    captured = found.attempt.captured
    left = Money((captured.minor if captured else 0) - returned, found.attempt.amount.currency)
    wanted = amount or left
    if wanted.minor <= 0 or wanted.minor > left.minor:
        raise RefusedError(f"{left} {left.currency} of this payment can be refunded.", code="NOT_REFUNDABLE")
    problem = why_not_by_gateway(wanted)
    if problem is not None and wanted != left:
        raise InvalidInputError(FieldProblem("amount", f"{problem}."))
    number = len(found.refunds) + 1
    try:
        refunds.give_back(table, found.session, found.attempt, wanted, number, now, by=by, why=why)
    except ConditionFailedError as error:
        raise ContentionError("This payment is still being settled; please look again in a minute.") from error
    made = refunds.read(table, ref, number)
    if made is None:
        raise LookupError("a refund that was just written is not there")
    return made
