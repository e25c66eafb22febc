"""An HTTP server on loopback that answers what a test wrote down, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: `body` as it goes over the wire. `drip_s` sends the body byte by byte with that pause."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    declared_length: int | None = None
    drip_s: float | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Take the request and say nothing for `seconds`, then hang up."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """Take the request and break the connection with a reset."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


def reply(body: object, status: int = 200) -> Reply:
    """An answer with `body` as JSON."""
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@dataclass(slots=True)
class ScriptedGateway:
    """Answers each path with its replies in turn; the last one of a path repeats. A path without a script is a 599."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    scripts: dict[str, list[Reply | Silence | HangUp]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, path: str, *replies: Reply | Silence | HangUp) -> None:
        self.scripts[path] = list(replies)

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.path.partition("?")[0] == path]

    def next_reply(self, path: str) -> Reply | Silence | HangUp:
        script = self.scripts.get(path, [Reply(599, b"no script for this path")])
        return script.pop(0) if len(script) > 1 else script[0]


def _handler(gateway: ScriptedGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's signature
            return

        def _answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            gateway.seen.append(Seen(self.command, self.path, dict(self.headers), raw))
            answer = gateway.next_reply(self.path.partition("?")[0])
            self.close_connection = True
            if isinstance(answer, Silence):
                gateway.stopped.wait(answer.seconds)
            elif isinstance(answer, HangUp):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self._write(answer)

        def _write(self, answer: Reply) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = len(answer.body) if answer.declared_length is None else answer.declared_length
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if answer.drip_s is None:
                self.wfile.write(answer.body)
                return
            for byte in answer.body:
                if gateway.stopped.wait(answer.drip_s):
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()

        do_GET = _answer  # noqa: N815 - the name is the base class's
        do_POST = _answer  # noqa: N815 - likewise

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                return  # the client under test has given up on us, which is what some tests are about

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def scripted_gateway() -> Iterator[ScriptedGateway]:
    """A running server on a free port of 127.0.0.1."""
    gateway = ScriptedGateway()
    server = _Server(("127.0.0.1", 0), _handler(gateway))
    gateway.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.001}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
