"""Fills the layer: the locked packages for Lambda's runtime and processor, without what no function reads, compiled.

    python3 build_layer.py --runtime python3.13 --architecture arm64 TARGET

Needs a Python with pip, of any version. Where the runtime's own version is at hand, the packages are compiled with it and
their sources are left out; `payfirst` keeps its sources, so that a stack trace shows our lines. Elsewhere nothing is
compiled: the layer works, starts slower and is larger.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLATFORMS = {
    "arm64": ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64"),
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"),
}
AMAZON_LINUX_2 = ("python3.11",)
"""Runtimes whose C library is too old for manylinux_2_28."""

SERVICES = ("dynamodb", "events", "secretsmanager", "sesv2", "sqs")
"""What functions have clients of; botocore describes four hundred more."""

LOCALES = ("root", "en", "en_001", "en_IN", "en_KE")
"""How e-mails write amounts and times, with what these locales inherit from; babel knows eleven hundred."""

UNUSED = (
    "*.dist-info",
    "*.data",
    "bin",
    "boto3/data",
    "boto3/examples",
    "botocore/cacert.pem",  # certifi's are taken where it is installed
    "dateutil/zoneinfo/*.tar.gz",  # only for `dateutil.zoneinfo`; nothing here asks for a zone but through `zoneinfo`
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
    "babel/messages",
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/circuit_breaker",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "aws_xray_sdk/ext/[!_bru]*",  # boto's stays, with what it reads
    "wrapt/_wrappers*",  # it does the same in Python, and only where the stack is traced
    "pydantic/mypy.py",
    "pydantic/v1",
    "tzdata/zoneinfo/tzdata.zi",
    "**/tests",
    "**/*.pyi",
    "**/py.typed",
    "**/__pycache__",
)
"""What can be gone without a function noticing, which the tests of the built layer show."""


def install(target: Path, runtime: str, architecture: str) -> None:
    """Put the packages of `requirements.txt` into `target`, by their hashes, as wheels for the runtime only."""
    platforms = [name for name in PLATFORMS[architecture] if not (runtime in AMAZON_LINUX_2 and "_2_28_" in name)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={version_of(runtime)}"]
    command += [f"--platform={name}" for name in platforms]
    subprocess.run([*command, "--target", str(target), "-r", str(HERE / "requirements.txt")], check=True)


def prune(target: Path) -> None:
    """Take out of `target` what no function reads."""
    for pattern in UNUSED:
        for path in sorted(target.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    data = target / "botocore" / "data"
    for path in data.iterdir():
        if path.is_dir() and path.name not in SERVICES:
            shutil.rmtree(path)
    for path in (target / "babel" / "locale-data").glob("*.dat"):
        if path.stem not in LOCALES:
            path.unlink()
    endpoints = json.loads((data / "endpoints.json").read_text(encoding="utf-8"))
    for partition in endpoints["partitions"]:
        partition["services"] = {name: where for name, where in partition["services"].items() if name in SERVICES}
    write_compact(data / "endpoints.json", endpoints)
    description = target / "payfirst" / "api" / "reference" / "openapi.json"
    write_compact(description, json.loads(description.read_text(encoding="utf-8")))


def write_compact(file: Path, content: object) -> None:
    """Write `content` as JSON without a blank."""
    file.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")


def compile_packages(target: Path, runtime: str) -> bool:
    """Compile `target` with the runtime's own version; False if that is not at hand.

    The packages lose sources, docstrings and assertions; `payfirst` loses nothing.
    """
    python = interpreter(runtime)
    if python is None:
        return False
    sources = [path for path in target.rglob("*.py") if path.relative_to(target).parts[0] != "payfirst"]
    run_compiler(python, target, "-b", "-o", "2", "-x", "/payfirst/")
    run_compiler(python, target / "payfirst", "--invalidation-mode", "unchecked-hash")
    for path in sources:
        if path.with_suffix(".pyc").exists():
            path.unlink()
    return True


def run_compiler(python: str, folder: Path, *options: str) -> None:
    """Compile `folder`; the addresses in stack traces are those in Lambda, and the same sources give the same bytes."""
    inside = Path("/opt/python") / (folder.name if folder.name == "payfirst" else "")
    subprocess.run([python, "-m", "compileall", "-qq", *options, "-s", str(folder), "-p", str(inside), str(folder)], check=True)


def interpreter(runtime: str) -> str | None:
    """A Python of the runtime's version: this one, or one on the path; None if there is none that starts."""
    if runtime == f"python{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    for folder in os.get_exec_path():
        found = shutil.which(runtime, path=folder)
        if found is not None:  # a version manager's stand-in may be found and not start
            asked = [found, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
            said = subprocess.run(asked, capture_output=True, check=False)
            if said.stdout.decode().strip() == version_of(runtime):
                return found
    return None


def version_of(runtime: str) -> str:
    """`3.13` of `python3.13`."""
    return runtime.removeprefix("python")


def main() -> None:
    """Build the layer that the command line asks for."""
    asked = argparse.ArgumentParser(description="Fills the layer of the stack.")
    asked.add_argument("--runtime", required=True)
    asked.add_argument("--architecture", required=True, choices=sorted(PLATFORMS))
    asked.add_argument("target", type=Path)
    given = asked.parse_args()
    shutil.rmtree(given.target, ignore_errors=True)
    install(given.target, given.runtime, given.architecture)
    shutil.copytree(HERE / "payfirst", given.target / "payfirst", ignore=shutil.ignore_patterns("__pycache__"))
    prune(given.target)
    if not compile_packages(given.target, given.runtime):
        print(f"{given.runtime} is not on this machine: the layer is not compiled, so functions start slower.", file=sys.stderr)


if __name__ == "__main__":
    main()
