"""What PhonePe's first API says of a transaction, and the checksum that its notices carry."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from typing import Any, Final

from local.simulators.ids import digits
from local.simulators.outcomes import Outcome, State
from local.simulators.phonepe_bodies import claim
from local.simulators.records import Attempt, Refund
from local.simulators.rules import Kind

_CODES: Final = {State.COMPLETED: "PAYMENT_SUCCESS", State.FAILED: "PAYMENT_ERROR"}
_MESSAGES: Final = {
    "PAYMENT_SUCCESS": "Your payment is successful.",
    "PAYMENT_ERROR": "Payment Failed",
    "TIMED_OUT": "Payment timed out",
    "PAYMENT_PENDING": "Your payment is in progress.",
}


def checksum(signed: str, index: str, key: str) -> str:
    """`X-VERIFY` over what is signed: a request's base64 and path, the path of a question, the base64 of a notice."""
    return f"{hashlib.sha256((signed + key).encode()).hexdigest()}###{index}"


def content_of(body: bytes) -> str | None:
    """The base64 in a notice of the first API; None for any other notice."""
    content = json.loads(body).get("response")
    return content if isinstance(content, str) else None


def transaction_status(attempt: Attempt, *, hide_end: bool = False) -> dict[str, Any]:
    """The answer of the status call; `hide_end` says that it is pending whatever is true."""
    state = State.PENDING if hide_end else attempt.state
    timed_out = state is State.FAILED and attempt.outcome == Outcome.TIMEOUT
    code = "TIMED_OUT" if timed_out else _CODES.get(state, "PAYMENT_PENDING")
    return _said(code, state, attempt.merchant, attempt.ref, attempt.receipt or attempt.gateway_id, attempt.amount)


def transaction_notice(attempt: Attempt, kind: Kind, *, draw: random.Random, other_receipt: str | None) -> bytes:
    """The notice of a transaction that has ended, or a lie about it."""
    said = claim(attempt, kind, draw=draw, other_receipt=other_receipt)
    ref = f"MT{digits(draw, 13)}" if kind is Kind.WRONG_IDS else attempt.ref
    code = _CODES.get(said.state, "PAYMENT_PENDING")
    return _notice(_said(code, said.state, attempt.merchant, ref, said.receipt, said.amount))


def refund_status(refund: Refund, merchant: str, *, hide_end: bool = False) -> dict[str, Any]:
    """The answer of the status call about a refund, to which this API has no states of its own."""
    ended = refund.state in _CODES and not hide_end
    state = refund.state if ended else State.PENDING
    return _said(_CODES.get(state, "PAYMENT_PENDING"), state, merchant, refund.ref, refund.conversation_id, refund.amount)


def refund_notice(refund: Refund, merchant: str) -> bytes:
    """The notice of a refund that has ended."""
    return _notice(refund_status(refund, merchant))


def _said(code: str, state: State, merchant: str, ref: str, transaction_id: str, amount: int) -> dict[str, Any]:
    paid = state is State.COMPLETED
    data = {
        "merchantId": merchant,
        "merchantTransactionId": ref,
        "transactionId": transaction_id,
        "amount": amount,
        "state": state.value,
        "responseCode": "SUCCESS" if paid else code,
        "paymentInstrument": {"type": "UPI", "utr": transaction_id[-12:]} if paid else None,
    }
    # `success` is true while it is pending too, as with PhonePe.
    return {"success": state is not State.FAILED, "code": code, "message": _MESSAGES[code], "data": data}


def _notice(body: dict[str, Any]) -> bytes:
    return json.dumps({"response": base64.b64encode(json.dumps(body).encode()).decode("ascii")}).encode()
