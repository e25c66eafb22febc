"""A function's answer, payload format 1.0, as HTTP; and what the API answers by itself."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.host.application import GatewayResponse
from local.host.config import Json

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
ALLOWED: Final = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
PLAIN: Final = '{"message": $context.error.messageString}'
SET_BY_THE_FRONT: Final = frozenset({"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"})
BODYLESS: Final = frozenset({204, 304})


class MalformedAnswerError(Exception):
    """The function answered something that API Gateway turns into 502 Internal server error; the message says what."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back to the client; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def own_answer(responses: Mapping[str, GatewayResponse], kind: str, status: int, message: str) -> HttpAnswer:
    """What API Gateway answers by itself in the situation `kind`, as the template wants it said."""
    family = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"  # noqa: PLR2004 - the classes of HTTP
    wanted = responses.get(kind) or responses.get(family) or GatewayResponse(None, {}, PLAIN)
    said = wanted.template.replace("$context.error.messageString", json.dumps(message))
    headers = (("content-type", "application/json"), *wanted.headers.items())
    return HttpAnswer(wanted.status or status, headers, said.replace("$context.error.responseType", kind).encode())


def read_answer(payload: bytes) -> HttpAnswer:
    """The HTTP answer in what a function returned (JSON); MalformedAnswerError if there is none in it."""
    try:
        answer = json.loads(payload)
    except ValueError as exc:
        raise MalformedAnswerError("the answer is not JSON") from exc
    if not isinstance(answer, dict) or not answer.keys() <= ALLOWED or "statusCode" not in answer:
        raise MalformedAnswerError(f"the answer is not made of {', '.join(sorted(ALLOWED))}")
    status = _status(answer["statusCode"])
    headers = _headers(answer.get("headers") or {})
    headers += [_header(name, value) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    body = b"" if status in BODYLESS else _body(answer)
    return HttpAnswer(status, tuple(headers), body)


def _status(declared: Json) -> int:
    try:
        status = int(declared)
    except (TypeError, ValueError) as exc:
        raise MalformedAnswerError("statusCode is not a number") from exc
    if isinstance(declared, bool) or not 200 <= status <= 599:  # noqa: PLR2004 - the final status codes of HTTP
        raise MalformedAnswerError(f"statusCode {status} is none of a final answer")
    return status


def _headers(declared: Json) -> list[tuple[str, str]]:
    if not isinstance(declared, dict):
        raise MalformedAnswerError("headers is not an object")
    named = [_header(name, value) for name, value in declared.items() if value is not None]
    return [(name, value) for name, value in named if name not in SET_BY_THE_FRONT]


def _header(name: str, value: Json) -> tuple[str, str]:
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str | int | float):
        text = str(value)
    else:
        raise MalformedAnswerError(f"the header {name} is not text")
    if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(text):
        raise MalformedAnswerError(f"the header {name!r} cannot be sent")
    return name.lower(), text


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswerError("body is not a string")
    if not answer.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as exc:
        raise MalformedAnswerError("body is not base64") from exc
