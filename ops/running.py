"""The local stack that is running, as `make run` announces it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from payfirst.domain.clock import Deadline
from payfirst.storage.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

ROOT: Final = Path(__file__).parents[1]
HOME: Final = ROOT / ".local"
ANNOUNCEMENT: Final = "stack.json"
SECONDS: Final = 60.0


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
    """The stack that is kept in `home`; NoStackError if none runs."""
    try:
        told = json.loads((home / ANNOUNCEMENT).read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise NoStackError from exc
    if not _lives(told["pid"]):
        raise NoStackError
    return RunningStack(told["base_url"], told["environment"])


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's process is a process
    return True


def table_of(stack: RunningStack) -> Table:
    """The stack's table."""
    environment = stack.environment
    client: DynamoDBClient = boto3.session.Session().client(
        "dynamodb",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(connect_timeout=3, read_timeout=15),
    )
    return Table(client, environment["TABLE_NAME"], Deadline(lambda: SECONDS))
