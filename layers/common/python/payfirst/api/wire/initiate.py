"""Document B's request to prompt a phone, and what it is answered."""

from __future__ import annotations

from typing import Literal

from payfirst.api.wire.fields import In, Out, PhoneNumber
from payfirst.gateways.registry import terms_of
from payfirst.usecases.checkout.start_attempt import Started


class InitiateIn(In):
    """`POST …/initiate_payment/`: another phone than the session's may be prompted."""

    phone_number: PhoneNumber | None = None


class InitiatedOut(Out):
    """A prompt is on its way, or its answer was lost and is looked up."""

    status: Literal["success", "pending"]
    message: str
    session_id: str
    transaction_id: int
    checkout_request_id: str | None
    customer_message: str | None = None

    @classmethod
    def of(cls, started: Started) -> InitiatedOut:
        session, attempt, its_name = started.session, started.attempt, terms_of(started.attempt.gateway).label
        if started.lost:
            message = f"We are checking with {its_name}."
            return cls(
                status="pending",
                message=message,
                session_id=session.uuid,
                transaction_id=attempt.number,
                checkout_request_id=None,
            )
        return cls(
            status="success",
            message="STK Push sent successfully. Please check your phone.",
            session_id=session.uuid,
            transaction_id=attempt.number,
            checkout_request_id=attempt.gateway_id,
            customer_message=f"Please check your phone for {its_name} prompt.",
        )
