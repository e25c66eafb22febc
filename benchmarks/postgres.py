"""PostgreSQL from Debian's packages, on a free port of loopback, with its data in a folder that is gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local.ports import LOOPBACK, free_port

HOMES: Final = Path("/usr/lib/postgresql")
OWNER: Final = "postgres"
SETTINGS: Final = {"listen_addresses": LOOPBACK, "shared_buffers": "256MB", "max_wal_size": "4GB", "autovacuum": "on"}
"""Everything that keeps what was promised (fsync, synchronous_commit) stays as it comes."""


class Postgres:
    """One server, started and ended by `with`; RuntimeError where none is installed."""

    def __init__(self) -> None:
        found = sorted(HOMES.glob("*/bin"), key=lambda home: int(home.parent.name))
        if not found:
            raise RuntimeError("There is no PostgreSQL on this machine: on Debian and Ubuntu it is the package `postgresql`.")
        self._programs = found[-1]
        self._port = free_port()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="payfirst-postgres-"))
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(self._folder, OWNER)
        self._run("initdb", "--pgdata", str(self._data), "--username", OWNER, "--auth", "trust", "--encoding", "UTF8")
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        options += f" -p {self._port} -k {self._folder}"
        self._run("pg_ctl", "--pgdata", str(self._data), "--wait", "--log", str(self._folder / "log"), "-o", options, "start")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._run("pg_ctl", "--pgdata", str(self._data), "--mode", "fast", "stop")
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def pid(self) -> int:
        """The process whose children serve connections."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    @property
    def version(self) -> str:
        """As it names itself."""
        return self._run("postgres", "--version").strip()

    def create(self, name: str, template: str = "template0") -> dict[str, str]:
        """A new database like `template`, and the variables by which clients find it."""
        self._run("createdb", "-h", LOOPBACK, "-p", str(self._port), "-U", OWNER, "--template", template, name)
        return {"PGHOST": LOOPBACK, "PGPORT": str(self._port), "PGUSER": OWNER, "DATABASE": name}

    def _run(self, program: str, *arguments: str) -> str:
        owner = pwd.getpwnam(OWNER) if os.geteuid() == 0 else None
        command = [str(self._programs / program), *arguments]
        user = {"user": owner.pw_uid, "group": owner.pw_gid} if owner else {}
        # What the server inherits stays open as long as it runs, so it inherits no pipe.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd="/", check=False, **user)  # type: ignore[call-overload]
            output.seek(0)
            text = output.read()
        if done.returncode:
            raise RuntimeError(f"{program} failed: {text[-500:]}")
        return text
