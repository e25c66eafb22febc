"""`make invoke FN=webhook`: one function in a container, with its event, against the running `make run`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local import sam
from local.container import FUNCTIONS, ContainedFunctions, ContainerError, find_engine
from local.examples import EVENTS, prepare
from ops.running import HOME, NoStackError, running_stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the function answers; 1 with a sentence if it could not be run."""
    given = _arguments().parse_args(arguments)
    event_file = given.event or EVENTS / f"{given.function}.json"
    try:
        event = json.loads(event_file.read_text(encoding="utf-8"))
        find_engine()
        stack = running_stack(given.home)
        print(f"Building the functions and their layer for {given.function} …", file=sys.stderr, flush=True)
        sam.build()
        prepare(stack.environment)
        with ContainedFunctions(stack.environment, image=given.image) as functions:
            invocation = functions.invoke(given.function, event)
    except (ContainerError, NoStackError, sam.SamError, OSError, ValueError) as exc:
        print(exc, file=sys.stderr)
        return 1
    print(invocation.said, file=sys.stderr)
    print(invocation.answer)
    return 0 if invocation.answer else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make invoke FN=", description="One function in a container, with its event, against the running `make run`."
    )
    parser.add_argument("function", choices=sorted(FUNCTIONS), metavar="FN", help=", ".join(sorted(FUNCTIONS)))
    parser.add_argument("--event", type=Path, help="a file with another event than events/FN.json")
    parser.add_argument("--home", type=Path, default=HOME, help="where the running stack keeps its state (.local)")
    parser.add_argument(
        "--image",
        default=os.environ.get("LAMBDA_IMAGE"),
        help="an image to run it in that this machine has; without, Lambda's own is pulled ($LAMBDA_IMAGE)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
