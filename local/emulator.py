"""One function under AWS' own Runtime Interface Emulator, which ships inside the SAM CLI; needs no container.

    with RuntimeEmulator(ROOT / "functions" / "site", environment, timeout=10) as emulator:
        answer = emulator.invoke(event)

The emulator speaks the Runtime API to `awslambdaric` as Lambda does and ends an invocation when its time is over. It takes
one invocation at a time, and the duration that it prints for the start of a function is not a real one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import requests

from local.embedded_aws import LOOPBACK, REGION, ROOT
from local.host.children import DIE_WITH_PARENT
from local.ports import free_port, is_free
from local.sam import PROCESSORS

INVOKE: Final = "2015-03-31/functions/function/invocations"
START_SECONDS: Final = 20.0
GRACE_SECONDS: Final = 30.0
"""What an answer may take beyond the function's own time: the start of its process is part of the first invocation."""


class EmulatorError(Exception):
    """The emulator is missing, did not start, or ended; the message says which."""


class RuntimeEmulator:
    """One emulator with one function; started by `start` or `with`, ended by `stop`.

    `folder` holds `app.py`; `environment` is what the function sees besides what Lambda sets; `timeout` is in whole seconds.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *, timeout: int, handler: str = "app.handler") -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._timeout = timeout
        self._handler = handler
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def start(self) -> Self:
        """Start the emulator and return once it takes invocations."""
        self._port, runtime_port = free_port(), free_port()
        self._output = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed by `stop`
        self._process = subprocess.Popen(
            [
                str(emulator_program()),
                "--runtime-interface-emulator-address", f"{LOOPBACK}:{self._port}",
                "--runtime-api-address", f"{LOOPBACK}:{runtime_port}",
                sys.executable, "-m", "awslambdaric", self._handler,
            ],
            cwd=self._folder,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=DIE_WITH_PARENT,  # noqa: PLW1509 - one system call that takes no lock
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while is_free(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self.said()
                self.stop()
                raise EmulatorError(f"The Runtime Interface Emulator did not start: {said}")
            time.sleep(0.02)
        return self

    def invoke(self, event: Any) -> Any:  # noqa: ANN401 - what JSON holds
        """What the function answers to `event`; the emulator's own words as text where that is no JSON."""
        answer = requests.post(
            f"http://{LOOPBACK}:{self._port}/{INVOKE}", data=json.dumps(event), timeout=self._timeout + GRACE_SECONDS
        )
        try:
            return answer.json()
        except requests.JSONDecodeError:
            return answer.text

    def said(self) -> str:
        """Everything that the emulator and the function have written so far."""
        if self._output is None:
            return ""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")

    def stop(self) -> None:
        """End the emulator and the function's process; nothing to do if it never started."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._output is not None:
            self._output.close()
            self._output = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": self._folder.name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self._timeout),
            "LAMBDA_TASK_ROOT": str(self._folder),
            "PYTHONPATH": str(self._folder),
            **self._environment,
        }


def emulator_program() -> Path:
    """The emulator for this machine's processor; EmulatorError if the SAM CLI is not installed."""
    name = f"aws-lambda-rie-{PROCESSORS[os.uname().machine.lower()]}"
    found = sorted((ROOT / ".tools" / "sam").glob(f"lib/python3.*/site-packages/samcli/local/rapid/{name}"))
    if not found:
        raise EmulatorError("The Runtime Interface Emulator is not installed yet: run `make tools-sam`.")
    return found[-1]
