"""Feeds functions from SQS, as an event source mapping does: long polls, batches, partial failures."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.host.application import QueueSource
from local.host.config import ACCOUNT, HostConfig
from local.host.invocation import Outcome
from local.host.tell import tell
from local.host.workers import WorkerPool

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef

WAIT_SECONDS: Final = 2
"""How long one poll waits; short, because MiniStack ends only when its last poll has."""
LONGEST_PAUSE_SECONDS: Final = 30.0
BATCH_LIMIT: Final = 10
"""Messages that SQS gives or deletes in one request."""


class BatchFailedError(Exception):
    """The function failed, or what it reported is no report: every message of the batch comes back."""


class QueuePoller:
    """Two daemon threads per mapping that receive, call and delete until the process ends."""

    def __init__(self, source: QueueSource, pool: WorkerPool, config: HostConfig, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._pool = pool
        self._config = config
        self._loop = loop
        self._url = config.queue_urls[source.queue]
        self._arn = f"arn:aws:sqs:{config.region}:{ACCOUNT}:{self._url.rsplit('/', 1)[-1]}"
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to poll."""
        for number in (1, 2):
            threading.Thread(target=self._run, name=f"{self._source.queue} poller {number}", daemon=True).start()

    def stop(self) -> None:
        """Take no further batch."""
        self._stopping.set()

    def _run(self) -> None:
        client: SQSClient = self._config.client("sqs", read_s=WAIT_SECONDS + 10)
        failures = 0
        while not self._stopping.is_set():
            try:
                self._poll_once(client)
                failures = 0
            except (BotoCoreError, ClientError, BatchFailedError) as exc:
                if self._stopping.is_set():
                    return
                failures += 1
                pause = min(2.0 ** min(failures - 1, 8), LONGEST_PAUSE_SECONDS)
                tell("problem", text=f"{self._source.queue}: {exc}; trying again in {pause:.0f} s")
                self._stopping.wait(pause)

    def _poll_once(self, client: SQSClient) -> None:
        answer = client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._source.batch_size, BATCH_LIMIT),
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        event = {"Records": [queue_record(message, self._arn, self._config.region) for message in messages]}
        call = asyncio.run_coroutine_threadsafe(self._pool.invoke(json.dumps(event).encode()), self._loop)
        kept = messages_to_keep(call.result(), {message["MessageId"] for message in messages}, partial=self._source.partial)
        done = [message for message in messages if message["MessageId"] not in kept]
        if done:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(done)
            ]
            client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        if kept:
            tell(
                "problem",
                text=f"{self._pool.function.name} left {len(kept)} of {len(messages)} messages in {self._source.queue}",
            )


def messages_to_keep(outcome: Outcome, sent: set[str], *, partial: bool) -> set[str]:
    """The ids of the messages that the function did not manage; BatchFailedError where that is the whole batch.

    Without partial failures every answer means success. With them an empty or absent list means success; an entry without
    an id, or with one that was not sent, means that nothing succeeded (AWS, "Reporting batch item failures").
    """
    if outcome.failure is not None:
        raise BatchFailedError(f"the function failed: {outcome.reason}")
    if not partial:
        return set()
    try:
        report = outcome.answer()
    except ValueError as exc:
        raise BatchFailedError("the function's answer is not JSON") from exc
    failures = report.get("batchItemFailures") if isinstance(report, dict) else None
    if (report is None or isinstance(report, dict)) and not failures:
        return set()
    named = {str(entry.get("itemIdentifier")) if isinstance(entry, dict) else "" for entry in failures or [""]}
    if not named <= sent:
        raise BatchFailedError("the function's report of failures names a message that it was not given")
    return named


def queue_record(message: Mapping[str, Any], arn: str, region: str) -> dict[str, Any]:
    """A received message as the function sees it."""
    stamped = {"SentTimestamp": str(int(time.time() * 1000)), "ApproximateReceiveCount": "1", "SenderId": ACCOUNT}
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": stamped | dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        told["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        told["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return told
