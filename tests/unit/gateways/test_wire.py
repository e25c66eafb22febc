"""One request, one answer or one typed loss, whatever the other side does."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from payfirst.gateways.wire import LARGEST_BODY, Answered, Call, Lost, send

from .dropping import drop
from .scripted_gateway import HangUp, Reply, ScriptedGateway, Silence, reply


def get(url: str, timeout_s: float = 2.0) -> Answered | Lost:
    return send(Call("GET", url, {}), timeout_s=timeout_s)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def test_an_answer_is_its_status_and_its_object_with_fractions_as_decimal(gateway: ScriptedGateway) -> None:
    gateway.on("/x", Reply(202, b'{"amount": 10.10, "count": 3}'))
    answer = get(gateway.url + "/x")
    assert answer == Answered(202, {"amount": Decimal("10.10"), "count": 3})
    assert isinstance(answer, Answered)
    assert answer.is_success


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b"[1, 2]",
        b'"text"',
        b"null",
        b'{"cut": "sho',
        b'{"a": NaN}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe\x00",
        b'{"a": "' + b"x" * LARGEST_BODY + b'"}',
    ],
    ids=["empty", "html", "array", "text", "null", "cut", "nan", "exponent", "digits", "deep", "nested", "bytes", "huge"],
)
def test_a_body_that_is_no_object_is_an_answer_without_a_body(gateway: ScriptedGateway, body: bytes) -> None:
    gateway.on("/x", Reply(502, body))
    assert get(gateway.url + "/x") == Answered(502, None)


def test_a_request_arrives_as_it_was_made(gateway: ScriptedGateway) -> None:
    gateway.on("/x", reply({}))
    send(Call("POST", gateway.url + "/x?y=1", {"Content-Type": "application/json"}, b'{"a": 1}'), timeout_s=2)
    (seen,) = gateway.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/x?y=1", {"a": 1})
    assert seen.headers["Accept"] == "application/json"
    assert seen.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}, {"X": "\u20ac"}])
def test_a_header_that_cannot_be_written_was_surely_never_sent(gateway: ScriptedGateway, headers: dict[str, str]) -> None:
    answer = send(Call("POST", gateway.url + "/x", headers, b"{}"), timeout_s=2)
    assert isinstance(answer, Lost)
    assert not answer.sent
    assert gateway.seen == []


@pytest.mark.parametrize("target", ["/elsewhere", "http://[", "javascript:1", "//"])
def test_a_redirect_is_an_answer_and_is_not_followed(gateway: ScriptedGateway, target: str) -> None:
    gateway.on("/x", Reply(302, b"", {"Location": target}))
    gateway.on("/elsewhere", reply({}))
    assert get(gateway.url + "/x") == Answered(302, None)
    assert len(gateway.seen) == 1


def test_the_environment_adds_no_proxy_and_no_password(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    gateway.on("/x", reply({}))
    send(Call("GET", gateway.url + "/x", {"Authorization": "Bearer ours"}), timeout_s=2)
    assert gateway.seen[0].headers["Authorization"] == "Bearer ours"


def test_a_refused_connection_was_surely_never_sent(closed_port: int) -> None:
    answer = get(f"http://127.0.0.1:{closed_port}/x")
    assert isinstance(answer, Lost)
    assert not answer.sent
    assert answer.reason.startswith("never sent")


def test_an_unknown_host_was_surely_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_host(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    answer = get("http://gateway.invalid/x")
    assert isinstance(answer, Lost)
    assert not answer.sent


def test_a_call_whose_time_went_by_while_its_host_was_looked_up_was_surely_never_sent(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.on("/x", reply({}))
    look_up = socket.getaddrinfo

    def slowly(*given: Any, **named: Any) -> Any:
        time.sleep(0.2)
        return look_up(*given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    answer = get(gateway.url + "/x", timeout_s=0.2)
    assert isinstance(answer, Lost)
    assert not answer.sent
    assert gateway.seen == []


@pytest.mark.skipif(sys.platform != "linux", reason="packets are lost by a filter that only Linux has")
def test_an_address_that_says_nothing_leaves_time_for_the_next(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.on("/x", reply({}))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        drop(silent)
        ports = silent.getsockname()[1], gateway.port
        addresses = [found for port in ports for found in socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        assert get(gateway.url + "/x", timeout_s=1.0) == Answered(200, {})


@pytest.mark.parametrize("url", ["no address at all", "http://[", "ftp://127.0.0.1/x", "http:///x"])
def test_an_address_that_is_none_is_a_loss_and_not_an_exception(url: str) -> None:
    answer = get(url)
    assert isinstance(answer, Lost)
    assert not answer.sent


@pytest.mark.parametrize(
    "loss",
    [HangUp(), Reply(200, b'{"a": 1}', declared_length=500), Reply(200, b"")],
    ids=["reset", "cut short", "empty"],
)
def test_an_answer_that_breaks_off_may_have_been_processed(gateway: ScriptedGateway, loss: HangUp | Reply) -> None:
    gateway.on("/x", loss)
    answer = get(gateway.url + "/x")
    if isinstance(loss, Reply) and loss.declared_length is None:
        assert answer == Answered(200, None)
        return
    assert isinstance(answer, Lost)
    assert answer.sent
    assert len(gateway.seen) == 1


def test_silence_ends_with_the_time_that_was_given(gateway: ScriptedGateway) -> None:
    gateway.on("/x", Silence(5))
    began = time.monotonic()
    answer = get(gateway.url + "/x", timeout_s=0.3)
    assert time.monotonic() - began < 2
    assert isinstance(answer, Lost)
    assert answer.sent
    assert len(gateway.seen) == 1


def test_a_dripping_answer_cannot_stretch_the_time_that_was_given(gateway: ScriptedGateway) -> None:
    gateway.on("/x", Reply(200, b'{"a": "' + b"x" * 200 + b'"}', drip_s=0.05))
    began = time.monotonic()
    answer = get(gateway.url + "/x", timeout_s=0.4)
    assert time.monotonic() - began < 2
    assert isinstance(answer, Lost)
    assert answer.sent


@contextmanager
def slow_writer(parts: list[tuple[float, bytes]]) -> Iterator[int]:
    """A port whose one caller gets each part after its pause, in seconds, and then nothing more."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def write() -> None:
            connection, _ = listener.accept()
            with connection:
                for pause, part in parts:
                    if stopped.wait(pause):
                        return
                    with suppress(OSError):  # the caller has given up, which is what the tests are about
                        connection.sendall(part)
                stopped.wait(10)

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        stopped.set()
        thread.join()


