"""The host as a child process: started, listened to and ended by whoever runs a stack.

The pipe to its standard input is its lifeline: it closes when the parent ends, in whatever way, and the host then stops.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, Final, Self

from local.host.config import HostConfig
from local.part import Part, end

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0

Listener = Callable[[Mapping[str, Any]], None]


class HostError(Exception):
    """The host did not start or has ended; the message is one sentence."""


class HostProcess(Part):
    """One `python -m local.host`. `listener` is called, in a thread of its own, with everything that the host tells."""

    def __init__(self, config: HostConfig, listener: Listener | None = None) -> None:
        self._config = config
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._ready = threading.Event()
        self._warm = threading.Event()
        self._ended = threading.Event()
        self._problems: list[str] = []
        self.port = config.port

    @property
    def base_url(self) -> str:
        """Where the front answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The host's process id."""
        if self._process is None:
            raise HostError("the host is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the host still serves."""
        return self._process is not None and not self._ended.is_set()

    def start(self) -> Self:
        """Start the host and wait until its front answers; HostError if it does not."""
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "local.host"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, args=(process,), name="host listener", daemon=True)
        self._reader.start()
        if process.stdin is None:
            raise HostError("the host was started without a pipe to it")
        try:
            process.stdin.write(self._config.to_json().encode() + b"\n")
            process.stdin.flush()
            self._await(self._ready, "answer")
        except BaseException:
            self.stop()
            raise
        return self

    def wait_until_warm(self) -> None:
        """Wait until each function behind a route has a worker that is ready or has failed to start."""
        self._await(self._warm, "warm up")

    def stop(self) -> None:
        """End the host and every worker of it; nothing to do if it never started."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        end(process, STOP_SECONDS)
        if self._reader is not None:
            self._reader.join(5)
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def _await(self, happened: threading.Event, what: str) -> None:
        for _ in range(int(READY_SECONDS / 0.05)):
            if happened.wait(0.05):
                return
            if self._ended.is_set():
                raise HostError(
                    f"The local host ended before it could {what}: {'; '.join(self._problems) or 'no reason given'}."
                )
        raise HostError(f"The local host did not {what} within {READY_SECONDS:.0f} s.")

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        try:
            self._listen_to(process.stdout)
        finally:
            self._ended.set()

    def _listen_to(self, stdout: IO[bytes]) -> None:
        for line in stdout:
            told: dict[str, Any] = json.loads(line)
            match told["kind"]:
                case "ready":
                    self.port = told["port"]
                    self._ready.set()
                case "warm":
                    self._warm.set()
                case "problem":
                    self._problems.append(told["text"])
                case _:
                    pass  # told to the listener only
            if self._listener is not None:
                self._listener(told)
