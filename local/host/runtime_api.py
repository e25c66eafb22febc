"""The Lambda Runtime API as documented, version 2018-06-01, towards the workers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from local.host.invocation import Failure, Invocation, Outcome, failed
from local.host.workers import Slot

BASE: Final = "/2018-06-01/runtime"
RESPONSE_LIMIT: Final = 6 * 1024 * 1024 + 100
"""Bytes in a synchronous answer, as Lambda limits them."""
ERROR_TYPE: Final = b"lambda-runtime-function-error-type"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class RuntimeApi:
    """An ASGI application; the port that a request came in at says which worker asks."""

    def __init__(self, slots: Mapping[int, Slot], arns: Mapping[int, str]) -> None:
        self._slots = slots
        self._arns = arns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        port = scope["server"][1]
        slot = self._slots[port]
        match scope["method"], scope["path"].removeprefix(BASE).strip("/").split("/"):
            case "GET", ["invocation", "next"]:
                invocation = await slot.next()
                if invocation is None:
                    return
                await _send(send, 200, invocation.payload, self._headers(invocation, port))
            case "POST", ["invocation", request_id, "response"]:
                body = await _body(receive)
                outcome = Outcome(body)
                if len(body) > RESPONSE_LIMIT:
                    message = f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size."
                    outcome = failed(Failure.ERROR, "Function.ResponseSizeTooLarge", message)
                await _acknowledge(send, accepted=slot.answered(request_id, outcome))
            case "POST", ["invocation", request_id, "error"]:
                accepted = slot.answered(request_id, Outcome(await _error(scope, receive), Failure.ERROR))
                await _acknowledge(send, accepted=accepted)
            case "POST", ["init", "error"]:
                slot.init_failed(Outcome(await _error(scope, receive), Failure.INIT))
                await _acknowledge(send, accepted=True)
            case _:
                await _send(send, 404, b"404 page not found", [])

    def _headers(self, invocation: Invocation, port: int) -> list[tuple[bytes, bytes]]:
        trace = f"Root=1-{invocation.deadline_ms // 1000:08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
        return [
            (b"lambda-runtime-aws-request-id", invocation.request_id.encode()),
            (b"lambda-runtime-deadline-ms", str(invocation.deadline_ms).encode()),
            (b"lambda-runtime-invoked-function-arn", self._arns[port].encode()),
            (b"lambda-runtime-trace-id", trace.encode()),
        ]


async def _body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


async def _error(scope: Scope, receive: Receive) -> bytes:
    """The error that a worker reports: its body, or what its header says where the body is empty."""
    body = await _body(receive)
    if body:
        return body
    kind = dict(scope["headers"]).get(ERROR_TYPE, b"Unknown").decode(errors="replace")
    return json.dumps({"errorType": kind, "errorMessage": "no details"}).encode()


async def _acknowledge(send: Send, *, accepted: bool) -> None:
    if accepted:
        await _send(send, 202, b'{"status":"OK"}', [])
    else:
        refusal = {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}
        await _send(send, 400, json.dumps(refusal).encode(), [])


async def _send(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    told = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})
