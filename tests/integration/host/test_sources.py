"""What calls functions besides HTTP: schedules, the queue and a table's stream."""

from __future__ import annotations

from uuid import uuid4

from local.embedded_aws import EmbeddedAws
from tests.integration.host.conftest import SampleHost, eventually, tells_of


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
    records = [record for event in host.events() for record in event.get("Records", []) if "body" in record]
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
    assert tells_of(host, "left 1 of")


def write(host: SampleHost, embedded_aws: EmbeddedAws, partition: str, *names: str) -> None:
    """New items of one partition, one after the other."""
    for name in names:
        item = {"pk": {"S": partition}, "sk": {"S": name}, "secret": {"S": "not for the stream"}}
        embedded_aws.client("dynamodb").put_item(TableName=host.table, Item=item)


def batches(host: SampleHost, partition: str) -> list[list[str]]:
    """The sort keys that the worker was told of in that partition, batch by batch."""
    told = [[each["dynamodb"]["Keys"] for each in event.get("Records", []) if "dynamodb" in each] for event in host.events()]
    found = [[key["sk"]["S"] for key in batch if key["pk"]["S"] == partition] for batch in told]
    return [batch for batch in found if batch]


def test_the_stream_tells_of_new_items_that_the_filter_names(host: SampleHost, embedded_aws: EmbeddedAws) -> None:
    partition = str(uuid4())
    write(host, embedded_aws, partition, "N#1", "X#1", "N#2", "N#3")
    write(host, embedded_aws, partition, "N#1", "N#4")  # the first is written again, which is no new item

    told = eventually(lambda: [name for batch in batches(host, partition) for name in batch][3:])
    assert len(told) == 1
    assert sorted(name for batch in batches(host, partition) for name in batch) == ["N#1", "N#2", "N#3", "N#4"]
    assert max(map(len, batches(host, partition))) <= 2
    record = next(each for event in host.events() for each in event.get("Records", []) if "dynamodb" in each)
    assert (record["eventSource"], record["eventName"]) == ("aws:dynamodb", "INSERT")
    assert record["eventSourceARN"].startswith(f"arn:aws:dynamodb:us-east-1:000000000000:table/{host.table}/stream/")
    assert not {"NewImage", "OldImage"} & record["dynamodb"].keys()


def test_a_batch_of_the_stream_that_failed_is_not_tried_again_and_holds_nothing_up(
    host: SampleHost, embedded_aws: EmbeddedAws
) -> None:
    partition = str(uuid4())
    write(host, embedded_aws, partition, "N#bad")
    eventually(lambda: batches(host, partition))
    write(host, embedded_aws, partition, "N#good")
    eventually(lambda: ["N#good"] in batches(host, partition))
    assert batches(host, partition) == [["N#bad"], ["N#good"]]
    assert tells_of(host, "left 1 records of Notes to its schedule")
