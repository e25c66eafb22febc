"""Counts what leaves a process for AWS: it stands between the process and the embedded AWS, whatever client is used."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from benchmarks import units
from benchmarks.loopback import Answered
from local.embedded_aws import AwsEndpoint
from local.ports import LOOPBACK

DYNAMODB: Final = "DynamoDB_20120810."
EACH_TAKES_S: Final = 0.03
"""How long every request to the table is held: those sent side by side overlap then, on a busy machine as well."""


@dataclass(slots=True)
class Counted:
    """What was asked: operations, when each began and ended, and units of the table and of its indexes.

    Operations on the table have DynamoDB's names, others their service's too (`AmazonSQS.SendMessage`).
    """

    operations: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[float, float]] = field(default_factory=list)
    reads: float = 0
    writes: int = 0
    index: int = 0
    items: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """By kind of item: units of the table, and of its indexes."""

    @property
    def rounds(self) -> int:
        """The longest chain of requests to the table that each began after the one before had ended."""
        last_end, rounds = float("-inf"), 0
        for begun, ended in sorted(self.spans, key=lambda span: span[1]):
            if begun >= last_end:
                rounds, last_end = rounds + 1, ended
        return rounds


class Meter:
    """Passes requests on to `aws`, as `serving` asks for it, and counts those made inside `counting`."""

    def __init__(self, aws: AwsEndpoint) -> None:
        self._aws = aws
        self._keys: dict[str, list[str]] = {}
        self._indexes: dict[str, list[list[str]]] = {}
        self._counted: Counted | None = None
        self._faults: list[Exception] = []
        self._turn = threading.Lock()

    @contextmanager
    def counting(self) -> Iterator[Counted]:
        """Everything that is asked inside the block; ExceptionGroup where something could not be reckoned."""
        self._counted = found = Counted()
        try:
            yield found
        finally:
            self._counted = None
        if self._faults:
            raise ExceptionGroup("requests that could not be counted", self._faults)

    def serve(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """What AWS answers to a request; 500 where it could not be counted, which `counting` tells."""
        try:
            return self._serve(method, path, headers, body)
        except Exception as fault:  # noqa: BLE001 - `counting` raises it where it is looked for
            self._faults.append(fault)
            return HTTPStatus.INTERNAL_SERVER_ERROR, {}, b"{}"

    def _serve(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        target = headers.get("X-Amz-Target", f"{method} {path}")
        counted, operation = self._counted, target.removeprefix(DYNAMODB)
        if counted is None or operation == target:
            if counted is not None:
                with self._turn:
                    counted.operations[operation] += 1
            return self._passed_on(method, path, headers, body)
        asked = json.loads(body)
        self._learn(asked)
        found = units.changes(operation, asked, self._keys)
        before = [self._stored(change) for change in found]
        began = time.monotonic()
        time.sleep(EACH_TAKES_S)
        status, answered, raw = self._passed_on(method, path, headers, body)
        ended = time.monotonic()
        after = [self._stored(change) for change in found]
        with self._turn:
            counted.operations[operation] += 1
            counted.spans.append((began, ended))
            counted.reads += units.read_units(operation, asked, json.loads(raw))
            for change, old, new in zip(found, before, after, strict=True):
                writes = units.write_units(old, new, change.factor)
                index = units.index_units(old, new, self._indexes[change.table])
                counted.writes += writes
                counted.index += index
                sums = counted.items[units.kind_of(change.key)]
                sums[:] = sums[0] + writes, sums[1] + index
        return status, answered, raw

    def _learn(self, asked: Mapping[str, Any]) -> None:
        """Note the keys of the tables that a request writes to."""
        actions = [next(iter(one.values())) for one in asked.get("TransactItems", ())] or [asked]
        for name in {action["TableName"] for action in actions if "TableName" in action} - self._keys.keys():
            told = self._asked("DescribeTable", TableName=name)["Table"]
            self._indexes[name] = [_names(one["KeySchema"]) for one in told.get("GlobalSecondaryIndexes", ())]
            self._keys[name] = _names(told["KeySchema"])

    def _stored(self, change: units.Change) -> units.Item:
        item: units.Item = self._asked("GetItem", TableName=change.table, Key=change.key, ConsistentRead=True).get("Item", {})
        return item

    def _asked(self, operation: str, **request: Any) -> dict[str, Any]:
        """What the table answers to a question of the meter's own, in the wire form; the embedded AWS takes it unsigned."""
        headers = {"X-Amz-Target": DYNAMODB + operation, "Content-Type": "application/x-amz-json-1.0"}
        status, _, raw = self._passed_on("POST", "/", headers, json.dumps(request).encode())
        if status != HTTPStatus.OK:
            raise RuntimeError(f"{operation} was answered {status}: {raw[:200]!r}")
        told: dict[str, Any] = json.loads(raw)
        return told

    def _passed_on(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        connection = http.client.HTTPConnection(LOOPBACK, self._aws.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def _names(schema: Sequence[Mapping[str, str]]) -> list[str]:
    return [key["AttributeName"] for key in schema]
