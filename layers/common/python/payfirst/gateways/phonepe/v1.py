"""PhonePe's first API (salt key and `X-VERIFY`), for merchants who still have a salt key; new ones use `phonepe`.

Decide on `code` together with `data.state`: `success` is true while a payment is pending. The checksum of a notice covers
its body, so a notice that verifies comes from PhonePe; the order's status is asked all the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import (
    Absent,
    Accepted,
    Captured,
    Declined,
    NoAnswer,
    OrderNotice,
    PayBack,
    Pending,
    Push,
    PushAnswer,
    Refunded,
    RefundQuery,
    RefundStatusAnswer,
    Rejected,
    StatusAnswer,
    StatusQuery,
    Unknown,
)
from payfirst.gateways.lenient import LONGEST_TEXT, detail, json_object, mapping, money_of_minor, text
from payfirst.gateways.phonepe.terms import PHONEPE
from payfirst.gateways.tokens import TokenFailure
from payfirst.gateways.wire import Answered, Call, Lost, Send, json_call, send

PAY_PATH: Final = "/pg/v1/pay"
REFUND_PATH: Final = "/pg/v1/refund"
SMALLEST_PAISA: Final = 100
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,34}")
_EXPECTATION_FAILED: Final = 417
_TOO_MANY: Final = 429
_CLIENT_ERRORS: Final = range(400, 500)
_ABSENT_CODES: Final = frozenset({"TRANSACTION_NOT_FOUND"})
_PENDING_CODES: Final = frozenset({"PAYMENT_PENDING", "PAYMENT_INITIATED"})
ENDS: Final = {"COMPLETED": True, "FAILED": False}
_FAILED_CODES: Final = frozenset({"PAYMENT_ERROR", "PAYMENT_DECLINED", "PAYMENT_CANCELLED", "TIMED_OUT"})
_REUSED_CODES: Final = frozenset({"DUPLICATE_TXN_REQUEST", "INVALID_TRANSACTION_ID"})
_REFUND_FAILED: Final = "PhonePe could not make this refund."
_SORRY: Final = "This shop cannot take PhonePe payments at the moment. You have not been charged."


@dataclass(frozen=True, slots=True)
class PhonePeV1Credentials:
    """A merchant's id and salt key; the repr shows no secret.

    `salt_index` tells PhonePe which of a merchant's keys was used. Requests are signed with the current key; notices with the
    previous one are recognised too while the key is being changed. An empty key recognises nobody.
    """

    merchant_id: str
    salt_key: str = field(repr=False)
    salt_index: str
    previous_salt_key: str = field(default="", repr=False)
    previous_salt_index: str = ""

    @property
    def notice_header(self) -> str:
        """`X-VERIFY`, a checksum that covers the body."""
        return "X-VERIFY"

    def recognises(self, header: str | None, raw: bytes) -> bool:
        """Whether the header is the checksum of this very notice, by the current key or by the previous one."""
        content = _content(raw)
        if content is None:
            return False
        presented = (header or "").strip().lower().encode("utf-8", "replace")
        keys = ((self.salt_key, self.salt_index), (self.previous_salt_key, self.previous_salt_index))
        matches = [hmac.compare_digest(presented, _checksum(content, *key).encode()) and bool(key[0]) for key in keys]
        return any(matches)

    def read_notice(self, raw: bytes) -> OrderNotice | None:
        """What a notice speaks of."""
        return read_notice(raw)


def read_notice(raw: bytes) -> OrderNotice | None:
    """What a notice speaks of, None when it is not one of v1's; never an exception.

    To v1 a refund is a transaction like any other; our references to refunds begin with R.
    """
    body = _notice_body(raw)
    data = mapping((body or {}).get("data"))
    ref = text(data.get("merchantTransactionId"))
    if body is None or ref is None:
        return None
    is_refund, done = ref.startswith("R"), ENDS.get(text(data.get("state")) or "")
    ended = ref if is_refund and done is not None else None
    return OrderNotice(text(body.get("code")) or "", ref, text(data.get("merchantId")), is_refund, ended, done)


def checksum(signed: str, credentials: PhonePeV1Credentials) -> str:
    """`X-VERIFY` for `signed`: base64 body and path of a request, the path alone of a status check, the body of a notice."""
    return _checksum(signed, credentials.salt_key, credentials.salt_index)


def _checksum(signed: str, salt_key: str, salt_index: str) -> str:
    return f"{hashlib.sha256((signed + salt_key).encode()).hexdigest()}###{salt_index}"


@dataclass(frozen=True, slots=True, eq=False)
class PhonePeV1:
    """One merchant's account on PhonePe's first API at `base_url` (no slash at the end)."""

    credentials: PhonePeV1Credentials
    base_url: str
    send: Send = send
    terms: ClassVar[GatewayTerms] = PHONEPE

    @property
    def merchant(self) -> str | None:
        """The merchant id of the account."""
        return self.credentials.merchant_id

    def refusal_of_credentials(self, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        """Ask about a transaction that nobody made: None if PhonePe takes our checksum, else why not.

        For whoever sets credentials: v1 has no access tokens, and this is the one question that moves nothing.
        """
        answer = self._status(f"CHECK{now:%Y%m%d%H%M%S%f}", timeout_s)
        return TokenFailure(answer.reason, answer.configuration) if isinstance(answer, NoAnswer) else None

    def push(self, push: Push, *, now: datetime, timeout_s: float) -> PushAnswer:  # noqa: ARG002 - Gateway's signature
        """Make a payment page. ValueError, before anything is sent, for what v1 does not take."""
        answer = self._post(PAY_PATH, self._pay_body(push), timeout_s)
        return Unknown(answer.reason, answer.sent) if isinstance(answer, Lost) else _pay_answer(answer)

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:  # noqa: ARG002 - likewise
        """What PhonePe says of the transaction with this `ref`."""
        return self._status(query.ref, timeout_s)

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:  # noqa: ARG002 - likewise
        """Pay back an amount of a transaction.

        `Accepted.gateway_id` is PhonePe's transactionId where it states one, else our reference. ValueError as for a push.
        """
        reference, original = _reference(wanted.ref), _reference(wanted.original_ref)
        body = {
            "merchantId": self.credentials.merchant_id,
            "merchantUserId": original,
            "originalTransactionId": original,
            "merchantTransactionId": reference,
            "amount": _paisa(wanted.amount),
            "callbackUrl": wanted.notice_url,
        }
        answer = self._post(REFUND_PATH, body, timeout_s)
        return Unknown(answer.reason, answer.sent) if isinstance(answer, Lost) else _refund_answer(answer, reference)

    def refund_status(
        self,
        query: RefundQuery,
        *,
        now: datetime,  # noqa: ARG002 - likewise
        timeout_s: float,
    ) -> RefundStatusAnswer:
        """What PhonePe says of the refund with this `ref`."""
        answer = self._status(query.ref, timeout_s)
        if isinstance(answer, Captured):
            return Refunded(answer.amount, answer.receipt)
        if isinstance(answer, Declined):
            return Declined("refund_failed", _REFUND_FAILED, retryable=True)
        return answer

    def _status(self, ref: str, timeout_s: float) -> StatusAnswer:
        path = f"/pg/v1/status/{self.credentials.merchant_id}/{_reference(ref)}"
        headers = {"X-VERIFY": checksum(path, self.credentials), "X-MERCHANT-ID": self.credentials.merchant_id}
        answer = self.send(Call("GET", self.base_url + path, headers, repeatable=True), timeout_s)
        return NoAnswer(answer.reason) if isinstance(answer, Lost) else _status_answer(answer, ref)

    def _post(self, path: str, body: Mapping[str, Any], timeout_s: float) -> Answered | Lost:
        content = base64.b64encode(json.dumps(body).encode()).decode("ascii")
        headers = {"X-VERIFY": checksum(content + path, self.credentials)}
        call = json_call(self.base_url + path, {"request": content}, headers)
        return self.send(call, timeout_s)

    def _pay_body(self, push: Push) -> dict[str, Any]:
        if not push.redirect_url or not push.callback_url:
            raise ValueError("PhonePe v1 needs a redirect address and a callback address")
        reference = _reference(push.ref)
        return {
            "merchantId": self.credentials.merchant_id,
            "merchantTransactionId": reference,
            "merchantUserId": reference,
            "amount": _paisa(push.amount),
            "redirectUrl": push.redirect_url,
            "redirectMode": "REDIRECT",
            "callbackUrl": push.callback_url,
            "paymentInstrument": {"type": "PAY_PAGE"},
        }


def _content(raw: bytes) -> str | None:
    """The base64 that a notice carries and its checksum covers."""
    content = (json_object(raw) or {}).get("response")
    return content if isinstance(content, str) and content.isascii() else None


def unwrapped(raw: bytes) -> bytes | None:
    """What a notice carries as base64; None where it is no notice of v1's."""
    try:
        return base64.b64decode(_content(raw) or "", validate=True) or None
    except binascii.Error:
        return None


