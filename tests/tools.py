"""What some tests need besides `make tools-venv`: where it is missing they are skipped and say so, but in CI they fail.

A fixture that starts a tool calls `need`; a test that reaches one by itself, or starts a program that does, is marked
`@pytest.mark.needs("sam")`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from local.container import ContainerError, find_engine

TOOLS: Final = Path(__file__).resolve().parents[1] / ".tools"
NEWMAN: Final = TOOLS / "newman" / "node_modules" / ".bin" / "newman"
CLIENTS: Final = TOOLS / "clients" / "bin"
CLIENTS_TS: Final = TOOLS / "clients-ts" / "node_modules"
CHROMIUM: Final = TOOLS / "browser" / "chromium" / "chromium"
AXE: Final = TOOLS / "browser" / "node_modules" / "axe-core" / "axe.min.js"
PROGRAMS: Final[Mapping[str, tuple[str, Path]]] = {
    "aws": ("MiniStack", TOOLS / "aws" / "bin" / "python"),
    "sam": ("the SAM CLI", TOOLS / "sam" / "bin" / "sam"),
    "checks": ("bandit, semgrep and others", TOOLS / "checks" / "bin" / "semgrep"),
    "checkov": ("checkov", TOOLS / "checkov" / "bin" / "checkov"),
    "newman": ("newman and node", NEWMAN),
    "clients": ("what makes a Python client", CLIENTS / "openapi-python-client"),
    "clients-ts": ("what makes a TypeScript client", CLIENTS_TS / ".bin" / "tsc"),
    "browser": ("Playwright and a Chromium", CHROMIUM),
    "site": ("what makes a site of the documentation", TOOLS / "site" / "bin" / "zensical"),
    "phonepe-sdk": ("PhonePe's own SDK", TOOLS / "phonepe-sdk" / "bin" / "python"),
}
"""What `make tools-NAME` prepares, in words, and the program that shows that it is there."""


def need(*names: str) -> None:
    """Go on if all of these are there: names of `PROGRAMS`, or `docker` for an engine that answers."""
    for name in names:
        missing = _no_engine() if name == "docker" else _not_prepared(name)
        if missing and os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        if missing:
            pytest.skip(missing)


def all_prepared() -> bool:
    """Whether every tool of `PROGRAMS` is there, so that no test is skipped for want of one."""
    return not any(map(_not_prepared, PROGRAMS))


def node() -> str:
    """The node that newman and clients run on: the one that was prepared with it, else the machine's."""
    prepared = TOOLS / "node" / "bin" / "node"
    found = str(prepared) if prepared.exists() else shutil.which("node")
    if found is None:
        need("newman")
        pytest.fail("newman is prepared, but its node is gone: make tools-newman")
    return found


def _not_prepared(name: str) -> str:
    words, program = PROGRAMS[name]
    return "" if program.exists() else f"needs {words}: make tools-{name}"


def _no_engine() -> str:
    try:
        find_engine()
    except ContainerError as exc:
        return f"needs a Docker engine, which `.ci/with-engine` starts: {exc}"
    return ""
