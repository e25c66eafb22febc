"""Becomes `payfirst …` as often as it is asked: each command in a process of its own, which has the program loaded already.

    python -m tests.integration.ops.terminal

One JSON line on standard input is one command: its `words`, its `environment`, and the files for what it says, `out` and `err`.
One line on standard output is its exit code. What is saved is the second in which Python loads the program.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, Final

from ops.main import app

LONGEST_S: Final = 60


def become(told: dict[str, Any]) -> None:
    """End as the command ends."""
    for number, name in enumerate((os.devnull, told["out"], told["err"])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    signal.alarm(LONGEST_S)
    os.environ.clear()
    os.environ.update(told["environment"])
    app(told["words"], prog_name="payfirst")


def main() -> None:
    """One command after the other, until standard input ends."""
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            become(json.loads(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
