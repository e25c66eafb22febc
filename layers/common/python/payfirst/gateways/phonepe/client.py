"""The PhonePe client: Standard Checkout (v2) with its orders and refunds.

A `merchantOrderId` is not an idempotency key: PhonePe refuses one that it has seen. After a lost answer the order is looked
up, and the request to pay is never sent again by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import (
    NoAnswer,
    PayBack,
    Push,
    PushAnswer,
    RefundQuery,
    RefundStatusAnswer,
    Rejected,
    StatusAnswer,
    StatusQuery,
    StoredToken,
    TokenStore,
    Unknown,
)
from payfirst.gateways.lenient import LONGEST_TEXT, text, whole
from payfirst.gateways.phonepe.answers import (
    CANNOT_PAY,
    misconfigured,
    order_answer,
    pay_answer,
    refund_answer,
    refund_status_answer,
    refuses_token,
    words,
)
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.gateways.phonepe.terms import PHONEPE
from payfirst.gateways.tokens import LONGEST_LIFE, TokenFailure, Tokens, call_with_token, token_living, token_refusal
from payfirst.gateways.wire import Answered, Call, Lost, Send, form_call, json_call, send

SMALLEST_PAISA: Final = 100
SHORTEST_LIFE_S: Final = 300
LONGEST_LIFE_S: Final = 3600
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,63}")
_NOT_IN_UDF: Final = re.compile(r"[^A-Za-z0-9_\-+@. ]")
_UDF_LENGTH: Final = 256
_LIFE_IF_UNSTATED: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, eq=False)
class PhonePe:
    """One merchant's PhonePe account; `base_url` and `token_url` without a slash at the end.

    `token_store` shares the access token among containers, of which this one is `container`; without a store it is kept
    here alone. `send` sends each call.
    """

    credentials: PhonePeCredentials
    base_url: str
    token_url: str
    token_store: TokenStore | None
    container: str
    send: Send = send
    terms: ClassVar[GatewayTerms] = PHONEPE
    _tokens: Tokens = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the token cache, which lives as long as this client."""
        tokens = Tokens(PHONEPE.name, self._fetch_token, self.token_store, self.container)
        object.__setattr__(self, "_tokens", tokens)

    @property
    def merchant(self) -> str | None:
        """The merchant id that the operator wants compared, if there is one."""
        return self.credentials.merchant_id

    def refusal_of_credentials(self, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        """Ask for an access token, for whoever sets credentials: None if PhonePe knows the client, else why not."""
        answer = self._fetch_token(now, timeout_s)
        return answer if isinstance(answer, TokenFailure) else None

    def push(self, push: Push, *, now: datetime, timeout_s: float) -> PushAnswer:
        """Make an order with a payment page for it.

        ValueError, before anything is sent, for another currency than INR, less than 100 paisa, a reference that PhonePe
        does not take, or no redirect address. The page lives until `push.expires_at`, within PhonePe's 300 to 3,600
        seconds: a push with less than 300 seconds left lives longer than it.
        """
        answer = self._post("/checkout/v2/pay", _pay_body(push, now), now=now, timeout_s=timeout_s)
        return pay_answer(answer) if isinstance(answer, Answered) else _unsent_or_lost(answer)

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:
        """What PhonePe says of the order with this `ref`."""
        path = f"/checkout/v2/order/{_reference(query.ref)}/status?details=false&errorContext=true"
        answer = self._call("GET", path, None, now=now, timeout_s=timeout_s)
        return order_answer(answer, query.ref) if isinstance(answer, Answered) else _no_answer(answer)

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:
        """Pay back an amount of an order. `Accepted.gateway_id` is PhonePe's refundId. ValueError as for a push."""
        body = {
            "merchantRefundId": _reference(wanted.ref),
            "originalMerchantOrderId": _reference(wanted.original_ref),
            "amount": _paisa(wanted.amount),
        }
        answer = self._post("/payments/v2/refund", body, now=now, timeout_s=timeout_s)
        if isinstance(answer, TokenFailure):
            return Unknown(f"never sent: no access token ({answer.reason})", sent=False, configuration=answer.configuration)
        return Unknown(answer.reason, answer.sent) if isinstance(answer, Lost) else refund_answer(answer)

    def refund_status(self, query: RefundQuery, *, now: datetime, timeout_s: float) -> RefundStatusAnswer:
        """What PhonePe says of the refund with this `ref`."""
        path = f"/payments/v2/refund/{_reference(query.ref)}/status"
        answer = self._call("GET", path, None, now=now, timeout_s=timeout_s)
        return refund_status_answer(answer, query.ref) if isinstance(answer, Answered) else _no_answer(answer)

    def _post(self, path: str, body: Mapping[str, Any], *, now: datetime, timeout_s: float) -> Answered | Lost | TokenFailure:
        return self._call("POST", path, body, now=now, timeout_s=timeout_s)

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, now: datetime, timeout_s: float
    ) -> Answered | Lost | TokenFailure:
        url = self.base_url + path

        def once(token: str, seconds: float) -> Answered | Lost:
            headers = {"Authorization": f"O-Bearer {token}"}
            call = Call(method, url, headers, repeatable=True) if body is None else json_call(url, body, headers)
            return self.send(call, seconds)

        return call_with_token(self._tokens, once, refuses_token, now=now, timeout_s=timeout_s)

    def _fetch_token(self, now: datetime, timeout_s: float) -> StoredToken | TokenFailure:
        form = {
            "client_id": self.credentials.client_id,
            "client_version": self.credentials.client_version,
            "client_secret": self.credentials.client_secret,
            "grant_type": "client_credentials",
        }
        answer = self.send(form_call(self.token_url, form, repeatable=True), timeout_s)
        if isinstance(answer, Lost):
            return TokenFailure(answer.reason)
        value = text((answer.body or {}).get("access_token"), LONGEST_TEXT)
        if not answer.is_success or value is None or not value.isascii() or not value.isprintable():
            return token_refusal(words(answer), answer.status)
        return token_living(value, _life(answer, now), now=now)


