"""`payfirst credentials check` tries what PhonePe would send at the webhook of the stack, and says what is wrong."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from ops.credential_notice import try_notice
from ops.credential_target import Target
from payfirst.gateways.account import CredentialError, Form
from payfirst.gateways.mpesa.account import FORM
from payfirst.gateways.phonepe.account import CHECKOUT, FIRST_API
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.gateways.phonepe.v1 import PhonePeV1Credentials

from .operator import Operator

SECOND = {
    "client_id": "SHOP",
    "client_secret": "secret",
    "client_version": "1",
    "webhook_username": "shop_notices",
    "webhook_password": "Passw0rd",
}
FIRST = {"merchant_id": "SHOP", "salt_key": "0a1b2c", "salt_index": "1"}


@dataclass(slots=True)
class Webhook:
    """A webhook that recognises notices as the deployed one does, by credentials of its own."""

    recogniser: PhonePeCredentials | PhonePeV1Credentials
    url: str = ""
    status: int = 200
    posted: list[bytes] = field(default_factory=list)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook(PhonePeCredentials(**SECOND))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posted.append(raw)
            known = hook.recogniser.recognises(self.headers.get(hook.recogniser.notice_header), raw)
            self.send_response(hook.status if known else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/api/payments/webhook/phonepe/"
    yield hook
    server.shutdown()
    server.server_close()


def target(url: str | None, sources: str = "") -> Target:
    nobody: Any = None
    return Target("phonepe", nobody, "secret", settings={"PHONEPE_NOTICE_SOURCES": sources}, notice_url=url)


@pytest.mark.parametrize(("form", "values"), [(CHECKOUT, SECOND), (FIRST_API, FIRST)])
def test_what_phonepe_would_send_is_tried_at_the_webhook(webhook: Webhook, form: Form, values: dict[str, str]) -> None:
    if form is FIRST_API:
        webhook.recogniser = PhonePeV1Credentials(**values)
    said = try_notice(form, values, target(webhook.url))
    assert said is not None
    assert said.startswith("The webhook takes a notice")
    [raw] = webhook.posted
    notice = webhook.recogniser.read_notice(raw)
    assert notice is None or (notice.merchant_order_id, notice.ended_refund, notice.done) == (None, None, None)


@pytest.mark.parametrize(("form", "values"), [(CHECKOUT, SECOND), (FIRST_API, FIRST)])
def test_a_webhook_that_knows_other_credentials_is_named(webhook: Webhook, form: Form, values: dict[str, str]) -> None:
    if form is FIRST_API:
        webhook.recogniser = PhonePeV1Credentials(**{**values, "salt_key": "another"})
    else:
        webhook.recogniser = PhonePeCredentials(**{**values, "webhook_password": "An0therone"})
    with pytest.raises(CredentialError, match="refuses a notice signed with") as refused:
        try_notice(form, values, target(webhook.url))
    assert webhook.url in str(refused.value)


def test_a_webhook_that_fails_or_is_not_there_is_told_apart(webhook: Webhook) -> None:
    webhook.status = 503
    with pytest.raises(CredentialError, match="answered a notice with 503"):
        try_notice(CHECKOUT, SECOND, target(webhook.url))
    with pytest.raises(CredentialError, match="could not be reached"):
        try_notice(CHECKOUT, SECOND, target("http://127.0.0.1:9/"))


def test_an_empty_password_would_be_refused_and_nobody_is_asked(webhook: Webhook) -> None:
    with pytest.raises(CredentialError, match="as stored would be refused"):
        try_notice(CHECKOUT, {**SECOND, "webhook_password": ""}, target(webhook.url))
    assert webhook.posted == []


def test_a_webhook_for_phonepes_networks_alone_is_not_asked_from_here(webhook: Webhook) -> None:
    said = try_notice(CHECKOUT, SECOND, target(webhook.url, "103.116.33.8/30"))
    assert said is not None
    assert "from PhonePe's networks only" in said
    assert webhook.posted == []


def test_mpesa_signs_nothing() -> None:
    nobody: Any = None
    assert try_notice(FORM, {}, Target("mpesa", nobody, "secret")) is None


def test_check_says_that_a_notice_would_be_taken(operator: Operator) -> None:
    said = operator.do("set", "phonepe", given=operator.phonepe())
    assert "Basic (SHA)" in said.output
    assert "would be taken; no stack is named" in operator.do("check", "phonepe").output
    operator.do("set", "phonepe", given=operator.first_api())
    assert "A notice signed with the salt key would be taken" in operator.do("check", "phonepe").output


def test_the_notice_is_signed_as_phonepe_describes_it(webhook: Webhook) -> None:
    seen: list[str] = []

    class Noting(PhonePeCredentials):
        def recognises(self, header: str | None, raw: bytes) -> bool:
            seen.append(header or "")
            return bool(json.loads(raw)["event"])

    webhook.recogniser = Noting(**SECOND)
    try_notice(CHECKOUT, SECOND, target(webhook.url))
    assert seen == [hashlib.sha256(b"shop_notices:Passw0rd").hexdigest()]
