"""The HTTP front: what a REST API of API Gateway does between a client and a function."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from typing import Final

from local.host.answers import HttpAnswer, MalformedAnswerError, own_answer, read_answer
from local.host.application import Application
from local.host.authorizer import CognitoAuthorizer, UnauthorizedError
from local.host.events import (
    HEADER_LIMIT,
    BadRequestError,
    HttpRequest,
    checked,
    make_event,
    new_request_id,
    now,
)
from local.host.invocation import Outcome
from local.host.routing import Match, Router
from local.host.runtime_api import Receive, Scope, Send
from local.host.sign_in import SignIn
from local.host.tell import tell
from local.host.workers import WorkerPool

BODY_LIMIT: Final = 10 * 1024 * 1024
INTEGRATION_SECONDS: Final = 29.0
MAY_BE_SECRET: Final = re.compile(r"[0-9A-Za-z_]{32,}")
"""What looks like a token, as callback addresses hold one, is not shown; UUIDs have dashes and are."""


class _TooLargeError(Exception):
    """The body is larger than a REST API takes."""


class _ClientGoneError(Exception):
    """The client hung up before its request was complete."""


class Front:
    """An ASGI application that serves `application` with `pools` (by logical id), and `sign_in` if there is one."""

    def __init__(
        self,
        application: Application,
        pools: Mapping[str, WorkerPool],
        authorizer: CognitoAuthorizer,
        sign_in: SignIn | None = None,
    ) -> None:
        self._router = Router(application.routes)
        self._pools = pools
        self._authorizer = authorizer
        self._sign_in = sign_in
        self._responses = application.responses
        self._abandoned: set[asyncio.Task[Outcome]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the front speaks HTTP only, not {scope['type']}")
        started = time.monotonic()
        request_id = new_request_id()
        shown = "?"
        try:
            request = await _read(scope, receive, request_id)
            shown = shown_path(request.path)
            answer = await self._serve(request)
        except BadRequestError:
            answer = self._own("BAD_REQUEST", 400, "Bad Request")
        except _TooLargeError:
            answer = self._own("REQUEST_TOO_LARGE", 413, "Request Entity Too Large")
        except _ClientGoneError:
            return
        await _send(send, answer, request_id)
        milliseconds = round((time.monotonic() - started) * 1000, 1)
        tell("request", method=scope["method"], path=shown, status=answer.status, ms=milliseconds)

    async def _serve(self, request: HttpRequest) -> HttpAnswer:
        size = len(request.method) + len(request.path) + len(request.query)
        if size + sum(len(name) + len(value) + 4 for name, value in request.headers) > HEADER_LIMIT:
            return self._own("BAD_REQUEST", 431, "Request Header Fields Too Large")
        if self._sign_in is not None and self._sign_in.takes(request.path):
            return await self._sign_in.answer(request)
        match = self._router.match(request.method, request.path)
        if match is None:
            return self._own("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
        claims = None
        if match.route.needs_token:
            try:
                claims = await self._authorizer.claims(request.header("authorization"))
            except UnauthorizedError:
                return self._own("UNAUTHORIZED", 401, "Unauthorized")
        return await self._call(request, match, claims)

    async def _call(self, request: HttpRequest, match: Match, claims: Mapping[str, str] | None) -> HttpAnswer:
        pool = self._pools[match.route.function]
        payload = json.dumps(make_event(request, match, claims)).encode()
        call = asyncio.create_task(pool.invoke(payload))
        done, _ = await asyncio.wait({call}, timeout=INTEGRATION_SECONDS)
        if not done:  # the function goes on, as in Lambda; only its caller stops waiting
            self._abandoned.add(call)
            call.add_done_callback(self._abandoned.discard)
            return self._own("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")
        outcome = call.result()
        if outcome.failure is not None:
            tell("problem", text=f"{pool.function.name} failed: {outcome.reason}")
            return self._own("DEFAULT_5XX", 502, "Internal server error")
        try:
            return read_answer(outcome.payload)
        except MalformedAnswerError as exc:
            tell("problem", text=f"{pool.function.name} answered what HTTP cannot carry: {exc}")
            return self._own("DEFAULT_5XX", 502, "Internal server error")

    def _own(self, kind: str, status: int, message: str) -> HttpAnswer:
        return own_answer(self._responses, kind, status, message)


def shown_path(path: str) -> str:
    """`path` as it may stand in a log: without what may be a token and without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in MAY_BE_SECRET.sub(lambda found: found[0][:8] + "…", path))


async def _read(scope: Scope, receive: Receive, request_id: str) -> HttpRequest:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    length = next((value for name, value in headers if name == "content-length"), "0")
    if not length.isascii() or not length.isdigit():
        raise BadRequestError
    if int(length) > BODY_LIMIT:
        raise _TooLargeError
    client = scope["client"] or ("127.0.0.1", 0)
    return HttpRequest(
        method=scope["method"],
        path=checked(scope["raw_path"]),
        query=checked(scope["query_string"]),
        headers=headers,
        body=await _read_body(receive),
        source_ip=client[0],
        port=scope["server"][1],
        protocol=f"HTTP/{scope['http_version']}",
        request_id=request_id,
        received=now(),
    )


async def _read_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT:
            raise _TooLargeError
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Send, answer: HttpAnswer, request_id: str) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status != 204:  # noqa: PLR2004 - No Content has no length
        headers.append((b"content-length", str(len(answer.body)).encode()))
    headers.append((b"x-amzn-requestid", request_id.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
