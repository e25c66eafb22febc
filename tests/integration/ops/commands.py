"""`payfirst` as an operator types it."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def _terminal() -> subprocess.Popen[str]:
    """One for all commands of this run."""
    command = [sys.executable, "-m", "tests.integration.ops.terminal"]
    terminal = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(terminal.communicate)
    return terminal


def payfirst(*words: str | Path, account: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What the command line answers; without an `account` of their own the caller's AWS profile is somebody else's."""
    environment = {**os.environ, **(account or {"AWS_PROFILE": "somebody-elses"}), "COLUMNS": "200", "NO_COLOR": "1"}
    typed = [str(word) for word in words]
    terminal = _terminal()
    assert terminal.stdin is not None
    assert terminal.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        told = {"words": typed, "environment": environment, "out": str(out), "err": str(err)}
        terminal.stdin.write(json.dumps(told) + "\n")
        terminal.stdin.flush()
        code = int(terminal.stdout.readline())
        return subprocess.CompletedProcess(typed, code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


def succeeded(*words: str | Path, account: Mapping[str, str] | None = None) -> str:
    """What the command prints, which has to succeed."""
    done = payfirst(*words, account=account)
    assert done.returncode == 0, done.stderr
    return done.stdout
