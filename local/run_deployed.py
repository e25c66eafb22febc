"""`make run-deployed`: the deployed form in the foreground until Ctrl-C. `make update-deployed` updates the one that runs."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Final

from local import sam
from local.credentials import write_for_owner
from local.deployed import STACK, DeployedStack, deploy
from local.embedded_aws import AwsEndpoint, EmbeddedAwsError, claim_directory
from local.run import announcement
from local.simulator_process import SimulatorError
from local.stack import Ports
from ops.running import ANNOUNCEMENT, HOME
from ops.token import mint

STATE: Final = HOME / "deployed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, update or forget the deployed form; the exit status."""
    parser = argparse.ArgumentParser(prog="make run-deployed", description="The stack deployed to the embedded AWS.")
    parser.add_argument("--aws-port", type=int, default=4566, help="of the embedded AWS (%(default)s)")
    parser.add_argument("--simulator-port", type=int, default=8001, help="of the gateways' simulators (%(default)s)")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template")
    parser.add_argument("--update", action="store_true", help="build and deploy again onto the one that runs")
    parser.add_argument("--reset", action="store_true", help="forget what is deployed and everything in it")
    given = parser.parse_args(arguments)
    parameters = dict(pair.split("=", 1) for pair in given.parameter)
    try:
        if given.reset:
            return _reset()
        if given.update:
            return _update(AwsEndpoint(given.aws_port), parameters)
        return _run(Ports(simulators=given.simulator_port, aws=given.aws_port), parameters)
    except (sam.SamError, EmbeddedAwsError, SimulatorError) as error:
        print(error, file=sys.stderr)
        return 1


def _run(ports: Ports, parameters: dict[str, str]) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()

    def say(step: str) -> None:
        print(f"{time.monotonic() - started:5.1f} s  {step}", flush=True)

    try:
        with DeployedStack(state_dir=STATE, ports=ports, parameters=parameters, progress=say) as stack:
            write_for_owner(STATE / ANNOUNCEMENT, announcement(stack))
            say("ready\n")
            print(f"  API             {stack.base_url}")
            print(f"  Phones, banks   {stack.simulator_url}")
            print(f"  Embedded AWS    {stack.endpoint}, the stack is called {STACK}")
            print(f"\nexport TOKEN={mint(stack.environment, 1, 'user@example.com')}")
            print(f'curl -s -H "Authorization: Bearer $TOKEN" {stack.base_url.replace("$", chr(92) + "$")}/api/payments/\n')
            print("Ctrl-C stops everything and keeps its state.", flush=True)
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        print("Stopped. What is deployed is kept; `make reset` forgets it.")
        return 0
    finally:
        (STATE / ANNOUNCEMENT).unlink(missing_ok=True)


def _update(aws: AwsEndpoint, parameters: dict[str, str]) -> int:
    [stack] = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    kept = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    started = time.monotonic()
    sam.build()
    built = time.monotonic()
    deployment = deploy(aws, kept | parameters)
    done = time.monotonic()
    print(f"Built in {built - started:.1f} s, deployed in {done - built:.1f} s: {deployment.base_url}")
    return 0


def _reset() -> int:
    if STATE.exists():
        (STATE / "aws").mkdir(exist_ok=True)
        with claim_directory(STATE / "aws"):
            shutil.rmtree(STATE)
    print("Nothing is deployed any more.")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
