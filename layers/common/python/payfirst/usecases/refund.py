"""Send money back: once for each refund, never by a second way, and to a person where no gateway can do it.

PhonePe knows a refund by our id, so it can be asked about and a definite refusal opens the next number. M-Pesa's reversal is
sent once; its result comes as a notice, and whatever stays unclear goes to the list that a person sees. What surely never left
this shop was not sent yet: it is tried again under the same number.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import replace
from typing import Final

from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import MOST_TRIES, Refund, next_refund_check
from payfirst.domain.session import Session
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
    Rejected,
    Unknown,
)
from payfirst.gateways.mpesa.result_notices import ResultNotice, read_result_notice
from payfirst.observability import alarm, note, warn
from payfirst.storage import attempts, keys, refunds
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.items import session_from_item
from payfirst.storage.table import get
from payfirst.usecases.start_attempt import phonepe_notices
from payfirst.usecases.take_notice import Desk, Taken

TRIES: Final = 4
CALL_S: Final = 10.0
WRITES_S: Final = 5.0
"""What is kept back of the function's time for the writes after a gateway was asked."""

_TOKEN: Final = re.compile(r"[0-9a-f]{47}")
_BY_HAND: Final = (
    "Pay back {amount} {currency} for receipt {receipt} in the gateway's own portal, then record it: "
    'payfirst resolve {refund} --refunded --why "…"'
)


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
            return _refused(desk, refund, gateway, answer.detail, again=answer.retryable)
        case Unknown(reason, sent=False):
            return _not_sent(desk, refund, reason)
        case _:
            warn("refund.unknown", refund=refund.refund_id, reason=answer.reason)
            return RefundStatus.SENDING


def _not_sent(desk: Desk, refund: Refund, reason: str) -> RefundStatus:
    """Surely nothing has left: the sweep sends it for the first time when the gateway can be reached again."""
    warn("refund.not_sent", refund=refund.refund_id, reason=reason)
    following = next_refund_check(refund.created_at, refund.check, desk.settling.now)
    if following is None:
        return _review(desk, refund, "its gateway could not be reached for days, and nothing was sent")
    refunds.put_back(desk.settling.table, refund, following)
    return RefundStatus.DUE


def _refused(desk: Desk, refund: Refund, gateway: Gateway, detail: str, *, again: bool) -> RefundStatus:
    """A definite refusal: who knows refunds by our numbers may be asked anew under the next, anything else is for a person."""
    if again and gateway.knows_refunds and refund.number < MOST_TRIES:
        refunds.failed(desk.settling.table, _session(desk, refund), refund, desk.settling.now, detail=detail)
        note("refund.failed", refund=refund.refund_id)
        return RefundStatus.FAILED
    return _review(desk, refund, detail)


def _review(desk: Desk, refund: Refund, detail: str) -> RefundStatus:
    by_hand = _BY_HAND.format(
        amount=refund.amount, currency=refund.amount.currency, receipt=refund.receipt or "(unknown)", refund=refund.refund_id
    )
    _end(desk, refund, RefundStatus.NEEDS_REVIEW, f"{detail}. {by_hand}")
    warn("refund.needs_review", refund=refund.refund_id, reason=detail)
    return RefundStatus.NEEDS_REVIEW


def _refunded(desk: Desk, refund: Refund) -> RefundStatus:
    _end(desk, refund, RefundStatus.REFUNDED, None)
    note("refund.refunded", refund=refund.refund_id, amount=str(refund.amount))
    return RefundStatus.REFUNDED


def _end(desk: Desk, refund: Refund, status: RefundStatus, detail: str | None) -> None:
    """End the refund; a session that is changing at the same moment is read again, a refund that moved on is left alone."""
    for tried in range(TRIES):
        session = _session(desk, refund)
        try:
            refunds.end(desk.settling.table, session, refund, status, desk.settling.now, by="gateway", detail=detail)
        except ConditionFailedError as error:
            if refunds.REFUND in error.failed or tried == TRIES - 1:
                raise
        else:
            return


def _session(desk: Desk, refund: Refund) -> Session:
    item = get(desk.settling.table, keys.owned(refund.owner, keys.SESSION, refund.session_number))
    if item is None:
        raise LookupError(f"the session of {refund.refund_id} is gone")
    return session_from_item(item)


