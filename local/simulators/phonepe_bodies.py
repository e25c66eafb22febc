"""PhonePe's account of an order or a refund: what the status calls answer and what the webhook carries."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from typing import Any

from local.simulators.ids import digits, phonepe_id
from local.simulators.outcomes import PHONEPE_FAILURES, Outcome, PhonePeFailure, State
from local.simulators.records import Attempt, Refund
from local.simulators.rules import Kind


def milliseconds(instant: float | None) -> int | None:
    """Seconds as the whole milliseconds that PhonePe uses."""
    return None if instant is None else int(instant * 1000)


def _failure(outcome: str | None) -> PhonePeFailure:
    """How `outcome` failed; an outcome that did not, told as a failure by a lie, failed at the bank."""
    return PHONEPE_FAILURES.get(Outcome(outcome or Outcome.FAIL), PHONEPE_FAILURES[Outcome.FAIL])


def _payment(attempt: Attempt, state: State, transaction_id: str, amount: int) -> dict[str, Any]:
    by_intent = bool(attempt.seq % 2)
    payment: dict[str, Any] = {
        "transactionId": transaction_id,
        "paymentMode": "UPI_INTENT" if by_intent else "UPI_QR",
        "timestamp": milliseconds(attempt.decided_at or attempt.created_at),
        "amount": amount,
        "payableAmount": amount,
        "feeAmount": 0,
        "state": state.value,
    }
    if state is State.FAILED:
        failure = _failure(attempt.outcome)
        payment |= {"errorCode": failure.error_code, "detailedErrorCode": failure.detailed_code}
    if state is State.COMPLETED:
        rail = {"type": "UPI", "utr": transaction_id[-12:], "upiTransactionId": f"YBL{transaction_id}", "vpa": "12****78@ybl"}
        instrument = {"type": "ACCOUNT", "maskedAccountNumber": "******1234", "accountType": "SAVINGS"}
        payment |= {"rail": rail, "instrument": instrument}
        if by_intent:
            payment["splitInstruments"] = [{"instrument": instrument, "rail": rail, "amount": amount}]
    return payment


def order_status(attempt: Attempt, *, hide_end: bool = False, error_context: bool = True) -> dict[str, Any]:
    """The answer of the order status call; `hide_end` says PENDING whatever is true."""
    state = State.PENDING if hide_end else attempt.state
    status: dict[str, Any] = {
        "orderId": attempt.gateway_id,
        "state": state.value,
        "amount": attempt.amount,
        "payableAmount": attempt.amount,
        "feeAmount": 0,
        "expireAt": milliseconds(attempt.expires_at),
    }
    transaction_id = attempt.receipt or f"OM{attempt.gateway_id.removeprefix('OMO')}"
    if state is State.FAILED:
        failure = _failure(attempt.outcome)
        status |= {"errorCode": failure.error_code, "detailedErrorCode": failure.detailed_code}
        if error_context:
            status["errorContext"] = {
                "errorCode": failure.error_code,
                "detailedErrorCode": failure.detailed_code,
                "source": failure.source,
                "stage": failure.stage,
                "description": failure.description,
            }
    tried = state is not State.PENDING or attempt.working
    status["paymentDetails"] = [_payment(attempt, state, transaction_id, attempt.amount)] if tried else []
    status["metaInfo"] = json.loads(attempt.meta)
    return status


@dataclass(frozen=True, slots=True)
class Claim:
    """What a notice says of an order, true or not."""

    state: State
    receipt: str
    amount: int


def claim(attempt: Attempt, kind: Kind, *, draw: random.Random, other_receipt: str | None) -> Claim:
    """What a notice of that kind says of the order."""
    state = attempt.state
    if kind is Kind.FAILED:
        state = State.FAILED
    elif kind is not Kind.TRUE and (kind is not Kind.WRONG_TOKEN or state is State.PENDING):
        state = State.COMPLETED
    receipt = attempt.receipt or phonepe_id("OM", draw, attempt.created_at)
    if kind in {Kind.WRONG_RECEIPT, Kind.PAID}:
        receipt = phonepe_id("OM", draw, attempt.created_at)
    if kind is Kind.USED_RECEIPT:
        receipt = other_receipt or receipt
    return Claim(state, receipt, attempt.amount + (100 if kind is Kind.WRONG_AMOUNT else 0))


def order_webhook(attempt: Attempt, kind: Kind, *, draw: random.Random, other_receipt: str | None) -> bytes:
    """The webhook of an order that has ended (or, while it is open, of a try that failed), or a lie about it."""
    said = claim(attempt, kind, draw=draw, other_receipt=other_receipt)
    state, receipt, amount = said.state, said.receipt, said.amount
    events = {
        State.COMPLETED: "checkout.order.completed",
        State.FAILED: "checkout.order.failed",
        State.PENDING: "checkout.transaction.attempt.failed",
    }
    payment = _payment(attempt, State.FAILED if state is State.PENDING else state, receipt, amount)
    payload = {
        "orderId": attempt.gateway_id,
        "merchantId": attempt.merchant,
        "merchantOrderId": attempt.ref,
        "state": state.value,
        "amount": amount,
        "expireAt": milliseconds(attempt.expires_at),
        "paymentDetails": [payment],
        "metaInfo": json.loads(attempt.meta),
    }
    if kind is Kind.WRONG_IDS:
        payload["orderId"] = phonepe_id("OMO", draw, attempt.created_at)
        payload["merchantOrderId"] = f"MT{digits(draw, 13)}"
    return _webhook(events[state], payload)


def refund_status(refund: Refund, merchant: str, *, hide_end: bool = False) -> dict[str, Any]:
    """The answer of the refund status call; `hide_end` says PENDING whatever is true."""
    state = State.PENDING if hide_end else refund.state
    payment: dict[str, Any] = {
        "transactionId": refund.conversation_id,
        "paymentMode": "UPI_INTENT",
        "timestamp": milliseconds(refund.decided_at or refund.created_at),
        "amount": refund.amount,
        "state": state.value,
    }
    status: dict[str, Any] = {
        "merchantId": merchant,
        "merchantRefundId": refund.ref,
        "originalMerchantOrderId": refund.original_ref,
        "refundId": refund.conversation_id,
        "amount": refund.amount,
        "state": state.value,
        "timestamp": milliseconds(refund.decided_at or refund.created_at),
        "paymentDetails": [payment],
    }
    if state is State.CONFIRMED:
        # The documentation's own sample: still in progress, although the detail says success.
        payment |= {"responseCode": "PAYMENT_SUCCESS", "backendErrorCode": "SUCCESS"}
    if state is State.FAILED:
        failure = asdict(PHONEPE_FAILURES[Outcome.FAIL])
        status |= {"errorCode": failure["error_code"], "detailedErrorCode": failure["detailed_code"]}
    return status


def refund_webhook(refund: Refund, merchant: str) -> bytes:
    """The webhook of a refund that has ended."""
    event = "pg.refund.completed" if refund.state is State.COMPLETED else "pg.refund.failed"
    return _webhook(event, refund_status(refund, merchant))


def _webhook(event: str, payload: dict[str, Any]) -> bytes:
    """The deprecated `type` repeats the event in the one spelling that PhonePe's own SDK reads."""
    return json.dumps({"event": event, "type": event.upper().replace(".", "_"), "payload": payload}).encode()
