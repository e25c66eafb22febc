"""Send money back: once for each refund, never by a second way, and to a person where no gateway can do it.

PhonePe knows a refund by our id and makes each id once, so it can be asked about, what it does not know is sent again under
the same number, and only its definite failure opens the next one. M-Pesa's reversal is sent once; its result comes as a notice,
and whatever stays unclear goes to the list that a person sees. What a gateway surely has nothing of was not sent yet.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import MOST_TRIES, RESULT_TAKES, Refund, next_refund_check, why_not_by_gateway
from payfirst.gateways.base import (
    Absent,
    Accepted,
    Declined,
    Gateway,
    GatewayName,
    NoAnswer,
    PayBack,
    PushAnswer,
    Refunded,
    RefundQuery,
    RefundStatusAnswer,
    Rejected,
    Unknown,
)
from payfirst.observability import alarm, note, warn
from payfirst.storage import attempts, refunds
from payfirst.storage.failures import ConditionFailedError
from payfirst.usecases.end_refund import refunded, review, session_of
from payfirst.usecases.start_attempt import phonepe_notices
from payfirst.usecases.take_notice import Desk

CALL_S: Final = 10.0
WRITES_S: Final = 5.0
"""What is kept back of the function's time for the writes after a gateway was asked."""


def pursue(desk: Desk, ref: str, number: int) -> RefundStatus | None:
    """Take one refund as far as it goes now; None when there is no such refund. Safe to call at any time, by anybody."""
    refund = refunds.read(desk.settling.table, ref, number)
    if refund is None:
        return None
    try:
        if refund.status is RefundStatus.DUE:
            return _send(desk, refund)
        if refund.status in (RefundStatus.SENDING, RefundStatus.ACCEPTED):
            return _ask(desk, refund)
        if refund.status is RefundStatus.NEEDS_REVIEW:
            return _ask_once_more(desk, refund)
    except ConditionFailedError:
        note("refund.moved_on", refund=refund.refund_id)  # somebody else has just taken it further
    return refund.status


def _send(desk: Desk, refund: Refund) -> RefundStatus:
    now = desk.settling.now
    gateway = desk.gateway(GatewayName(refund.gateway))  # without credentials nothing is begun
    if not gateway.knows_refunds:
        refund = _with_receipt(desk, refund)
        if refund.receipt is None:
            return _wait_for_receipt(desk, refund)
    problem = why_not_by_gateway(refund.amount)
    if problem is not None:
        return review(desk, refund, problem)
    token = _new_token(desk, refund)
    first = next_refund_check(now, 0, now)
    if first is None:
        raise AssertionError("a ladder has a first rung")
    hashed = hashlib.sha256(token.encode()).hexdigest()
    refunds.start_sending(desk.settling.table, refund, hashed, now, first)
    sending = replace(refund, status=RefundStatus.SENDING, token_hash=hashed, sent_at=now)
    note("refund.sending", refund=refund.refund_id, gateway=refund.gateway, amount=str(refund.amount))
    result, timeout = _addresses(desk, token)
    wanted = PayBack(
        refund.refund_id, refund.ref, refund.amount, refund.receipt, result, timeout, phonepe_notices(desk.callback_origin)
    )
    return _sent(desk, sending, gateway, gateway.refund(wanted, now=now, timeout_s=_time_for_call(desk)))


def _new_token(desk: Desk, refund: Refund) -> str:
    return f"{refund.ref.removeprefix('MT')}{refund.number:02x}{desk.settling.entropy(16).hex()}"


def _time_for_call(desk: Desk) -> float:
    return min(CALL_S, desk.deadline.remaining() - WRITES_S)


def _addresses(desk: Desk, token: str) -> tuple[str, str]:
    """Where a result is told, and where it is told that there will be none."""
    return f"{desk.callback_origin}/cb/result/{token}", f"{desk.callback_origin}/cb/late/{token}"


def _sent(desk: Desk, refund: Refund, gateway: Gateway, answer: PushAnswer) -> RefundStatus:
    match answer:
        case Accepted(gateway_id, merchant_request_id):
            refunds.accepted(desk.settling.table, refund, merchant_request_id or gateway_id)
            return RefundStatus.ACCEPTED
        case Rejected():
            if answer.configuration:
                alarm("refund.misconfigured", refund=refund.refund_id, code=answer.code)
            return _rejected(desk, refund, gateway, answer)
        case Unknown(reason, sent=False):
            if answer.configuration:
                alarm("refund.misconfigured", refund=refund.refund_id, reason=reason)
            return _not_sent(desk, refund, reason)
        case _:
            warn("refund.unknown", refund=refund.refund_id, reason=answer.reason)
            return RefundStatus.SENDING


