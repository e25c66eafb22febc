"""Lets those who reach this machine at another of its addresses reach what listens on 127.0.0.1 only.

with Relay("172.17.0.1", port=4566) as relay:
    ...  # http://172.17.0.1:{relay.port} is http://127.0.0.1:4566
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Final, Self

from local.part import Part
from local.ports import LOOPBACK

CONNECT_SECONDS: Final = 5.0
CHUNK: Final = 65536


class _Pipe(socketserver.BaseRequestHandler):
    """One connection, passed on byte by byte in both directions until either side has ended it."""

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - only ever made by one
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, server.target), CONNECT_SECONDS) as target:
            target.settimeout(None)
            back = threading.Thread(target=_copy, args=(target, self.request), daemon=True)
            back.start()
            _copy(self.request, target)
            back.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    target = 0


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what `source` says until it ends; then `sink` hears the end too."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Relay(Part):
    """Passes connections to a free port of `address` on to `port` of 127.0.0.1; runs between `start` and `stop`."""

    def __init__(self, address: str, *, port: int) -> None:
        self._address = address
        self._target = port
        self._server: _Server | None = None
        self.port = 0

    def start(self) -> Self:
        """Listen; OSError if `address` is none of this machine."""
        self._server = server = _Server((self._address, 0), _Pipe)
        server.target = self._target
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Listen no more; connections that are open end with their last byte."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.socket.close()
