"""Payments asked of a gateway: sessions (document B) and carts (document A). Reads the gateways' secrets and calls out."""

from __future__ import annotations

from payfirst.api.app import build_app
from payfirst.api.errors import MalformedError, Reply
from payfirst.api.request import Request
from payfirst.api.resources import customer, lifetime, payment_context
from payfirst.api.values import given
from payfirst.api.wire.initiate import InitiatedOut, InitiateIn
from payfirst.api.wire.payments import ProcessCartIn, ProcessedOut
from payfirst.domain.session import BookingSnapshot
from payfirst.usecases.checkout.initiate_payment import initiate_payment
from payfirst.usecases.checkout.process_cart import process_cart


def initiate(request: Request, session_id: str) -> Reply:
    """`POST /api/payments/sessions/{session_id}/initiate_payment/`"""
    wanted = request.body(InitiateIn)
    started = initiate_payment(
        given(session_id), wanted.phone_number, customer=customer(request), context=payment_context(request)
    )
    return Reply(202 if started.lost else 200, InitiatedOut.of(started))


def process(request: Request) -> Reply:
    """`POST /api/payments/process-cart/`"""
    try:
        wanted = request.body(ProcessCartIn)
    except MalformedError as error:
        # The usual mistake: the cart's UUID pasted without quotes.
        raise MalformedError(f"{error.message} If cart_id is a UUID, use the integer `id` of the cart instead.") from error
    started = process_cart(wanted.payment(), customer=customer(request), context=payment_context(request), lifetime=lifetime())
    content = started.session.snapshot
    if not isinstance(content, BookingSnapshot):
        raise TypeError("a cart's session froze no booking")
    return Reply(201 if started.is_new else 200, ProcessedOut.of(started, content.cart_id))


handler = build_app(
    "initiate_payment",
    {"initiate_payment": initiate, "process_cart": process, "process_cart_doubled": process},
)
