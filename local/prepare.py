"""Makes the environments that the other programs run in, each only when it is missing or its lock has changed.

    python3 local/prepare.py venv aws          # what `make run` needs

Runs on a bare Python (3.11 or newer, nothing installed) and answers a failure with one sentence and exit code 1. Every
package comes from a lock in `locks/`, checked against the hashes there.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18
NEEDS_NODE = {"lighthouse": 22}
"""Majors of node that a package asks for, where it is more than OLDEST_NODE."""
LAST_LINES = 15


class PreparationError(Exception):
    """Why an environment cannot be made; the message is for whoever typed the command."""


class Environment:
    """One directory of installed programs, stamped with the hash of everything that decides what is in it.

    That includes where it is: the programs in a virtual environment know their own path.
    """

    def __init__(self, directory: str, purpose: str, size: str, decided_by: Sequence[str], stamp: str = ".prepared") -> None:
        self.directory = ROOT / directory
        self.purpose = purpose
        self.size = size
        self.decided_by = [ROOT / name for name in decided_by]
        self.stamp = self.directory / stamp

    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"{sys.version_info[:2]} {self.directory}".encode())
        for path in self.decided_by:
            lines = path.read_text(encoding="utf-8").splitlines()
            digest.update("\n".join(line for line in lines if not line.lstrip().startswith("#")).encode())
        return digest.hexdigest()

    def is_ready(self) -> bool:
        return self.stamp.exists() and self.stamp.read_text() == self.fingerprint()

    def prepare(self, install: Callable[[Path], None]) -> None:
        """Make the directory with `install` unless it is as its lock says; what a link leads to is never touched."""
        if self.is_ready():
            return
        name, real = self.directory.relative_to(ROOT), self.directory.resolve()
        if real != self.directory:
            raise PreparationError(f"{name} leads to {real}, which would be emptied: remove the link, and it is made here.")
        print(f"Preparing {name}: {self.purpose} ({self.size}, once)", flush=True)
        started = time.monotonic()
        self.stamp.unlink(missing_ok=True)
        install(self.directory)
        self.stamp.write_text(self.fingerprint())
        print(f"  {name} is ready after {time.monotonic() - started:.0f} s", flush=True)


INSTALLER = Environment(".tools/uv", "uv, which installs everything else", "seconds", ["locks/uv.txt"])
PYTHON_PACKAGES = {
    "venv": Environment(".venv", "the service, its tests and its tools", "seconds", ["locks/dev.txt"]),
    "aws": Environment(".tools/aws", "MiniStack, the embedded AWS", "seconds", ["locks/aws.txt"]),
    "sam": Environment(".tools/sam", "the SAM CLI, to check, build and deploy the stack", "seconds", ["locks/sam.txt"]),
    "checks": Environment(".tools/checks", "what reads the code for known mistakes", "seconds", ["locks/checks.txt"]),
    "checkov": Environment(".tools/checkov", "what reads the template for known mistakes", "seconds", ["locks/checkov.txt"]),
    "phonepe-sdk": Environment(
        ".tools/phonepe-sdk", "PhonePe's own SDK, which tests try on the simulator", "seconds", ["locks/phonepe-sdk.txt"]
    ),
    "clients": Environment(".tools/clients", "what makes and checks the Python client", "seconds", ["locks/clients.txt"]),
    "bench": Environment(".tools/bench", "the peers that the service is measured beside", "seconds", ["locks/bench.txt"]),
    "playwright": Environment(
        ".tools/playwright", "Playwright, which drives a browser in tests", "120 MB", ["locks/playwright.txt"]
    ),
    "site": Environment(".tools/site", "Zensical, which makes a site of the documentation", "seconds", ["locks/site.txt"]),
    "node": Environment(".tools/node", "node and npm, which this machine has not", "60 MB", ["locks/node.txt"]),
}
OWN_PACKAGE = Environment(".venv", "the package of this project", "seconds", ["pyproject.toml"], ".own-prepared")
NODE_PACKAGES = {
    name: Environment(
        f".tools/{name}", purpose, size, [f"locks/{name}/{file}" for file in ("package.json", "package-lock.json", *more)]
    )
    for name, purpose, size, more in (
        ("newman", "newman, which runs the Postman collection", "about 10 seconds", ()),
        ("clients-ts", "what makes and checks the TypeScript client", "about 10 seconds", ()),
        ("mermaid", "what draws the diagrams of the documentation's site", "8 MB", ()),
        ("lighthouse", "Lighthouse, which says what a page is worth to whoever opens it", "140 MB", ()),
        ("browser", "a Chromium, its fonts, and axe, which looks for what shuts people out", "220 MB", ("unpack.mjs",)),
    )
}


def prepare_python(name: str) -> None:
    """Make the virtual environment `name` from its lock."""
    environment = PYTHON_PACKAGES[name]

    def install(directory: Path) -> None:
        # `sam build` calls the pip of .venv; nothing else needs one.
        make_virtual_environment(directory, with_pip=name == "venv")
        install_packages(directory, "--require-hashes", "-r", str(environment.decided_by[0]))

    INSTALLER.prepare(install_installer)
    environment.prepare(install)
    if name == "venv":
        OWN_PACKAGE.prepare(install_own)


def install_own(directory: Path) -> None:
    """The package `payfirst`, editable, and the command of that name."""
    install_packages(directory, "--no-build-isolation", "-e", str(ROOT))
    command = directory / "bin" / "payfirst"
    command.unlink(missing_ok=True)
    command.symlink_to(ROOT / "ops" / "payfirst")


def install_installer(directory: Path) -> None:
    """A virtual environment with pip and uv."""
    make_virtual_environment(directory, with_pip=True)
    command = [str(directory / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-deps"]
    run([*command, "--require-hashes", "-r", str(INSTALLER.decided_by[0])], "pip could not install uv")


def make_virtual_environment(directory: Path, *, with_pip: bool) -> None:
    """An empty virtual environment; PreparationError if this Python cannot make one."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = ".".join(str(part) for part in sys.version_info[:2])
        raise PreparationError(
            "This Python cannot make virtual environments: install the missing part, "
            f"on Debian and Ubuntu the package python{version}-venv."
        )
    options = [] if with_pip else ["--without-pip"]
    run([sys.executable, "-m", "venv", "--clear", *options, str(directory)], f"{directory} could not be made")


