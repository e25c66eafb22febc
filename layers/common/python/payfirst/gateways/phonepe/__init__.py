"""PhonePe: its payment gateway's Standard Checkout, v2, and its first API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from payfirst.gateways.base import Gateway, OrderNotice, TokenStore
from payfirst.gateways.declaration import CheckoutScript, Declaration, Readable, from_secret, origin_of
from payfirst.gateways.phonepe.settings import PAGES, PhonePeSettings
from payfirst.gateways.phonepe.terms import PHONEPE
from payfirst.settings import Networks, settings_of

if TYPE_CHECKING:
    from payfirst.gateways.account import Form
    from payfirst.gateways.phonepe.credentials import PhonePeCredentials
    from payfirst.gateways.phonepe.v1 import PhonePeV1Credentials
    from payfirst.gateways.statements import StatementForm


class PhonePeGateway(Declaration):
    """Its notices prove themselves by a header. With a salt key the shop speaks its first API."""

    terms = PHONEPE
    settings = PhonePeSettings
    parameters = "PhonePe"
    shown: ClassVar[Mapping[str, Readable]] = {
        **dict.fromkeys(("event", "type", "state", "paymentMode", "source", "stage"), "code"),
        **dict.fromkeys(("code", "responseCode", "errorCode", "detailedErrorCode"), "code"),
        **dict.fromkeys(("merchantId", "merchantOrderId", "orderId", "merchantTransactionId", "transactionId"), "code"),
        **dict.fromkeys(("merchantRefundId", "refundId", "originalMerchantOrderId"), "code"),
        **dict.fromkeys(("amount", "payableAmount", "feeAmount"), "amount"),
        **dict.fromkeys(("timestamp", "expireAt"), "time"),
        "message": "words",
    }

    def forms(self) -> tuple[Form, ...]:
        from payfirst.gateways.phonepe.account import CHECKOUT, FIRST_API  # noqa: PLC0415 - see Declaration

        return CHECKOUT, FIRST_API

    def statement(self) -> StatementForm:
        from payfirst.gateways.phonepe.statement import PhonePeStatement  # noqa: PLC0415 - likewise

        return PhonePeStatement()

    def credentials(self, kept: Mapping[str, Any]) -> PhonePeCredentials | PhonePeV1Credentials:
        if "salt_key" in kept:
            from payfirst.gateways.phonepe.v1 import PhonePeV1Credentials  # noqa: PLC0415 - see Declaration

            return from_secret(PhonePeV1Credentials, kept)
        from payfirst.gateways.phonepe.credentials import PhonePeCredentials  # noqa: PLC0415 - likewise

        return from_secret(PhonePeCredentials, kept)

    def client(self, credentials: PhonePeCredentials | PhonePeV1Credentials, tokens: TokenStore, container: str) -> Gateway:
        from payfirst.gateways.phonepe.credentials import PhonePeCredentials  # noqa: PLC0415 - likewise

        found = settings_of(PhonePeSettings)
        if not isinstance(credentials, PhonePeCredentials):
            from payfirst.gateways.phonepe.v1 import PhonePeV1  # noqa: PLC0415 - likewise

            return PhonePeV1(credentials, found.phonepe_base_url)
        from payfirst.gateways.phonepe.client import PhonePe  # noqa: PLC0415 - likewise

        return PhonePe(credentials, found.phonepe_base_url, found.phonepe_token_url, tokens, container)

    def notice_sources(self) -> Networks:
        return settings_of(PhonePeSettings).phonepe_notice_sources

    def checkout_script(self) -> CheckoutScript | None:
        address = settings_of(PhonePeSettings).phonepe_script
        if not address:
            return None
        origin = origin_of(address)
        return CheckoutScript(address, "PhonePeCheckout", PAGES if origin.endswith(".phonepe.com") else origin)

    def read_signed(self, raw: bytes) -> OrderNotice | None:
        from payfirst.gateways.phonepe import v1  # noqa: PLC0415 - likewise
        from payfirst.gateways.phonepe.webhook import read_webhook  # noqa: PLC0415 - likewise

        second = read_webhook(raw)
        return second.as_order if second else v1.read_notice(raw)

    def readable(self, raw: bytes) -> bytes:
        from payfirst.gateways.phonepe import v1  # noqa: PLC0415 - likewise

        return v1.unwrapped(raw) or raw