def _notice_body(raw: bytes) -> dict[str, Any] | None:
    return json_object(unwrapped(raw) or b"")


def _pay_answer(answer: Answered) -> PushAnswer:
    data = mapping((answer.body or {}).get("data"))
    address = mapping(mapping(data.get("instrumentResponse")).get("redirectInfo")).get("url")
    if answer.is_success and isinstance(address, str) and address.startswith(("https://", "http://")):
        return Accepted(text(data.get("merchantTransactionId")) or "", payment_url=address)
    return _refused(answer, _SORRY)


def _refund_answer(answer: Answered, refund_ref: str) -> PushAnswer:
    body = answer.body or {}
    code = text(body.get("code")) or ""
    if answer.status == _TOO_MANY:
        return Unknown(f"not taken: {answer.status} {detail(code)}", sent=False, busy=True)
    if answer.is_success and code in _PENDING_CODES | {"PAYMENT_SUCCESS"}:
        return Accepted(text(mapping(body.get("data")).get("transactionId")) or refund_ref)
    if answer.is_success and code in _FAILED_CODES:
        return Rejected("refund_failed", _REFUND_FAILED, detail(code), retryable=True)
    return _refused(answer, _REFUND_FAILED)


def _refused(answer: Answered, message: str) -> Rejected | Unknown:
    body = answer.body or {}
    code = text(body.get("code"))
    words = detail(f"{answer.status} {code or ''} {text(body.get('message'), LONGEST_TEXT) or ''}")
    if answer.status == _EXPECTATION_FAILED or code in _REUSED_CODES:
        return Unknown("reference already used")
    if answer.status == _TOO_MANY:
        busy = "PhonePe is busy. Please try again in a few minutes."
        return Rejected("gateway_busy", busy, words, retryable=True)
    if answer.status in _CLIENT_ERRORS and code is not None:
        return Rejected("misconfigured", message, words, retryable=False, configuration=True)
    return Unknown(f"maybe processed: answered {words}")


