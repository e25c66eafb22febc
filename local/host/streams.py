"""Feeds functions from a table's stream, as an event source mapping does: polls, a filter, lanes, batches, and no second try.

The embedded AWS has one shard for each stream. A mapping begins with what is written after it; so does this one, each time.
"""

from __future__ import annotations

import asyncio
import json
import threading
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.host.application import StreamSource
from local.host.config import HostConfig, Json
from local.host.tell import tell
from local.host.workers import WorkerPool

POLL_SECONDS: Final = 0.25
"""Lambda asks each shard of a stream four times a second (Lambda's guide, "Process DynamoDB records")."""
PAUSE_SECONDS: Final = 5.0
"""How long a stream that cannot be read is left alone; what is written meanwhile is for the schedule."""


class StreamPoller:
    """A daemon thread that reads one stream, and a task for each lane that calls the function, until the process ends."""

    def __init__(self, source: StreamSource, pool: WorkerPool, config: HostConfig, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._pool = pool
        self._config = config
        self._loop = loop
        self._lanes: list[asyncio.Queue[Json]] = [asyncio.Queue() for _ in range(source.lanes)]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = threading.Event()
        self._stream = config.client("dynamodbstreams", read_s=10)
        self._place: str | None = self._newest()

    def start(self) -> None:
        """Begin to poll; what was written since this poller was made is told too."""
        self._tasks = [self._loop.create_task(self._work(lane), name=f"{self._source.table} lane") for lane in self._lanes]
        threading.Thread(target=self._run, name=f"{self._source.table} stream poller", daemon=True).start()

    def stop(self) -> None:
        """Take no further record."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read()
            except (BotoCoreError, ClientError) as exc:
                self._place = None
                if not self._stopping.is_set():
                    tell("problem", text=f"the stream of {self._source.table}: {exc}; reading on in {PAUSE_SECONDS:.0f} s")
                    self._stopping.wait(PAUSE_SECONDS)

    @property
    def _arn(self) -> str:
        return self._config.streams[self._source.table]

    def _newest(self) -> str:
        """Where what is written next will stand."""
        [shard] = self._stream.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        place = {"StreamArn": self._arn, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST"}
        found: str = self._stream.get_shard_iterator(**place)["ShardIterator"]
        return found

    def _read(self) -> None:
        """Hand out what has been written."""
        answer = self._stream.get_records(ShardIterator=self._place or self._newest())
        self._place = answer.get("NextShardIterator")
        for record in answer["Records"]:
            shown = stream_record(record, self._arn)
            if any(matches(pattern, shown) for pattern in self._source.patterns):
                lane = self._lanes[lane_of(shown, len(self._lanes))]
                self._loop.call_soon_threadsafe(lane.put_nowait, shown)
        if not answer["Records"]:
            self._stopping.wait(POLL_SECONDS)

    async def _work(self, lane: asyncio.Queue[Json]) -> None:
        while True:
            batch = [await lane.get()]
            while len(batch) < self._source.batch_size and not lane.empty():
                batch.append(lane.get_nowait())
            outcome = await self._pool.invoke(json.dumps({"Records": batch}).encode())
            if outcome.failure is not None:
                left = f"{len(batch)} records of {self._source.table} to its schedule"
                tell("problem", text=f"{self._pool.function.name} left {left}: {outcome.reason}")


def matches(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a filter of an event source mapping lets `record` through; of its operators, equality and `prefix`."""
    for name, wanted in pattern.items():
        found = record.get(name)
        if isinstance(wanted, Mapping):
            if not isinstance(found, Mapping) or not matches(wanted, found):
                return False
        elif not any(_is(each, found) for each in wanted):
            return False
    return True


def _is(wanted: Any, found: Any) -> bool:  # noqa: ANN401 - any leaf of JSON
    if not isinstance(wanted, Mapping):
        return bool(wanted == found)
    if wanted.keys() != {"prefix"}:
        raise NotImplementedError(f"the local host filters by equality and prefix only, not by {wanted}")
    return isinstance(found, str) and found.startswith(wanted["prefix"])


def lane_of(record: Mapping[str, Any], lanes: int) -> int:
    """The lane of a record: always the same for one item, whose records keep their order; Lambda promises no more."""
    return zlib.crc32(json.dumps(record["dynamodb"]["Keys"], sort_keys=True).encode()) % lanes


def stream_record(record: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """A record of the stream as the function sees it."""
    written = dict(record["dynamodb"])
    if "ApproximateCreationDateTime" in written:
        written["ApproximateCreationDateTime"] = written["ApproximateCreationDateTime"].timestamp()
    return {**_plain(record), "dynamodb": written, "eventSourceARN": arn}


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    names: Sequence[str] = ("eventID", "eventName", "eventVersion", "eventSource", "awsRegion")
    return {name: record[name] for name in names if name in record}
