"""Nothing outlives `make run`: not after Ctrl-C, not after two, not after a kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest
import requests

from local.ports import free_port
from ops.token import TokenError, mint
from tests.integration.host.conftest import eventually
from tests.tools import need

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the tree of processes from /proc")


def descendants(pid: int) -> set[int]:
    """Every process below `pid`."""
    parents: dict[int, int] = {}
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                parents[int(directory.name)] = int((directory / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except FileNotFoundError:
                continue  # it ended while we looked
    found: set[int] = set()
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found |= level
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; a zombie does not."""
    running = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            running.add(pid)
    return running


@contextmanager
def running(home: Path, *more: str, greeting: list[str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """`make run` on free ports with its state in `home`, once it is ready; what it says until then is added to `greeting`."""
    need("aws")
    ports = ["--port", str(free_port()), "--simulator-port", str(free_port()), "--aws-port", str(free_port())]
    command = [sys.executable, "-m", "local.run", "--home", str(home), *ports, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said = ""
            assert process.stdout is not None
            for line in process.stdout:
                said += line
                if "Ctrl-C stops everything" in line:
                    break
            else:
                pytest.fail(f"it never became ready:\n{said}")
            if greeting is not None:
                greeting.append(said)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(60)


def test_two_interrupts_leave_no_process_no_file_and_no_traceback(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        children = descendants(process.pid)
        assert len(children) >= 3, "the embedded AWS, the simulators and the host at least"
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        rest = process.stdout.read()
        assert process.wait(60) == 0

    assert not alive(children)
    assert "Traceback" not in rest
    assert "Stopped." in rest
    assert not (tmp_path / "stack.json").exists()


def test_a_kill_leaves_no_process_either(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        children = descendants(process.pid)
        process.kill()
        process.wait(10)

    eventually(lambda: not alive(children))


def test_state_survives_a_restart_and_a_customer_stays_who_they_are(tmp_path: Path) -> None:
    subs = []
    for _ in range(2):
        with running(tmp_path) as process:
            announcement = tmp_path / "stack.json"
            assert stat.S_IMODE(announcement.stat().st_mode) == 0o600
            told = json.loads(announcement.read_text())
            assert told["pid"] == process.pid
            environment = told["environment"]
            token = mint(environment, 7, "seven@example.com")
            answer = requests.get(f"{told['base_url']}/api/orders/", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            assert answer.status_code != 401
            subs.append(claims(token)["sub"])
            assert claims(token)["custom:user_id"] == "7"
            assert claims(token)["token_use"] == "id"
            with pytest.raises(TokenError, match="belongs to the customer 7"):
                mint(environment, 8, "seven@example.com")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0

    assert subs[0] == subs[1]


def claims(token: str) -> dict[str, str]:
    """What a token says."""
    decoded: dict[str, str] = jwt.decode(token, options={"verify_signature": False})
    return decoded


def run(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m local.run` that is expected to end by itself."""
    command = [sys.executable, "-m", "local.run", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | environment)


def test_a_reset_is_refused_while_the_stack_runs_and_empties_it_afterwards(tmp_path: Path) -> None:
    with running(tmp_path):
        refused = run(tmp_path, "--reset")
        assert refused.returncode == 1
        assert "is running: stop it first" in refused.stderr
        assert (tmp_path / "state").exists()

    assert run(tmp_path, "--reset").returncode == 0
    assert not (tmp_path / "state").exists()


def test_a_busy_port_is_named_with_the_way_to_choose_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run(tmp_path, SIMULATOR_PORT=str(port), PORT=str(free_port()), AWS_PORT=str(free_port()))

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"Port {port} is in use" in ended.stderr
    assert f"SIMULATOR_PORT={port + 10} make run" in ended.stderr
