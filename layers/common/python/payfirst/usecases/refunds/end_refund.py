"""Where a refund ends: paid back, or before a person with the steps."""

from __future__ import annotations

from typing import Final

from payfirst.domain.moves import RefundStatus
from payfirst.domain.refund import Refund
from payfirst.domain.session import Session
from payfirst.observability import note, warn
from payfirst.storage import captures, refunds
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import get
from payfirst.storage.items import session_from_item
from payfirst.usecases.context import NoticeContext

TRIES: Final = 4


def review(context: NoticeContext, refund: Refund, detail: str, *, unsure: bool = False) -> RefundStatus:
    """Put the refund before a person, who reads `detail`. ConditionFailedError if it moved on.

    `unsure`: its gateway may have paid it back, so that its customer is not told that a person will.
    """
    _end(context, refund, RefundStatus.NEEDS_REVIEW, detail, by_hand=not unsure)
    warn("refund.needs_review", refund=refund.refund_id, reason=detail)
    return RefundStatus.NEEDS_REVIEW


def refunded(context: NoticeContext, refund: Refund) -> RefundStatus:
    """Its gateway says that the money went back. ConditionFailedError if it moved on."""
    _end(context, refund, RefundStatus.REFUNDED, None, by_hand=False)
    note("refund.refunded", refund=refund.refund_id, amount=str(refund.amount))
    return RefundStatus.REFUNDED


def contradicted(context: NoticeContext, refund: Refund, reason: str) -> bool:
    """Put before a person what its gateway says of a refund that has ended otherwise; False where that was told before."""
    for tried in range(TRIES):
        session = session_of(context, refund)
        try:
            return captures.contradiction(context.table, session, refund.ref, reason, context.now, refund=refund.refund_id)
        except ConditionFailedError:
            if tried == TRIES - 1:
                raise
    return False


def twice(refund: Refund, said: str) -> str:
    """What a person reads where money went back that was recorded otherwise: the same words for the same fact."""
    if refund.by_hand:
        ended = "was paid back by hand"
    else:
        ended = "was paid back by its gateway" if refund.status is RefundStatus.REFUNDED else "had failed"
    return f"{refund.refund_id} {ended}, and {said}: {refund.amount} {refund.amount.currency} may have gone back twice"


def _end(context: NoticeContext, refund: Refund, status: RefundStatus, detail: str | None, *, by_hand: bool) -> None:
    """End the refund; a session that is changing at the same moment is read again, a refund that moved on is left alone."""
    for tried in range(TRIES):
        session = session_of(context, refund)
        try:
            refunds.end(context.table, session, refund, status, context.now, by="gateway", detail=detail, by_hand=by_hand)
        except ConditionFailedError as error:
            if refunds.REFUND in error.failed or tried == TRIES - 1:
                raise
        else:
            return


def session_of(context: NoticeContext, refund: Refund) -> Session:
    """The session whose money goes back."""
    item = get(context.table, keys.owned(refund.owner, keys.SESSION, refund.session_number))
    if item is None:
        raise LookupError(f"the session of {refund.refund_id} is gone")
    return session_from_item(item)