def _not_sent(desk: Desk, refund: Refund, reason: str) -> RefundStatus:
    """Its gateway has nothing of it: a sweep sends it under the same number, later and later, for three days."""
    warn("refund.not_sent", refund=refund.refund_id, reason=reason)
    following = next_refund_check(refund.created_at, 0, desk.settling.now)
    if following is None:
        return review(desk, refund, f"its gateway has taken nothing for days ({reason})")
    refunds.put_back(desk.settling.table, refund, following)
    return RefundStatus.DUE


def _rejected(desk: Desk, refund: Refund, gateway: Gateway, answer: Rejected) -> RefundStatus:
    """A refusal of this request. An earlier one under the same number may have arrived, so a gateway that can tell is asked."""
    if answer.retryable or not gateway.knows_refunds:
        return _refused(desk, refund, gateway, answer.detail, again=answer.retryable)
    known = _question(desk, refund, gateway)
    if isinstance(known, Absent):
        return review(desk, refund, answer.detail)
    return _told(desk, refund, gateway, known)


def _refused(desk: Desk, refund: Refund, gateway: Gateway, detail: str, *, again: bool) -> RefundStatus:
    """A definite refusal: who knows refunds by our numbers may be asked anew under the next, anything else is for a person."""
    if again and gateway.knows_refunds and refund.number < MOST_TRIES:
        refunds.failed(desk.settling.table, session_of(desk, refund), refund, desk.settling.now, detail=detail)
        note("refund.failed", refund=refund.refund_id)
        return RefundStatus.FAILED
    return review(desk, refund, detail)


def _with_receipt(desk: Desk, refund: Refund) -> Refund:
    attempt = attempts.read(desk.settling.table, refund.ref)
    return replace(refund, receipt=attempt.receipt if attempt else None)


def _wait_for_receipt(desk: Desk, refund: Refund) -> RefundStatus:
    """A reversal names the receipt: money that only the query told of waits until a notice or a statement brings it."""
    following = next_refund_check(refund.created_at, refund.check, desk.settling.now)
    if following is None:
        return review(desk, refund, "its receipt never came")
    refunds.plan_check(desk.settling.table, refund, following)
    return refund.status


def _ask(desk: Desk, refund: Refund) -> RefundStatus:
    """Ask its gateway; one that does not know our references and gave no name of its own cannot be asked, nor sent to again."""
    now = desk.settling.now
    gateway = desk.gateway(GatewayName(refund.gateway))
    following = next_refund_check(refund.sent_at or refund.created_at, refund.check + 1, now)
    if following is None:
        return _ask_for_the_last_time(desk, refund, gateway)
    refunds.plan_check(desk.settling.table, refund, following)
    if gateway.knows_refunds or refund.conversation is not None:
        return _told(desk, refund, gateway, _question(desk, refund, gateway))
    if now < (refund.sent_at or refund.created_at) + RESULT_TAKES:
        return refund.status  # its result may still come by itself
    return review(desk, refund, "the answer to its reversal was lost; look in the portal whether it was made")


def _ask_for_the_last_time(desk: Desk, refund: Refund, gateway: Gateway) -> RefundStatus:
    became = _told(desk, refund, gateway, _question(desk, refund, gateway)) if gateway.knows_refunds else refund.status
    return review(desk, refund, "its gateway gave no final answer in time") if became is refund.status else became


def _question(desk: Desk, refund: Refund, gateway: Gateway) -> RefundStatusAnswer:
    token = _new_token(desk, refund)
    if not gateway.knows_refunds:
        refunds.expect_answer(desk.settling.table, refund, hashlib.sha256(token.encode()).hexdigest())
    query = RefundQuery(refund.refund_id, refund.conversation, *_addresses(desk, token))
    return gateway.refund_status(query, now=desk.settling.now, timeout_s=_time_for_call(desk))


def _told(desk: Desk, refund: Refund, gateway: Gateway, answer: RefundStatusAnswer) -> RefundStatus:
    match answer:
        case Refunded(amount, _) if amount in (None, refund.amount):
            return refunded(desk, refund)
        case Refunded(amount, _):
            return review(desk, refund, f"PhonePe says that {amount} went back")
        case Declined():
            return _refused(desk, refund, gateway, answer.code, again=True)
        case Absent() if refund.status is RefundStatus.SENDING:
            # Its request may be on its way all the same: under the same number PhonePe makes it once.
            return _not_sent(desk, refund, "PhonePe does not know it")
        case NoAnswer(reason, configuration=True):
            alarm("gateway.misconfigured", gateway=refund.gateway, refund=refund.refund_id, reason=reason)
            return refund.status
        case _:
            return refund.status


def _ask_once_more(desk: Desk, refund: Refund) -> RefundStatus:
    """A person has it: only its gateway's own word that the money went back takes it off their list."""
    gateway = desk.gateway(GatewayName(refund.gateway))
    answer = _question(desk, refund, gateway) if gateway.knows_refunds else None
    if isinstance(answer, Refunded) and answer.amount in (None, refund.amount):
        return refunded(desk, refund)
    refunds.stays_under_review(desk.settling.table, refund, desk.settling.now)
    return refund.status
