"""What a stack is made of: a part is started and stopped, or entered and left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from abc import ABC, abstractmethod
from typing import Self


class Part(ABC):
    """Something that runs between `start` and `stop`."""

    @abstractmethod
    def start(self) -> Self:
        """Start it, and return once it can be used."""

    @abstractmethod
    def stop(self) -> None:
        """End it; nothing to do if it does not run."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """End a process that leads a session: it is asked, killed after `seconds`, and nothing of its session is left behind."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
