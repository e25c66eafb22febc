"""Powertools and boto3's resource for everything: resolver with validation, idempotency records, logger, `boto3.resource`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from boto3.dynamodb.conditions import Key
from pydantic import BaseModel

from benchmarks.events import event_of
from benchmarks.peers import table_shop
from benchmarks.peers.table_shop import Plain
from benchmarks.walk import Ask
from benchmarks.worker import Context

logger, tracer, metrics = Logger(service="shop"), Tracer(service="shop"), Metrics(namespace="shop", service="shop")
app = APIGatewayRestResolver(enable_validation=True, strip_prefixes=["/live"])
records = DynamoDBPersistenceLayer(
    table_name=os.environ["TABLE_NAME"], key_attr="pk", sort_key_attr="sk", status_attr="state", static_pk_value="IDEMPOTENCY"
)
once = IdempotencyConfig(event_key_jmespath="[sub, what, body]", expires_after_seconds=3600)


class ResourceTable:
    """A `table_shop.Store` on `boto3.resource`, which turns plain values into the wire's by itself."""

    def __init__(self) -> None:
        self._table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
        self._gateway = requests.Session()
        self._token = ""

    def get(self, pk: str, sk: str) -> Plain | None:
        return self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")

    def query(self, pk: str, prefix: str, limit: int) -> list[Plain]:
        when = Key("pk").eq(pk) & Key("sk").begins_with(prefix)
        found = self._table.query(KeyConditionExpression=when, ScanIndexForward=False, Limit=limit, ConsistentRead=True)
        return list(found["Items"])

    def count_up(self, pk: str) -> int:
        more = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": 1}, "ReturnValues": "UPDATED_NEW"}
        found: Any = self._table.update_item(Key={"pk": pk, "sk": "N"}, **more)  # type: ignore[arg-type]
        return int(found["Attributes"]["n"])

    def transact(self, *actions: tuple[str, Plain]) -> None:
        items: Any = [{verb: {"TableName": self._table.name, **_decimals(action)}} for verb, action in actions]
        self._table.meta.client.transact_write_items(TransactItems=items)

    def ask_gateway(self, path: str, body: Mapping[str, str]) -> Plain:
        base = os.environ["GATEWAY_URL"]
        if not self._token:
            url = f"{base}/mpesa/oauth/v1/generate?grant_type=client_credentials"
            self._token = self._gateway.get(url, timeout=10).json()["access_token"]
        answer = self._gateway.post(base + path, json=body, headers={"Authorization": f"Bearer {self._token}"}, timeout=10)
        told: Plain = answer.json()
        return told


def _decimals(value: Any) -> Any:
    """The resource takes no floats."""
    if isinstance(value, dict):
        return {name: _decimals(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_decimals(one) for one in value]
    return Decimal(str(value)) if isinstance(value, float) else value


store = ResourceTable()


class AddItemIn(BaseModel):
    """A listing for the cart."""

    listing_id: int
    quantity: float


class DeliveryIn(BaseModel):
    """Where to."""

    full_name: str
    phone_number: str
    county_id: int
    subcounty_id: int
    detailed_address: str


class SessionIn(BaseModel):
    """A new session."""

    delivery_details: DeliveryIn
    special_instructions: str = ""
    delivery_time_slot: str = ""


class InitiateIn(BaseModel):
    """A prompt."""

    phone_number: str


def _claims() -> Mapping[str, str]:
    claims: Mapping[str, str] = app.current_event.request_context.authorizer.claims or {}
    return claims


@idempotent_function(data_keyword_argument="asked", config=once, persistence_store=records)  # type: ignore[untyped-decorator]
def _once(*, asked: Plain) -> Plain:
    """Whatever moves something, once for each body."""
    sub, body = asked["sub"], asked["body"]
    match asked["what"]:
        case "session":
            return table_shop.create_session(store, sub, asked["user"], body)
        case "initiate":
            return table_shop.initiate(store, sub, asked["session"], body["phone_number"])
        case _:
            return table_shop.notice(store, asked["token"], json.dumps(body).encode(), body)


@app.post("/api/carts/add_item/")
def add_item(wanted: AddItemIn) -> Plain:
    return table_shop.add_item(store, _claims()["sub"], wanted.model_dump())


@app.post("/api/payments/sessions/")
def create_session(wanted: SessionIn) -> Response[Plain]:
    claims = _claims()
    asked = {"what": "session", "sub": claims["sub"], "user": int(claims["custom:user_id"]), "body": wanted.model_dump()}
    logger.info("session.created")
    return Response(201, "application/json", _once(asked=asked))


@app.post("/api/payments/sessions/<session_id>/initiate_payment/")
def initiate(session_id: str, wanted: InitiateIn) -> Plain:
    logger.info("payment.initiated", session=session_id)
    asked = {"what": "initiate", "session": session_id, "sub": _claims()["sub"], "body": wanted.model_dump()}
    answer: Plain = _once(asked=asked)
    return answer


@app.post("/cb/stk/<token>")
def notice(token: str) -> Plain:
    logger.info("notice.taken")
    answer: Plain = _once(asked={"what": "notice", "token": token, "sub": token, "body": app.current_event.json_body})
    return answer


@app.get("/api/payments/sessions/<session_id>/status/")
def status(session_id: str) -> Plain:
    return table_shop.status(store, _claims()["sub"], session_id)


@app.get("/api/payments/sessions/")
def list_sessions() -> Plain:
    return table_shop.list_sessions(store, _claims()["sub"])


@app.get("/api/orders/")
def list_orders() -> Plain:
    return table_shop.list_orders(store, _claims()["sub"])


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: Plain, context: Any) -> Plain:
    """Lambda's way in."""
    once.register_lambda_context(context)
    metrics.add_metric("Requests", "Count", 1)
    answer: Plain = app.resolve(event, context)
    return answer


class Powertools:
    """The handler on API Gateway's events."""

    def prepare(self, ask: Ask) -> Any:
        return event_of(ask, "issuer", "audience")[1]

    def serve(self, request: Any) -> Any:
        return handler(request, Context())

    def read(self, answer: Any) -> tuple[int, Any]:
        return answer["statusCode"], json.loads(answer["body"])


def make() -> Powertools:
    """The peer of this module."""
    return Powertools()
