"""Connections are kept for calls that may be made twice; what moves money is sent once, on a connection of its own."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest

from payfirst.domain.clock import clocks
from payfirst.gateways import lines
from payfirst.gateways.lines import LINES, LONGEST_IDLE_S, MOST_IDLE
from payfirst.gateways.wire import LARGEST_BODY, Answered, Call, Lost, send

from .dropping import drop

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}'
TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
GOOD = Answered(200, {"a": 1})
SLOW_S = 0.6
Step = bytes | str
"""What becomes of one request on a connection: bytes that are answered, `slow` for OK after 0.6 s, `close` or `reset`
instead, or `hold` for nothing."""


@dataclass(slots=True)
class Server:
    """Answers the requests of its nth connection by the nth list of steps; the last list serves all that follow."""

    listener: socket.socket
    script: list[list[Step]] = field(default_factory=lambda: [[OK] * 1000])
    asked: list[tuple[int, bytes]] = field(default_factory=list)
    accepted: list[socket.socket] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/x"

    def serve(self) -> None:
        with suppress(OSError):  # the test is over
            while True:
                connection, _ = self.listener.accept()
                number = len(self.accepted)
                self.accepted.append(connection)
                steps = self.script[min(number, len(self.script) - 1)]
                threading.Thread(target=self._answer, args=(number, connection, steps), daemon=True).start()

    def _answer(self, number: int, connection: socket.socket, steps: list[Step]) -> None:
        with suppress(OSError):  # the caller gave up, or the test closed it
            for step in steps:
                request = b""
                while b"\r\n\r\n" not in request:
                    more = connection.recv(65536)
                    if not more:
                        return
                    request += more
                self.asked.append((number, request))
                if step == "hold":
                    self.stopped.wait(30)
                elif step == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif step == "slow":
                    self.stopped.wait(SLOW_S)
                    connection.sendall(OK)
                    continue
                elif isinstance(step, bytes):
                    connection.sendall(step)
                    continue
                connection.close()
                return
            connection.close()


@pytest.fixture
def server() -> Iterator[Server]:
    LINES.close()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        server = Server(listener)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        server.stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in server.accepted:
            connection.close()
    LINES.close()


def query(server: Server, timeout_s: float = 2.0) -> Answered | Lost:
    return send(Call("POST", server.url, {}, b"", repeatable=True), timeout_s)


def push(server: Server, timeout_s: float = 2.0) -> Answered | Lost:
    return send(Call("POST", server.url, {}, b""), timeout_s)


def settled() -> None:
    """What the other side has just done to a connection arrives."""
    time.sleep(0.05)


def connections(server: Server) -> list[int]:
    return [number for number, _ in server.asked]


def test_calls_that_may_be_made_twice_share_a_connection(server: Server) -> None:
    assert [query(server) for _ in range(5)] == [GOOD] * 5
    assert connections(server) == [0] * 5


def test_a_call_that_moves_money_has_a_connection_of_its_own_which_serves_questions_afterwards(server: Server) -> None:
    for call in (query, push, push, query):
        assert call(server) == GOOD
    assert connections(server) == [0, 1, 2, 2]


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_kept_connection_that_ends_instead_of_an_answer_is_replaced_once(server: Server, end: str) -> None:
    server.script = [[OK, end], [OK]]
    assert query(server) == GOOD
    assert query(server) == GOOD
    assert connections(server) == [0, 0, 1]


def test_a_kept_connection_that_was_given_up_for_idling_is_replaced_once(server: Server) -> None:
    server.script = [[OK, TOO_LATE, OK], [OK, OK]]
    assert [query(server) for _ in range(3)] == [GOOD] * 3
    assert connections(server) == [0, 0, 1, 1]


def test_a_new_connection_that_is_given_up_has_its_answer(server: Server) -> None:
    server.script = [[TOO_LATE], [OK]]
    assert query(server) == Answered(408, None)
    assert connections(server) == [0]


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_new_connection_that_ends_instead_of_an_answer_is_not_replaced(server: Server, end: str) -> None:
    server.script = [[OK, end], [end], [OK]]
    assert query(server) == GOOD
    answer = query(server)
    assert isinstance(answer, Lost)
    assert answer.sent
    assert connections(server) == [0, 0, 1]


@pytest.mark.parametrize("end", ["close", "reset", "hold", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_call_that_moves_money_is_sent_once_whatever_becomes_of_it(server: Server, end: Step) -> None:
    server.script = [[OK], [end], [OK]]
    assert query(server) == GOOD
    answer = push(server, timeout_s=0.5)
    assert isinstance(answer, Lost)
    assert answer.sent
    assert connections(server) == [0, 1]


def test_a_connection_that_was_closed_while_idle_is_not_asked(server: Server) -> None:
    server.script = [[OK], [OK]]
    assert query(server) == GOOD
    settled()
    assert query(server) == GOOD
    assert connections(server) == [0, 1]


def test_a_connection_that_was_reset_while_idle_is_not_asked(server: Server) -> None:
    assert query(server) == GOOD
    server.accepted[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.accepted[0].shutdown(socket.SHUT_RDWR)
    settled()
    assert query(server) == GOOD
    assert connections(server) == [0, 1]


def test_a_gateway_that_is_slow_has_all_the_time_on_a_kept_connection_and_is_asked_once(server: Server) -> None:
    server.script = [[OK, "slow", "hold"], [OK]]
    assert query(server) == GOOD
    assert query(server, timeout_s=1.1) == GOOD
    assert query(server, timeout_s=0.3) == Lost("maybe processed: no answer in time", sent=True)
    assert connections(server) == [0, 0, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says that a packet was not confirmed")
def test_a_connection_that_was_dropped_without_a_word_leaves_time_for_a_new_one(server: Server) -> None:
    assert query(server) == GOOD
    drop(server.accepted[0])
    assert query(server, timeout_s=2.0) == GOOD
    assert connections(server) == [0, 1]


def test_two_connections_that_say_nothing_end_within_the_time_of_one(server: Server) -> None:
    server.script = [[OK, "hold"], ["hold"]]
    assert query(server) == GOOD
    drop(server.accepted[0])
    began = time.monotonic()
    answer = query(server, timeout_s=0.6)
    assert time.monotonic() - began < 2
    assert isinstance(answer, Lost)


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"H",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{",
    ],
)
def test_half_an_answer_on_a_kept_connection_is_a_loss_and_no_reason_to_ask_again(server: Server, half: bytes) -> None:
    server.script = [[OK, half], [OK]]
    assert query(server) == GOOD
    answer = query(server, timeout_s=0.6)
    assert isinstance(answer, Lost)
    assert answer.sent
    assert connections(server) == [0, 0]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\n{"a": 1}', GOOD),
        (b'HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}', GOOD),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}HTTP/1.1 200 OK\r\n', GOOD),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, Answered(103, None)),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGEST_BODY + 2) + b" " * (LARGEST_BODY + 2),
            Answered(200, None),
        ),
    ],
    ids=["close", "http 1.0", "more than the answer", "interim answer", "body unread"],
)
def test_a_connection_that_cannot_serve_again_is_not_kept(server: Server, answer: bytes, told: Answered) -> None:
    server.script = [[answer, OK], [OK]]
    assert query(server) == told
    settled()
    assert query(server) == GOOD
    assert connections(server) == [0, 1]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Answered(204, None)),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", Answered(302, None)),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n0\r\n\r\n', GOOD),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, GOOD),
    ],
    ids=["no content", "redirect", "chunks", "continue"],
)
def test_an_answer_that_was_read_to_its_end_leaves_the_connection_for_the_next(
    server: Server, answer: bytes, told: Answered
) -> None:
    server.script = [[answer, OK]]
    assert query(server) == told
    assert query(server) == GOOD
    assert connections(server) == [0, 0]


@pytest.mark.parametrize("stands_still", [0, 1], ids=["the clock of the machine", "the clock of the wall"])
def test_a_connection_that_was_frozen_with_its_function_is_closed(server: Server, stands_still: int) -> None:
    assert query(server) == GOOD
    later = tuple(now if which == stands_still else now + LONGEST_IDLE_S + 1 for which, now in enumerate(clocks()))
    with patch.object(lines, "clocks", lambda: later):
        assert query(server) == GOOD
    assert connections(server) == [0, 1]


def test_an_idle_connection_serves_only_its_own_gateway(server: Server) -> None:
    assert query(server) == GOOD
    other = server.url.replace("127.0.0.1", "localhost")
    assert send(Call("POST", other, {}, b"", repeatable=True), 2.0) == GOOD
    assert connections(server) == [0, 1]


def test_threads_each_have_a_connection_at_a_time_and_no_more_are_kept_than_may_be(server: Server) -> None:
    together = threading.Barrier(MOST_IDLE + 8)

    def work(_: int) -> Answered | Lost:
        together.wait(10)
        return query(server, timeout_s=10.0)

    with ThreadPoolExecutor(MOST_IDLE + 8) as threads:
        assert list(threads.map(work, range(MOST_IDLE + 8))) == [GOOD] * (MOST_IDLE + 8)
    assert len(LINES._idle) <= MOST_IDLE  # noqa: SLF001 - a bound that no caller sees
    few: Callable[[int], Answered | Lost] = lambda _: query(server)  # noqa: E731
    before = len(server.accepted)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(few, range(100))) == [GOOD] * 100
    assert len(server.accepted) <= before + 4
