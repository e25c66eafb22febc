"""PhonePe's notices: who sent one, and what it says. Whether it is true is asked of PhonePe's order status."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import OrderNotice
from payfirst.gateways.lenient import json_object, mapping, money_of_minor, text

_PREFIX: Final = "sha256 "
ENDS: Final = {"COMPLETED": True, "FAILED": False}
"""The states in which an order or a refund has ended, and whether well."""


def is_authentic(header: str | None, pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether the `Authorization` header is the SHA-256 of `name:password` of one of the pairs.

    Either case, with or without a `SHA256 ` in front. Every pair is compared, each in constant time.
    """
    presented = (header or "").strip().lower()
    presented = presented.removeprefix(_PREFIX).strip()
    matches = [_matches(presented, username, password) for username, password in pairs]
    return any(matches)


def _matches(presented: str, username: str, password: str) -> bool:
    expected = hashlib.sha256(f"{username}:{password}".encode()).hexdigest()
    same = hmac.compare_digest(presented.encode("utf-8", "replace"), expected.encode("ascii"))
    return same and bool(username.strip()) and bool(password.strip())


@dataclass(frozen=True, slots=True)
class PhonePeNotice:
    """What PhonePe posted: an order's fields or a refund's, `None` where the body has none.

    `state` is the root state of the payload; the states of single payment tries inside it count for nothing.
    """

    event: str
    state: str | None
    merchant_order_id: str | None
    order_id: str | None
    amount: Money | None
    merchant: str | None
    merchant_refund_id: str | None
    refund_id: str | None
    original_merchant_order_id: str | None
    error_code: str | None

    @property
    def is_refund(self) -> bool:
        """Whether it is about a refund instead of an order."""
        return self.merchant_refund_id is not None or self.refund_id is not None or "refund" in self.event.lower()

    @property
    def as_order(self) -> OrderNotice:
        """What the notice speaks of, in the words that both of PhonePe's APIs share."""
        done = ENDS.get(self.state or "")
        ended = self.merchant_refund_id if done is not None else None
        return OrderNotice(self.event, self.merchant_order_id, self.merchant, self.is_refund, ended, done)


def read_webhook(raw: bytes) -> PhonePeNotice | None:
    """The notice in `raw`, or `None` when it is not one; never an exception. Fields that are not known are passed over.

    Older notices name their event only as `type`, which PhonePe calls deprecated where there is an `event` too.
    """
    body = json_object(raw) or {}
    payload = mapping(body.get("payload"))
    event = text(body.get("event")) or text(body.get("type"))
    if event is None or not payload:
        return None
    return PhonePeNotice(
        event=event,
        state=text(payload.get("state")),
        merchant_order_id=text(payload.get("merchantOrderId")),
        order_id=text(payload.get("orderId")),
        amount=money_of_minor(payload.get("amount"), Currency.INR),
        merchant=text(payload.get("merchantId")),
        merchant_refund_id=text(payload.get("merchantRefundId")),
        refund_id=text(payload.get("refundId")),
        original_merchant_order_id=text(payload.get("originalMerchantOrderId")),
        error_code=text(payload.get("errorCode")),
    )
