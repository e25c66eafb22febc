"""The local stack that is running, as `make run` announces it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from payfirst.domain.clock import Deadline
from payfirst.storage.dynamodb.expressions import Item, from_wire
from payfirst.storage.dynamodb.table import Table, botocores

ROOT: Final = Path(__file__).parents[1]
HOME: Final = ROOT / ".local"
ANNOUNCEMENT: Final = "stack.json"
LOGS: Final = "logs"
MOVES: Final = "payfirst.log"
"""Where commands say what they do with the local stack, for the console of `make run`."""
SIMULATORS: Final = "PAYFIRST_SIMULATOR_URL"
"""What the environment of a stack with simulated gateways calls their address."""
SECONDS: Final = 60.0
_CALLERS_OWN: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""What would lead an AWS SDK past the stack's own address and keys."""


class NoStackError(Exception):
    """No stack is running here; the message says what to do."""

    def __init__(self) -> None:
        super().__init__("No local stack is running; start one with `make run` and try again.")


@dataclass(frozen=True, slots=True)
class RunningStack:
    """Where a running stack answers, and the environment of its functions."""

    base_url: str
    environment: Mapping[str, str]


def running_stack(home: Path) -> RunningStack:
    """The stack that is kept in `home`; NoStackError if none runs there, or what stands there tells of none."""
    try:
        told = json.loads((home / ANNOUNCEMENT).read_text(encoding="utf-8"))
        pid, stack = int(told["pid"]), RunningStack(told["base_url"], told["environment"])
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise NoStackError from exc
    if not _lives(pid):
        raise NoStackError
    return stack


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's process is a process
    return True


def enter(home: Path) -> RunningStack:
    """The stack that is kept in `home`; from here on this process talks to it, whatever AWS profile its caller has.

    NoStackError if none runs.
    """
    stack = running_stack(home)
    for name in _CALLERS_OWN:
        os.environ.pop(name, None)
    os.environ.update(stack.environment)
    tell_console(home / LOGS)
    return stack


def tell_console(folder: Path) -> None:
    """From here on this process's log goes to the console of the running stack too."""
    from payfirst.observability import logger  # noqa: PLC0415 - not for `--help`

    log = logging.getLogger(logger().name)
    if folder.is_dir() and log.handlers:
        told = logging.FileHandler(folder / MOVES, encoding="utf-8", delay=True)
        told.setFormatter(log.handlers[0].formatter)
        log.addHandler(told)


def items_of(table: Table) -> list[Item]:
    """Everything in the table, read once."""
    pages: Any = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    return [from_wire(item) for page in pages for item in page["Items"]]


def table_of(stack: RunningStack) -> Table:
    """The table of the stack that this process has entered."""
    return Table(botocores(), stack.environment["TABLE_NAME"], Deadline(lambda: SECONDS))
