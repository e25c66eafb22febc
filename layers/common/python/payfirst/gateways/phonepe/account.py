"""What PhonePe gives a shop, for its Standard Checkout and for its first API, and how it is tried."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Final

from payfirst.gateways.account import NO_BLANKS, VISIBLE, Field, Form, Proof, Values, like
from payfirst.gateways.base import Recogniser
from payfirst.gateways.declaration import from_secret
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.gateways.phonepe.terms import PHONEPE
from payfirst.gateways.phonepe.v1 import PhonePeV1, PhonePeV1Credentials
from payfirst.gateways.tokens import TokenFailure
from payfirst.settings import Stage

_NOTHING: Final = {"state": "PENDING"}
"""It names no order and no refund, so nothing comes of it."""


def _is_webhook_password(text: str) -> bool:
    fits = like(r"[A-Za-z0-9]{8,20}")(text)
    return fits and any(map(str.isalpha, text)) and any(map(str.isdigit, text))


_FIELDS: Final = (
    Field("client_id", "PHONEPE_CLIENT_ID", "Client id", NO_BLANKS, VISIBLE),
    Field("client_secret", "PHONEPE_CLIENT_SECRET", "Client secret", NO_BLANKS, VISIBLE, hidden=True),
    Field("client_version", "PHONEPE_CLIENT_VERSION", "Client version", "must be a whole number", like(r"\d{1,9}")),
    Field(
        "webhook_username",
        "PHONEPE_WEBHOOK_USERNAME",
        "Webhook's user name",
        "must be 5 to 20 letters, digits and underscores",
        like(r"\w{5,20}"),
    ),
    Field(
        "webhook_password",
        "PHONEPE_WEBHOOK_PASSWORD",
        "Webhook's password",
        "must be 8 to 20 letters and digits, with at least one of each",
        _is_webhook_password,
        hidden=True,
    ),
    Field(
        "merchant_id",
        "PHONEPE_MERCHANT_ID",
        "Merchant id to compare notices with (empty for none)",
        NO_BLANKS,
        VISIBLE,
        required=False,
    ),
)
_FIRST_FIELDS: Final = (
    Field(
        "merchant_id",
        "PHONEPE_MERCHANT_ID",
        "Merchant id",
        "must be 1 to 37 letters, digits, underscores and hyphens",
        like(r"[\w-]{1,37}"),
    ),
    Field("salt_key", "PHONEPE_SALT_KEY", "Salt key", NO_BLANKS, VISIBLE, hidden=True),
    Field("salt_index", "PHONEPE_SALT_INDEX", "Salt index", "must be a whole number", like(r"\d{1,4}"), hidden=True),
)


class CheckoutForm(Form):
    """A client of Standard Checkout, and the name and password of the webhook."""

    title = PHONEPE.label
    fields = _FIELDS
    addresses = {  # noqa: RUF012 - a mapping that nobody writes to
        Stage.SANDBOX: "https://api-preprod.phonepe.com/apis/pg-sandbox/v1/oauth/token",
        Stage.PRODUCTION: "https://api.phonepe.com/apis/identity-manager/v1/oauth/token",
    }
    setting = "PHONEPE_TOKEN_URL"
    token_path = "/v1/oauth/token"  # noqa: S105 - a path
    remark = "The webhook's authentication on PhonePe's dashboard has to be Basic (SHA): notices signed by HMAC are refused."
    proof = Proof(
        ("webhook_username", "webhook_password"),
        "the webhook's",
        "name and password",
        "Notices with the new and with the previous name and password are taken: wait five minutes, change them in "
        "PhonePe's dashboard",
    )

    def refusal(self, values: Values, address: str, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        client = PhonePe(from_secret(PhonePeCredentials, values), address, address, None, "payfirst")
        return client.refusal_of_credentials(now=now, timeout_s=timeout_s)

    def recogniser(self, values: Values) -> Recogniser:
        return from_secret(PhonePeCredentials, values)

    def harmless_notice(self, values: Values) -> tuple[tuple[str, str], bytes]:
        pair = f"{values['webhook_username']}:{values['webhook_password']}"
        body = {"event": "checkout.order.completed", "payload": _NOTHING}
        return ("Authorization", hashlib.sha256(pair.encode()).hexdigest()), json.dumps(body).encode()


class FirstApiForm(Form):
    """A salt key, by which the first API knows a shop instead of a client."""

    title = f"{PHONEPE.label} (first API)"
    fields = _FIRST_FIELDS
    addresses = {  # noqa: RUF012 - a mapping that nobody writes to
        Stage.SANDBOX: "https://api-preprod.phonepe.com/apis/pg-sandbox",
        Stage.PRODUCTION: "https://api.phonepe.com/apis/hermes",
    }
    setting = "PHONEPE_BASE_URL"
    mark = "salt_key"
    succeeds = "takes its checksum"
    proof = Proof(
        ("salt_key", "salt_index"),
        "the",
        "salt key",
        "Requests are signed with the new salt key, and notices signed with the new and with the previous one are taken: wait "
        "five minutes, switch the previous one off in PhonePe's dashboard",
    )

    def refusal(self, values: Values, address: str, *, now: datetime, timeout_s: float) -> TokenFailure | None:
        client = PhonePeV1(from_secret(PhonePeV1Credentials, values), address)
        return client.refusal_of_credentials(now=now, timeout_s=timeout_s)

    def secrets(self, values: Values) -> list[str]:
        # A salt index is a digit or two: it says nothing, and its replacement would spoil the reason.
        return [values["salt_key"]]

    def recogniser(self, values: Values) -> Recogniser:
        return from_secret(PhonePeV1Credentials, values)

    def harmless_notice(self, values: Values) -> tuple[tuple[str, str], bytes]:
        content = base64.b64encode(json.dumps({"code": "PAYMENT_PENDING", "data": _NOTHING}).encode()).decode("ascii")
        checksum = hashlib.sha256((content + values["salt_key"]).encode()).hexdigest()
        return ("X-VERIFY", f"{checksum}###{values['salt_index']}"), json.dumps({"response": content}).encode()


CHECKOUT: Final = CheckoutForm()
FIRST_API: Final = FirstApiForm()
