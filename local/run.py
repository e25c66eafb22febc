"""`make run`: the whole stack in the foreground until Ctrl-C. `python -m local.run --reset` empties its state."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console

from local.console import Screen
from local.credentials import write_for_owner
from local.embedded_aws import ROOT, EmbeddedAwsError
from local.host.process import HostError
from local.ports import is_free
from local.simulator_process import SimulatorError
from local.stack import LocalStack, Ports, StackError
from ops.token import mint
from payfirst.settings import SettingError

HOME: Final = ROOT / ".local"
STATE: Final = "state"
LOGS: Final = "logs"
ANNOUNCEMENT: Final = "stack.json"
MPESA_SANDBOX: Final = "https://sandbox.safaricom.co.ke"
USER_ID: Final = 1
EMAIL: Final = "user@example.com"
MAY_BE_CHOSEN: Final = (
    "ALLOW_PAST_DATES",
    "BOOKINGS_MAIL_SENDER",
    "CALLBACK_ORIGIN",
    "DELIVERY_FEES",
    "EXPIRY_GRACE_SECONDS",
    "LATE_PAYMENT",
    "MPESA_BASE_URL",
    "MPESA_CONFIRM_WITH_QUERY",
    "MPESA_NO_ANSWER_SECONDS",
    "MPESA_NOTICE_SOURCES",
    "OPEN_SESSIONS_PER_USER",
    "ORDERS_MAIL_SENDER",
    "PHONE_PACE_SECONDS",
    "PROMPTS_PER_PHONE_HOUR",
    "PROMPTS_PER_USER_HOUR",
    "PHONEPE_BASE_URL",
    "PHONEPE_NOTICE_SOURCES",
    "PHONEPE_TOKEN_URL",
    "PUBLIC_ORIGIN",
    "SESSIONS_PER_USER_HOUR",
    "SESSION_TTL_SECONDS",
)
"""Settings that `make run` takes from its own environment."""


class RunError(Exception):
    """Why nothing runs; the message is for whoever typed the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stack until it is interrupted, or reset its state; the exit status."""
    given = _arguments().parse_args(arguments)
    screen = Screen(Console(highlight=False))
    try:
        with _only_one(given.home):
            return _reset(given.home, screen) if given.reset else _run(given, screen)
    except (RunError, EmbeddedAwsError, HostError, SimulatorError, StackError, SettingError) as exc:
        print(exc, file=sys.stderr)
        return 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make run", description="The whole of PayFirst on this machine.")
    parser.add_argument("--port", type=int, default=_number("PORT", 8000), help="of the API (PORT, 8000)")
    parser.add_argument(
        "--simulator-port", type=int, default=_number("SIMULATOR_PORT", 8001), help="of the gateways (SIMULATOR_PORT, 8001)"
    )
    parser.add_argument("--aws-port", type=int, default=_number("AWS_PORT", 4566), help="of the embedded AWS (AWS_PORT, 4566)")
    parser.add_argument(
        "--schedule-seconds",
        type=float,
        default=float(os.environ.get("SCHEDULE_SECONDS", "5")),
        help="how often the sweeps run (SCHEDULE_SECONDS, 5); every 60 in AWS",
    )
    parser.add_argument("--home", type=Path, default=HOME, help="where state and logs are kept (.local)")
    parser.add_argument("--reset", action="store_true", help="forget everything that was booked and paid")
    return parser


def _number(name: str, otherwise: int) -> int:
    text = os.environ.get(name, str(otherwise))
    try:
        return int(text)
    except ValueError:
        raise SystemExit(f"{name} must be a number, not {text!r}.") from None


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


def _run(given: argparse.Namespace, screen: Screen) -> int:
    ports = Ports(given.port, given.simulator_port, given.aws_port)
    _check_ports(ports)
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, _interrupt)
    started = time.monotonic()
    screen.say("Starting PayFirst on this machine.", "bold")
    stack = LocalStack(
        state_dir=given.home / STATE,
        log_dir=given.home / LOGS,
        ports=ports,
        variables=_chosen(os.environ, screen),
        schedule_seconds=given.schedule_seconds,
        progress=lambda step: screen.say(f"  {step}"),
        listener=screen.show,
        environment=os.environ,
    )
    try:
        with stack:
            write_for_owner(given.home / ANNOUNCEMENT, _announcement(stack))
            seconds = time.monotonic() - started
            screen.say(_welcome(stack, mint(stack.environment, USER_ID, EMAIL), given, seconds))
            while (broken := stack.broken_part()) is None:
                time.sleep(0.5)
        raise RunError(f"Stopped, because {broken} ended without being asked; the logs are in {given.home / LOGS}.")
    except KeyboardInterrupt:
        screen.say("Stopped. What was booked and paid is kept; `make reset` forgets it.")
        return 0
    finally:
        (given.home / ANNOUNCEMENT).unlink(missing_ok=True)


def _chosen(environment: Mapping[str, str], screen: Screen) -> dict[str, str]:
    """The settings that the environment chooses, with the names of M-Pesa's usual configuration read as well."""
    chosen = {name: environment[name] for name in MAY_BE_CHOSEN if environment.get(name)}
    callback = urlsplit(environment.get("MPESA_CALLBACK_URL", ""))
    if callback.scheme and callback.netloc:
        chosen.setdefault("CALLBACK_ORIGIN", f"{callback.scheme}://{callback.netloc}")
    match environment.get("MPESA_ENVIRONMENT", ""):
        case "sandbox":
            chosen.setdefault("MPESA_BASE_URL", MPESA_SANDBOX)
        case "production":
            screen.say("  MPESA_ENVIRONMENT=production is not for this machine: M-Pesa is simulated", "yellow")
    return chosen


