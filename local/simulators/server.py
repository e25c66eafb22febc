"""uvicorn, set up so that a port that is taken is told in one sentence and an answer can be lost on purpose."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.simulators.log import say

HOST: Final = "127.0.0.1"


class PortBusyError(Exception):
    """Another process listens there."""


class _AbortableProtocol(H11Protocol):
    """Puts `abort` into the state of each connection's requests: it closes the connection without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


class Server(uvicorn.Server):
    """Says `ready` with its address once it listens."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=_AbortableProtocol,
            ws="none",
            loop="asyncio",
            lifespan="on",
            access_log=False,
            log_level="warning",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
            backlog=2048,
        )
        super().__init__(config)
        self.listening = listening
        host, port = listening.getsockname()[:2]
        self.address = f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            say("simulators", f"ready {self.address}")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; unlike uvicorn's own, does not send itself the signal again when all is closed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {wanted: signal.signal(wanted, self.handle_exit) for wanted in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for wanted, handler in before.items():
                signal.signal(wanted, handler)

    def serve_until_stopped(self) -> None:
        """Serve; returns after SIGINT, SIGTERM or `should_exit`."""
        self.run(sockets=[self.listening])


def listen(port: int) -> socket.socket:
    """A socket bound to that port of this machine (0: any free one); PortBusyError when it is taken."""
    # asyncio turns Nagle's algorithm off only on sockets that name TCP; with it each answer waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as exc:
        listening.close()
        raise PortBusyError(f"Port {port} on {HOST} cannot be used: {exc.strerror}.") from exc
    return listening
