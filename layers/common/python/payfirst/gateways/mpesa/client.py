"""The M-Pesa client: asks for money with an STK push, and asks what became of it.

Daraja knows no idempotency key: two equal pushes are two prompts. So nothing here sends a push again, except once with a
new access token when the gateway refused the old one before it looked at the push.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.gateways.base import (
    Accepted,
    Captured,
    NoAnswer,
    PayBack,
    Pending,
    Push,
    PushAnswer,
    RefundQuery,
    RefundStatusAnswer,
    Rejected,
    StatusAnswer,
    StatusQuery,
    Unknown,
)
from payfirst.gateways.lenient import detail, text
from payfirst.gateways.mpesa.daraja import Daraja
from payfirst.gateways.mpesa.refunds import ResultAddresses, ask_transaction, reverse
from payfirst.gateways.mpesa.refusals import Refusal, error_body, misconfigured, refusal, rejected
from payfirst.gateways.mpesa.results import STILL_PROCESSING, STK_RESULTS, SUCCESS, declined_by
from payfirst.gateways.mpesa.terms import MPESA, ZONE, whole_shillings
from payfirst.gateways.tokens import TokenFailure
from payfirst.gateways.wire import Answered, Lost

ACCOUNT_LENGTH: Final = 12
DESCRIPTION_LENGTH: Final = 13
_PHONE: Final = re.compile(r"254[17]\d{8}")
_NOT_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True, slots=True, eq=False)
class Mpesa(Daraja):
    """One merchant's M-Pesa account."""

    terms: ClassVar[GatewayTerms] = MPESA

    @property
    def merchant(self) -> str | None:
        """None: M-Pesa's query and notices name no payee."""
        return None

    def push(self, push: Push, *, now: datetime, timeout_s: float) -> PushAnswer:
        """Put a payment prompt on the payer's phone.

        ValueError, before anything is sent, for an amount that is not whole shillings, a phone number that is not like
        254712345678, or no callback address.
        """
        body = self._push_body(push, now)
        answer = self.post("/mpesa/stkpush/v1/processrequest", body, now=now, timeout_s=timeout_s)
        return unsent_or_lost(answer) if not isinstance(answer, Answered) else _push_answer(answer)

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:
        """What M-Pesa says of the push with this CheckoutRequestID; it never states an amount or a receipt."""
        if query.gateway_id is None:
            return NoAnswer("M-Pesa's reference is not known, so it cannot be asked")
        timestamp, password = self._password(now)
        body = {
            "BusinessShortCode": self.credentials.shortcode,
            "Password": password,
            "Timestamp": timestamp,
            "CheckoutRequestID": query.gateway_id,
        }
        answer = self.post("/mpesa/stkpushquery/v1/query", body, now=now, timeout_s=timeout_s, repeatable=True)
        if isinstance(answer, TokenFailure):
            return NoAnswer(f"no access token: {answer.reason}", answer.configuration)
        return NoAnswer(answer.reason) if isinstance(answer, Lost) else _status_answer(answer, query.gateway_id)

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:
        """Ask for a reversal of the payment with the receipt; see `reverse`."""
        addresses, remarks = ResultAddresses(wanted.result_url, wanted.timeout_url), f"Refund {wanted.ref}"
        return reverse(self, wanted.receipt or "", wanted.amount, addresses, remarks=remarks, now=now, timeout_s=timeout_s)

    def refund_status(self, query: RefundQuery, *, now: datetime, timeout_s: float) -> RefundStatusAnswer:
        """Ask what became of a reversal; the answer comes as a notice, so this is `Pending` or `NoAnswer`."""
        addresses, remarks = ResultAddresses(query.result_url, query.timeout_url), f"Refund {query.ref}"
        answer = ask_transaction(
            self, addresses, conversation=query.conversation, remarks=remarks, now=now, timeout_s=timeout_s
        )
        match answer:
            case Accepted():
                return Pending()
            case Rejected():
                return NoAnswer(answer.detail, answer.configuration)
            case Unknown():
                return NoAnswer(answer.reason, answer.configuration, busy=answer.busy)

    def _push_body(self, push: Push, now: datetime) -> dict[str, str]:
        if push.phone is None or not _PHONE.fullmatch(push.phone):
            raise ValueError("the phone number must look like 254712345678")
        if not push.callback_url:
            raise ValueError("an M-Pesa push needs a callback address")
        timestamp, password = self._password(now)
        till = self.credentials.till
        return {
            "BusinessShortCode": self.credentials.shortcode,
            "Password": password,
            "Timestamp": timestamp,
            "TransactionType": "CustomerBuyGoodsOnline" if till else "CustomerPayBillOnline",
            "Amount": str(whole_shillings(push.amount)),
            "PartyA": push.phone,
            "PartyB": till or self.credentials.shortcode,
            "PhoneNumber": push.phone,
            "CallBackURL": push.callback_url,
            "AccountReference": _NOT_ALPHANUMERIC.sub("", push.account)[:ACCOUNT_LENGTH] or push.ref[:ACCOUNT_LENGTH],
            "TransactionDesc": _plain(push.description)[:DESCRIPTION_LENGTH].strip() or "Payment",
        }

    def _password(self, now: datetime) -> tuple[str, str]:
        if now.tzinfo is None:
            raise ValueError("the time must have a zone")
        timestamp = now.astimezone(ZoneInfo(ZONE)).strftime("%Y%m%d%H%M%S")
        secret = f"{self.credentials.shortcode}{self.credentials.passkey}{timestamp}"
        return timestamp, base64.b64encode(secret.encode()).decode("ascii")


