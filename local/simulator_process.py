"""The gateways' simulators as a child process of the stack."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from local.part import end
from local.ports import answers, free_port

READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0


class SimulatorError(Exception):
    """The simulators do not answer; the message is one sentence."""


class SimulatorProcess:
    """One `python -m local.simulators`, which stops when this process ends in whatever way.

    `phonepe` is what the shop's secret holds of PhonePe: the name and password that notices are signed with, or a salt key.
    `port` 0 takes a free one; a refund takes `refund_after_s`, if given. What it
    says goes to `log`, and line by line to `listener` as `{"kind": "simulator", "text": …}`.
    """

    def __init__(
        self,
        *,
        port: int,
        state: Path,
        log: Path,
        webhook_url: str,
        phonepe: Mapping[str, str],
        mail_source: str | None = None,
        refund_after_s: float | None = None,
        listener: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.port = port or free_port()
        self._state = state
        self._log = log
        self._webhook_url = webhook_url
        self._identity = _identity(phonepe)
        self._mail_source = mail_source
        self._refund_after_s = refund_after_s
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the simulators answer."""
        return f"http://127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        arguments = ["--port", str(self.port), "--state", str(self._state)]
        if "PHONEPE_WEBHOOK_USERNAME" in self._identity:  # PhonePe's first API is told with each request
            arguments += ["--phonepe-webhook-url", self._webhook_url]
        if self._mail_source is not None:
            arguments += ["--mail-source", self._mail_source]
        if self._refund_after_s is not None:
            arguments += ["--refund-after", str(self._refund_after_s)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.host.lifeline", "local.simulators", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | self._identity,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, args=(self._process,), name="simulators listener", daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        """Return once the simulators answer; SimulatorError if they do not."""
        process = self._process
        if process is None:
            raise SimulatorError("The simulators were not started.")
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise SimulatorError(f"The simulators ended with code {process.returncode} at their start; see {self._log}.")
            if answers(self.port, "/control/attempts?limit=1"):
                return
            time.sleep(0.05)
        raise SimulatorError(f"The simulators did not answer within {READY_SECONDS:.0f} s; see {self._log}.")

    @property
    def running(self) -> bool:
        """Whether the simulators still run."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the process; nothing to do if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            end(process, STOP_SECONDS)
        finally:
            if self._reader is not None:
                self._reader.join(5)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        with self._log.open("ab", buffering=0) as log:
            for line in process.stdout or ():
                log.write(line)
                if self._listener is not None:
                    self._listener({"kind": "simulator", "text": line.decode(errors="replace").rstrip()})


def _identity(phonepe: Mapping[str, str]) -> dict[str, str]:
    """What the simulators are told in their environment, where other processes do not see it."""
    if "salt_key" in phonepe:
        return {"PHONEPE_SALTS": f"{phonepe['salt_index']}:{phonepe['salt_key']}"}
    return {
        "PHONEPE_WEBHOOK_USERNAME": phonepe["webhook_username"],
        "PHONEPE_WEBHOOK_PASSWORD": phonepe["webhook_password"],
    }
