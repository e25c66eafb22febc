"""Functions in containers: `sam local invoke` on the machine's own Docker engine, with the running stack within reach.

    sam.build()
    with ContainedFunctions(environment) as functions:
        invocation = functions.invoke("webhook", event)

The stack listens on 127.0.0.1, which in a container is the container itself. Docker Desktop has a name for the machine
around it; elsewhere a relay on the bridge's address passes the containers' connections on.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from local import sam
from local.embedded_aws import TEMPLATE
from local.examples import verified_by
from local.ports import LOOPBACK
from local.relay import Relay
from local.sam import BUILD_DIR
from ops.template import load_template

CALLED: Final = (
    "AWS_ENDPOINT_URL", "SETTLE_QUEUE_URL", "MPESA_BASE_URL", "PHONEPE_BASE_URL", "PHONEPE_TOKEN_URL"
)  # fmt: skip
"""The variables that hold an address which a function calls; the others only appear in answers."""

ACCOUNT: Final = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""What SAM has in its own environment: the keys go on to the container, and whose account they are is asked first."""

HERE: Final = (LOOPBACK, "localhost")
GRACE_SECONDS: Final = 120
"""What an invocation may take beyond the function's own time: its image and its container are made first."""

FUNCTIONS: Final[Mapping[str, tuple[str, int]]] = {
    Path(resource["Properties"]["CodeUri"]).name: (name, int(resource["Properties"]["Timeout"]))
    for name, resource in load_template(TEMPLATE)["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
"""The functions by folder: the name in the template, and the time limit in seconds."""


class ContainerError(Exception):
    """There is no Docker engine, or a function could not be run in one; the message is for whoever asked."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine that answers: `desktop` if it has a name for this machine, else `bridge` is an address of both."""

    desktop: bool
    bridge: str = ""


def find_engine() -> Engine:
    """The Docker engine that `docker` talks to here; ContainerError if there is none."""
    system = _docker("info", "--format", "{{.OperatingSystem}}")
    if "Docker Desktop" in system:
        return Engine(desktop=True)
    described = json.loads(_docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}")) or [{}]
    bridge = described[0].get("Gateway") or _first_address(described[0].get("Subnet", ""))
    if bridge is None:
        raise ContainerError("Docker's bridge has no address, so that no container could reach this machine.")
    return Engine(desktop=False, bridge=bridge)


def _first_address(subnet: str) -> str | None:
    """What Docker takes for itself where it was not told, and then does not always tell."""
    return str(next(ipaddress.ip_network(subnet).hosts())) if subnet else None


def _docker(*arguments: str) -> str:
    advice = "`sam local invoke` needs Docker: install and start it, then try again."
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError as exc:
        raise ContainerError(f"There is no Docker on this machine. {advice}") from exc
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ContainerError(f"No Docker engine answers ({last}). {advice}")
    return done.stdout


@contextlib.contextmanager
def within_reach(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """`environment` with the addresses that functions call as containers know them, for as long as this lasts.

    ContainerError without an engine.
    """
    engine = find_engine()
    relays: dict[int, int] = {}
    with contextlib.ExitStack() as running:

        def reachable(address: str) -> str:
            parts = urlsplit(address)
            if parts.hostname not in HERE or parts.port is None:
                return address
            if engine.desktop:
                return parts._replace(netloc=f"host.docker.internal:{parts.port}").geturl()
            if parts.port not in relays:
                relays[parts.port] = running.enter_context(Relay(engine.bridge, port=parts.port)).port
            return parts._replace(netloc=f"{engine.bridge}:{relays[parts.port]}").geturl()

        yield {name: reachable(value) if name in CALLED else value for name, value in environment.items()}


class ContainedFunctions:
    """The functions that `sam build` left in `build_dir`, each invocation in a container of its own.

    `environment` is what they see besides what Lambda sets, with addresses as this machine knows them. `image` is one to run
    them in that this machine has already; without one SAM pulls Lambda's.
    """

    def __init__(self, environment: Mapping[str, str], *, image: str | None = None, build_dir: Path = BUILD_DIR) -> None:
        self._environment = dict(environment)
        self._aws = {name: environment[name] for name in ACCOUNT if name in environment}
        self._image = image
        self._build_dir = build_dir
        self._open = contextlib.ExitStack()
        self._files = Path()

    def start(self) -> Self:
        """Let containers reach the stack; ContainerError without an engine."""
        self._environment = self._open.enter_context(within_reach(self._environment))
        self._files = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="payfirst-container-")))
        return self

    def invoke(self, name: str, event: Any) -> sam.Invocation:  # noqa: ANN401 - what JSON holds
        """Run the function of the folder `name` once; ContainerError if it could not be run.

        An event that API Gateway has let through carries the claims of a token: the function then runs where tokens of
        that token's issuer are the right ones.
        """
        function, timeout = FUNCTIONS[name]
        event_file, variables_file = self._files / f"{name}.json", self._files / f"{name}-variables.json"
        event_file.write_text(json.dumps(event), encoding="utf-8")
        variables_file.write_text(variables_for(self._environment | verified_by(event)), encoding="utf-8")
        try:
            return sam.invoke(
                function,
                template=self._build_dir / "template.yaml",
                event=event_file,
                variables=variables_file,
                image=self._image,
                aws=self._aws,
                seconds=timeout + GRACE_SECONDS,
            )
        except sam.SamError as exc:
            raise ContainerError(str(exc)) from exc

    def stop(self) -> None:
        """End what `start` began."""
        self._open.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def variables_for(environment: Mapping[str, str]) -> str:
    """The file for `sam local --env-vars` with which every function gets `environment`, as far as the template knows it."""
    return json.dumps({"Parameters": dict(environment)}, indent=2) + "\n"
