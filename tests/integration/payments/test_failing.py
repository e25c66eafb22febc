"""When payments fail more than they did, the shop says so on its bus, where a rule of `alarms.yaml` waits for it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from local.embedded_aws import ROOT, EmbeddedAws
from ops.template import load_template
from payfirst.domain.clock import Deadline
from payfirst.domain.fair_use import hour_of
from payfirst.domain.session import Kind
from payfirst.storage import outbox
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.sweeps.deliver_events import Delivery
from payfirst.usecases.sweeps.failing import ENOUGH, FAILED, Rates, Watch, rates, tell_of_failing
from tests.integration.payments.requests import counted
from tests.integration.payments.shop import Shop, new_customer

BUS = "payfirst-failing-tests"


@pytest.fixture(scope="module")
def rung(embedded_aws: EmbeddedAws) -> Any:
    """A queue that the alarm's own rule fills: a function that takes its messages."""
    bus, queues = embedded_aws.client("events"), embedded_aws.client("sqs")
    bus.create_event_bus(Name=BUS)
    url = queues.create_queue(QueueName=BUS)["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = load_template(ROOT / "alarms.yaml")["Resources"]["FailingPaymentsRule"]["Properties"]
    bus.put_rule(Name="rule", EventBusName=BUS, EventPattern=json.dumps(rule["EventPattern"]))
    bus.put_targets(Rule="rule", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])

    def taken() -> list[dict[str, Any]]:
        found = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"])["detail"] for message in found]

    return taken


def pay(shop: Shop, *, failing: int = 0, succeeding: int = 0) -> None:
    for _ in range(failing):
        started = shop.initiate(shop.session(new_customer()))
        shop.decide(started, "cancel")
        shop.tell(started, shop.notice(started, code=1032))
    for _ in range(succeeding):
        shop.tell(shop.initiate(shop.session(new_customer())))


def told(shop: Shop, aws: EmbeddedAws) -> Rates | None:
    bus: Any = aws.client("events")
    Delivery(shop.table, bus, BUS, shop.now).all_due(Deadline(lambda: 60.0))
    return tell_of_failing(shop.table, bus, BUS, shop.now, Watch())


def test_a_shop_in_which_payments_begin_to_fail_rings(shop: Shop, embedded_aws: EmbeddedAws, rung: Any) -> None:
    pay(shop, failing=1, succeeding=5)
    assert told(shop, embedded_aws) is None
    shop.now += timedelta(hours=3)
    pay(shop, failing=ENOUGH - 1, succeeding=1)
    assert told(shop, embedded_aws) is None
    assert rung() == []
    pay(shop, failing=1)
    found = Rates(failed=5, received=1, failed_before=1, received_before=5)
    assert told(shop, embedded_aws) == found
    assert rung() == [{"failed": 5, "received": 1, "failed_before": 1, "received_before": 5}]


def test_payments_of_the_day_before_yesterday_are_not_compared_with(shop: Shop, embedded_aws: EmbeddedAws) -> None:
    pay(shop, succeeding=1)
    told(shop, embedded_aws)
    shop.now += timedelta(hours=25)
    assert rates(shop.table, shop.now) == Rates(0, 0, 0, 0)


def test_a_bus_that_does_not_answer_or_refuses_is_told_of_and_ends_nothing(
    shop: Shop, embedded_aws: EmbeddedAws, caplog: pytest.LogCaptureFixture
) -> None:
    pay(shop, failing=ENOUGH)
    assert told(shop, embedded_aws) is not None
    for answer in ({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}, None):
        bus: Any = embedded_aws.client("events")
        with Stubber(bus) as stub:
            stub.add_response("put_events", answer) if answer else stub.add_client_error("put_events", "InternalException")
            caplog.clear()
            assert tell_of_failing(shop.table, bus, BUS, shop.now, Watch()) is not None
        told_of = [record.message for record in caplog.records if record.levelname == "ERROR"]
        assert told_of == ["event.refused" if answer else "bus.away"]


@pytest.mark.parametrize(
    ("failed", "received", "failed_before", "received_before", "rings"),
    [
        (4, 0, 0, 100, False),  # too few to say
        (5, 0, 0, 0, True),
        (5, 5, 0, 4, False),  # too few before: half of them still succeed
        (6, 5, 0, 4, True),
        (5, 5, 0, 100, False),  # just half as many as before
        (6, 5, 0, 100, True),
        (6, 5, 50, 50, False),  # they never succeeded much
        (16, 5, 50, 50, True),
        (100, 0, 100, 0, False),  # nothing is worse than nothing
    ],
)
def test_they_fail_when_less_than_half_as_many_succeed_as_before(
    failed: int,
    received: int,
    failed_before: int,
    received_before: int,
    rings: bool,  # noqa: FBT001 - a case
) -> None:
    assert Rates(failed, received, failed_before, received_before).failing is rings


def test_each_failure_is_looked_at_until_enough_have_failed_then_once_a_minute(shop: Shop, embedded_aws: EmbeddedAws) -> None:
    bus: Any = embedded_aws.client("events")
    watch = Watch()

    def rings_after(more: int) -> bool:
        key = shop_keys.event_counts(hour_of(shop.now), Kind.ORDER, 1)
        write(shop.table, Update("failed", key, add={outbox.counter(FAILED): more}))
        with counted(shop.table) as asked:
            rings = tell_of_failing(shop.table, bus, BUS, shop.now, watch) is not None
        looked.append(bool(asked.operations))
        return rings

    looked: list[bool] = []
    assert [rings_after(1) for _ in range(6)] == [False] * 4 + [True] + [False]
    shop.now += timedelta(seconds=59)
    assert not rings_after(1000)
    assert looked == [True] * 5 + [False] * 2, "an outage is no reason to read the counters for each of its failures"
    shop.now += timedelta(seconds=1)
    assert rings_after(1), "whatever the number is"
