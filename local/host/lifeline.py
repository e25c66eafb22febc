"""`python -m local.host.lifeline MODULE ARGUMENTS…`: runs a module that stops when its parent has gone.

Standard input is the line: it ends when the parent does, in whatever way, and the module then gets SIGTERM. The Python of a
tool runs this file by its path.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def stop_with_parent() -> None:
    """Wait for the end of standard input, then ask this process to stop."""
    while os.read(0, 1024):  # not sys.stdin, whose lock a thread must not hold when the interpreter ends
        pass  # nobody writes there
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=stop_with_parent, name="parent watch", daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
