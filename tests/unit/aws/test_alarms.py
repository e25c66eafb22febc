"""What smoke asks CloudWatch, SNS and CloudWatch Logs about the alarms, and what it makes of their own answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
import pytest

from ops.smoke_alarms import ALARM_KIND, ALARMS_LINE, DATA_LINE, LISTENERS_LINE, METRICS_LINE, STATES_LINE, check_alarms
from ops.smoke_shop import Shop, Verdict

from .conftest import REGION, InProcessAws

NOW: Final = datetime(2026, 7, 20, 12, tzinfo=UTC)
SWEEP: Final = "payfirst-expire-sessions"
ALARM: Final = "payfirst-expire-errors"


@pytest.fixture
def shop(aws: InProcessAws) -> Shop:
    """A stack with one sweep, whose errors ring, and whose topic one address has subscribed to."""
    topic = aws.client("sns").create_topic(Name="alarms")["TopicArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="owner@shop.example")
    aws.client("logs").create_log_group(logGroupName="/payfirst")
    watch(aws, topic)
    session: Any = boto3.session.Session(region_name=REGION)
    made = (("ExpireSessionsFunction", "AWS::Lambda::Function", SWEEP), ("ErrorsAlarm", ALARM_KIND, ALARM))
    return Shop(
        name="payfirst",
        session=session,
        outputs={"AlarmTopicArn": topic, "FunctionLogsName": "/payfirst"},
        parameters={"Stage": "production"},
        resources=tuple(
            dict(zip(("LogicalResourceId", "ResourceType", "PhysicalResourceId"), one, strict=True)) for one in made
        ),
        status="UPDATE_COMPLETE",
        changed=NOW - timedelta(days=1),
        now=NOW,
        address="https://shop.example",
    )


def watch(aws: InProcessAws, topic: str, **changed: Any) -> None:
    """Put the alarm, as the template has it but for what is `changed`."""
    aws.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": ALARM,
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": SWEEP}],
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "ActionsEnabled": True,
            "AlarmActions": [topic],
            **changed,
        }
    )


def told(shop: Shop) -> dict[str, tuple[Verdict, str]]:
    return {line.what: (line.verdict, line.found) for line in check_alarms(shop)}


def measured(aws: InProcessAws) -> None:
    data = {
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": SWEEP}],
        "Timestamp": NOW - timedelta(minutes=10),
        "Value": 0.0,
    }
    aws.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[data])


def test_alarms_that_watch_what_aws_measures_and_somebody_hears_are_green(shop: Shop, aws: InProcessAws) -> None:
    measured(aws)
    said = told(shop)
    assert said[ALARMS_LINE][0] is said[METRICS_LINE][0] is said[DATA_LINE][0] is Verdict.OK
    assert said[LISTENERS_LINE] == (Verdict.OK, "1 subscribed")


def test_an_alarm_without_data_in_three_hours_is_red(shop: Shop) -> None:
    assert told(shop)[DATA_LINE] == (Verdict.NOT_OK, f"none in three hours: {ALARM}")


def test_an_alarm_that_is_gone_switched_off_or_tells_another_topic_is_red(shop: Shop, aws: InProcessAws) -> None:
    watch(aws, "arn:aws:sns:eu-west-1:123456789012:others", ActionsEnabled=False)
    verdict, found = told(shop)[ALARMS_LINE]
    assert verdict is Verdict.NOT_OK
    assert f"{ALARM} is switched off" in found
    assert f"{ALARM} does not tell the topic" in found
    aws.client("cloudwatch").delete_alarms(AlarmNames=[ALARM])
    assert told(shop)[ALARMS_LINE] == (Verdict.NOT_OK, f"{ALARM} is gone")


def test_a_metric_of_the_logs_counts_as_sent_where_a_filter_makes_it(shop: Shop, aws: InProcessAws) -> None:
    watch(aws, shop.output("AlarmTopicArn"), Namespace="PayFirst", MetricName="Alarms", Dimensions=[])
    assert told(shop)[METRICS_LINE][0] is Verdict.NOT_OK
    aws.client("logs").put_metric_filter(
        logGroupName="/payfirst",
        filterName="alarms",
        filterPattern="{ $.level = ERROR }",
        metricTransformations=[{"metricNamespace": "PayFirst", "metricName": "Alarms", "metricValue": "1"}],
    )
    assert told(shop)[METRICS_LINE][0] is Verdict.OK


def test_an_alarm_that_rings_is_red(shop: Shop, aws: InProcessAws) -> None:
    aws.client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a try")
    assert told(shop)[STATES_LINE] == (Verdict.NOT_OK, f"ringing: {ALARM}")
