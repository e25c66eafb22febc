"""Ports on this machine: which are free, and which one to take."""

from __future__ import annotations

import http.client
import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"


RANGE: Final = range(20_000, 32_768)
"""Below the ports that systems give to outgoing connections, which would take one between our look and its use."""


def free_port() -> int:
    """A port on 127.0.0.1 on which nobody listens now, drawn so that two processes hardly ever look at the same."""
    draw = random.SystemRandom()
    while True:
        port = draw.choice(RANGE)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(port: int, path: str) -> bool:
    """Whether a server on `port` of 127.0.0.1 answers that `path` is there; no proxy is asked."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False  # not listening yet
    finally:
        connection.close()
