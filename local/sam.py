"""Builds, deploys and runs what `template.yaml` declares, with the SAM CLI of `.tools/sam`."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.embedded_aws import REGION, ROOT, TEMPLATE
from ops.environments import overrides
from ops.template import load_template

BUILD_DIR: Final = ROOT / ".aws-sam" / "build"
CACHE_DIR: Final = ROOT / ".aws-sam" / "cache"
LAST_LINES: Final = 25
PROCESSORS: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


SHUTDOWN: Final = re.compile(
    r"\[ERROR\] \[\d+\] LAMBDA_RUNTIME Failed to get next invocation\. No Response from endpoint\n"
    r"(Traceback .*?RuntimeError: Failed to get next\n)?",
    re.DOTALL,
)
"""What the runtime may say when SAM, which has its answer, ends the container: the emulator's API goes a moment before it."""


class SamError(Exception):
    """The stack could not be built or deployed; the message ends with the SAM CLI's own last words."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the function answered, empty if its time was over first, and what SAM and the function wrote meanwhile."""

    answer: str
    said: str


def this_machine() -> dict[str, str]:
    """The template's parameters for the Python that runs this and for this machine's processor."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return {"Runtime": version, "Architecture": PROCESSORS[os.uname().machine.lower()]}


def build(build_dir: Path = BUILD_DIR) -> None:
    """Build functions and layer for this machine into `build_dir`; what did not change comes from a cache."""
    with _alone_with_the_cache():
        _sam(
            "build",
            "--template-file", str(ROOT / "template.yaml"),
            "--build-dir", str(build_dir),
            "--cached",
            "--cache-dir", str(CACHE_DIR),
            "--parallel",
            *overrides(this_machine()),
            environment={f"LAYER_{name.upper()}": value for name, value in this_machine().items()},
        )  # fmt: skip


@contextmanager
def _alone_with_the_cache() -> Iterator[None]:
    """SAM clears from its cache what it takes for leftovers, though another build may just be writing it."""
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    with CACHE_DIR.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def deploy(
    stack: str, parameters: Mapping[str, str], tags: Mapping[str, str], aws: Mapping[str, str], build_dir: Path = BUILD_DIR
) -> None:
    """Create or update `stack` from what `build` built; `aws` holds the variables that name endpoint and credentials."""
    _sam(
        "deploy",
        "--template-file", str(build_dir / "template.yaml"),
        "--stack-name", stack,
        "--resolve-s3",
        "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--tags", *(f"{name}={value}" for name, value in tags.items()),
        *overrides(parameters),
        environment=aws,
    )  # fmt: skip


def invoke(
    function: str,
    *,
    template: Path,
    event: Path,
    variables: Path,
    image: str | None,
    aws: Mapping[str, str],
    seconds: float,
) -> Invocation:
    """Run `function`, by its name in `template`, in a container with `event` and the variables that `variables` names.

    `image` is one that this machine has; without, SAM pulls Lambda's own. SamError if that takes longer than `seconds`, or
    ends without the function having been run.
    """
    done = _run(
        "local", "invoke", function,
        "--template-file", str(template),
        "--event", str(event),
        "--env-vars", str(variables),
        *(["--invoke-image", image, "--skip-pull-image"] if image else []),
        *overrides(this_machine()),
        environment=aws,
        seconds=seconds,
    )  # fmt: skip
    if done.returncode != 0:
        raise SamError(_failure("local invoke", done.returncode, done.stderr))
    return Invocation(answer=done.stdout.strip(), said=SHUTDOWN.sub("", done.stderr))


def as_typed(function: str, event: str, variables: str) -> tuple[str, str]:
    """What somebody types on this machine to build the functions, and then to run one of them in a container."""
    here = this_machine()
    declared = load_template(TEMPLATE)["Parameters"]
    others = {name: value for name, value in here.items() if declared[name]["Default"] != value}
    layer = "".join(f"LAYER_{name.upper()}={value} " for name, value in others.items())
    told = " --parameter-overrides " + " ".join(f"{name}={value}" for name, value in others.items()) if others else ""
    return f"{layer}sam build{told}", f"sam local invoke {function} -e {event} --env-vars {variables}{told}"


def _sam(*arguments: str, environment: Mapping[str, str] | None = None) -> None:
    done = _run(*arguments, environment=environment)
    if done.returncode != 0:
        raise SamError(_failure(arguments[0], done.returncode, f"{done.stdout}\n{done.stderr}"))


def _run(
    *arguments: str, environment: Mapping[str, str] | None = None, seconds: float | None = None
) -> subprocess.CompletedProcess[str]:
    program = ROOT / ".tools" / "sam" / "bin" / "sam"
    if not program.exists():
        raise SamError("The SAM CLI is not installed yet: run `make tools-sam`.")
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))},
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": REGION,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",  # sam build looks for pythonX.Y
        **(environment or {}),
    }
    try:
        return subprocess.run(
            [str(program), *arguments],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as exc:
        raise SamError(f"`sam {arguments[0]}` took longer than {seconds:.0f} s and was ended.") from exc


def _failure(command: str, code: int, said: str) -> str:
    last = "\n".join(f"  | {line}" for line in said.splitlines()[-LAST_LINES:])
    return f"{last}\n`sam {command}` failed (exit code {code}; its last words are above)."
