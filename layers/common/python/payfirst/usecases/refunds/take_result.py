"""A gateway's word on a refund: a notice on the address that only it knows."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import Refund
from payfirst.gateways.base import Declined, RefundClaim
from payfirst.gateways.registry import declaration_of, terms_of
from payfirst.observability import alarm, warn
from payfirst.storage import refunds
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.refunds.end_refund import contradicted, refunded, review, twice
from payfirst.usecases.settlement.take_notice import Taken

_TOKEN: Final = re.compile(r"[0-9a-f]{47}")


def take_result_notice(context: NoticeContext, token: str, raw: bytes) -> Taken:
    """A gateway's result of a refund, on the address that only it knows."""
    if not _TOKEN.fullmatch(token):
        return Taken.REFUSED
    refund = refunds.read(context.table, f"MT{token[:13]}", int(token[13:15], 16))
    presented = hashlib.sha256(token.encode()).hexdigest()
    result = refund is not None and hmac.compare_digest(presented, refund.token_hash or "")
    answer = refund is not None and hmac.compare_digest(presented, refund.asked_hash or "")
    if refund is None or not (result or answer):
        warn("notice.refused", why="token")
        return Taken.REFUSED
    if not context.sent_by(refund.gateway):
        warn("notice.refused", why="source")
        return Taken.REFUSED
    if refund.status is RefundStatus.REFUNDED and not refund.by_hand:
        return Taken.DUPLICATE
    claim = declaration_of(refund.gateway).read_refund_claim(raw)
    if claim is None or (answer and claim.status is None):
        return Taken.UNREADABLE  # an answer that states no status says only that the question was processed
    if refund.by_hand:
        return _afterwards(context, refund, claim)
    why_not = _why_not_refunded(refund, claim)
    try:
        if why_not is None:
            # Also where a person has it by now, or where it seemed not to be sent: it must not go back a second time.
            refunded(context, refund)
        elif refund.status in (RefundStatus.NEEDS_REVIEW, RefundStatus.DUE):
            return Taken.DUPLICATE
        else:
            review(context, refund, why_not, unsure=not _is_definite(claim))
    except ConditionFailedError:
        return Taken.DUPLICATE
    return Taken.SETTLED


def _is_definite(claim: RefundClaim) -> bool:
    """Whether it says that nothing went back, and never will."""
    return isinstance(claim.answer, Declined) and claim.answer.final


def _afterwards(context: NoticeContext, refund: Refund, claim: RefundClaim) -> Taken:
    """Its word on a refund that a person has paid back: what went back as well is put before a person, in any amount."""
    if isinstance(claim.answer, Declined) or (claim.status or "completed").lower() != "completed":
        return Taken.DUPLICATE
    is_news = contradicted(context, refund, twice(refund, f"{terms_of(refund.gateway).label} says that it was made as well"))
    return Taken.SETTLED if is_news else Taken.DUPLICATE


def _why_not_refunded(refund: Refund, claim: RefundClaim) -> str | None:
    """Why the claim does not say that this very refund was made; None where it does."""
    answer, its_name = claim.answer, terms_of(refund.gateway).label
    if isinstance(answer, Declined):
        if answer.configuration:
            alarm("refund.misconfigured", refund=refund.refund_id, code=answer.code)
        return f"{its_name} refused it: {answer.code}"
    if claim.original_receipt not in (None, refund.receipt):
        return f"{its_name}'s result names another receipt"
    if answer.amount not in (None, refund.amount):
        return f"{its_name} says that {answer.amount} went back"
    if claim.status is not None and claim.status.lower() != "completed":
        return f"{its_name} says that the reversal is {claim.status}"
    return None