def _check_ports(ports: Ports) -> None:
    named = {"PORT": ports.front, "SIMULATOR_PORT": ports.simulators, "AWS_PORT": ports.aws}
    for name, port in named.items():
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


def _announcement(stack: LocalStack) -> str:
    """How `payfirst` finds the running stack; it holds no secret, but a token can be made with it."""
    told = {
        "pid": os.getpid(),
        "base_url": stack.base_url,
        "simulator_url": stack.simulator_url,
        "endpoint": stack.endpoint,
        "environment": stack.environment,
    }
    return json.dumps(told, indent=2) + "\n"


def _welcome(stack: LocalStack, token: str, given: argparse.Namespace, seconds: float) -> str:
    api, authorization = stack.base_url, '-H "Authorization: Bearer $TOKEN"'
    item = json.dumps({"listing_id": 123, "quantity": 2})
    delivery = json.dumps(
        {
            "delivery_details": {
                "full_name": "John Doe",
                "phone_number": "0712345678",
                "county_id": 1,
                "subcounty_id": 5,
                "detailed_address": "123 Main Street",
            }
        }
    )
    lifetime = stack.environment["SESSION_TTL_SECONDS"]
    return f"""
PayFirst is ready after {seconds:.1f} s.

  API             {api}  (documentation: {api}/docs)
  Phones, banks   {stack.simulator_url}  answers the prompts of M-Pesa and PhonePe
  Customers' mail {stack.simulator_url}/mail  every letter that was sent
  Embedded AWS    {stack.endpoint}
  State and logs  {given.home}

The sweeps run every {given.schedule_seconds:g} s here, every minute in AWS. A session lives for {lifetime} s;
`SESSION_TTL_SECONDS=20 make run` lets an unpaid one expire soon.

You are customer {USER_ID}, {EMAIL}, for an hour with this token:

export TOKEN={token}

Tomatoes into the cart, a payment session, a prompt on the phone (SESSION_ID is in the second answer):

curl -s {api}/api/carts/add_item/ {authorization} -d '{item}'
curl -s {api}/api/payments/sessions/ {authorization} -d '{delivery}'
curl -s -X POST {api}/api/payments/sessions/SESSION_ID/initiate_payment/ {authorization}

Then pay at {stack.simulator_url} and watch here. Ctrl-C stops everything.
"""


if __name__ == "__main__":
    raise SystemExit(main())
