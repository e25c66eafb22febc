"""The bare signed loop, the floor: requests signed with botocore's SigV4 over a kept connection, and nothing around them."""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.events import event_of
from benchmarks.peers import table_shop
from benchmarks.peers.table_shop import Plain
from benchmarks.walk import Ask

SESSION = re.compile(r"/api/payments/sessions/([^/]+)/(?:initiate_payment|status)/")


def to_wire(value: Any) -> dict[str, Any]:
    """A plain value as DynamoDB takes it."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool) or value is None:
        return {"NULL": True} if value is None else {"BOOL": value}
    if isinstance(value, dict):
        return {"M": {name: to_wire(one) for name, one in value.items()}}
    return {"L": [to_wire(one) for one in value]} if isinstance(value, list) else {"N": str(value)}


def from_wire(value: Mapping[str, Any]) -> Any:
    """The plain value."""
    [(kind, content)] = value.items()
    match kind:
        case "N":
            return float(content) if "." in content else int(content)
        case "M":
            return {name: from_wire(one) for name, one in content.items()}
        case "L":
            return [from_wire(one) for one in content]
        case "NULL":
            return None
        case _:
            return content


def _plain(item: Mapping[str, Any]) -> Plain:
    return {name: from_wire(value) for name, value in item.items()}


def _wire(item: Mapping[str, Any]) -> Plain:
    return {name: to_wire(value) for name, value in item.items()}


class SignedTable:
    """A `table_shop.Store` of one connection to the table and one to the gateway."""

    def __init__(self) -> None:
        self._table, self._url = os.environ["TABLE_NAME"], os.environ["AWS_ENDPOINT_URL"]
        keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
        self._signer = SigV4Auth(keys, "dynamodb", os.environ["AWS_REGION"])
        self._connection = http.client.HTTPConnection(urlsplit(self._url).netloc)
        gateway = urlsplit(os.environ["GATEWAY_URL"])
        secure = gateway.scheme == "https"
        self._gateway: http.client.HTTPConnection = (
            http.client.HTTPSConnection(gateway.netloc, context=ssl.create_default_context())
            if secure
            else http.client.HTTPConnection(gateway.netloc)
        )
        self._token = ""

    def _ask(self, operation: str, **request: Any) -> Plain:
        body = json.dumps(request).encode()
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        signed = AWSRequest("POST", self._url + "/", data=body, headers=headers)
        self._signer.add_auth(signed)
        try:
            self._connection.request("POST", "/", body, dict(signed.headers))
            answer = self._connection.getresponse()
        except ConnectionError:  # closed while it was idle
            self._connection.close()
            self._connection.request("POST", "/", body, dict(signed.headers))
            answer = self._connection.getresponse()
        told: Plain = json.loads(answer.read())
        if answer.status != http.client.OK:
            raise RuntimeError(told)
        return told

    def get(self, pk: str, sk: str) -> Plain | None:
        found = self._ask("GetItem", TableName=self._table, Key=_wire({"pk": pk, "sk": sk}), ConsistentRead=True)
        return _plain(found["Item"]) if "Item" in found else None

    def query(self, pk: str, prefix: str, limit: int) -> list[Plain]:
        values = _wire({":pk": pk, ":sk": prefix})
        when = "pk = :pk AND begins_with(sk, :sk)"
        asked = {"KeyConditionExpression": when, "ExpressionAttributeValues": values, "ConsistentRead": True}
        found = self._ask("Query", TableName=self._table, ScanIndexForward=False, Limit=limit, **asked)
        return [_plain(item) for item in found["Items"]]

    def count_up(self, pk: str) -> int:
        more = {
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": _wire({":one": 1}),
            "ReturnValues": "UPDATED_NEW",
        }
        found = self._ask("UpdateItem", TableName=self._table, Key=_wire({"pk": pk, "sk": "N"}), **more)
        return int(_plain(found["Attributes"])["n"])

    def transact(self, *actions: tuple[str, Plain]) -> None:
        self._ask("TransactWriteItems", TransactItems=[{verb: self._written(action)} for verb, action in actions])

    def _written(self, action: Plain) -> Plain:
        plain = ("Item", "Key", "ExpressionAttributeValues")
        return {"TableName": self._table, **{name: _wire(one) if name in plain else one for name, one in action.items()}}

    def ask_gateway(self, path: str, body: Mapping[str, str]) -> Plain:
        if not self._token:
            self._gateway.request("GET", "/mpesa/oauth/v1/generate?grant_type=client_credentials")
            self._token = json.loads(self._gateway.getresponse().read())["access_token"]
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._gateway.request("POST", path, json.dumps(body).encode(), headers)
        told: Plain = json.loads(self._gateway.getresponse().read())
        return told


def answered(store: table_shop.Store, event: Plain) -> tuple[int, Plain]:
    """The status and the body for an event of API Gateway's."""
    asked, body = (event["httpMethod"], event["path"]), event["body"] or ""
    told = json.loads(body) if body else {}
    if asked[1].startswith("/cb/stk/"):
        return 200, table_shop.notice(store, asked[1].rsplit("/", 1)[1], body.encode(), told)
    claims = event["requestContext"]["authorizer"]["claims"]
    sub, found = claims["sub"], SESSION.fullmatch(asked[1])
    if found:
        is_post = asked[0] == "POST"
        which = found[1]
        return 200, table_shop.initiate(store, sub, which, told["phone_number"]) if is_post else table_shop.status(
            store, sub, which
        )
    match asked:
        case "POST", "/api/carts/add_item/":
            return 200, table_shop.add_item(store, sub, told)
        case "POST", "/api/payments/sessions/":
            return 201, table_shop.create_session(store, sub, int(claims["custom:user_id"]), told)
        case "GET", "/api/payments/sessions/":
            return 200, table_shop.list_sessions(store, sub)
        case "GET", "/api/orders/":
            return 200, table_shop.list_orders(store, sub)
        case _:
            raise LookupError(asked)


class Bare:
    """One loop over one connection."""

    def __init__(self) -> None:
        self._store = SignedTable()

    def prepare(self, ask: Ask) -> Any:
        return event_of(ask, "issuer", "audience")[1]

    def serve(self, request: Any) -> Any:
        status, body = answered(self._store, request)
        return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}

    def read(self, answer: Any) -> tuple[int, Any]:
        return answer["statusCode"], json.loads(answer["body"])


def make() -> Bare:
    """The peer of this module."""
    return Bare()
