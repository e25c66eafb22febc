"""Connections to gateways, of which a container keeps those that may serve again.

A function may be frozen between two calls, for longer than its gateway's load balancer keeps a connection, and without seeing
it close. How long one lay idle is therefore told by two clocks, of which one goes on where the other stands still.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import certifi
from urllib3.util.wait import wait_for_read

from payfirst.domain.clock import clocks

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_IDLE_S: Final = 20.0
DROPPED_AFTER_S: Final = 2.0
"""A kept connection that does not even confirm the packets of a request for so long, or for half of its time, is broken."""

MOST_IDLE: Final = 48
"""As many as a sweep has workers."""


class NeverSentError(Exception):
    """No connection could be opened: the gateway surely has nothing of the call."""


class NoAnswerError(Exception):
    """No whole answer came; the call may have been processed. `broken` where the connection ended before a byte of one."""

    def __init__(self, reason: str, *, broken: bool) -> None:
        super().__init__(reason)
        self.broken = broken


class Origin(NamedTuple):
    """Whom a connection leads to; the usual port where none is given."""

    scheme: str
    host: str
    port: int | None


_SHORTEST_S: Final = 0.001
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)  # only Linux has it


class Line:
    """One connection to `origin`, which one caller uses at a time."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._used = clocks()
        self._serves_again = False
        self._ends_at = 0.0
        self._read: _Answer | None = None
        where = origin.host, origin.port
        secure = origin.scheme == "https"
        self._connection = (
            http.client.HTTPSConnection(*where, context=authorities()) if secure else http.client.HTTPConnection(*where)
        )
        self._connection.response_class = self._answer  # type: ignore[assignment]

    def connect(self, timeout_s: float) -> None:
        """Open it within `timeout_s`, certificate checked; NeverSentError if that fails."""
        line = self._connection
        try:
            line.sock = _opened(line.host, line.port, time.monotonic() + timeout_s)
            if self.origin.scheme == "https":
                line.sock = authorities().wrap_socket(line.sock, server_hostname=line.host)
        except (OSError, ValueError) as error:
            self.close()
            raise NeverSentError(type(error).__name__) from error

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float, largest: int
    ) -> tuple[int, bytes | None]:
        """The status and body of the answer, complete within `timeout_s`; None for a body of more than `largest` bytes.

        NoAnswerError if none comes, NeverSentError for a call that cannot be written. Either way nobody may ask here again.
        A 408 where others have asked before is the other side's good-bye to an idle connection, and no answer.
        """
        was_kept = self._serves_again
        self._serves_again, self._read = False, None
        line, self._ends_at = self._connection, time.monotonic() + timeout_s
        length = {} if body is None else {"Content-Length": str(len(body))}
        try:
            line.putrequest(method, target, skip_accept_encoding=True)
            for name, value in {**headers, **length}.items():
                line.putheader(name, value)
        except (http.client.HTTPException, ValueError) as error:
            self.close()
            raise NeverSentError(type(error).__name__) from error
        sock = line.sock
        try:
            sock.settimeout(timeout_s)
            if was_kept and _USER_TIMEOUT is not None:
                sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, int(1000 * min(DROPPED_AFTER_S, timeout_s / 2)))
            line.endheaders(body)
            answer = line.getresponse()
            if self._read is None or self._read.packets.ended:
                raise http.client.IncompleteRead(b"")  # within its headers, which are lenient about it
            raw = answer.read(largest + 1)
            if answer.length and len(raw) <= largest:
                raise http.client.IncompleteRead(b"", answer.length)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.close()
            began = self._read is not None and self._read.packets.began
            if isinstance(error, TimeoutError) and error.errno is None:  # the system's own time-outs have a number
                raise NoAnswerError("no answer in time", broken=False) from error
            raise NoAnswerError(f"the connection broke ({type(error).__name__})", broken=not began) from error
        if was_kept and answer.status == http.HTTPStatus.REQUEST_TIMEOUT:
            self.close()
            raise NoAnswerError("the connection was given up for idling", broken=True)
        # What follows an interim answer, or the rest of a long one, would be taken for the next answer.
        self._serves_again = answer.isclosed() and not self._read.more and answer.status >= http.HTTPStatus.OK
        self._used = clocks()
        return answer.status, None if len(raw) > largest else raw

    def idle_s(self) -> float:
        """For how long nobody has asked here."""
        return max(now - used for now, used in zip(clocks(), self._used, strict=True))

    def serves_again(self) -> bool:
        """Whether it may be kept: the answer was read to its end, and the other side has neither closed nor said more."""
        sock = self._connection.sock
        if not self._serves_again or sock is None:
            return False
        # What came in the answer's last TLS record is decrypted already, and waits where no `select` sees it.
        return not (isinstance(sock, ssl.SSLSocket) and sock.pending()) and not wait_for_read(sock, timeout=0)

    def close(self) -> None:
        """End it; safe at any time."""
        self._serves_again = False
        self._connection.close()

    def _answer(self, sock: socket.socket, *given: Any, **named: Any) -> http.client.HTTPResponse:  # noqa: ANN401
        answer = http.client.HTTPResponse(sock, *given, **named)
        answer.fp = self._read = _Answer(_Packets(answer.fp.detach(), sock, self._ends_at))
        return answer


