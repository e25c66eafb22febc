"""The process that MiniStack runs in, started by `local.embedded_aws` with the interpreter of `.tools/aws`.

It ends cleanly, and so saves its state, in whatever way its parent dies: the pipe to its standard input then closes.
"""

import os
import runpy
import signal
import sys
import threading


def stop_when_the_parent_is_gone() -> None:
    """Wait until standard input ends, then ask this process to stop as SIGTERM would."""
    while os.read(0, 1):  # not sys.stdin, whose lock a thread must not hold when the interpreter ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=stop_when_the_parent_is_gone, daemon=True).start()
    sys.argv = ["ministack"]
    runpy.run_module("ministack", run_name="__main__")
