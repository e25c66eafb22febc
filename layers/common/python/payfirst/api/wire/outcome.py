"""What came of a session's payment, as it is answered: an order or a booking, a failure, a refund."""

from __future__ import annotations

from typing import Any

from payfirst.api.wire.fields import Out
from payfirst.domain.moves import BookingStatus, OrderStatus, SessionStatus
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.refund import failure_sentence, public_reason, refund_sentence
from payfirst.domain.session import Kind, RefundShown, Session
from payfirst.gateways.registry import why_not_paid_back


class OrderShown(Out):
    """A session's order."""

    order_id: int
    order_number: str
    order_status: str
    payment_status: PaymentStatus


class BookingShown(Out):
    """A session's booking; `status` is null where an earlier release made it and nothing has moved it since."""

    id: int
    book_id: str
    status: BookingStatus | None
    payment_status: PaymentStatus


class FailureOut(Out):
    """Why the last attempt collected nothing."""

    code: str
    message: str
    retryable: bool


class RefundOut(Out):
    """The latest refund of a payment; `total` is what has gone back or is on its way in all, `message` is for the customer."""

    amount: str
    total: str
    status: str
    reason: str
    message: str

    @classmethod
    def of(cls, refund: RefundShown) -> RefundOut:
        return cls(
            amount=str(refund.amount),
            total=str(refund.total or refund.amount),
            status=refund.status,
            reason=public_reason(refund.reason),
            message=refund_sentence(refund, by_hand=why_not_paid_back(refund.amount) is not None),
        )


def order_of(session: Session) -> OrderShown | None:
    """The session's order as its status shows it; None before there is one."""
    if session.outcome is None or session.kind is not Kind.ORDER:
        return None
    number, code, status = session.outcome.number, session.outcome.code, session.outcome.status or OrderStatus.CONFIRMED
    return OrderShown(order_id=number, order_number=code, order_status=status, payment_status=session.payment_status)


def booking_of(session: Session) -> BookingShown | None:
    """The session's booking as its status shows it; None before there is one."""
    if session.outcome is None or session.kind is not Kind.BOOKING:
        return None
    status = BookingStatus(session.outcome.status) if session.outcome.status else None
    return BookingShown(
        id=session.outcome.number,
        book_id=session.outcome.code,
        status=status,
        payment_status=session.payment_status,
    )


def added(session: Session) -> dict[str, Any]:
    """What is added to a session's printed fields where it applies: `booking`, `failure` and `refund`."""
    booking = booking_of(session)
    fields: dict[str, Any] = {"booking": booking} if booking else {}
    if session.failure is not None and session.status is SessionStatus.FAILED:
        failure = session.failure
        fields["failure"] = FailureOut(code=failure.code, message=failure_sentence(failure), retryable=failure.retryable)
    if session.refund is not None:
        fields["refund"] = RefundOut.of(session.refund)
    return fields
