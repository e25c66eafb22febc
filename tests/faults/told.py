"""What the gateways in memory say, in the words that the simulators have for it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response

from local.simulators import mpesa_bodies, phonepe_bodies
from local.simulators.courier import webhook_authorization
from local.simulators.outcomes import MPESA_CODES, Outcome, State
from local.simulators.records import Attempt, Refund
from local.simulators.rules import Kind, Variant

MPESA, PHONEPE = "MPESA", "PHONEPE"
SHORTCODE: Final = "174379"
STATES: Final = {"open": State.PENDING, "paid": State.COMPLETED, "declined": State.FAILED}
_BEGAN: Final = 1_790_000_000.0
_NO_LIES: Final = random.Random(0)  # noqa: S311 - what only lies are drawn from

Answer = tuple[int, dict[str, Any]]
"""A response's status and body."""


@dataclass(slots=True)
class Payment:
    """One prompt or order as its gateway knows it; amounts are minor units. `state` is open, paid or declined."""

    gateway: str
    ref: str
    gateway_id: str
    amount: int
    currency: str
    token: str = ""
    phone: str = ""
    state: str = "open"
    code: str = MPESA_CODES[Outcome.CANCEL]
    receipt: str = ""
    collected: int = 0


@dataclass(slots=True)
class Notice:
    """What a gateway posts: to which of our routes, with which token in its address, and the body."""

    route: str
    token: str
    raw: bytes
    signed: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it is posted to."""
        return {"stk": f"/cb/stk/{self.token}", "result": f"/cb/result/{self.token}"}.get(
            self.route, f"/api/payments/webhook/{self.route}/"
        )

    @property
    def headers(self) -> dict[str, str]:
        """Its gateway's proof, where that is in a header."""
        phonepe = {"authorization": webhook_authorization("shop", "hook-word")}
        return phonepe if self.route == "phonepe" else self.signed


def stk_notice(payment: Payment) -> Notice:
    """What M-Pesa posts when a prompt has ended."""
    told = told_of(payment, payment.collected)
    raw = mpesa_bodies.stk_callback(told, Kind.TRUE, Variant.PLAIN, draw=_NO_LIES, other_receipt=None)
    return Notice("stk", payment.token, raw)


def order_notice(payment: Payment, merchant: str) -> Notice:
    """What PhonePe posts when an order has ended; it states what was asked for, whatever was collected."""
    told = told_of(payment, payment.amount, merchant)
    raw = phonepe_bodies.order_webhook(told, Kind.TRUE, draw=_NO_LIES, other_receipt=None)
    return Notice("phonepe", "", raw)


def told_of(payment: Payment, amount: int = 0, merchant: str = "") -> Attempt:
    """The payment as the simulators would keep it, with the amount that is to be told."""
    names = payment.ref, payment.gateway_id
    if payment.gateway == MPESA:
        names = payment.gateway_id, f"merchant-{payment.ref}"
    return Attempt(
        gateway=payment.gateway.lower(),
        ref=names[0],
        gateway_id=names[1],
        amount=amount,
        currency=payment.currency,
        merchant=merchant,
        phone=payment.phone,
        created_at=_BEGAN,
        state=STATES[payment.state],
        result_code=payment.code if payment.state == "declined" else MPESA_CODES[Outcome.PAY],
        receipt=payment.receipt or None,
    )


def reversal(payment: Payment, conversation: str, amount: int, receipt: str) -> Refund:
    """A reversal of M-Pesa's that has succeeded."""
    return Refund(
        gateway="mpesa",
        kind="reversal",
        ref=f"o{conversation}",
        conversation_id=conversation,
        original_ref=payment.gateway_id,
        original_receipt=payment.receipt,
        amount=amount,
        created_at=_BEGAN,
        state=State.COMPLETED,
        receipt=receipt,
    )


def phonepe_refund(refund: str, amount: int, state: State) -> Refund:
    """A refund of PhonePe's that has ended."""
    return Refund(
        gateway="phonepe",
        kind="refund",
        ref=refund,
        conversation_id=f"OMR{refund}",
        amount=amount,
        created_at=_BEGAN,
        state=state,
    )


def answer_of(response: Response) -> Answer:
    """The answer of a simulator's route."""
    return response.status_code, json.loads(bytes(response.body))


def said(body: dict[str, Any]) -> Answer:
    """Success, with this body."""
    return 200, body
