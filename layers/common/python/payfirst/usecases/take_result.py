"""M-Pesa's word on a reversal: a notice on the address that only it knows."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import Refund
from payfirst.gateways.base import Declined
from payfirst.gateways.mpesa.result_notices import ResultNotice, read_result_notice
from payfirst.observability import alarm, warn
from payfirst.storage import refunds
from payfirst.storage.failures import ConditionFailedError
from payfirst.usecases.end_refund import refunded, review
from payfirst.usecases.take_notice import Desk, Taken

_TOKEN: Final = re.compile(r"[0-9a-f]{47}")


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
    if refund.status not in (RefundStatus.SENDING, RefundStatus.ACCEPTED, RefundStatus.NEEDS_REVIEW):
        return Taken.DUPLICATE
    notice = read_result_notice(raw)
    if notice is None or (answer and notice.status is None):
        return Taken.UNREADABLE  # an answer that states no status says only that the question was processed
    why_not = _why_not_refunded(refund, notice)
    try:
        if why_not is None:
            refunded(desk, refund)  # also where a person has it by now, who must not pay it a second time
        elif refund.status is RefundStatus.NEEDS_REVIEW:
            return Taken.DUPLICATE
        else:
            review(desk, refund, why_not)
    except ConditionFailedError:
        return Taken.DUPLICATE
    return Taken.SETTLED


def _why_not_refunded(refund: Refund, notice: ResultNotice) -> str | None:
    """Why the notice does not say that this very refund was made; None where it does."""
    answer = notice.refund_answer
    if isinstance(answer, Declined):
        if answer.configuration:
            alarm("refund.misconfigured", refund=refund.refund_id, code=answer.code)
        return f"M-Pesa refused it: {answer.code}"
    if notice.original_receipt not in (None, refund.receipt):
        return "M-Pesa's result names another receipt"
    if answer.amount not in (None, refund.amount):
        return f"M-Pesa says that {answer.amount} went back"
    if notice.status is not None and notice.status.lower() != "completed":
        return f"M-Pesa says that the reversal is {notice.status}"
    return None
