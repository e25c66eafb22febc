"""The settle queue: attempts to look at, now or after a delay. It carries references only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

LONGEST_DELAY_S: Final = 900
"""What SQS can delay a message at most; what is due later is found by the sweep."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The settle queue behind one client."""

    client: SQSClient
    url: str


@cache
def sqs() -> SQSClient:
    """This process's client, with short timeouts: the sweep finds what could not be queued."""
    import boto3  # noqa: PLC0415 - the price of the import is paid by the functions that use it
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client("sqs", config=Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2}))


def send(queue: Queue, ref: str, *, delay_s: int) -> None:
    """Ask for a look at the attempt after `delay_s` seconds, if the queue can delay that long."""
    if delay_s <= LONGEST_DELAY_S:
        queue.client.send_message(QueueUrl=queue.url, MessageBody=ref, DelaySeconds=max(delay_s, 0))
