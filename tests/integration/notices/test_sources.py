"""A notice from outside a gateway's networks is refused unread, where the operator names those networks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from local.embedded_aws import ROOT, EmbeddedAws
from tests.unit.test_settings import LOCAL

INSIDE, ELSEWHERE = "196.201.212.69", "203.0.113.7"
NETWORK: Final = "196.201.212.0/24"
NAME, PASSWORD = "notices", "Passw0rd1"
ACCEPTED: Final = {"status": "success", "message": "Callback received", "ResultCode": 0, "ResultDesc": "Accepted"}
MPESA_PATHS: Final = {
    f"/cb/stk/0{'0a' * 22}": "/cb/stk/{token}",
    f"/cb/result/RF{'0a' * 22}": "/cb/result/{token}",
    f"/cb/late/RF{'0a' * 22}": "/cb/late/{token}",
    "/api/payments/transactions/mpesa_callback/": "/api/payments/transactions/mpesa_callback",
}
PHONEPE_PATH: Final = "/api/payments/webhook/phonepe/"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function answered and what it wrote down meanwhile."""

    status: int
    body: Any
    log: list[dict[str, Any]]

    def refused_for(self, why: str) -> bool:
        return any(line.get("event") == "notice.refused" and line.get("why") == why for line in self.log)


def notice(path: str, source: str | None, **headers: str) -> dict[str, Any]:
    http = {"method": "POST", "path": path, "protocol": "HTTP/1.1", "userAgent": "gateway"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **headers},
        "requestContext": {
            "http": http if source is None else {**http, "sourceIp": source},
            "requestId": "test",
            "stage": "$default",
        },
        "body": '{"event": "checkout.order.completed", "payload": {"merchantOrderId": "MT0", "state": "COMPLETED"}}',
        "isBase64Encoded": False,
    }


Webhook = Callable[..., list[Answer]]


@pytest.fixture
def webhook(embedded_aws: EmbeddedAws, table_name: str) -> Webhook:
    """Gives events to a webhook function with the settings `sources`, in a process of its own."""
    keeper = embedded_aws.client("secretsmanager")
    secret_id = f"{table_name}/gateways"
    credentials = {"client_id": "id", "client_secret": "secret", "client_version": "1"}
    notices = {"webhook_username": NAME, "webhook_password": PASSWORD}
    keeper.create_secret(Name=secret_id, SecretString=json.dumps({"phonepe": credentials | notices}))

    def answers(sources: dict[str, str], *events: dict[str, Any]) -> list[Answer]:
        environment = os.environ | embedded_aws.environment() | LOCAL
        environment |= {"TABLE_NAME": table_name, "GATEWAYS_SECRET_ID": secret_id} | sources
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.notices.webhook_process"],
            input="".join(json.dumps(event) + "\n" for event in events),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: list[Answer] = []
        log: list[dict[str, Any]] = []
        for line in map(json.loads, done.stdout.splitlines()):
            if "reply" not in line:
                log.append(line)
                continue
            told.append(Answer(line["reply"]["statusCode"], json.loads(line["reply"]["body"]), log))
            log = []
        assert len(told) == len(events)
        return told

    return answers


def digest() -> str:
    return hashlib.sha256(f"{NAME}:{PASSWORD}".encode()).hexdigest()


def test_mpesa_notices_from_elsewhere_are_answered_alike_and_not_looked_at(webhook: Webhook) -> None:
    answers = webhook({"MPESA_NOTICE_SOURCES": NETWORK}, *(notice(path, ELSEWHERE) for path in MPESA_PATHS))
    assert [(answer.status, answer.body) for answer in answers] == [(200, ACCEPTED)] * len(MPESA_PATHS)
    assert all(answer.refused_for("source") for answer in answers)


def test_mpesa_notices_from_its_networks_are_looked_at(webhook: Webhook) -> None:
    answers = webhook({"MPESA_NOTICE_SOURCES": NETWORK}, *(notice(path, INSIDE) for path in MPESA_PATHS))
    assert [(answer.status, answer.body) for answer in answers] == [(200, ACCEPTED)] * len(MPESA_PATHS)
    assert not any(answer.refused_for("source") for answer in answers)
    assert answers[0].refused_for("token")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "x-forwarded-for", "Forwarded", "X-Real-IP", "True-Client-IP"])
def test_a_forwarded_header_changes_nothing(webhook: Webhook, header: str) -> None:
    path = next(iter(MPESA_PATHS))
    claimed, true = webhook(
        {"MPESA_NOTICE_SOURCES": NETWORK},
        notice(path, ELSEWHERE, **{header: INSIDE}),
        notice(path, INSIDE, **{header: ELSEWHERE}),
    )
    assert (claimed.refused_for("source"), true.refused_for("source")) == (True, False)


def test_a_phonepe_notice_from_elsewhere_is_refused_even_with_the_right_header(webhook: Webhook) -> None:
    elsewhere, inside, forged = webhook(
        {"PHONEPE_NOTICE_SOURCES": NETWORK},
        notice(PHONEPE_PATH, ELSEWHERE, authorization=digest()),
        notice(PHONEPE_PATH, INSIDE, authorization=digest()),
        notice(PHONEPE_PATH, INSIDE, authorization="0" * 64),
    )
    assert (elsewhere.status, elsewhere.refused_for("source")) == (401, True)
    assert (inside.status, inside.refused_for("source")) == (200, False)
    assert (forged.status, forged.refused_for("header")) == (401, True)
    assert elsewhere.body == forged.body


def test_the_networks_of_one_gateway_say_nothing_about_the_other(webhook: Webhook) -> None:
    [answer] = webhook({"MPESA_NOTICE_SOURCES": NETWORK}, notice(PHONEPE_PATH, ELSEWHERE, authorization=digest()))
    assert answer.status == 200


def test_without_networks_notices_may_come_from_anywhere(webhook: Webhook) -> None:
    [answer] = webhook({}, notice(next(iter(MPESA_PATHS)), ELSEWHERE))
    assert not answer.refused_for("source")
    assert answer.refused_for("token")


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        (None, True),
        ("", True),
        ("unknown", True),
        ("196.201.212.69, 203.0.113.7", True),
        ("::ffff:196.201.212.69", False),
        ("::ffff:203.0.113.7", True),
        ("2001:db8::7", False),
        ("2001:db9::7", True),
    ],
)
def test_an_address_is_compared_as_an_address(webhook: Webhook, source: str | None, *, refused: bool) -> None:
    path = next(iter(MPESA_PATHS))
    [answer] = webhook({"MPESA_NOTICE_SOURCES": f"{NETWORK}, 2001:db8::/32"}, notice(path, source))
    assert (answer.status, answer.body) == (200, ACCEPTED)
    assert answer.refused_for("source") is refused
