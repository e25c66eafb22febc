"""Send money back: once for each refund, never by a second way, and to a person where no gateway can do it.

PhonePe knows a refund by our id and makes each id once, so it can be asked about, what it does not know is sent again under
the same number, and only its definite failure opens the next one. M-Pesa's reversal is sent once; its result comes as a notice,
and whatever stays unclear goes to the list that a person sees. What a gateway surely has nothing of was not sent yet.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Final

from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import MOST_TRIES, RESULT_TAKES, Refund, next_refund_check
from payfirst.gateways.base import (
    Absent,
    Accepted,
    Declined,
    Gateway,
    NoAnswer,
    PayBack,
    Pending,
    PushAnswer,
    Refunded,
    RefundQuery,
    RefundStatusAnswer,
    Rejected,
    Unknown,
)
from payfirst.observability import alarm, note, warn
from payfirst.storage import attempts, refunds
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.refunds.end_refund import contradicted, refunded, review, session_of, twice

CALL_S: Final = 10.0
TO_BE_MENDED: Final = timedelta(hours=1)
WRITES_S: Final = 5.0
"""What is kept back of the function's time for the writes after a gateway was asked."""


def pursue(context: NoticeContext, ref: str, number: int) -> RefundStatus | None:
    """Take one refund as far as it goes now; None when there is no such refund. Safe to call at any time, by anybody."""
    refund = refunds.read(context.table, ref, number)
    if refund is None:
        return None
    try:
        if refund.status is RefundStatus.DUE:
            return _send(context, refund)
        if refund.status in (RefundStatus.SENDING, RefundStatus.ACCEPTED):
            return _ask(context, refund)
        if refund.status is RefundStatus.NEEDS_REVIEW:
            return _ask_once_more(context, refund)
        if refund.is_due:
            return _ask_afterwards(context, refund)
    except ConditionFailedError:
        note("refund.moved_on", refund=refund.refund_id)  # somebody else has just taken it further
    return refund.status


def _send(context: NoticeContext, refund: Refund) -> RefundStatus:
    now = context.now
    gateway = context.gateway(refund.gateway)  # without credentials nothing is begun
    if not gateway.terms.knows_refunds:
        refund = _with_receipt(context, refund)
        if refund.receipt is None:
            return _wait_for_receipt(context, refund)
    problem = gateway.terms.why_not_paid_back(refund.amount)
    if problem is not None:
        return review(context, refund, problem)
    token = _new_token(context, refund)
    first = next_refund_check(now, 0, now)
    if first is None:
        raise AssertionError("a check schedule has a first check")
    hashed = hashlib.sha256(token.encode()).hexdigest()
    refunds.start_sending(context.table, refund, hashed, now, first)
    sending = replace(refund, status=RefundStatus.SENDING, token_hash=hashed, sent_at=now)
    note("refund.sending", refund=refund.refund_id, gateway=refund.gateway, amount=str(refund.amount))
    result, timeout = _addresses(context, token)
    notices = context.addresses.of_payment(gateway.terms, token)
    wanted = PayBack(refund.refund_id, refund.ref, refund.amount, refund.receipt, result, timeout, notices)
    return _sent(context, sending, gateway, gateway.refund(wanted, now=now, timeout_s=_time_for_call(context)))


def _new_token(context: NoticeContext, refund: Refund) -> str:
    return f"{refund.ref.removeprefix('MT')}{refund.number:02x}{context.entropy(16).hex()}"


def _time_for_call(context: NoticeContext) -> float:
    return min(CALL_S, context.deadline.remaining() - WRITES_S)


def _addresses(context: NoticeContext, token: str) -> tuple[str, str]:
    """Where a result is told, and where it is told that there will be none."""
    return context.addresses.of_refund_result(token), context.addresses.of_refund_timeout(token)


def _sent(context: NoticeContext, refund: Refund, gateway: Gateway, answer: PushAnswer) -> RefundStatus:
    match answer:
        case Accepted(gateway_id, merchant_request_id):
            refunds.mark_accepted(context.table, refund, merchant_request_id or gateway_id)
            return RefundStatus.ACCEPTED
        case Rejected():
            if answer.configuration:
                alarm("refund.misconfigured", refund=refund.refund_id, code=answer.code)
            return _rejected(context, refund, gateway, answer)
        case Unknown(reason, sent=False):
            if answer.configuration:
                alarm("refund.misconfigured", refund=refund.refund_id, reason=reason)
            return _not_sent(context, refund, reason, ours_to_mend=answer.configuration)
        case _:
            warn("refund.unknown", refund=refund.refund_id, reason=answer.reason)
            return RefundStatus.SENDING


def _not_sent(context: NoticeContext, refund: Refund, reason: str, *, ours_to_mend: bool = False) -> RefundStatus:
    """Its gateway has nothing of it: a sweep sends it under the same number, later and later, for three days.

    What an operator has to mend, and is told of each time, is waited for once an hour however long it takes.
    """
    warn("refund.not_sent", refund=refund.refund_id, reason=reason)
    following = next_refund_check(refund.created_at, 0, context.now)
    if following is None and ours_to_mend:
        following = (refund.check, context.now + TO_BE_MENDED)
    if following is None:
        return review(context, refund, f"its gateway has taken nothing for days ({reason})")
    refunds.requeue(context.table, refund, following)
    return RefundStatus.DUE