def _status_answer(answer: Answered, ref: str) -> StatusAnswer:
    body = answer.body or {}
    code = text(body.get("code")) or ""
    if code in _ABSENT_CODES and (answer.is_success or answer.status in _CLIENT_ERRORS):
        return Absent()
    if not answer.is_success:
        busy = answer.status == _TOO_MANY
        alarm = answer.status in _CLIENT_ERRORS and not busy
        return NoAnswer(f"answered {answer.status} {detail(code)}", configuration=alarm, busy=busy)
    if text(mapping(body.get("data")).get("merchantTransactionId")) not in {None, ref}:
        return NoAnswer("the answer is about another transaction", heard=True)
    return _state(body)


def _state(body: Mapping[str, Any]) -> StatusAnswer:
    data = mapping(body.get("data"))
    code, state = text(body.get("code")) or "", text(data.get("state"))
    if code == "PAYMENT_SUCCESS" and state == "COMPLETED":
        amount = money_of_minor(data.get("amount"), Currency.INR)
        if amount is None and data.get("amount") is not None:
            return NoAnswer("the amount that was collected cannot be read", heard=True)
        return Captured(amount, text(data.get("transactionId")), merchant=text(data.get("merchantId")))
    if code in _FAILED_CODES and state == "FAILED":
        return Declined("payment_failed", "The payment was not completed. You can try again.", retryable=True)
    if code in _PENDING_CODES and state in {"PENDING", None}:
        return Pending()
    return NoAnswer(f"code {detail(code)} with state {detail(state)}", heard=True)


def _paisa(amount: Money) -> int:
    if amount.currency is not Currency.INR or amount.minor < SMALLEST_PAISA:
        raise ValueError(f"PhonePe takes 1.00 INR and more, not {amount} {amount.currency}")
    return amount.minor


def _reference(ref: str) -> str:
    if not _REFERENCE.fullmatch(ref):
        raise ValueError("PhonePe v1 takes references of 1 to 34 letters, digits, _ and -")
    return ref
