"""What DynamoDB leaves out of a batch is asked for again, with pauses, and not for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ParamValidationError
from botocore.stub import Stubber

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import ContentionError
from payfirst.storage.dynamodb.expressions import to_wire
from payfirst.storage.dynamodb.table import Table, batch_get, get

KEYS = [{"pk": "A", "sk": "1"}, {"pk": "B", "sk": "1"}, {"pk": "C", "sk": "1"}]


class Waiting:
    """A clock that only pauses move, and what was paused."""

    def __init__(self, left: float) -> None:
        self.left = left
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left -= seconds


@pytest.fixture
def client() -> Any:
    """boto3's own client, whose answers are prepared and whose requests are checked."""
    return boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def answering(stubber: Stubber, asked: list[dict[str, str]], *, found: int) -> None:
    """The next answer holds the first `found` of what is `asked` and leaves out the rest."""
    left = [to_wire(key) for key in asked[found:]]
    answer: dict[str, Any] = {"Responses": {"t": [to_wire(key) for key in asked[:found]]}}
    if left:
        answer["UnprocessedKeys"] = {"t": {"Keys": left, "ConsistentRead": True}}
    expected = {"RequestItems": {"t": {"Keys": [to_wire(key) for key in asked], "ConsistentRead": True}}}
    stubber.add_response("batch_get_item", answer, expected)


def handle(client: Any, waiting: Waiting) -> Table:
    return Table(client, "t", Deadline(lambda: waiting.left), pause=waiting.pause, jitter=lambda: 1.0)


def test_a_batch_of_nothing_is_no_request(client: Any) -> None:
    with Stubber(client):
        assert batch_get(handle(client, Waiting(left=10.0)), []) == []


def test_a_request_that_cannot_be_is_a_mistake_of_ours_and_no_outage(client: Any) -> None:
    with pytest.raises(ParamValidationError):
        get(replace(handle(client, Waiting(left=10.0)), name=""), KEYS[0])


def test_what_was_left_out_is_asked_for_again_after_longer_and_longer_pauses(client: Any) -> None:
    waiting = Waiting(left=10.0)
    with Stubber(client) as stubber:
        answering(stubber, KEYS, found=1)
        answering(stubber, KEYS[1:], found=0)
        answering(stubber, KEYS[1:], found=2)
        assert batch_get(handle(client, waiting), KEYS) == KEYS
        stubber.assert_no_pending_responses()
    assert waiting.pauses == [0.02, 0.04]


def test_a_batch_that_is_never_whole_ends_with_the_time_there_is(client: Any) -> None:
    waiting = Waiting(left=0.3)
    with Stubber(client) as stubber:
        for _ in range(3):
            answering(stubber, KEYS, found=0)
        with pytest.raises(ContentionError):
            batch_get(handle(client, waiting), KEYS)
        stubber.assert_no_pending_responses()
    assert waiting.pauses == [0.02, 0.04]


def test_a_whole_answer_is_not_waited_for(client: Any) -> None:
    waiting = Waiting(left=10.0)
    with Stubber(client) as stubber:
        answering(stubber, KEYS, found=3)
        batch_get(handle(client, waiting), KEYS)
    assert waiting.pauses == []
