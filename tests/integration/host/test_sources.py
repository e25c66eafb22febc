"""What calls functions besides HTTP: schedules and the queue."""

from __future__ import annotations

from uuid import uuid4

from local.embedded_aws import EmbeddedAws
from tests.integration.host.conftest import SampleHost, eventually


def test_a_rules_schedule_fires_again_and_again_with_its_event(host: SampleHost) -> None:
    fired = eventually(lambda: [event for event in host.events() if event.get("source") == "aws.events"][1:])

    event = fired[0]
    assert event["detail-type"] == "Scheduled Event"
    assert event["detail"] == {}
    assert event["resources"] == ["arn:aws:events:us-east-1:000000000000:rule/WorkerMinute"]
    assert event["time"].endswith("Z")


def test_a_schedule_with_an_input_of_its_own_sends_just_that(host: SampleHost) -> None:
    assert eventually(lambda: {"sweep": "everything"} in host.events())


def messages(host: SampleHost, marker: str) -> list[dict[str, object]]:
    """Every delivery of messages that carry `marker`."""
    records = [record for event in host.events() for record in event.get("Records", [])]
    return [record for record in records if record["messageAttributes"].get("marker", {}).get("stringValue") == marker]


def test_a_message_is_delivered_in_its_form_and_then_gone(host: SampleHost, embedded_aws: EmbeddedAws) -> None:
    client, marker = embedded_aws.client("sqs"), str(uuid4())
    attributes = {"marker": {"DataType": "String", "StringValue": marker}}
    client.send_message(QueueUrl=host.queue_url, MessageBody="good", MessageAttributes=attributes)

    record = eventually(lambda: messages(host, marker))[0]
    assert record["body"] == "good"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:jobs"
    assert record["awsRegion"] == "us-east-1"
    assert record["messageAttributes"]["marker"]["dataType"] == "String"
    assert {"ApproximateReceiveCount", "SentTimestamp"} <= record["attributes"].keys()


def test_of_a_batch_only_the_message_that_failed_comes_again(host: SampleHost, embedded_aws: EmbeddedAws) -> None:
    client, marker = embedded_aws.client("sqs"), str(uuid4())
    attributes = {"marker": {"DataType": "String", "StringValue": marker}}
    entries = [
        {"Id": str(number), "MessageBody": body, "MessageAttributes": attributes}
        for number, body in enumerate(["good", "bad", "good too"])
    ]
    client.send_message_batch(QueueUrl=host.queue_url, Entries=entries)

    def bodies(of: str) -> list[object]:
        return [record for record in messages(host, marker) if record["body"] == of]

    eventually(lambda: len(bodies("bad")) >= 2)
    assert len(bodies("good")) == len(bodies("good too")) == 1
    assert any(told["kind"] == "problem" and "left 1 of" in told["text"] for told in host.told)