def _with_receipt(desk: Desk, refund: Refund) -> Refund:
    attempt = attempts.read(desk.settling.table, refund.ref)
    return replace(refund, receipt=attempt.receipt if attempt else None)


def _wait_for_receipt(desk: Desk, refund: Refund) -> RefundStatus:
    """A reversal names the receipt: money that only the query told of waits until a notice or a statement brings it."""
    following = next_refund_check(refund.created_at, refund.check, desk.settling.now)
    if following is None:
        return _review(desk, refund, "its receipt never came")
    refunds.plan_check(desk.settling.table, refund, following)
    return refund.status


def _ask(desk: Desk, refund: Refund) -> RefundStatus:
    """Ask its gateway; one that does not know our references and gave no name of its own cannot be asked, nor sent to again."""
    following = next_refund_check(refund.sent_at or refund.created_at, refund.check + 1, desk.settling.now)
    if following is None:
        return _review(desk, refund, "its gateway gave no final answer in time")
    refunds.plan_check(desk.settling.table, refund, following)
    gateway = desk.gateway(GatewayName(refund.gateway))
    if not gateway.knows_refunds and refund.conversation is None:
        return _review(desk, refund, "the answer to its reversal was lost; look in the portal whether it was made")
    token = _new_token(desk, refund)
    if not gateway.knows_refunds:
        refunds.expect_answer(desk.settling.table, refund, hashlib.sha256(token.encode()).hexdigest())
    query = RefundQuery(refund.refund_id, refund.conversation, *_addresses(desk, token))
    answer = gateway.refund_status(query, now=desk.settling.now, timeout_s=_time_for_call(desk))
    match answer:
        case Refunded(amount, _) if amount in (None, refund.amount):
            return _refunded(desk, refund)
        case Refunded(amount, _):
            return _review(desk, refund, f"PhonePe says that {amount} went back")
        case Declined():
            return _refused(desk, refund, gateway, answer.code, again=True)
        case Absent() if refund.status is RefundStatus.SENDING:
            return _refused(desk, refund, gateway, "it never reached PhonePe", again=True)
        case NoAnswer(reason, configuration=True):
            alarm("gateway.misconfigured", gateway=refund.gateway, refund=refund.refund_id, reason=reason)
            return refund.status
        case _:
            return refund.status


def take_result_notice(desk: Desk, token: str, raw: bytes) -> Taken:
    """M-Pesa's result of a reversal, on the address that only it knows."""
    if not _TOKEN.fullmatch(token):
        return Taken.REFUSED
    refund = refunds.read(desk.settling.table, f"MT{token[:13]}", int(token[13:15], 16))
    presented = hashlib.sha256(token.encode()).hexdigest()
    result = refund is not None and hmac.compare_digest(presented, refund.token_hash or "")
    answer = refund is not None and hmac.compare_digest(presented, refund.asked_hash or "")
    if refund is None or not (result or answer):
        warn("notice.refused", why="token")
        return Taken.REFUSED
    if refund.status not in (RefundStatus.SENDING, RefundStatus.ACCEPTED):
        return Taken.DUPLICATE
    notice = read_result_notice(raw)
    if notice is None or (answer and notice.status is None):
        return Taken.UNREADABLE  # an answer that states no status says only that the question was processed
    try:
        _settle_result(desk, refund, notice)
    except ConditionFailedError:
        return Taken.DUPLICATE
    return Taken.SETTLED


def _settle_result(desk: Desk, refund: Refund, notice: ResultNotice) -> None:
    answer = notice.refund_answer
    if isinstance(answer, Declined):
        if answer.configuration:
            alarm("refund.misconfigured", refund=refund.refund_id, code=answer.code)
        _review(desk, refund, f"M-Pesa refused it: {answer.code}")
    elif notice.original_receipt not in (None, refund.receipt):
        _review(desk, refund, "M-Pesa's result names another receipt")
    elif answer.amount not in (None, refund.amount):
        _review(desk, refund, f"M-Pesa says that {answer.amount} went back")
    elif notice.status is not None and notice.status.lower() != "completed":
        _review(desk, refund, f"M-Pesa says that the reversal is {notice.status}")
    else:
        _refunded(desk, refund)
