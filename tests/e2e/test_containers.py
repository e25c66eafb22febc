"""Every function in a container as `sam local invoke` runs it: its answer, its time limit, and what is said without Docker.

The continuous integration starts a Docker engine for these; elsewhere they are skipped where none runs.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from local import invoke, run, sam
from local.container import FUNCTIONS, ContainedFunctions, ContainerError, Engine, find_engine
from local.examples import example, prepare
from local.ports import free_port
from local.relay import Relay
from payfirst.domain.ids import ref_of_callback_token
from tests.conftest import RunningStack
from tests.e2e.examples import EXPECTED
from tests.tools import need

IMAGE: Final = os.environ.get("LAMBDA_IMAGE")
SLEEPER: Final = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Runtime: {Type: String}
  Architecture: {Type: String}
Resources:
  Sleeper:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Runtime: !Ref Runtime
      Architectures: [!Ref Architecture]
      Timeout: 2
"""


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The Docker engine of this machine."""
    need("docker", "sam")
    return find_engine()


@pytest.fixture(scope="module")
def functions(engine: Engine, stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainedFunctions]:  # noqa: ARG001 - an engine must run
    """The functions as SAM builds them, with the running stack within their reach."""
    build_dir = tmp_path_factory.mktemp("containers") / "build"
    sam.build(build_dir)
    prepare(stack.environment)
    with ContainedFunctions(stack.environment, image=IMAGE, build_dir=build_dir) as running:
        yield running


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_function_answers_its_event_in_a_container(name: str, functions: ContainedFunctions) -> None:
    invocation = functions.invoke(name, example(name))
    assert EXPECTED[name](json.loads(invocation.answer)), f"{invocation.answer}\n{invocation.said}"
    assert "Failed to get next" not in invocation.said


def test_the_webhooks_event_carries_an_address_of_the_form_that_mpesa_is_given() -> None:
    event = example("webhook")
    assert ref_of_callback_token(event["pathParameters"]["token"]) is not None
    assert event["path"] == f"/cb/stk/{event['pathParameters']['token']}"


def test_a_function_in_a_container_is_ended_when_its_time_is_over(engine: Engine, tmp_path: Path) -> None:  # noqa: ARG001
    (tmp_path / "template.yaml").write_text(SLEEPER, encoding="utf-8")
    (tmp_path / "app.py").write_text(
        "import time\ndef handler(event, context):\n    time.sleep(event['seconds'])\n    return 'in time'\n", encoding="utf-8"
    )
    (tmp_path / "variables.json").write_text("{}", encoding="utf-8")

    def sleep(seconds: int) -> sam.Invocation:
        (tmp_path / "event.json").write_text(json.dumps({"seconds": seconds}), encoding="utf-8")
        return sam.invoke(
            "Sleeper",
            template=tmp_path / "template.yaml",
            event=tmp_path / "event.json",
            variables=tmp_path / "variables.json",
            image=IMAGE,
            aws={},
            seconds=300,
        )

    assert sleep(0).answer == '"in time"'
    started = time.monotonic()
    late = sleep(600)
    assert time.monotonic() - started < 300
    assert late.answer == ""
    assert "timed out after 2 seconds" in late.said


def test_what_to_type_names_python_and_processor_only_where_they_are_not_the_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("SiteFunction", "events/site.json", ".local/sam.json")
    invoked = "sam local invoke SiteFunction -e events/site.json --env-vars .local/sam.json"
    monkeypatch.setattr(sam, "this_machine", lambda: {"Runtime": "python3.13", "Architecture": "arm64"})
    assert sam.as_typed(*words) == ("sam build", invoked)
    monkeypatch.setattr(sam, "this_machine", lambda: {"Runtime": "python3.13", "Architecture": "x86_64"})
    told = " --parameter-overrides Architecture=x86_64"
    assert sam.as_typed(*words) == (f"LAYER_ARCHITECTURE=x86_64 sam build{told}", f"{invoked}{told}")


@pytest.mark.parametrize("command", [[invoke.main, "webhook"], [run.main, "--containers"]], ids=["make invoke", "make run"])
def test_without_docker_one_sentence_says_what_to_do(
    command: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("PORT", "SIMULATOR_PORT", "AWS_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    main, *arguments = command
    assert main([*arguments, "--home", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert (
        said == "There is no Docker on this machine. `sam local invoke` needs Docker: install and start it, then try again.\n"
    )


def test_a_docker_that_does_not_answer_is_told_from_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n", encoding="utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ContainerError, match=r"No Docker engine answers \(Cannot connect to the Docker daemon\)"):
        find_engine()


def test_a_relay_passes_on_what_is_asked_at_another_address_and_ends_when_told() -> None:
    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to standard error."""

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        large = os.urandom(300_000)
        with Relay("127.0.0.1", port=server.server_address[1]) as relay:
            address = f"http://127.0.0.1:{relay.port}/"
            answers = [requests.post(address, data=data, timeout=10).content for data in (b"hello", large)]
        server.shutdown()
    assert answers == [b"hello", large]
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)
