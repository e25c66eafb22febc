"""Status checks: ask an attempt's gateway at the pace it demands, and settle what the answer says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.moves import AttemptStatus
from payfirst.gateways.base import Absent, Captured, Declined, NoAnswer, Pending
from payfirst.gateways.registry import terms_of
from payfirst.observability import warn
from payfirst.storage import attempts, checks
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import get
from payfirst.storage.items import session_from_item
from payfirst.storage.queue import send
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.settlement.ask import ask
from payfirst.usecases.settlement.evidence import Disputed, Evidence, Settled
from payfirst.usecases.settlement.settle import settle

CALL_S: Final = 10.0
WRITES_S: Final = 5.0
"""What is kept back of the function's time for the writes after a gateway was asked."""

EARLY: Final = timedelta(seconds=1)
"""Messages come a little early now and then; a check within a second of its instant keeps the pace."""

PAID_AT_MOST: Final = timedelta(minutes=2)
"""Paid is no resting place: money that waits longer than two sweeps for its booking, order or refund is told to somebody."""

AFTER_A_CRASH: Final = timedelta(minutes=5)

TURNED_AWAY: Final = timedelta(minutes=1)

SILENT_AT_MOST: Final = timedelta(days=7)
"""How long an attempt is asked about, past the end of its schedule, while its gateway cannot be asked; then a person looks."""

PUSH_TAKES: Final = timedelta(seconds=30)
"""Until then the function that claimed an attempt may still be asking its gateway: its time is over after 28 seconds."""

NOT_STARTED: Final = Declined(
    "no_answer", "The payment could not be started; nothing was charged. Please try again.", retryable=True
)


def _not_heard_of(terms: GatewayTerms) -> Declined:
    """A prompt may have reached the phone all the same; money that comes for it is honoured or sent back."""
    advice = f"Please look at your {terms.label} messages before you try again."
    return Declined("no_answer", f"{terms.label} did not confirm this payment. {advice}", retryable=True)


def check_status(context: NoticeContext, ref: str, *, no_answer_after: timedelta) -> Settled:
    """Ask the gateway about one attempt, if a check is due; settle what it says, and plan the check after this one."""
    attempt = attempts.read(context.table, ref)
    if attempt is None or attempt.next_check_at is None:
        return _confirm(context, attempt) if attempt is not None and attempt.confirm_at is not None else Settled.NOTHING_TO_DO
    if attempt.status is AttemptStatus.SUCCEEDED:
        if context.now - attempt.next_check_at > PAID_AT_MOST:
            warn("payment.paid_for_long", ref=attempt.ref, gateway=attempt.gateway)
        return settle(context, attempt, None)
    if attempt.next_check_at > context.now + EARLY:
        return Settled.PENDING
    following = _following(attempt, context.now, no_answer_after)
    # Where the check schedule ends here the attempt stays due all the same, until this check has brought it somewhere.
    planned = following or (attempt.check, context.now + AFTER_A_CRASH)
    try:
        checks.take_check(context.table, attempt, planned)
    except ConditionFailedError:
        return Settled.PENDING  # somebody else has just taken this check
    answer = _answer(context, attempt)
    # An attempt that is given up while its gateway might still collect stays due in the write that gives it up.
    check = None if _is_final(answer) else planned
    settled = settle(context, attempt, _evidence(attempt, answer, context.now, no_answer_after), check=check)
    if settled is Settled.PENDING:
        due = replace(attempt, next_check_at=planned[1])
        _bring_forward(context, answer, planned, lambda soon: checks.take_check(context.table, due, (attempt.check, soon)))
    _plan(context, attempt, answer, settled, following)
    return settled


def _confirm(context: NoticeContext, attempt: Attempt) -> Settled:
    """Ask about a success that only a notice told of. What its gateway says otherwise is a doubt; silence is asked again."""
    if attempt.confirm_at is None or attempt.confirm_at > context.now + EARLY:
        return Settled.PENDING
    following = terms_of(attempt.gateway).next_check(attempt.created_at, attempt.check + 1, context.now)
    planned = following or (attempt.check, context.now + AFTER_A_CRASH)
    try:
        later = checks.take_confirmation(context.table, attempt, planned)
    except ConditionFailedError:
        return Settled.PENDING  # somebody else has just taken this check
    answer = _answer(context, attempt)
    if not isinstance(answer, Captured | Disputed) and not _is_final(answer):
        if following is not None:
            _queue(context, attempt, following[1])
        if following is not None or _is_unheard(attempt, answer, context.now):
            again = attempt.check
            _bring_forward(context, answer, planned, lambda soon: checks.take_confirmation(context.table, later, (again, soon)))
            return Settled.PENDING
        answer = Disputed("only a notice said that it was paid, and its gateway gave no answer in time")
    settled = settle(context, later, answer)
    checks.take_confirmation(context.table, later, None)
    return settled


