"""The settle queue as SQS has it: what is sent, what can be delayed, and what its absence costs a customer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from payfirst.storage.queue import LONGEST_DELAY_S, Queue, send, sqs
from tests.unit.aws.conftest import ELSEWHERE, InProcessAws


@pytest.fixture
def queue(aws: InProcessAws) -> Queue:
    client = aws.own(sqs)
    return Queue(lambda: client, client.create_queue(QueueName="settle")["QueueUrl"])


def waiting(queue: Queue) -> tuple[int, int]:
    """How many messages can be received, and how many are delayed."""
    names: Any = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")
    told = queue.client().get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
    return int(told[names[0]]), int(told[names[1]])


def test_a_look_is_a_message_that_holds_the_reference_and_nothing_else(queue: Queue) -> None:
    send(queue, "MT01HZX", delay_s=0)
    [message] = queue.client().receive_message(QueueUrl=queue.url, MessageAttributeNames=["All"])["Messages"]
    assert (message["Body"], message.get("MessageAttributes")) == ("MT01HZX", None)


def test_what_is_asked_for_later_is_delayed_as_long_as_sqs_can(queue: Queue) -> None:
    send(queue, "now", delay_s=-3)
    send(queue, "later", delay_s=LONGEST_DELAY_S)
    send(queue, "too late for a queue", delay_s=LONGEST_DELAY_S + 1)
    assert waiting(queue) == (1, 1)


def test_sqs_itself_delays_no_message_longer(queue: Queue) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        queue.client().send_message(QueueUrl=queue.url, MessageBody="x", DelaySeconds=LONGEST_DELAY_S + 1)


@pytest.mark.parametrize("region", [ELSEWHERE, None])
def test_a_queue_that_is_not_there_is_asked_once_and_named(queue: Queue, aws: InProcessAws, region: str | None) -> None:
    if region is None:
        queue.client().delete_queue(QueueUrl=queue.url)
        there = queue
    else:
        there = Queue(queue.client, aws.client("sqs", region).create_queue(QueueName="another")["QueueUrl"])
    tries = aws.heard(there.client(), "SendMessage")
    with pytest.raises(ClientError) as refused:
        send(there, "MT0", delay_s=0)
    assert "NonExistentQueue" in json.dumps(refused.value.response["Error"])
    assert len(tries) == 1
