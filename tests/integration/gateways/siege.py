"""A webhook function that is called in this process, with attempts in every state behind it."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import boto3
import pytest

from functions.webhook.app import handler
from local.embedded_aws import TEMPLATE, EmbeddedAws
from local.resources import create_table
from payfirst.api import app
from payfirst.domain.clock import Deadline, utc_now
from payfirst.gateways.registry import setting_names
from payfirst.observability import logger
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.queue import Queue
from payfirst.usecases.checkout.start_attempt import Started
from tests.fresh import forget
from tests.integration.payments.shop import PASSKEY, WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Shop, new_customer

TRUE_HEADER: Final = hashlib.sha256(f"{WEBHOOK_USERNAME}:{WEBHOOK_PASSWORD}".encode()).hexdigest()


class Context:
    """What Lambda hands to a handler, as far as it is looked at."""

    function_name = "webhook"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:webhook"
    aws_request_id = "generated"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


@dataclass(frozen=True, slots=True)
class Siege:
    """The shop behind the webhook; `tokens` are those of M-Pesa's addresses, `bodies` true notices of both gateways."""

    shop: Shop
    tokens: tuple[str, ...]
    bodies: tuple[bytes, ...]

    def post(self, path: str, raw: bytes, headers: Mapping[str, str], *, as_base64: bool) -> dict[str, Any]:
        """Call the handler as API Gateway does; whatever it raises comes through."""
        text = base64.b64encode(raw).decode() if as_base64 else raw.decode("utf-8", "replace")
        return handler(event(path, text, headers, as_base64=as_base64), Context())

    def items(self) -> list[dict[str, Any]]:
        return [dict(item) for item in self.shop.items()]


def event(path: str, body: str, headers: Mapping[str, str], *, as_base64: bool) -> dict[str, Any]:
    """An HTTP API 2.0 event of a POST."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
            "requestId": "generated",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": body,
        "isBase64Encoded": as_base64,
    }


@contextmanager
def laid_siege(aws: EmbeddedAws, simulators: str) -> Iterator[Siege]:
    """A table, secrets and a queue of its own, an environment that names them, and attempts in every state."""
    with pytest.MonkeyPatch.context() as patch:
        shop = _shop(aws, simulators)
        for name, value in {**aws.environment(), **_environment(aws, shop)}.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        # A check that came due while notices are thrown would be asked for by the first true one, as it should.
        patch.setattr(app, "utc_now", lambda: shop.now)
        forget()
        level = logger().log_level
        logger().setLevel(logging.ERROR)
        try:
            yield _with_attempts(shop)
        finally:
            logger().setLevel(level)
            forget()
            shop.table.client.delete_table(TableName=shop.table.name)
            shop.table.client.delete_table(TableName=f"{shop.table.name}-gateway-tokens")


def _shop(aws: EmbeddedAws, simulators: str) -> Shop:
    client = aws.client("dynamodb")
    name = f"siege-{uuid4().hex}"
    create_table(client, TEMPLATE, name)
    create_table(client, TEMPLATE, f"{name}-gateway-tokens", logical_id="GatewayTokens")
    sqs_client = aws.client("sqs")
    queue = Queue(lambda: sqs_client, sqs_client.create_queue(QueueName=name)["QueueUrl"])
    shop = Shop(table=Table(client, name, Deadline(lambda: 30.0)), queue=queue, simulators=simulators, now=utc_now())
    shop.stock(listing=123, price=15000, available="10000")
    return shop


def _environment(aws: EmbeddedAws, shop: Shop) -> dict[str, str]:
    keeper = aws.client("secretsmanager")
    kept = {
        "mpesa": {"consumer_key": "key", "consumer_secret": "secret", "shortcode": "174379", "passkey": PASSKEY},
        "phonepe": {
            "client_id": "client",
            "client_secret": "secret",
            "client_version": "1",
            "webhook_username": WEBHOOK_USERNAME,
            "webhook_password": WEBHOOK_PASSWORD,
        },
    }
    name = f"{shop.table.name}/gateways"
    keeper.create_secret(Name=name, SecretString=json.dumps(kept))
    return dict.fromkeys(setting_names(), "") | {
        "STAGE": "local",
        "WATCHING": "small",
        "TABLE_NAME": shop.table.name,
        "GATEWAY_TOKENS_TABLE_NAME": f"{shop.table.name}-gateway-tokens",
        "SETTLE_QUEUE_URL": shop.queue.url,
        "RETURN_URL": "",
        "SHOP_ORIGIN": "",
        "ALLOW_PAST_DATES": "true",
        "CUSTOMERS_CANCEL_ORDERS": "true",
        "HORIZON_DAYS": "400",
        "SESSION_TTL_SECONDS": "900",
        "EXPIRY_GRACE_SECONDS": "0",
        "LATE_PAYMENT": "honour",
        "PHONE_PACE_SECONDS": "0",
        "OPEN_SESSIONS_PER_USER": "0",
        "SESSIONS_PER_USER_HOUR": "0",
        "PROMPTS_PER_USER_HOUR": "0",
        "PROMPTS_PER_PHONE_HOUR": "0",
        "DELIVERY_FEES": "*=50.00",
        "GATEWAYS_SECRET_ID": name,
        "MPESA_BASE_URL": f"{shop.simulators}/mpesa",
        "MPESA_NO_ANSWER_SECONDS": "180",
        "MPESA_CONFIRM_WITH_QUERY": "advisory",
        "PHONEPE_BASE_URL": f"{shop.simulators}/phonepe",
        "PHONEPE_TOKEN_URL": f"{shop.simulators}/phonepe/v1/oauth/token",
    }


def _with_attempts(shop: Shop) -> Siege:
    """M-Pesa: open, paid, failed. PhonePe: open, paid."""
    prompts: list[Started] = [shop.initiate(shop.session(new_customer())) for _ in range(3)]
    tokens = tuple(shop.address(started) for started in prompts)
    _, paid, failed = prompts
    shop.decide(paid)
    shop.tell(paid)
    shop.tell(failed, shop.notice(failed, code=1032))
    orders = []
    for _ in range(2):
        customer = new_customer()
        orders.append(shop.process(shop.booking_cart(customer), customer))
    shop.decide(orders[1])
    shop.tell_phonepe(orders[1])
    stk = [shop.notice(started, receipt=f"S{secrets.token_hex(4).upper()}") for started in prompts]
    stk += [shop.notice(started, code=1032) for started in prompts]
    phonepe = [phonepe_body(started, state) for started in orders for state in ("COMPLETED", "FAILED", "PENDING")]
    return Siege(shop, tokens, (*stk, *phonepe))


def phonepe_body(started: Started, state: str) -> bytes:
    """PhonePe's notice about an order."""
    payload = {"merchantOrderId": started.attempt.ref, "orderId": started.attempt.gateway_id, "state": state, "amount": 51000}
    return json.dumps({"event": f"checkout.order.{state.lower()}", "type": "X", "payload": payload}).encode()