def _rejected(context: NoticeContext, refund: Refund, gateway: Gateway, answer: Rejected) -> RefundStatus:
    """A refusal of this request. An earlier one under the same number may have arrived, so a gateway that can tell is asked."""
    if answer.retryable or not gateway.terms.knows_refunds:
        return _refused(context, refund, gateway, answer.detail, again=answer.retryable)
    known = _question(context, refund, gateway)
    if isinstance(known, Absent):
        return review(context, refund, answer.detail)
    return _record_answer(context, refund, gateway, known)


def _refused(context: NoticeContext, refund: Refund, gateway: Gateway, detail: str, *, again: bool) -> RefundStatus:
    """A definite refusal: who knows refunds by our numbers may be asked anew under the next, anything else is for a person."""
    if again and gateway.terms.knows_refunds and refund.number < MOST_TRIES:
        refunds.mark_failed(context.table, session_of(context, refund), refund, context.now, detail=detail)
        note("refund.failed", refund=refund.refund_id)
        return RefundStatus.FAILED
    return review(context, refund, detail)


def _with_receipt(context: NoticeContext, refund: Refund) -> Refund:
    attempt = attempts.read(context.table, refund.ref)
    return replace(refund, receipt=attempt.receipt if attempt else None)


def _wait_for_receipt(context: NoticeContext, refund: Refund) -> RefundStatus:
    """A reversal names the receipt: money that only the query told of waits until a notice or a statement brings it."""
    following = next_refund_check(refund.created_at, refund.check, context.now)
    if following is None:
        return review(context, refund, "its receipt never came")
    refunds.plan_check(context.table, refund, following)
    return refund.status


def _ask(context: NoticeContext, refund: Refund) -> RefundStatus:
    """Ask its gateway; one that does not know our references and gave no name of its own cannot be asked, nor sent to again."""
    now = context.now
    gateway = context.gateway(refund.gateway)
    following = next_refund_check(refund.sent_at or refund.created_at, refund.check + 1, now)
    if following is None:
        return _ask_for_the_last_time(context, refund, gateway)
    refunds.plan_check(context.table, refund, following)
    if gateway.terms.knows_refunds or refund.conversation is not None:
        return _record_answer(context, refund, gateway, _question(context, refund, gateway))
    if now < (refund.sent_at or refund.created_at) + RESULT_TAKES:
        return refund.status  # its result may still come by itself
    return review(context, refund, "the answer to its reversal was lost; look in the portal whether it was made", unsure=True)


def _ask_for_the_last_time(context: NoticeContext, refund: Refund, gateway: Gateway) -> RefundStatus:
    became = (
        _record_answer(context, refund, gateway, _question(context, refund, gateway))
        if gateway.terms.knows_refunds
        else refund.status
    )
    if became is not refund.status:
        return became
    return review(context, refund, "its gateway gave no final answer in time", unsure=True)


def _question(context: NoticeContext, refund: Refund, gateway: Gateway) -> RefundStatusAnswer:
    token = _new_token(context, refund)
    if not gateway.terms.knows_refunds:
        refunds.expect_answer(context.table, refund, hashlib.sha256(token.encode()).hexdigest())
    query = RefundQuery(refund.refund_id, refund.conversation, *_addresses(context, token))
    return gateway.refund_status(query, now=context.now, timeout_s=_time_for_call(context))


def _record_answer(context: NoticeContext, refund: Refund, gateway: Gateway, answer: RefundStatusAnswer) -> RefundStatus:
    match answer:
        case Refunded(amount, _) if amount in (None, refund.amount):
            return refunded(context, refund)
        case Refunded(amount, _):
            return review(context, refund, f"{gateway.terms.label} says that {amount} went back", unsure=True)
        case Declined():
            return _refused(context, refund, gateway, answer.code, again=True)
        case Absent() if refund.status is RefundStatus.SENDING:
            # Its request may be on its way all the same: under the same number it is made once.
            return _not_sent(context, refund, f"{gateway.terms.label} does not know it")
        case NoAnswer(reason, configuration=True):
            alarm("gateway.misconfigured", gateway=refund.gateway, refund=refund.refund_id, reason=reason)
            return refund.status
        case _:
            return refund.status


def _ask_once_more(context: NoticeContext, refund: Refund) -> RefundStatus:
    """A person has it: only its gateway's own word that the money went back takes it off their list."""
    gateway = context.gateway(refund.gateway)
    answer = _question(context, refund, gateway) if gateway.terms.knows_refunds else None
    if isinstance(answer, Refunded) and answer.amount in (None, refund.amount):
        return refunded(context, refund)
    refunds.stays_under_review(context.table, refund, context.now)
    return refund.status


def _ask_afterwards(context: NoticeContext, refund: Refund) -> RefundStatus:
    """It has ended: a gateway that says otherwise is put before a person, and one that says nothing is asked again."""
    now, gateway = context.now, context.gateway(refund.gateway)
    begun = refund.told_at or refund.ended_at or refund.created_at
    following = next_refund_check(begun, refund.check + 1, now)
    if following is not None:
        refunds.plan_check(context.table, refund, following)
    match _question(context, refund, gateway):
        case Refunded() if refund.contradicted(refunded=True):
            contradicted(context, refund, twice(refund, "its gateway says that it was made as well"))
        case Declined() if refund.contradicted(refunded=False):
            contradicted(context, refund, f"{refund.refund_id} was made, and its gateway says afterwards that it was not")
        case Pending() | NoAnswer() if following is not None:
            return refund.status
    refunds.asked_about(context.table, refund)
    return refund.status
