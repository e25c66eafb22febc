"""Events on EventBridge's own terms: what an entry looks like, and what becomes of those that the bus does not take."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from payfirst.domain.clock import Deadline, instant
from payfirst.storage.dynamodb.expressions import Item
from payfirst.usecases.sweeps.deliver_events import Delivery, DeliveryReport, eventbridge
from tests.faults.model_table import ModelTable
from tests.faults.world import World, at_work
from tests.unit.aws.conftest import ELSEWHERE, InProcessAws

BUS = "shop"


@pytest.fixture
def world() -> World:
    """A shop in which nothing has happened yet."""
    shop = World(ModelTable())
    with at_work(shop):
        shop.stock()
    return shop


@pytest.fixture
def bus(aws: InProcessAws) -> Any:
    client = aws.own(eventbridge)
    client.create_event_bus(Name=BUS)
    return client


def happened(world: World, count: int) -> None:
    """So many sessions are made, each with its event."""
    with at_work(world):
        for _ in range(count):
            world.session(world.customer())


def deliver(world: World, bus: Any) -> DeliveryReport:
    return Delivery(world.table, bus, BUS, world.now).all_due(Deadline(lambda: 60.0))


def events(world: World) -> list[Item]:
    return [item for item in world.items() if item["sk"].startswith("E#")]


def test_a_listener_hears_of_an_event_under_an_id_that_stays_the_same(world: World, bus: Any, aws: InProcessAws) -> None:
    queues = aws.client("sqs")
    url = queues.create_queue(QueueName="listener")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name="all", EventBusName=BUS, EventPattern=json.dumps({"source": ["payfirst"]}))
    bus.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "listener", "Arn": arn}])
    happened(world, 1)
    assert deliver(world, bus).delivered == 1

    [message] = queues.receive_message(QueueUrl=url)["Messages"]
    heard, [event] = json.loads(message["Body"]), events(world)
    assert (heard["source"], heard["detail-type"]) == ("payfirst", "session.created")
    assert (heard["detail"]["id"], heard["detail"]["at"]) == (f"{event['session']}-0", instant(world.now))
    assert "delivered_at" in event
    assert deliver(world, bus).delivered == 0


def test_a_request_carries_no_more_events_than_the_bus_takes(world: World, bus: Any, aws: InProcessAws) -> None:
    happened(world, 23)
    requests = aws.heard(bus, "PutEvents")
    assert deliver(world, bus) == DeliveryReport(23, 0, finished=True, names={"session.created": 23})
    assert [len(request["Entries"]) for request in requests] == [10, 10, 3]


def test_of_a_batch_that_is_taken_in_part_the_rest_stays_due(world: World, bus: Any) -> None:
    happened(world, 3)
    entries = [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}, {"ErrorCode": "MalformedDetail"}]
    with Stubber(bus) as stubbed:
        stubbed.add_response("put_events", {"FailedEntryCount": 2, "Entries": entries})
        assert deliver(world, bus) == DeliveryReport(1, 2, finished=True, names={"session.created": 1})
    [left] = [item for item in events(world) if "delivered_at" in item]
    [later] = [item for item in events(world) if item.get("tries") == 1]
    [due] = [item for item in events(world) if item not in (left, later)]
    assert "due_pk" not in left
    assert due["due_sk"] <= instant(world.now) < later["due_sk"]

    world.now += timedelta(minutes=2)
    assert deliver(world, bus).delivered == 2
    assert not [item for item in events(world) if "due_pk" in item or "tries" in item]


def test_one_event_that_spoils_a_request_does_not_stop_the_others(world: World, bus: Any) -> None:
    happened(world, 3)
    with Stubber(bus) as stubbed:
        stubbed.add_client_error("put_events", "ValidationException")
        stubbed.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
        stubbed.add_client_error("put_events", "ValidationException")
        stubbed.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "2"}]})
        report = deliver(world, bus)
    assert (report.delivered, report.failed, report.finished) == (2, 1, True)
    assert [item["tries"] for item in events(world) if "delivered_at" not in item] == [1]


def test_a_bus_that_is_in_another_region_ends_the_run_and_leaves_everything_due(
    world: World, aws: InProcessAws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.client("events", ELSEWHERE).create_event_bus(Name=BUS)
    happened(world, 12)
    here = aws.client("events")
    requests = aws.heard(here, "PutEvents")
    report = deliver(world, here)
    assert (report.delivered, report.failed, report.finished) == (0, 10, False)
    assert len(requests) == 1
    assert "bus.away" in caplog.messages
    assert not [item for item in events(world) if "tries" in item]
