"""`make run`: the whole stack in the foreground until Ctrl-C. `python -m local.run --reset` empties its state."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console

from local.choices import ENV_FILE, SCHEDULE, ChoiceError, Choices, choose, read_env_file
from local.console import Moves, Screen
from local.container import ContainerError, find_engine, within_reach
from local.credentials import write_for_owner
from local.deployed import DeployedStack
from local.embedded_aws import EmbeddedAwsError
from local.examples import prepare
from local.host.process import HostError
from local.ports import is_free
from local.simulator_process import SimulatorError
from local.stack import LocalStack, Ports, StackError
from local.welcome import EMAIL, USER_ID, for_containers, welcome
from ops.running import ANNOUNCEMENT, HOME, LOGS, MOVES
from ops.token import mint
from payfirst.gateways.account import CredentialError
from payfirst.settings import SettingError

STATE: Final = "state"
OWNER: Final = "owner@shop.example"
"""Who hears of sales here."""


LARGEST_PORT: Final = 65535
INTEGER: Final = re.compile(r"-?[0-9]{1,9}")


class RunError(Exception):
    """Why nothing runs; the message is for whoever typed the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stack until it is interrupted, or reset its state; the exit status."""
    screen = Screen(Console(highlight=False))
    try:
        choices = _choices(arguments, screen)
        given = _arguments(choices.given).parse_args(arguments)
        with _only_one(given.home):
            return _reset(given.home, screen) if given.reset else _run(given, choices, screen)
    except (
        RunError,
        ChoiceError,
        ContainerError,
        CredentialError,
        EmbeddedAwsError,
        HostError,
        SimulatorError,
        StackError,
        SettingError,
    ) as exc:
        print(exc, file=sys.stderr)
        return 1


def _choices(arguments: Sequence[str] | None, screen: Screen) -> Choices:
    """What the environment and the `.env` that the command line names ask for; what cannot be followed is said."""
    file = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    file.add_argument("--env-file", type=Path, default=ENV_FILE)
    path: Path = file.parse_known_args(arguments)[0].env_file

    def say(sentence: str) -> None:
        screen.say(f"  {sentence}", "yellow")

    return choose(os.environ, read_env_file(path, say), say)


def _arguments(chosen: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make run", description="The whole of PayFirst on this machine.")
    parser.add_argument("--port", type=int, default=_number(chosen, "PORT", 8000), help="of the API (PORT, 8000)")
    parser.add_argument(
        "--simulator-port",
        type=int,
        default=_number(chosen, "SIMULATOR_PORT", 8001),
        help="of the gateways (SIMULATOR_PORT, 8001)",
    )
    parser.add_argument(
        "--aws-port", type=int, default=_number(chosen, "AWS_PORT", 4566), help="of the embedded AWS (AWS_PORT, 4566)"
    )
    parser.add_argument(
        "--env-file", type=Path, default=ENV_FILE, help="whose names are read where the environment has none (.env)"
    )
    parser.add_argument(
        "--schedule-seconds",
        type=float,
        default=_seconds(chosen, SCHEDULE, 5.0),
        help="how often the sweeps run (SCHEDULE_SECONDS, 5); every 60 in AWS",
    )
    parser.add_argument("--home", type=Path, default=HOME, help="where state and logs are kept (.local)")
    parser.add_argument(
        "--containers", action="store_true", help="let the containers of `sam local invoke` reach the stack; say what to type"
    )
    parser.add_argument("--reset", action="store_true", help="forget everything that was booked and paid")
    return parser


def _number(chosen: Mapping[str, str], name: str, otherwise: int) -> int:
    text = chosen.get(name, str(otherwise))
    if not INTEGER.fullmatch(text):
        raise RunError(f"{name} must be a whole number.")
    if not 1 <= int(text) <= LARGEST_PORT:
        raise RunError(f"{name} must be a port from 1 to {LARGEST_PORT}, not {text}.")
    return int(text)


def _seconds(chosen: Mapping[str, str], name: str, otherwise: float) -> float:
    try:
        seconds = float(chosen.get(name, otherwise))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise RunError(f"{name} must be a number above zero.")
    return seconds


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the lock of the stack that is kept in `home`; RunError if another process has it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise RunError("A stack of this directory is running: stop it first, with Ctrl-C where `make run` runs.") from exc
        yield


def _reset(home: Path, screen: Screen) -> int:
    (home / ANNOUNCEMENT).unlink(missing_ok=True)
    for directory in (home / STATE, home / LOGS):
        if directory.exists():
            shutil.rmtree(directory)
    screen.say("The local stack is empty again; the next `make run` starts from the seeded catalogue.")
    return 0


def _run(given: argparse.Namespace, choices: Choices, screen: Screen) -> int:
    ports = Ports(given.port, given.simulator_port, given.aws_port)
    _check_ports(ports)
    if given.containers:
        find_engine()  # says at once that there is none
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, _interrupt)
    started = time.monotonic()
    screen.say("Starting PayFirst on this machine.", "bold")
    stack = LocalStack(
        state_dir=given.home / STATE,
        log_dir=given.home / LOGS,
        ports=ports,
        variables={"SHOP_MAIL": OWNER, **choices.settings},
        schedule_seconds=given.schedule_seconds,
        progress=lambda step: screen.say(f"  {step}"),
        listener=screen.show,
        environment=choices.given,
    )
    try:
        with stack, contextlib.ExitStack() as open_too:
            prepare(stack.environment)
            write_for_owner(given.home / ANNOUNCEMENT, announcement(stack))
            seconds = time.monotonic() - started
            screen.say(welcome(stack, mint(stack.environment, USER_ID, EMAIL), given, seconds))
            if given.containers:
                screen.say(for_containers(open_too.enter_context(within_reach(stack.environment)), given.home))
            moves = Moves(given.home / LOGS / MOVES)
            while (broken := stack.broken_part()) is None:
                time.sleep(0.5)
                for told in moves.since():
                    screen.show(told)
        raise RunError(f"Stopped, because {broken} ended without being asked; the logs are in {given.home / LOGS}.")
    except KeyboardInterrupt:
        screen.say("Stopped. What was booked and paid is kept; `make reset` forgets it.")
        return 0
    finally:
        (given.home / ANNOUNCEMENT).unlink(missing_ok=True)


def _check_ports(ports: Ports) -> None:
    named = {"PORT": ports.front, "SIMULATOR_PORT": ports.simulators, "AWS_PORT": ports.aws}
    for name, port in named.items():
        if not 1 <= port <= LARGEST_PORT:
            raise RunError(f"{name} must be a port from 1 to {LARGEST_PORT}, not {port}.")
        same = [other for other in named if named[other] == port and other != name]
        if same:
            raise RunError(f"{name} and {same[0]} are both {port}: give each a port of its own.")
        if not is_free(port):
            raise RunError(
                f"Port {port} is in use by another program: stop that program, or choose another port, "
                f"for instance `{name}={port + 10} make run`."
            )


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
    """The first signal stops the stack; what comes while it stops changes nothing."""
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.SIG_IGN)
    raise KeyboardInterrupt


def announcement(stack: LocalStack | DeployedStack) -> str:
    """How `payfirst` finds the running stack; it holds no secret, but a token can be made with it."""
    told = {
        "pid": os.getpid(),
        "base_url": stack.base_url,
        "simulator_url": stack.simulator_url,
        "endpoint": stack.endpoint,
        "environment": stack.environment,
    }
    return json.dumps(told, indent=2) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
