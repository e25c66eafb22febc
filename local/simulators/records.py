"""What the ledger holds, as values. Amounts are minor units (cents, paise), instants seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from local.simulators.outcomes import State

MPESA: Final = "mpesa"
PHONEPE: Final = "phonepe"
FIRST_API: Final = '{"api": "v1"}'
"""The `meta` of a transaction that came through PhonePe's first API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One STK prompt (`ref` is its CheckoutRequestID) or one PhonePe order (`ref` is its merchantOrderId).

    `gateway_id` is the MerchantRequestID or PhonePe's orderId; `merchant` the shortcode or merchantId; `callback_url` where
    notices go. `outcome` and `result_code` say how it ended, `receipt` is set exactly when the money was taken. `working`
    means that the payer has answered but the gateway has not finished. `plan` is a decision to come, as JSON.
    """

    seq: int = 0
    gateway: str
    ref: str
    gateway_id: str
    amount: int
    currency: str
    merchant: str
    phone: str = ""
    label: str = ""
    callback_url: str = ""
    redirect_url: str = ""
    page_token: str = ""
    meta: str = "{}"
    created_at: float
    expires_at: float | None = None
    state: State = State.PENDING
    working: bool = False
    outcome: str | None = None
    result_code: str | None = None
    receipt: str | None = None
    decided_at: float | None = None
    plan: str | None = None

    @property
    def by_first_api(self) -> bool:
        """Whether it came through PhonePe's first API, in whose form notices about it go out."""
        return self.meta == FIRST_API


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back: a `refund` of PhonePe, a `reversal` of M-Pesa.

    `ref` is the merchantRefundId or OriginatorConversationID, `conversation_id` the gateway's own id; `original_ref` names the
    attempt that is paid back, empty for a reversal that can only fail. `original_receipt` is what the merchant
    asked to reverse. `plan` says how it will end, as JSON; `None` leaves it open until it is decided by hand.
    """

    seq: int = 0
    gateway: str
    kind: str
    ref: str
    conversation_id: str
    original_ref: str = ""
    original_receipt: str = ""
    amount: int
    phone: str = ""
    result_url: str = ""
    created_at: float
    state: State = State.PENDING
    plan: str | None = None
    result_code: str | None = None
    receipt: str | None = None
    decided_at: float | None = None

    def failing(self, code: str) -> Refund:
        """The same with the result code that it will fail with, whatever is planned."""
        return replace(self, result_code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to a merchant. `state` is `due`, `sending`, `delivered` (a 2xx), `refused` or `unreachable`."""

    seq: int = 0
    gateway: str
    ref: str
    kind: str
    merchant: str
    url: str
    forged_header: bool
    body: bytes
    due_at: float
    state: str = "due"
    tries: int = 0
    http_status: int | None = None
