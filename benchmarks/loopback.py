"""A small HTTP/1.1 server on loopback that keeps its connections."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, TypeAlias

LOOPBACK: Final = "127.0.0.1"
OF_THE_CONNECTION: Final = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})

Answered: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""


@contextmanager
def serving(answer: Callable[[str, str, Mapping[str, str], bytes], Answered], certificate: str = "") -> Iterator[int]:
    """The port on which `answer` is asked with method, path, headers and body, in a thread for each connection.

    Over https where `certificate` is the path of a file with a certificate and its key.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, answered = answer(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            self.wfile.write(answered)

        do_GET = do_POST  # noqa: N815 - likewise

        def log_message(self, *_: object) -> None:
            """Nothing: nobody reads it."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # The thread of a connection shakes hands; the one that accepts must not wait for it.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
