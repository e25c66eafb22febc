"""Document B's sessions as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from payfirst.api.wire.fields import Out
from payfirst.api.wire.outcome import BookingShown, FailureOut, OrderShown, RefundOut, added, booking_of, order_of
from payfirst.api.wire.snapshot import BookedContentOut, DeliveryOut, SnapshotOut, frozen
from payfirst.domain.clock import instant
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Session


class SessionOut(Out):
    """A whole session."""

    session_id: str
    user: int | str
    cart_snapshot: SnapshotOut | BookedContentOut
    delivery_details: DeliveryOut | None
    total_amount: str
    currency: str
    delivery_fee: str
    phone_number: str | None
    session_status: SessionStatus
    order: OrderShown | None
    created_at: str
    expires_at: str
    booking: BookingShown | None = None
    rounding: str | None = None
    failure: FailureOut | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, now: datetime) -> SessionOut:
        return cls(
            session_id=session.uuid,
            user=session.customer.shown,
            **frozen(session),
            total_amount=str(session.amount),
            currency=session.amount.currency,
            session_status=session.status_at(now),
            order=order_of(session),
            created_at=instant(session.created_at),
            expires_at=instant(session.expires_at),
            **added(session),
        )


class StatusOut(Out):
    """How far a session's payment got."""

    session_id: str
    session_status: SessionStatus
    order: OrderShown | None
    expires_at: str
    created_at: str
    booking: BookingShown | None = None
    failure: FailureOut | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, now: datetime) -> StatusOut:
        return cls(
            session_id=session.uuid,
            session_status=session.status_at(now),
            order=order_of(session),
            expires_at=instant(session.expires_at),
            created_at=instant(session.created_at),
            **added(session),
        )


class OrderNamed(Out):
    """A session's order in a list."""

    order_id: int
    order_number: str


class SessionListed(Out):
    """One session in a list."""

    session_id: str
    session_status: SessionStatus
    total_amount: str
    currency: str
    created_at: str
    order_details: OrderNamed | None
    booking: BookingShown | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, now: datetime) -> SessionListed:
        order, booking = order_of(session), booking_of(session)
        return cls(
            session_id=session.uuid,
            session_status=session.status_at(now),
            total_amount=str(session.amount),
            currency=session.amount.currency,
            created_at=instant(session.created_at),
            order_details=OrderNamed(order_id=order.order_id, order_number=order.order_number) if order else None,
            **({"booking": booking} if booking else {}),
            **({"refund": RefundOut.of(session.refund)} if session.refund else {}),
        )


class ExtendedOut(Out):
    """A session that can be paid longer."""

    status: Literal["success"] = "success"
    message: str
    expires_at: str

    @classmethod
    def of(cls, session: Session) -> ExtendedOut:
        return cls(status="success", message="Session extended", expires_at=instant(session.expires_at))
