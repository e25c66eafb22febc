"""REST API events, payload format 1.0: a request as a Lambda function sees it.

What the documentation leaves open follows public captures of real API Gateways: the path and its variables stay encoded, the
query is decoded, headers keep their case, and without binary media types every body arrives as text.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes
from uuid import uuid4

from local.host.config import ACCOUNT
from local.host.routing import Match

STAGE: Final = "live"
API_ID: Final = "local"
DOMAIN: Final = f"{API_ID}.execute-api.us-east-1.amazonaws.com"
"""A name of the API itself, as on AWS: never what a client puts into its Host header."""
BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
HEADER_LIMIT: Final = 10_240
"""Bytes in request line and headers together, as API Gateway limits them."""


class BadRequestError(Exception):
    """The request cannot be read as HTTP; API Gateway answers 400 by itself."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it arrived; `path` and `query` are still encoded."""

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
        values = [value for key, value in self.headers if key.lower() == name]
        return ",".join(values) if values else None


def new_request_id() -> str:
    """An id in the form of API Gateway's."""
    return str(uuid4())


def checked(raw: bytes) -> str:
    """A path or a query string, still encoded; BadRequestError if it is not percent-encoded UTF-8."""
    if BROKEN_ESCAPE.search(raw):
        raise BadRequestError
    try:
        unquote_to_bytes(raw).decode()
        return raw.decode("ascii")
    except UnicodeDecodeError as exc:
        raise BadRequestError from exc


def make_event(request: HttpRequest, match: Match, claims: Mapping[str, str] | None) -> dict[str, Any]:
    """The event for the function behind `match`; `claims` are those of a verified token."""
    context: dict[str, Any] = {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": DOMAIN,
        "domainPrefix": API_ID,
        "extendedRequestId": request.request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")},
        "path": f"/{STAGE}{request.path}",
        "protocol": request.protocol,
        "requestId": request.request_id,
        "requestTime": request.received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(request.received.timestamp() * 1000),
        "resourceId": "local",
        "resourcePath": match.route.path,
        "stage": STAGE,
    }
    if claims is not None:
        context["authorizer"] = {"claims": dict(claims)}
    headers = _several([(name.title(), value) for name, value in _headers(request)])  # a server here gets them in lower case
    query = _several(parse_qsl(request.query, keep_blank_values=True))
    return {
        "resource": match.route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": match.parameters or None,
        "stageVariables": None,
        "requestContext": context,
        "body": request.body.decode(errors="replace") if request.body else None,
        "isBase64Encoded": False,
    }


def _several(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    return several


def _last(several: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in several.items()}


def _headers(request: HttpRequest) -> list[tuple[str, str]]:
    sent = [(name, value) for name, value in request.headers if name.lower() not in ("transfer-encoding", "x-forwarded-for")]
    forwarded = request.header("x-forwarded-for")
    trace = f"Root=1-{int(request.received.timestamp()):08x}-{secrets.token_hex(12)}"
    return [
        *sent,
        *([] if request.header("x-amzn-trace-id") else [("X-Amzn-Trace-Id", trace)]),
        ("X-Forwarded-For", f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip),
        ("X-Forwarded-Port", str(request.port)),
        ("X-Forwarded-Proto", "http"),
    ]


def now() -> datetime:
    """The instant at which a request arrives."""
    return datetime.now(UTC)
