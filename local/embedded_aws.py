"""The embedded AWS: MiniStack as a child process that listens on loopback only and keeps its state in a directory.

    with EmbeddedAws(port=0, state_dir=None) as aws:
        aws.client("dynamodb").list_tables()

MiniStack lives in an environment of its own, `.tools/aws`, because it pins botocore. What it holds is written to the
state directory when it stops cleanly; a kill -9 of MiniStack itself loses what came after the last clean stop.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import IO, Any, Final, Self

import boto3
from botocore.config import Config

from local.part import Part
from local.ports import LOOPBACK, answers, free_port, is_free
from local.resources import Client

ROOT: Final = Path(__file__).resolve().parents[1]
TEMPLATE: Final = ROOT / "template.yaml"
REGION: Final = "us-east-1"
KEY: Final = "local"
"""Both halves of the embedded AWS's root credentials; nothing listens outside this machine."""
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 30.0
FOR_FUNCTIONS: Final = ("AWS_USE_FIPS_ENDPOINT",)
"""What functions get of our environment: by it tests choose the table's client."""
INHERITED: Final = ("PATH", "HOME", "LANG", *FOR_FUNCTIONS)
"""All that MiniStack sees of our environment: it passes its own on to functions, which get theirs from the template."""


class EmbeddedAwsError(Exception):
    """The embedded AWS cannot be started, reached or stopped; the message is one sentence for whoever runs it."""


class PortBusyError(EmbeddedAwsError):
    """Another process listens on the port that was asked for."""


@cache
def _client(endpoint: str, service: str, timeout_s: float) -> Client:
    """One for all who ask for it: boto3 takes a tenth of a second to make one."""
    session: Any = boto3.session.Session()  # its stubs know services only by literal names
    return session.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
        config=Config(connect_timeout=3, read_timeout=timeout_s, retries={"total_max_attempts": 1}),
    )


os.register_at_fork(after_in_child=_client.cache_clear)  # a process that was forked would share its parent's connections


class AwsEndpoint:
    """An embedded AWS that runs already, whoever started it."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def endpoint(self) -> str:
        """The base URL, `http://127.0.0.1:PORT`."""
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The variables that point an AWS SDK, the SAM CLI or a function here; the keys are not secrets."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            **{name: os.environ[name] for name in FOR_FUNCTIONS if name in os.environ},
        }

    def client(self, service: str, *, timeout_s: float = 30.0) -> Client:
        """A boto3 client of `service`, for instance `dynamodb`, that talks to this MiniStack and retries nothing."""
        return _client(self.endpoint, service, timeout_s)


class EmbeddedAws(AwsEndpoint, Part):
    """One MiniStack: started by `start` or `with`, ended by `stop`.

    `port` 0 takes a free one. With `state_dir` the state of the last clean stop is loaded and saved again when this one
    stops; without, everything lives in a temporary directory and is gone afterwards. With `enforce_rights` a function may
    do what its role allows and nothing else, as in AWS; `client` and `environment` keep every right.
    """

    def __init__(self, port: int = 0, state_dir: Path | None = None, *, enforce_rights: bool = False) -> None:
        super().__init__(port)
        self._enforce_rights = enforce_rights
        self._asked_port = port
        self._state_dir = state_dir
        self._work_dir: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running MiniStack."""
        if self._process is None:
            raise EmbeddedAwsError("the embedded AWS is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        """Where MiniStack writes what it has to say."""
        if self._work_dir is None:
            raise EmbeddedAwsError("the embedded AWS was never started")
        return self._work_dir / "ministack.log"

    def start(self) -> Self:
        """Start MiniStack and return once it answers; PortBusyError or EmbeddedAwsError if it does not."""
        python = ROOT / ".tools" / "aws" / "bin" / "python"
        if not python.exists():
            raise EmbeddedAwsError("MiniStack is not installed yet: run `make tools-aws`.")
        if self._process is not None:
            raise EmbeddedAwsError(f"the embedded AWS is already running on port {self.port}")
        self.port = self._asked_port or free_port()
        if not is_free(self.port):
            raise PortBusyError(f"Port {self.port} is in use by another program: stop it or choose another port.")
        self._work_dir = self._state_dir or Path(tempfile.mkdtemp(prefix="payfirst-aws-"))
        self._work_dir.mkdir(parents=True, exist_ok=True)
        claim = claim_directory(self._work_dir)
        scratch = self._work_dir / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)  # each worker of a function unpacks its layer there
        scratch.mkdir(parents=True)
        with claim, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(python), "-P", str(Path(__file__).with_name("host") / "lifeline.py"), "ministack"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._work_dir,
                env=self._process_environment(scratch),
                start_new_session=True,
                pass_fds=[claim.fileno()],
            )
        try:
            self._wait_until_it_answers(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop MiniStack and wait until its state is on disk, where that is kept; nothing to do if it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._state_dir is None:  # asked to stop, it waits for every long poll before it forgets everything
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired as exc:
            process.kill()
            process.wait()
            raise EmbeddedAwsError(
                f"MiniStack did not stop within {STOP_TIMEOUT_S:.0f} s and was killed: "
                f"changes since its last clean stop are lost; see {self.log}."
            ) from exc
        finally:
            if process.stdin is not None:
                process.stdin.close()
            if self._work_dir is not None:
                rubbish = self._work_dir if self._state_dir is None else self._work_dir / "tmp"
                shutil.rmtree(rubbish, ignore_errors=True)

    def _process_environment(self, scratch: Path) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        chosen = {
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_REGION": REGION,
            "DOCKER_HOST": f"unix://{scratch}/none.sock",  # else it reaps containers of whoever uses this machine
            "TMPDIR": str(scratch),
            "LOG_LEVEL": "WARNING",
            "POWERTOOLS_LOG_LEVEL": "INFO",  # for the functions, which would take MiniStack's own level
            "AUTH": "true" if self._enforce_rights else "false",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
        }
        if self._state_dir is not None:
            chosen |= {
                "PERSIST_STATE": "1",
                "STATE_DIR": str(self._state_dir / "state"),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(self._state_dir / "s3"),
            }
        return inherited | chosen

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmbeddedAwsError(f"MiniStack ended with code {process.returncode} at its start; see {self.log}.")
            if answers(self.port, "/_ministack/ready"):
                return
            time.sleep(0.05)
        raise EmbeddedAwsError(f"MiniStack did not answer within {START_TIMEOUT_S:.0f} s; see {self.log}.")


def claim_directory(directory: Path) -> IO[bytes]:
    """A lock on `directory` that holds for as long as any process has the answered file open."""
    claim = (directory / "in-use").open("wb")
    deadline = time.monotonic() + STOP_TIMEOUT_S / 3
    while True:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if time.monotonic() < deadline:  # the last run may be saving its state
                time.sleep(0.1)
                continue
            claim.close()
            raise EmbeddedAwsError(f"The state in {directory} is in use by another run: stop that one first.") from exc
        return claim
