"""Cowry's client: four requests with a key, and a signature over each notice."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Money
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
from payfirst.gateways.lenient import detail, json_object, money_of_minor, text
from payfirst.gateways.wire import Answered, Call, Lost, Send, json_call, send

HEADER: Final = "X-Cowry-Signature"
ENDS: Final = {"paid": True, "declined": False}


@dataclass(frozen=True, slots=True)
class CowryCredentials:
    """One shop's key, by which it asks and recognises notices."""

    key: str = field(repr=False)
    merchant_id: str | None = None

    @property
    def notice_header(self) -> str:
        return HEADER

    def recognises(self, header: str | None, raw: bytes) -> bool:
        return hmac.compare_digest((header or "").encode(), signature(self.key, raw).encode())

    def read_notice(self, raw: bytes) -> OrderNotice | None:
        return read_notice(raw)


def signature(key: str, raw: bytes) -> str:
    """What stands in the header of a notice."""
    return hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()


def read_notice(raw: bytes) -> OrderNotice | None:
    """What a notice speaks of; None when it is none."""
    body = json_object(raw) or {}
    ref, state = text(body.get("ref")), text(body.get("state"))
    return None if ref is None or state is None else OrderNotice(state, ref, None, is_refund=False, done=ENDS.get(state))


@dataclass(frozen=True, slots=True)
class Cowry:
    """One shop at Cowry; `base_url` without a slash at the end."""

    credentials: CowryCredentials
    base_url: str
    terms: GatewayTerms
    send: Send = send
    merchant: str | None = None

    def push(self, push: Push, *, now: datetime, timeout_s: float) -> PushAnswer:
        del now
        if not self.terms.takes(push.amount):
            raise ValueError(self.terms.collects)
        told = {"ref": push.ref, **_amount(push.amount), "phone": push.phone, "notify": push.callback_url}
        return self._sent("/collect", told, timeout_s)

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:
        del now
        told = {"ref": wanted.ref, "original": wanted.original_ref, **_amount(wanted.amount)}
        return self._sent("/refund", told, timeout_s)

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:
        del now
        answer = self._asked(f"/collect/{query.ref}", timeout_s)
        if not isinstance(answer, dict):
            return answer
        state, amount = text(answer.get("state")), money_of_minor(answer.get("amount"), query.amount.currency)
        if state == "paid" and amount is not None and answer.get("currency") == query.amount.currency:
            return Captured(amount, text(answer.get("receipt")))
        if state == "declined":
            return Declined("payment_failed", "The payment was not completed. You can try again.", retryable=True)
        return Pending() if state == "open" else NoAnswer(f"state {detail(state)}")

    def refund_status(self, query: RefundQuery, *, now: datetime, timeout_s: float) -> RefundStatusAnswer:
        del now
        answer = self._asked(f"/refund/{query.ref}", timeout_s)
        if not isinstance(answer, dict):
            return answer
        return Refunded(None, text(answer.get("receipt"))) if answer.get("state") == "paid" else NoAnswer("no state")

    def _sent(self, path: str, body: Mapping[str, Any], timeout_s: float) -> PushAnswer:
        call = json_call(self.base_url + path, body, self._headers())
        answer = self.send(call, timeout_s)
        if isinstance(answer, Lost):
            return Unknown(answer.reason, answer.sent)
        told = answer.body or {}
        if answer.is_success and (known_as := text(told.get("id"))):
            return Accepted(known_as, customer_message="Please answer Cowry's prompt on your phone.")
        if answer.status == HTTPStatus.BAD_REQUEST and told:
            return Rejected("payment_failed", "Cowry refused the payment.", detail(told.get("error")), retryable=True)
        return Unknown(f"maybe processed: answered {answer.status}")

    def _asked(self, path: str, timeout_s: float) -> dict[str, Any] | Absent | NoAnswer:
        answer: Answered | Lost = self.send(Call("GET", self.base_url + path, self._headers(), repeatable=True), timeout_s)
        if isinstance(answer, Lost):
            return NoAnswer(answer.reason)
        if answer.status == HTTPStatus.NOT_FOUND and answer.body:
            return Absent()
        return answer.body if answer.is_success and answer.body else NoAnswer(f"answered {answer.status}")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Key {self.credentials.key}"}


def _amount(amount: Money) -> dict[str, Any]:
    return {"amount": amount.minor, "currency": amount.currency.value}