def needs_its_gateway(attempt: Attempt) -> bool:
    """Whether its next check asks the gateway: not where money is recorded already, nor where there is no name to ask by."""
    to_be_settled = attempt.status is AttemptStatus.SUCCEEDED and attempt.next_check_at is not None
    return not to_be_settled and not _is_nameless(attempt)


def _is_nameless(attempt: Attempt) -> bool:
    """Whether it cannot be asked about: its gateway never told its name for it."""
    return terms_of(attempt.gateway).asked_by_its_id and attempt.gateway_id is None


def _following(attempt: Attempt, now: datetime, no_answer_after: timedelta) -> tuple[int, datetime] | None:
    """The check after this one. A push whose answer was lost is given up on time: a check for that comes between."""
    terms = terms_of(attempt.gateway)
    planned = terms.next_check(attempt.created_at, attempt.check + 1, now)
    given_up_at = attempt.created_at + no_answer_after
    waits = terms.asked_by_its_id and attempt.unresolved and not attempt.reached(terms)
    if planned is None or not waits or not now < given_up_at < planned[1]:
        return planned
    return planned[0] - 1, given_up_at


def _plan(
    context: NoticeContext, attempt: Attempt, answer: Evidence, settled: Settled, following: tuple[int, datetime] | None
) -> None:
    """Plan the check after this one, unless this one was the last that is needed."""
    if settled in (Settled.FULFILLED, Settled.REFUND_DUE, Settled.NEEDS_REVIEW):
        return
    if _is_final(answer) and settled is not Settled.PENDING:
        if not attempt.unresolved:
            checks.plan_check_again(context.table, attempt, None)
    elif following is None:
        if not _is_unheard(attempt, answer, context.now):
            _review(context, attempt)
    else:
        _queue(context, attempt, following[1])


def _bring_forward(
    context: NoticeContext, answer: Evidence, planned: tuple[int, datetime], plan: Callable[[datetime], object]
) -> None:
    """A gateway that turned the question away for load is asked the same again soon: the next check may be a day away."""
    soon = context.now + TURNED_AWAY
    if isinstance(answer, NoAnswer) and answer.busy and soon < planned[1]:
        with suppress(ConditionFailedError):  # it has moved on meanwhile
            plan(soon)


def _is_unheard(attempt: Attempt, answer: Evidence, now: datetime) -> bool:
    """Whether its gateway could only not be asked: that says nothing about the attempt, which stays due, for a week at most."""
    silent = isinstance(answer, NoAnswer) and not answer.heard
    return silent and not _is_nameless(attempt) and now < attempt.created_at + SILENT_AT_MOST


def _is_final(answer: Evidence) -> bool:
    """Whether the gateway has collected nothing for this attempt and never will."""
    return isinstance(answer, Absent) or (isinstance(answer, Declined) and answer.final)


def _answer(context: NoticeContext, attempt: Attempt) -> Evidence:
    if _is_nameless(attempt):
        return NoAnswer("its gateway never told its name for this attempt")
    timeout_s = min(CALL_S, context.deadline.remaining() - WRITES_S)
    answer = ask(context.gateway(attempt.gateway), attempt, now=context.now, timeout_s=timeout_s)
    return Pending() if isinstance(answer, Absent) and _may_be_on_its_way(attempt, context.now) else answer


def _evidence(attempt: Attempt, answer: Evidence, now: datetime, no_answer_after: timedelta) -> Evidence:
    """What the answer means for this attempt: one that the payer can no longer act on ends as `no_answer`."""
    terms = terms_of(attempt.gateway)
    if isinstance(answer, Captured | Declined | Disputed) or attempt.reached(terms) or not attempt.unresolved:
        return answer
    if terms.asked_by_its_id:
        return _not_heard_of(terms) if now >= attempt.created_at + no_answer_after else answer
    return answer if isinstance(answer, NoAnswer) or _may_be_on_its_way(attempt, now) else NOT_STARTED


def _may_be_on_its_way(attempt: Attempt, now: datetime) -> bool:
    return not attempt.reached(terms_of(attempt.gateway)) and now < attempt.created_at + PUSH_TAKES


def _review(context: NoticeContext, attempt: Attempt) -> None:
    session = get(context.table, keys.owned(attempt.owner, keys.SESSION, attempt.session_number))
    if session is None:
        raise LookupError(f"the session of {attempt.ref} is gone")
    reason = "its gateway gave no final answer in time"
    attempts.review(context.table, session_from_item(session), attempt, reason, context.now)
    warn("payment.needs_review", ref=attempt.ref, reason=reason)


def _queue(context: NoticeContext, attempt: Attempt, moment: datetime) -> None:
    try:
        send(context.queue, attempt.ref, delay_s=int((moment - context.now).total_seconds()))
    except Exception as error:  # noqa: BLE001 - the attempt stays due, and the sweep finds it
        warn("queue.unreachable", ref=attempt.ref, error=type(error).__name__)
