"""Where a refund ends: paid back, or before a person with the steps."""

from __future__ import annotations

from typing import Final

from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import Refund
from payfirst.domain.session import Session
from payfirst.observability import note, warn
from payfirst.storage import keys, refunds
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.items import session_from_item
from payfirst.storage.table import get
from payfirst.usecases.take_notice import Desk

TRIES: Final = 4
_BY_HAND: Final = (
    "Pay back {amount} {currency} for receipt {receipt} in the gateway's own portal, then record it: "
    'payfirst resolve {refund} --refunded --why "…"'
)


def review(desk: Desk, refund: Refund, detail: str) -> RefundStatus:
    """Put the refund before a person, who reads `detail` and how to pay back by hand. ConditionFailedError if it moved on."""
    by_hand = _BY_HAND.format(
        amount=refund.amount, currency=refund.amount.currency, receipt=refund.receipt or "(unknown)", refund=refund.refund_id
    )
    _end(desk, refund, RefundStatus.NEEDS_REVIEW, f"{detail}. {by_hand}")
    warn("refund.needs_review", refund=refund.refund_id, reason=detail)
    return RefundStatus.NEEDS_REVIEW


def refunded(desk: Desk, refund: Refund) -> RefundStatus:
    """Its gateway says that the money went back. ConditionFailedError if it moved on."""
    _end(desk, refund, RefundStatus.REFUNDED, None)
    note("refund.refunded", refund=refund.refund_id, amount=str(refund.amount))
    return RefundStatus.REFUNDED


def _end(desk: Desk, refund: Refund, status: RefundStatus, detail: str | None) -> None:
    """End the refund; a session that is changing at the same moment is read again, a refund that moved on is left alone."""
    for tried in range(TRIES):
        session = session_of(desk, refund)
        try:
            refunds.end(desk.settling.table, session, refund, status, desk.settling.now, by="gateway", detail=detail)
        except ConditionFailedError as error:
            if refunds.REFUND in error.failed or tried == TRIES - 1:
                raise
        else:
            return


def session_of(desk: Desk, refund: Refund) -> Session:
    """The session whose money goes back."""
    item = get(desk.settling.table, keys.owned(refund.owner, keys.SESSION, refund.session_number))
    if item is None:
        raise LookupError(f"the session of {refund.refund_id} is gone")
    return session_from_item(item)
