"""HTTP API events, payload format 2.0: a request as a Lambda function sees it, and a function's answer as HTTP.

What the documentation leaves open follows public captures of real API Gateways: the path is decoded before it is matched and
cut at a decoded question mark; a body arrives as text only for text/*, JSON, XML and JavaScript, everything else (forms, and
bodies without a Content-Type) as base64.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

from local.host.config import ACCOUNT
from local.host.routing import Match

TEXT_TYPES: Final = frozenset({"application/json", "application/xml", "application/javascript"})
BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
HEADER_LIMIT: Final = 10_240
"""Bytes in request line and headers together, as API Gateway limits them."""


class BadRequestError(Exception):
    """The request cannot be read as HTTP; API Gateway answers 400 by itself."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it arrived; header names are lower case, `path` is decoded."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    port: int
    protocol: str
    request_id: str
    received: datetime

    def header(self, name: str) -> str | None:
        """The values of a header, joined by commas; None if it was not sent."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None


def new_request_id() -> str:
    """An id in the form of API Gateway's: eleven random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(11)).decode()


def decode_path(raw: bytes) -> str:
    """The path as API Gateway matches and tells it; BadRequestError if it is not percent-encoded UTF-8."""
    if BROKEN_ESCAPE.search(raw):
        raise BadRequestError
    try:
        decoded = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as exc:
        raise BadRequestError from exc
    return decoded.split("?", 1)[0]


def decode_query(raw: bytes) -> str:
    """The query string, still encoded; BadRequestError if it cannot be decoded."""
    if BROKEN_ESCAPE.search(raw):
        raise BadRequestError
    try:
        unquote_to_bytes(raw).decode()
        return raw.decode("ascii")
    except UnicodeDecodeError as exc:
        raise BadRequestError from exc


def make_event(request: HttpRequest, match: Match, claims: Mapping[str, str] | None) -> dict[str, Any]:
    """The event for the function behind `match`; `claims` are those of a verified token."""
    host = (request.header("host") or "127.0.0.1").rsplit(":", 1)[0]
    context: dict[str, Any] = {
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": host,
        "domainPrefix": host.split(".", 1)[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": request.request_id,
        "routeKey": match.route.key,
        "stage": "$default",
        "time": request.received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.received.timestamp() * 1000),
    }
    if claims is not None:
        context["authorizer"] = {"jwt": {"claims": dict(claims), "scopes": None}}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": _headers(request),
        "requestContext": context,
        "isBase64Encoded": False,
    }
    cookies = [part.strip() for name, value in request.headers if name == "cookie" for part in value.split(";")]
    if cookies:
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = _joined(parse_qsl(request.query, keep_blank_values=True))
    if match.parameters:
        event["pathParameters"] = match.parameters
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    several: dict[str, str] = {}
    for name, value in pairs:
        several[name] = f"{several[name]},{value}" if name in several else value
    return several


def _headers(request: HttpRequest) -> dict[str, str]:
    headers = _joined([(name, value) for name, value in request.headers if name not in ("cookie", "transfer-encoding")])
    forwarded = headers.get("x-forwarded-for")
    epoch = int(request.received.timestamp())
    return headers | {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": headers.get("x-amzn-trace-id", f"Root=1-{epoch:08x}-{secrets.token_hex(12)}"),
        "x-forwarded-for": f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip,
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }


def _body(request: HttpRequest) -> tuple[str, bool]:
    kind = (request.header("content-type") or "").split(";", 1)[0].strip().lower()
    if kind.startswith("text/") or kind in TEXT_TYPES:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # text by its label only
    return base64.b64encode(request.body).decode(), True


def now() -> datetime:
    """The instant at which a request arrives."""
    return datetime.now(UTC)