def unsent_or_lost(answer: Lost | TokenFailure) -> Rejected | Unknown:
    """What no answer means for a request that moves money: refused keys are definite, all else is not known."""
    if isinstance(answer, Lost):
        return Unknown(answer.reason, answer.sent)
    if answer.configuration:
        return misconfigured(answer.reason)
    return Unknown(f"never sent: no access token ({answer.reason})", sent=False)


def _plain(words: str) -> str:
    return " ".join("".join(c if c.isascii() and (c.isalnum() or c in " .-") else " " for c in words).split())


def _push_answer(answer: Answered) -> PushAnswer:
    body = answer.body or {}
    response_code = text(body.get("ResponseCode"))
    checkout_request_id = text(body.get("CheckoutRequestID"))
    if answer.is_success and response_code == "0" and checkout_request_id:
        return Accepted(
            checkout_request_id,
            merchant_request_id=text(body.get("MerchantRequestID")),
            customer_message=text(body.get("CustomerMessage")),
        )
    error = error_body(answer)
    definite = rejected(error)
    if definite is not None:
        return definite
    if answer.is_success and response_code not in {None, "0"} and not checkout_request_id:
        return misconfigured(detail(f"ResponseCode {response_code} {body.get('ResponseDescription')}"), code="rejected")
    return Unknown(f"maybe processed: answered {error.detail}")


def _status_answer(answer: Answered, checkout_request_id: str) -> StatusAnswer:
    body = answer.body or {}
    error = error_body(answer)
    if not answer.is_success or error.code:
        kind = refusal(error)
        if kind is Refusal.STILL_PROCESSING:
            return Pending()
        # "The transaction does not Exist" is at times said of a transaction that does: it proves nothing.
        alarm = kind in {Refusal.CONFIGURATION, Refusal.INVALID_FIELD, Refusal.TOKEN}
        heard, busy = kind is Refusal.NO_SUCH_TRANSACTION, kind is Refusal.RATE
        return NoAnswer(f"answered {error.detail}", configuration=alarm, heard=heard, busy=busy)
    if text(body.get("CheckoutRequestID")) not in {None, checkout_request_id}:
        return NoAnswer("the answer is about another push", heard=True)
    result_code = text(body.get("ResultCode"))
    if text(body.get("ResponseCode")) not in {None, "0"} or result_code is None:
        return NoAnswer("the answer states no result", heard=True)
    return _result_answer(result_code)


def _result_answer(result_code: str) -> StatusAnswer:
    if result_code == STILL_PROCESSING:
        return Pending()
    if result_code == SUCCESS:
        return Captured(amount=None, receipt=None)
    if result_code.upper() not in STK_RESULTS:
        return NoAnswer(f"undocumented result code {detail(result_code)}", heard=True)
    return declined_by(result_code)
