"""What PhonePe's answers mean. The root `state` decides; states of single payment tries and deprecated fields do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payfirst.domain.money import Currency
from payfirst.gateways.base import (
    Absent,
    Accepted,
    Captured,
    Declined,
    NoAnswer,
    Pending,
    PushAnswer,
    Refunded,
    RefundStatusAnswer,
    Rejected,
    StatusAnswer,
    Unknown,
)
from payfirst.gateways.lenient import LONGEST_TEXT, detail, mapping, money_of_minor, text
from payfirst.gateways.wire import Answered

_UNAUTHORIZED: Final = 401
_EXPECTATION_FAILED: Final = 417
_TOO_MANY: Final = 429
_CLIENT_ERRORS: Final = range(400, 500)
_REUSED: Final = frozenset({"INVALID_TRANSACTION_ID", "INVALID_MERCHANT_ORDER_ID", "DUPLICATE_TXN_REQUEST"})
_UNKNOWN_REFERENCE: Final = frozenset({"INVALID_MERCHANT_ORDER_ID", "INVALID_MERCHANT_REFUND_ID"})
REFUND_FAILED: Final = "PhonePe could not make this refund."
CANNOT_PAY: Final = "This shop cannot take PhonePe payments at the moment. You have not been charged."
_FAILED: Final = "The payment was not completed. You can try again."
FAILED_CODE: Final = "payment_failed"
FAILURES: Final = {
    "INVALID_MPIN": ("wrong_pin", "The UPI PIN was wrong. Please try again with the right PIN."),
    "ORDER_EXPIRED": ("expired", "The payment page ran out before the payment was made. You can try again."),
}
"""Our code and the customer's sentence, by PhonePe's error code; any other is FAILED_CODE with PhonePe's own words."""


def refuses_token(answer: Answered) -> bool:
    """Whether PhonePe refused the access token, before it looked at the request."""
    return answer.status == _UNAUTHORIZED or (answer.status in _CLIENT_ERRORS and _code(answer) == "AUTHORIZATION_FAILED")


def misconfigured(reason: str, message: str, *, code: str = "misconfigured") -> Rejected:
    """A refusal that only an operator can mend; `message` is what the customer reads."""
    return Rejected(code, message, reason, retryable=False, configuration=True)


def words(answer: Answered) -> str:
    """The gateway's own words, fit for a log."""
    body = answer.body or {}
    return detail(f"{answer.status} {_code(answer) or ''} {text(body.get('message'), LONGEST_TEXT) or ''}")


def pay_answer(answer: Answered) -> PushAnswer:
    """What a request to pay was answered."""
    if not answer.is_success:
        return _refused(answer, CANNOT_PAY)
    body = answer.body or {}
    order_id, address, state = text(body.get("orderId")), _address(body.get("redirectUrl")), text(body.get("state"))
    if order_id is None or address is None or state not in {"PENDING", None}:
        return Unknown(f"maybe processed: {answer.status} without a payment page (state {detail(state)})")
    return Accepted(order_id, payment_url=address)


def refund_answer(answer: Answered) -> PushAnswer:
    """What a request to refund was answered; `Accepted.gateway_id` is PhonePe's refundId.

    `Rejected.retryable` says that PhonePe knows this refund and will never make it, so that another may be asked for.
    """
    if answer.status == _TOO_MANY or refuses_token(answer):
        busy = answer.status == _TOO_MANY
        return Unknown(f"not taken: {words(answer)}", sent=False, configuration=not busy, busy=busy)
    if not answer.is_success:
        return _refused(answer, REFUND_FAILED)
    body = answer.body or {}
    refund_id, state = text(body.get("refundId")), text(body.get("state"))
    if state == "FAILED":
        return Rejected("refund_failed", REFUND_FAILED, words(answer), retryable=True)
    if refund_id is None:
        return Unknown(f"maybe processed: {answer.status} without a refund's id")
    return Accepted(refund_id)


