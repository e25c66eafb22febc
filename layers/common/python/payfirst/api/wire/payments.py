"""Document A's payments: a session seen through A's words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, WithJsonSchema

from payfirst.api.wire.bookings import BookingOut
from payfirst.api.wire.fields import Amount, AnyId, In, Out, PhoneNumber
from payfirst.api.wire.outcome import RefundOut
from payfirst.domain.clock import instant
from payfirst.domain.moves import SessionStatus
from payfirst.domain.refund import failure_sentence
from payfirst.domain.session import BookingSnapshot, Session
from payfirst.gateways.registry import names
from payfirst.usecases.checkout.process_cart import CartPayment
from payfirst.usecases.checkout.start_attempt import Started

PaymentStatus = Literal["PENDING", "SUCCESS", "FAILED", "EXPIRED"]

WORDS: Final[dict[SessionStatus, PaymentStatus]] = {
    SessionStatus.PENDING: "PENDING",
    SessionStatus.PAYMENT_INITIATED: "PENDING",
    SessionStatus.PAID: "SUCCESS",
    SessionStatus.ORDER_CREATED: "SUCCESS",
    SessionStatus.FAILED: "FAILED",
    SessionStatus.EXPIRED: "EXPIRED",
}


def payment_status(session: Session, now: datetime) -> PaymentStatus:
    """The session's status in A's words."""
    return WORDS[session.status_at(now)]


def _methods() -> list[str]:
    return sorted(names(), reverse=True)


def _method(value: str) -> str:
    if value.upper() not in names():
        raise ValueError(f"Input should be {' or '.join(map(repr, _methods()))}")
    return value.upper()


class ProcessCartIn(In):
    """`POST /api/payments/process-cart/`."""

    cart_id: AnyId
    method: Annotated[str, AfterValidator(_method), WithJsonSchema({"enum": _methods(), "type": "string"})] | None = None
    amount: Amount | None = None
    phone_number: PhoneNumber | None = None

    def payment(self) -> CartPayment:
        """The request as the use case takes it."""
        return CartPayment(self.cart_id, self.method, self.amount, self.phone_number)


class ProcessedOut(Out):
    """A payment under way; `payment_url` is null while PhonePe's answer is being looked up."""

    success: Literal[True]
    payment_id: int
    transaction_id: str
    merchant_transaction_id: str
    amount: str
    currency: str
    payment_url: str | None
    status: PaymentStatus
    cart_id: int
    checkout_request_id: str | None = None

    @classmethod
    def of(cls, started: Started, cart_id: int) -> ProcessedOut:
        session, attempt = started.session, started.attempt
        return cls(
            success=True,
            payment_id=session.number,
            transaction_id=attempt.transaction,
            merchant_transaction_id=attempt.ref,
            amount=str(session.amount),
            currency=session.amount.currency,
            payment_url=attempt.payment_url,
            status=WORDS[session.status],
            cart_id=cart_id,
            **({"checkout_request_id": attempt.gateway_id} if attempt.phone else {}),
        )


class PaymentOut(Out):
    """A payment as it stands."""

    id: int
    payment_id: int
    transaction_id: str | None
    merchant_transaction_id: str | None
    amount: str
    currency: str
    method: str | None
    status: PaymentStatus
    cart_id: int | None
    booking: int | None
    created_at: str
    expires_at: str
    error_code: str | None = None
    message: str | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, now: datetime) -> PaymentOut:
        latest = session.latest
        content = session.snapshot if isinstance(session.snapshot, BookingSnapshot) else None
        return cls(
            id=session.number,
            payment_id=session.number,
            transaction_id=latest.transaction if latest else None,
            merchant_transaction_id=latest.ref if latest else None,
            amount=str(session.amount),
            currency=session.amount.currency,
            method=latest.gateway if latest else None,
            status=payment_status(session, now),
            cart_id=content.cart_id if content else None,
            booking=session.outcome.number if session.outcome and content else None,
            created_at=instant(session.created_at),
            expires_at=instant(session.expires_at),
            **_what_else(session),
        )


class CheckedOut(Out):
    """Whether a payment became a booking."""

    success: bool
    payment_status: PaymentStatus
    booking_created: bool
    booking: BookingOut | None = None
    message: str | None = None
    refund: RefundOut | None = None

    @classmethod
    def of(cls, session: Session, booking: BookingOut | None, now: datetime) -> CheckedOut:
        status = payment_status(session, now)
        said: dict[str, Any] = {"refund": RefundOut.of(session.refund)} if session.refund else {}
        if booking is not None:
            said["booking"] = booking
        elif status == "SUCCESS":
            said["message"] = "Payment successful but booking creation pending"
        else:
            said["message"] = f"Payment status: {status.capitalize()}"
        return cls(success=status == "SUCCESS", payment_status=status, booking_created=booking is not None, **said)


def _what_else(session: Session) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if session.failure is not None and session.status is SessionStatus.FAILED:
        facts |= {"error_code": session.failure.code, "message": failure_sentence(session.failure)}
    if session.refund is not None:
        facts["refund"] = RefundOut.of(session.refund)
    return facts