def _opened(host: str, port: int, ends_at: float) -> socket.socket:
    """A connection to the first of the host's addresses that takes one; each but the last has half of the time left."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    while True:
        *kind, _, address = found.pop(0)
        left = ends_at - time.monotonic()
        sock = socket.socket(*kind)
        try:
            sock.settimeout(max(left / 2 if found else left, _SHORTEST_S))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(ends_at - time.monotonic(), _SHORTEST_S))
        except OSError:
            sock.close()
            if not found:
                raise
        else:
            return sock


@dataclass(slots=True)
class Lines:
    """The connections of this container that lie idle; any number of threads take and give them."""

    _idle: list[Line] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, origin: Origin) -> Line | None:
        """The connection to `origin` that was used last and seems to serve again; None without one.

        The other side may be closing it all the same: it is for calls that may be made twice.
        """
        with self._lock:
            old = [line for line in self._idle if line.idle_s() > LONGEST_IDLE_S]
            self._idle = [line for line in self._idle if line not in old]
            found = None
            for line in [line for line in reversed(self._idle) if line.origin == origin]:
                self._idle.remove(line)
                if line.serves_again():
                    found = line
                    break
                old.append(line)
        for line in old:
            line.close()
        return found

    def give(self, line: Line) -> None:
        """Keep `line` if it may serve again, else close it."""
        with self._lock:
            if line.serves_again() and len(self._idle) < MOST_IDLE:
                self._idle.append(line)
                return
        line.close()

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()


LINES: Final = Lines()
"""Those of this container."""


@cache
def authorities() -> ssl.SSLContext:
    """Whom gateways' certificates are checked against: certifi's, read once in a container, which takes longer than a call."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    return context


class _Packets(io.RawIOBase):
    """Reads an answer's packets until `ends_at`: a sender that drips a byte a second does not begin a new wait with each."""

    def __init__(self, packets: io.RawIOBase, sock: socket.socket, ends_at: float) -> None:
        self._packets = packets
        self._sock = sock
        self._ends_at = ends_at
        self.began = self.ended = False
        """Whether a byte came, and whether no more will: the other side has closed, or nobody reads on."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self.ended:
            return 0
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer did not come in time")
        self._sock.settimeout(left)
        count = self._packets.readinto(buffer)
        self.began = self.began or bool(count)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._packets.close()
        super().close()


class _Answer(io.BufferedReader):
    """The packets of one answer; once it is closed, `more` says whether something came behind it that nobody has read."""

    def __init__(self, packets: _Packets) -> None:
        super().__init__(packets)
        self.packets = packets
        self.more = False

    def close(self) -> None:
        if not self.closed:
            self.packets.ended = True
            self.more = bool(self.peek(1))
        super().close()