def _refused(answer: Answered, message: str) -> Rejected | Unknown:
    """What an error means for a request that moves money."""
    code = _code(answer)
    if answer.status == _EXPECTATION_FAILED or (answer.status in _CLIENT_ERRORS and code in _REUSED):
        # Something of ours has this reference: perhaps our own request whose answer was lost.
        return Unknown("reference already used")
    if answer.status == _TOO_MANY:
        busy = "PhonePe is busy. Please try again in a few minutes."
        return Rejected("gateway_busy", busy, words(answer), retryable=True)
    if refuses_token(answer):
        return misconfigured(words(answer), message, code="token_refused")
    if answer.status in _CLIENT_ERRORS and code is not None:
        return misconfigured(words(answer), message, code="bad_request" if code == "BAD_REQUEST" else "misconfigured")
    return Unknown(f"maybe processed: answered {words(answer)}")


def order_answer(answer: Answered, merchant_order_id: str) -> StatusAnswer:
    """What the status of an order was answered; its receipt is PhonePe's orderId, which every notice repeats."""
    if not answer.is_success:
        return _no_order(answer)
    body = answer.body or {}
    if text(body.get("merchantOrderId")) not in {None, merchant_order_id}:
        return NoAnswer("the answer is about another order", heard=True)
    state = text(body.get("state"))
    if state == "COMPLETED":
        amount = money_of_minor(body.get("amount"), Currency.INR)
        if amount is None and body.get("amount") is not None:
            return NoAnswer("the amount that was collected cannot be read", heard=True)
        return Captured(amount, text(body.get("orderId")), merchant=text(body.get("merchantId")))
    if state == "FAILED":
        return _declined(body)
    if state == "PENDING":
        return Pending()
    return NoAnswer(f"the order's state is {detail(state) or 'not stated'}", heard=True)


def refund_status_answer(answer: Answered, merchant_refund_id: str) -> RefundStatusAnswer:
    """What the status of a refund was answered; CONFIRMED is still in progress, whatever its payment details say."""
    if not answer.is_success:
        return _no_order(answer)
    body = answer.body or {}
    if text(body.get("merchantRefundId")) not in {None, merchant_refund_id}:
        return NoAnswer("the answer is about another refund")
    state = text(body.get("state"))
    if state == "COMPLETED":
        amount = money_of_minor(body.get("amount"), Currency.INR)
        if amount is None and body.get("amount") is not None:
            return NoAnswer("the amount that was paid back cannot be read")
        return Refunded(amount, text(body.get("refundId")))
    if state == "FAILED":
        return Declined("refund_failed", REFUND_FAILED, retryable=True)
    if state in {"PENDING", "CONFIRMED"}:
        return Pending()
    return NoAnswer(f"the refund's state is {detail(state) or 'not stated'}")


def _no_order(answer: Answered) -> Absent | NoAnswer:
    message = (text((answer.body or {}).get("message"), LONGEST_TEXT) or "").lower()
    is_unknown = _code(answer) in _UNKNOWN_REFERENCE or message.startswith("no entry found")
    if answer.status in _CLIENT_ERRORS and is_unknown:
        return Absent()
    busy = answer.status == _TOO_MANY
    return NoAnswer(f"answered {words(answer)}", configuration=answer.status in _CLIENT_ERRORS and not busy, busy=busy)


def _declined(body: Mapping[str, Any]) -> Declined:
    context = mapping(body.get("errorContext"))
    error_code = text(body.get("errorCode")) or text(context.get("errorCode")) or ""
    description = detail(context.get("description"))
    stated = f"{description.rstrip('.')}. You can try again." if description else _FAILED
    code, message = FAILURES.get(error_code, (FAILED_CODE, stated))
    return Declined(code, message, retryable=True)


def _code(answer: Answered) -> str | None:
    body = answer.body or {}
    return text(body.get("code")) or text(body.get("errorCode"))


def _address(value: object) -> str | None:
    # Unmodified, and only what a browser may be sent to; simulators on this machine have no https.
    address = value if isinstance(value, str) else ""
    return address if address.startswith(("https://", "http://")) and address.isprintable() else None
