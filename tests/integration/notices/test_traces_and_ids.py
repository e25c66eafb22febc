"""Each line of a run's log names the run, and a traced run tells X-Ray what it called; neither tells a token or a phone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from local.embedded_aws import ROOT, EmbeddedAws
from tests.integration.gateways.siege import laid_siege
from tests.integration.notices.test_sources import notice
from tests.integration.payments.conftest import simulators
from tests.integration.payments.shop import new_customer

__all__ = ["simulators"]

TRACE: Final = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def daemon() -> Iterator[socket.socket]:
    """Where subsegments arrive, in place of X-Ray's daemon."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.settimeout(2)
        yield taken


def received(daemon: socket.socket) -> list[str]:
    told = []
    try:
        while True:
            told.append(daemon.recv(65536).decode().partition("\n")[2])
    except TimeoutError:
        return told


def run(module: str, sent: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    """What a process of the functions writes, told `sent`."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=sent,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_traced_notice_shows_its_calls_by_host_and_service_and_no_token(
    embedded_aws: EmbeddedAws, simulators: str, daemon: socket.socket
) -> None:
    with laid_siege(embedded_aws, simulators) as siege:
        event = notice("/cb/stk/" + siege.tokens[0], "127.0.0.1") | {"body": siege.bodies[0].decode()}
        of_lambda = {
            "POWERTOOLS_TRACE_DISABLED": "false",
            "LAMBDA_TASK_ROOT": "/var/task",
            "_X_AMZN_TRACE_ID": TRACE,
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
        }
        lines = run("tests.integration.notices.webhook_process", json.dumps(event) + "\n", os.environ | of_lambda)
        told = received(daemon)
    assert lines[-1]["reply"]["statusCode"] == 200
    parts = [json.loads(each) for each in told]
    assert {part["name"] for part in parts} >= {"dynamodb", "secretsmanager", "127.0.0.1"}
    gateway = next(part for part in parts if part["name"] == "127.0.0.1")
    assert (gateway["namespace"], gateway["http"]) == ("remote", {"response": {"status": 200}})
    for text in (*told, *(json.dumps(line) for line in lines)):
        assert not any(secret in text for secret in (siege.tokens[0], "/cb/stk", "2547", "passkey"))


def test_what_an_exception_says_is_not_told_to_x_ray(daemon: socket.socket) -> None:
    program = (
        "import sys; from botocore.exceptions import ClientError; from payfirst.tracing import recorder\n"
        "error = ClientError({'Error': {'Code': 'MessageRejected', 'Message': 'jane@example.com'}}, 'SendEmail')\n"
        "try:\n with recorder().in_subsegment('sesv2'): raise error\n"
        "except ClientError: sys.exit()"
    )
    address = f"127.0.0.1:{daemon.getsockname()[1]}"
    of_lambda = {"LAMBDA_TASK_ROOT": "/var/task", "_X_AMZN_TRACE_ID": TRACE, "AWS_XRAY_DAEMON_ADDRESS": address}
    subprocess.run([sys.executable, "-c", program], env=os.environ | of_lambda, check=True, timeout=60)
    [told] = received(daemon)
    assert (json.loads(told)["cause"]["exceptions"][0]["type"], "jane" in told) == (ClientError.__name__, False)


def test_workers_lines_name_their_run_and_their_calls_belong_to_its_trace(daemon: socket.socket) -> None:
    program = (
        "from payfirst.observability import call_to, note, observed; from payfirst.usecases.sweeps.workers import in_threads\n"
        "from ops.tick import Context\n"
        "def work():\n"
        " with call_to('gateway.example') as answered: answered(200)\n"
        " note('worked')\n"
        "@observed\n"
        "def handler(event, context): in_threads(work, 8)\n"
        "handler({}, Context('sweep', aws_request_id='the-run'))"
    )
    address = f"127.0.0.1:{daemon.getsockname()[1]}"
    of_lambda = {"LAMBDA_TASK_ROOT": "/var/task", "_X_AMZN_TRACE_ID": TRACE, "AWS_XRAY_DAEMON_ADDRESS": address}
    environment = os.environ | of_lambda | {"POWERTOOLS_TRACE_DISABLED": "false"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert [json.loads(line)["function_request_id"] for line in done.stdout.splitlines()] == ["the-run"] * 8
    parts = [json.loads(each) for each in received(daemon)]
    assert [part["name"] for part in parts] == ["gateway.example"] * 8
    assert {part["trace_id"] for part in parts} == {"1-5759e988-bd862e3fe1be46a994272793"}


@pytest.mark.parametrize("sweep", ["expire_sessions", "reconcile_payments", "deliver_events"])
def test_every_line_of_a_sweep_names_its_run_and_whether_it_began_cold(
    embedded_aws: EmbeddedAws, simulators: str, sweep: str
) -> None:
    program = (
        "from importlib import import_module; from ops.tick import Context\n"
        f"run = import_module('functions.{sweep}.app').handler\n"
        "for each in ('first', 'second'): run({}, Context('sweep', aws_request_id=each))"
    )
    with laid_siege(embedded_aws, simulators) as siege:
        siege.shop.session(new_customer())
        environment = os.environ | {"EVENT_BUS_NAME": "default", "POWERTOOLS_LOGGER_LOG_EVENT": "true"}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
        )
    lines = [line for line in map(json.loads, done.stdout.splitlines()) if "_aws" not in line]  # but for the counts
    runs = {(line["function_request_id"], line["cold_start"], line["function_name"]) for line in lines}
    assert runs == {("first", True, "sweep"), ("second", False, "sweep")}
    assert all(line["message"].count(".") == 1 for line in lines), "the event itself is logged"
