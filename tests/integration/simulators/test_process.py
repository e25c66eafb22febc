"""The simulators as a process of their own: start, signals, restarts, what they print."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .merchant import PHONE, Inbox, Merchant, eventually

ORDER = "MT0000000000001"
ROOT = Path(__file__).parents[3]


def command(state: Path, inbox: Inbox, *more: str) -> list[str]:
    webhook = f"{inbox.url}/webhook/phonepe/"
    arguments = ["--port", "0", "--state", str(state), "--phonepe-webhook-url", webhook, *more]
    return [sys.executable, "-m", "local.simulators", *arguments]


def environment() -> dict[str, str]:
    return os.environ | {"PHONEPE_WEBHOOK_USERNAME": "username", "PHONEPE_WEBHOOK_PASSWORD": "password"}


@contextmanager
def process(state: Path, inbox: Inbox, *more: str) -> Iterator[tuple[subprocess.Popen[str], Merchant]]:
    """A process that says it is ready, and a merchant of it; killed at the end if it still runs."""
    with ExitStack() as stack:
        started = stack.enter_context(
            subprocess.Popen(
                command(state, inbox, *more),
                cwd=ROOT,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        stack.callback(started.kill)
        assert started.stdout is not None
        line = started.stdout.readline()
        assert "ready http://127.0.0.1:" in line
        merchant = Merchant(line.split()[-1], inbox)
        stack.callback(merchant.close)
        yield started, merchant


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_well(tmp_path: Path, inbox: Inbox, wanted: signal.Signals) -> None:
    with process(tmp_path / "ledger.sqlite", inbox) as (started, merchant):
        merchant.prompt()
        started.send_signal(wanted)
        output, _ = started.communicate(timeout=10)
        assert started.returncode == 0
        assert "Traceback" not in output


def test_a_port_that_is_taken_is_told_in_one_sentence(tmp_path: Path, inbox: Inbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            command(tmp_path / "ledger.sqlite", inbox, "--port", port),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert port in ended.stderr


def test_a_webhook_address_without_a_password_is_refused(tmp_path: Path, inbox: Inbox) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PHONEPE_")}
    ended = subprocess.run(
        command(tmp_path / "ledger.sqlite", inbox),
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "PHONEPE_WEBHOOK_PASSWORD" in ended.stderr


def test_what_is_printed_holds_no_token_and_no_whole_phone_number(tmp_path: Path, inbox: Inbox) -> None:
    with process(tmp_path / "ledger.sqlite", inbox) as (started, merchant):
        token = merchant.mpesa_token_response().json()["access_token"]
        ref = merchant.prompt()
        merchant.push()
        merchant.script(gateway="mpesa", call="query", answer="does_not_exist", times=1)
        merchant.query(ref)
        page = merchant.order()
        merchant.decide("mpesa", ref, outcome="pay")
        merchant.decide("phonepe", ORDER, outcome="cancel")
        inbox.wait_for(2)
        started.terminate()
        output, _ = started.communicate(timeout=10)
    assert "2547…149" in output
    assert "answered 200" in output
    for secret in (token, PHONE[-9:], page.rpartition("/")[2], "0123456789abcdef", "password"):
        assert secret not in output


def test_everything_is_there_after_the_process_was_killed(tmp_path: Path, inbox: Inbox) -> None:
    state = tmp_path / "ledger.sqlite"
    with process(state, inbox) as (started, merchant):
        merchant.script(gateway="mpesa", call="query", answer="does_not_exist", every=2)
        merchant.order()
        receipt = merchant.decide("phonepe", ORDER, outcome="pay", delay_s=1.5).json()["receipt"]
        ref = merchant.prompt()
        merchant.decide("mpesa", ref, outcome="pay", after_s=1.5)
        open_ref = merchant.prompt("254711000001")
        assert merchant.query(open_ref).status_code == 200
        before = merchant.attempts()
        started.kill()
        started.wait(timeout=10)
    with process(state, inbox) as (_, again):
        told = {attempt["ref"]: attempt["state"] for attempt in again.attempts()}
        assert set(told) == {attempt["ref"] for attempt in before}
        assert again.query(open_ref).status_code == 500
        assert again.push("254711000001").status_code == 500
        eventually(lambda: again.attempt(ref)["state"] == "COMPLETED")
        inbox.wait_for(2)
        assert again.attempt(ORDER)["receipt"] == receipt
        assert again.attempt(open_ref)["state"] == "PENDING"
        assert len(again.ledger()) == 2
        assert inbox.stays_at(2)


def test_a_webhook_that_was_not_taken_is_tried_again_by_the_next_process(tmp_path: Path, inbox: Inbox) -> None:
    state = tmp_path / "ledger.sqlite"
    inbox.answers = [500]
    with process(state, inbox) as (started, merchant):
        merchant.order()
        merchant.decide("phonepe", ORDER, outcome="pay")
        inbox.wait_for(1)
        eventually(lambda: merchant.send("GET", "/control/notices").json()[0]["tries"] == 1)
        started.kill()
        started.wait(timeout=10)
    with process(state, inbox):
        assert len(inbox.wait_for(2)) == 2


def test_a_callback_that_was_on_its_way_when_the_process_was_killed_is_not_sent_again(tmp_path: Path, inbox: Inbox) -> None:
    state = tmp_path / "ledger.sqlite"
    killed = threading.Event()
    with process(state, inbox) as (started, merchant):
        inbox.on_arrival = lambda: bool(killed.wait(10))
        merchant.decide("mpesa", merchant.prompt(), outcome="pay")
        inbox.wait_for(1)
        started.kill()
        started.wait(timeout=10)
        killed.set()
    with process(state, inbox) as (_, again):
        assert [entry["state"] for entry in again.send("GET", "/control/notices").json()] == ["unreachable"]
        assert inbox.stays_at(1)
        assert len(again.ledger()) == 1