def install_packages(directory: Path, *arguments: str) -> None:
    """Install into the virtual environment at `directory` with uv or, where that finds no package index, with pip."""
    tools = INSTALLER.directory / "bin"
    python = str(directory / "bin" / "python")
    try:
        run([str(tools / "uv"), "pip", "install", "--python", python, "--no-deps", *arguments], "uv failed")
    except PreparationError as error:
        print(f"{error}\n  Trying once more with pip, which may know another package index.", flush=True)
        command = [str(tools / "python"), "-m", "pip", "--python", python, "install", "--disable-pip-version-check"]
        run([*command, "--no-deps", *arguments], "pip could not install the packages")


def prepare_node(name: str) -> None:
    """What `name` is of npm's packages, with the machine's node or, where there is none, with one from PyPI."""
    packages = NODE_PACKAGES[name]
    if packages.is_ready():
        return
    environment = dict(os.environ)
    if not has_node(NEEDS_NODE.get(name, OLDEST_NODE)):
        prepare_python("node")
        environment["PATH"] = f"{ROOT / '.tools' / 'node' / 'bin'}{os.pathsep}{environment['PATH']}"

    def install(directory: Path) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for source in packages.decided_by:
            shutil.copy(source, directory)
        command = ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"]
        run(command, f"npm could not install {name}", cwd=directory, env=environment)
        run(["npm", "run", "--if-present", "unpack"], f"{name} could not be unpacked", cwd=directory, env=environment)

    packages.prepare(install)


def has_node(oldest: int = OLDEST_NODE) -> bool:
    """Whether this machine has npm and a node on which newman, clients and the front ends' snippet run, or one of `oldest`."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().lstrip("v").split(".")[0]
    return major.isdigit() and int(major) >= oldest


def run(command: Sequence[str], failure: str, *, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run `command`; PreparationError with its last words and `failure` if it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=cwd, env=env, check=False
    )
    if done.returncode != 0:
        last = "\n".join(f"  | {line}" for line in done.stdout.splitlines()[-LAST_LINES:])
        raise PreparationError(f"{last}\n{failure} (exit code {done.returncode}; its last words are above).")


def prepare(names: Sequence[str]) -> None:
    """Prepare the environments called `names`, one preparation at a time."""
    if sys.version_info < OLDEST_PYTHON:
        raise PreparationError(
            f"PayFirst needs Python 3.11 or newer, and this is {sys.version.split()[0]}: "
            "run make with PYTHON=python3.13, or whichever newer one there is."
        )
    (ROOT / ".tools").mkdir(exist_ok=True)
    with (ROOT / ".tools" / ".preparing").open("w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another preparation is under way; waiting for it.", flush=True)
            fcntl.flock(turn, fcntl.LOCK_EX)
        for name in names:
            if name in NODE_PACKAGES:
                prepare_node(name)
            else:
                prepare_python(name)


def main() -> int:
    known = [*PYTHON_PACKAGES, *NODE_PACKAGES]
    names = sys.argv[1:]
    if not names or any(name not in known for name in names):
        print(f"usage: prepare.py {' | '.join(known)} …", file=sys.stderr)
        return 2
    try:
        prepare(names)
    except PreparationError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; what is unfinished is made again next time.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
