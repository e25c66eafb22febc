"""What becomes of an answer when the table cannot keep it, and which answers are not to be kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from payfirst.api.errors import Reply, StillRunningError
from payfirst.api.repeat import answered_once
from payfirst.api.request import Request
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import ContentionError
from payfirst.storage.dynamodb.table import Table


@dataclass(frozen=True, slots=True)
class Context:
    """A Lambda context with some time to go."""

    seconds: float = 10.0

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the function would be stopped."""
        return int(self.seconds * 1000)


@dataclass(slots=True)
class Counter:
    """A handler that tells how often it ran."""

    status: int = 201
    runs: list[int] = field(default_factory=list)

    def __call__(self) -> Reply:
        self.runs.append(len(self.runs) + 1)
        return Reply(self.status, f'{{"run":{len(self.runs)}}}', {"Content-Type": "application/json"})


def once(table: Table, answer: Any, key: str, context: Context | None = None) -> Reply:
    event = {"rawPath": "/api/cart/carts", "requestContext": {"http": {"method": "POST"}}, "body": "{}"}
    request = Request(event, datetime.now(UTC), Deadline(lambda: 10.0))
    return answered_once(key, "somebody", request, table, context or Context(), answer)


@pytest.fixture
def key() -> str:
    return secrets.token_hex(8)


@contextmanager
def refusing(table: Table, operation: str) -> Iterator[None]:
    """The table throttles every `operation`."""

    def throttle(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        http_response.status_code = 400
        parsed.clear()
        parsed["Error"] = {"Code": "ThrottlingException", "Message": "slow down"}
        parsed["ResponseMetadata"] = {"HTTPStatusCode": 400}

    table.client.meta.events.register(f"after-call.dynamodb.{operation}", throttle)
    try:
        yield
    finally:
        table.client.meta.events.unregister(f"after-call.dynamodb.{operation}", throttle)


def test_a_table_that_cannot_take_the_key_stops_the_request_before_anything_is_done(table: Table, key: str) -> None:
    handler = Counter()
    with refusing(table, "PutItem"), pytest.raises(ContentionError):
        once(table, handler, key)
    assert handler.runs == []


def test_what_is_done_is_answered_even_if_the_answer_cannot_be_kept(table: Table, key: str) -> None:
    handler = Counter()
    with refusing(table, "UpdateItem"):
        assert once(table, handler, key).body == '{"run":1}'


def test_a_fault_is_answered_even_if_its_key_cannot_be_given_back(table: Table, key: str) -> None:
    with refusing(table, "DeleteItem"):
        assert once(table, Counter(503), key).status == 503


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_an_answer_that_asks_for_the_same_request_again_is_not_kept(table: Table, key: str, status: int) -> None:
    handler = Counter(status)
    assert once(table, handler, key).status == status
    handler.status = 201
    assert [once(table, handler, key).body for _ in range(2)] == ['{"run":2}'] * 2
    assert handler.runs == [1, 2]


@pytest.mark.parametrize("status", [200, 201, 202, 400, 404, 409])
def test_every_other_answer_is_kept(table: Table, key: str, status: int) -> None:
    handler = Counter(status)
    assert [once(table, handler, key).status for _ in range(3)] == [status] * 3
    assert handler.runs == [1]


def test_a_key_is_stuck_no_longer_than_its_function_could_have_run(table: Table, key: str) -> None:
    class KilledError(BaseException):
        """The function is gone in the middle of its work."""

    def killed() -> Reply:
        raise KilledError

    with pytest.raises(KilledError):
        once(table, killed, key, Context(seconds=1.5))
    handler = Counter()
    with pytest.raises(StillRunningError):
        once(table, handler, key)
    started = datetime.now(UTC)
    while not handler.runs:
        try:
            once(table, handler, key)
        except StillRunningError:
            assert (datetime.now(UTC) - started).total_seconds() < 3
            time.sleep(0.1)
    assert handler.runs == [1]
