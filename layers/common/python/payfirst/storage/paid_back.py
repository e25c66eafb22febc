"""What a session and its order say of their payment's refunds, written with each of a refund's moves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from payfirst.domain.money import Money
from payfirst.domain.moves import RefundStatus
from payfirst.domain.paid_back import PaidBack
from payfirst.domain.refund import Refund
from payfirst.domain.session import Kind, RefundShown, Session
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update, Write
from payfirst.storage.items import paid_back_to_map, refund_to_map
from payfirst.storage.sessions import change_write, timeline_entry


def back_after(session: Session, refund: Refund, status: RefundStatus) -> PaidBack:
    """What has gone back of the session's payment once `refund`, a new one or as it was read, is `status`."""
    if refund.ref != session.captured:
        return session.paid_back  # the refund of another payment
    if status is RefundStatus.REFUNDED:
        return session.paid_back.returning(refund.amount)
    is_new = status is RefundStatus.DUE and refund.status is RefundStatus.DUE
    return session.paid_back.owing(refund.amount) if is_new else session.paid_back


def shown_values(
    session: Session, refund: Refund, status: RefundStatus, back: PaidBack, *, by_hand: bool = False
) -> dict[str, Any]:
    """What a session holds of a refund that is now `status`."""
    is_of_it = refund.ref == session.captured
    total = Money(back.returned + back.owed, refund.amount.currency) if is_of_it else refund.amount
    shown = refund_to_map(RefundShown(refund.amount, status.value, refund.reason, by_hand, total))
    return {"refund": shown, **({"paid_back": paid_back_to_map(back)} if is_of_it else {})}


def order_writes(session: Session, ref: str, back: PaidBack) -> list[Write]:
    """The session's order says how its payment stands, where `ref` is that payment. The session's own condition guards it."""
    if session.kind is not Kind.ORDER or session.outcome is None or ref != session.captured:
        return []
    key = keys.owned(session.customer.sub, keys.ORDER, session.outcome.number)
    return [Update("order", key, set={"payment_status": back.status(session.amount).value})]


def shown_writes(
    session: Session, refund: Refund, status: RefundStatus, now: datetime, *, by: str, by_hand: bool = False, **facts: Any
) -> list[Write]:
    """The session, its order and its timeline say that `refund`, a new one or as it was read, is now `status`."""
    back = back_after(session, refund, status)
    return [
        change_write(session, **shown_values(session, refund, status, back, by_hand=by_hand)),
        *order_writes(session, refund.ref, back),
        timeline_entry(
            session,
            f"refund.{status.value}",
            now,
            by=by,
            refund=refund.refund_id,
            amount=refund.amount.minor,
            by_hand=by_hand or None,
            **facts,
        ),
    ]
