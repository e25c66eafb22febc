"""A function's answer, payload format 2.0, as HTTP."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from local.host.config import Json

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
SET_BY_THE_FRONT: Final = frozenset({"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"})
BODYLESS: Final = frozenset({204, 304})


class MalformedAnswerError(Exception):
    """The function answered something that API Gateway turns into 500 Internal Server Error; the message says what."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back to the client; header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def message_answer(status: int, message: str, *headers: tuple[str, str]) -> HttpAnswer:
    """An answer that API Gateway gives by itself: `{"message": …}`."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return HttpAnswer(status, (("content-type", "application/json"), *headers), body)


def read_answer(payload: bytes) -> HttpAnswer:
    """The HTTP answer in what a function returned (JSON); MalformedAnswerError if there is none in it."""
    try:
        answer = json.loads(payload)
    except ValueError as exc:
        raise MalformedAnswerError("the answer is not JSON") from exc
    if not isinstance(answer, dict) or "statusCode" not in answer:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return HttpAnswer(200, (("content-type", "application/json"),), text.encode())
    status = _status(answer["statusCode"])
    headers = _headers(answer.get("headers") or {})
    cookies = answer.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedAnswerError("cookies is not a list of strings")
    headers += [_header("set-cookie", cookie) for cookie in cookies]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
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