def _life(answer: Answered, now: datetime) -> timedelta:
    """How long the token lives; `expires_at` is in epoch seconds, and `expires_in` is null in every known answer."""
    expires_at = whole((answer.body or {}).get("expires_at"))
    if expires_at is None:
        return _LIFE_IF_UNSTATED
    seconds = expires_at - int(now.timestamp())
    return timedelta(seconds=min(max(seconds, 0), int(LONGEST_LIFE.total_seconds())))


def _pay_body(push: Push, now: datetime) -> dict[str, Any]:
    if not push.redirect_url:
        raise ValueError("a PhonePe order needs a redirect address")
    seconds = int((push.expires_at.astimezone(UTC) - now).total_seconds())
    body: dict[str, Any] = {
        "merchantOrderId": _reference(push.ref),
        "amount": _paisa(push.amount),
        "expireAfter": min(max(seconds, SHORTEST_LIFE_S), LONGEST_LIFE_S),
        "paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": push.redirect_url}},
    }
    if push.description.strip():
        body["paymentFlow"]["message"] = push.description.strip()[:_UDF_LENGTH]
    # PhonePe refuses a field of the merchant's own that is empty.
    account = _NOT_IN_UDF.sub("", push.account).strip()[:_UDF_LENGTH]
    if account:
        body["metaInfo"] = {"udf1": account}
    return body


def _reference(ref: str) -> str:
    if not _REFERENCE.fullmatch(ref):
        raise ValueError("PhonePe takes references of 1 to 63 letters, digits, _ and -")
    return ref


def _paisa(amount: Money) -> int:
    if amount.currency is not Currency.INR or amount.minor < SMALLEST_PAISA:
        raise ValueError(f"PhonePe takes 1.00 INR and more, not {amount} {amount.currency}")
    return amount.minor


def _unsent_or_lost(answer: Lost | TokenFailure) -> Rejected | Unknown:
    if isinstance(answer, Lost):
        return Unknown(answer.reason, answer.sent)
    if answer.configuration:
        return misconfigured(answer.reason, CANNOT_PAY)
    return Unknown(f"never sent: no access token ({answer.reason})", sent=False)


def _no_answer(answer: Lost | TokenFailure) -> NoAnswer:
    if isinstance(answer, Lost):
        return NoAnswer(answer.reason)
    return NoAnswer(f"no access token: {answer.reason}", answer.configuration)
