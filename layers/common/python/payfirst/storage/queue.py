"""The settle queue: attempts to check, now or after a delay. It carries references only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from payfirst.clients import client

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

LONGEST_DELAY_S: Final = 900
"""What SQS can delay a message at most; what is due later is found by the sweep."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The settle queue; its client is made where something is sent."""

    client: Callable[[], SQSClient]
    url: str


@cache
def sqs() -> SQSClient:
    """This process's client, with timeouts that fit an answer to a gateway: the sweep finds what could not be queued."""
    made: SQSClient = client("sqs", connect_s=0.5, read_s=1.5)
    return made


def send(queue: Queue, ref: str, *, delay_s: int) -> None:
    """Ask for a check of the attempt after `delay_s` seconds, if the queue can delay that long."""
    if delay_s <= LONGEST_DELAY_S:
        queue.client().send_message(QueueUrl=queue.url, MessageBody=ref, DelaySeconds=max(delay_s, 0))