BEGINS_S = 0.7
"""How late an answer begins that should be whole after 0.8 s; a new wait from then on would end after 1.5 s."""


@pytest.mark.parametrize(
    "parts",
    [
        [(0.05, bytes([byte])) for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 500],
        [(BEGINS_S, b"HTTP/1.1 200 OK\r\n")],
        [(BEGINS_S, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")],
    ],
    ids=["dripping headers", "silence after the status", "silence after the headers"],
)
def test_an_answer_that_begins_late_has_only_the_rest_of_the_time(parts: list[tuple[float, bytes]]) -> None:
    with slow_writer(parts) as port:
        began = time.monotonic()
        answer = get(f"http://127.0.0.1:{port}/x", timeout_s=0.8)
        took = time.monotonic() - began
    assert took < 1.4
    assert isinstance(answer, Lost)
    assert answer.sent


def test_with_no_time_left_nothing_is_sent(gateway: ScriptedGateway) -> None:
    gateway.on("/x", reply({}))
    assert get(gateway.url + "/x", timeout_s=0) == Lost("never sent: no time left", sent=False)
    assert gateway.seen == []


def test_a_call_and_an_answer_show_no_secret_in_their_repr(gateway: ScriptedGateway) -> None:
    call = Call("POST", gateway.url + "/cb/secret-path", {"Authorization": "Bearer secret-token"}, b"secret-body")
    assert "secret" not in repr(call)
    assert "secret" not in repr(Answered(200, {"access_token": "secret-token"}))
