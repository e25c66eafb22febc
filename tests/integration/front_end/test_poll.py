"""`docs/gateways/poll.js`, run by node against a scripted server: it ends where it should, and nowhere else."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.embedded_aws import ROOT
from local.ports import free_port
from tests.tools import node

POLL = ROOT / "docs" / "gateways" / "poll.js"
HARNESS = Path(__file__).with_name("run_poll.js")
STATES = ("pending", "payment_initiated", "paid", "failed", "expired", "order_created")
FINAL = ("order_created", "failed", "expired")
HANG_UP, HANG = "hang up", "hang"


@dataclass
class Server:
    """Answers from a script: a state, an HTTP status (with headers), raw bytes, or no answer; then the last one again."""

    url: str = ""
    script: list[Any] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def next(self) -> Any:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@pytest.fixture
def server() -> Iterator[Server]:
    scripted = Server()
    leave = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scripted.asked.append({"path": self.path, **self.headers})
            answer = scripted.next()
            if answer == HANG_UP:
                self.close_connection = True
                return
            if answer == HANG:
                leave.wait(20)
                self.close_connection = True
                return
            status, headers, body = 200, {}, answer
            if isinstance(answer, tuple):
                status, headers, body = answer[0], answer[1], b"<html>trouble</html>"
            elif isinstance(answer, str):
                body = json.dumps({"session_id": "s", "session_status": answer, "order": None}).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            del format, args

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scripted.url = f"http://127.0.0.1:{listening.server_port}/api/payments/sessions/s/status/"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield scripted
    leave.set()
    listening.shutdown()
    thread.join()
    listening.server_close()


Poll = Callable[..., dict[str, Any]]


@pytest.fixture
def poll(server: Server) -> Poll:
    """Runs the file with the script and answers what it resolved to, how long it waited, and which states it told."""

    def run(*script: Any, **options: Any) -> dict[str, Any]:
        server.script = list(script)
        given = {"url": server.url, "token": "the-token", **options}
        command = [node(), "--unhandled-rejections=strict", str(HARNESS), str(POLL), json.dumps(given)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert not done.stderr, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


@pytest.mark.parametrize("state", FINAL)
def test_it_stops_at_every_final_state(poll: Poll, server: Server, state: str) -> None:
    told = poll("payment_initiated", state)
    assert told["result"]["outcome"] == state
    assert told["result"]["session"]["session_status"] == state
    assert len(server.asked) == 2


@pytest.mark.parametrize("state", [state for state in STATES if state not in FINAL])
def test_it_goes_on_at_every_other_state(poll: Poll, state: str) -> None:
    told = poll(state, state, "order_created")
    assert told["seen"] == [state, state, "order_created"]


def test_the_final_states_are_those_that_the_api_documents() -> None:
    assert f"const FINAL_STATES = Object.freeze({json.dumps(list(FINAL))});" in POLL.read_text(encoding="utf-8")


def test_it_waits_longer_each_time_up_to_a_limit(poll: Poll) -> None:
    told = poll(*["payment_initiated"] * 8, "order_created")
    assert told["waits"] == [2000, 3000, 4500, 6750, 10125, 15000, 15000, 15000]


@pytest.mark.parametrize(
    "trouble", [(503, {}), (500, {}), (502, {}), (429, {}), (408, {}), HANG_UP, b"no json", b"[]", b"null"]
)
def test_it_survives_trouble_that_may_pass(poll: Poll, trouble: Any) -> None:
    told = poll("pending", trouble, trouble, "order_created")
    assert told["result"]["outcome"] == "order_created"
    assert told["seen"] == ["pending", "order_created"]
    assert told["waits"] == [2000, 3000 * 1.5, 4500 * 1.5]


def test_it_waits_as_long_as_the_server_asks(poll: Poll) -> None:
    told = poll((503, {"Retry-After": "30"}), (429, {"Retry-After": "1"}), (503, {"Retry-After": "soon"}), "failed")
    assert told["waits"] == [30_000, 3000 * 1.5, 4500 * 1.5]
    assert told["result"]["outcome"] == "failed"


def test_it_gives_up_after_its_limit_with_the_last_answer(poll: Poll) -> None:
    told = poll("payment_initiated", limitMs=60_000)
    assert told["result"]["outcome"] == "unknown"
    assert told["result"]["reason"] == "time"
    assert told["result"]["session"]["session_status"] == "payment_initiated"
    assert sum(told["waits"]) < 60_000 <= sum(told["waits"]) + 15_000


def test_it_gives_up_without_an_answer_when_nobody_ever_answers(poll: Poll) -> None:
    told = poll("pending", url=f"http://127.0.0.1:{free_port()}/", limitMs=60_000)
    assert told["result"] == {"outcome": "unknown", "reason": "time", "session": None}
    assert len(told["waits"]) > 3


def test_a_limit_that_a_retry_after_would_pass_ends_it_at_once(poll: Poll) -> None:
    told = poll((503, {"Retry-After": "3600"}), limitMs=60_000)
    assert (told["result"]["reason"], told["waits"]) == ("time", [])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410])
def test_it_stops_when_the_api_refuses_it(poll: Poll, server: Server, status: int) -> None:
    told = poll("pending", (status, {}))
    assert told["result"] == {
        "outcome": "unknown",
        "reason": "refused",
        "status": status,
        "session": {"session_id": "s", "session_status": "pending", "order": None},
    }
    assert len(server.asked) == 2


def test_a_server_that_never_answers_is_left_after_a_while_and_asked_again(poll: Poll) -> None:
    started = time.monotonic()
    told = poll(HANG, "order_created", requestMs=300, realTime=True, firstWaitMs=10)
    assert told["result"]["outcome"] == "order_created"
    assert time.monotonic() - started < 15


def test_it_stops_when_the_page_is_left(poll: Poll) -> None:
    told = poll("pending", realTime=True, stopAfter=300, firstWaitMs=30_000)
    assert (told["result"]["outcome"], told["result"]["reason"]) == ("unknown", "stopped")
    told = poll(HANG, realTime=True, stopAfter=300, requestMs=30_000)
    assert told["result"] == {"outcome": "unknown", "reason": "stopped", "session": None}


def test_it_asks_with_the_customers_token_as_it_is_at_that_moment(poll: Poll, server: Server) -> None:
    poll("pending", "failed")
    assert [asked["Authorization"] for asked in server.asked] == ["Bearer the-token"] * 2
    poll("pending", "failed", freshTokens=True)
    assert [asked["Authorization"] for asked in server.asked[2:]] == ["Bearer token-1", "Bearer token-2"]
