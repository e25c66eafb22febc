"""Clients that are generated from the API's description have whole types, and walk both documents' flows with them.

They are made in a temporary folder from the description that the running service gives; nothing of them is kept.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.contract.walk import Stack, new_customer, new_phone
from tests.tools import CLIENTS, CLIENTS_TS, node

SOURCES: Final = Path(__file__).with_name("clients")
SECONDS: Final = 300


@pytest.fixture
def folder(stack: Stack, tmp_path: Path) -> Path:
    """An empty folder with the description, and with what the walks are written in."""
    answer = requests.get(f"{stack.base_url}/openapi.json", timeout=20)
    (tmp_path / "openapi.json").write_text(answer.text, encoding="utf-8")
    shutil.copytree(SOURCES, tmp_path, dirs_exist_ok=True)
    return tmp_path


def run(command: Sequence[str | Path], folder: Path, token: str = "") -> str:
    """What the program says; it has to succeed."""
    environment = {**os.environ, "TOKEN": token, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def walk(program: Sequence[str | Path], stack: Stack, folder: Path) -> None:
    token = new_customer(stack).token
    assert token is not None
    run([*program, stack.base_url, stack.simulator_url, new_phone()], folder, token)


@pytest.mark.needs("clients")
def test_a_python_client_is_typed_strictly_and_walks_both_flows(stack: Stack, folder: Path) -> None:
    said = run(
        [
            CLIENTS / "openapi-python-client",
            "generate",
            "--path",
            "openapi.json",
            "--meta",
            "none",
            "--output-path",
            "payfirst_client",
        ],
        folder,
    )
    assert "unsupported" not in said.lower()
    assert len(list((folder / "payfirst_client" / "api").glob("*/*.py"))) > len(
        json.loads((folder / "openapi.json").read_text())["paths"]
    )
    run([CLIENTS / "mypy", "--strict", "--cache-dir", ".mypy", "walk.py", "payfirst_client"], folder)
    walk([CLIENTS / "python", "walk.py"], stack, folder)


@pytest.mark.needs("clients-ts")
def test_a_typescript_client_is_typed_strictly_and_walks_both_flows(stack: Stack, folder: Path) -> None:
    (folder / "node_modules").symlink_to(CLIENTS_TS)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    run([CLIENTS_TS / ".bin" / "openapi-typescript", "openapi.json", "--output", "schema.d.ts"], folder)
    run([CLIENTS_TS / ".bin" / "tsc", "--project", "."], folder)
    walk([node(), "walk.js"], stack, folder)


def test_what_the_clients_are_made_with_is_pinned_by_hashes_and_names_no_address() -> None:
    locks = Path(__file__).parents[2] / "locks"
    kept = json.loads((locks / "clients-ts" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, package in kept.items():
        assert "resolved" not in package, name
        assert not name or "integrity" in package, name
    lines = (locks / "clients.txt").read_text(encoding="utf-8").splitlines()
    assert all("--hash=sha256:" in lines[at + 1] for at, line in enumerate(lines) if "==" in line)
    assert not [line for line in lines if "://" in line]
