"""What `make smoke` says of the alarms: whether they ring for somebody, and whether anybody sends what they watch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from ops.running import ROOT
from ops.smoke_api import DEPLOY
from ops.smoke_shop import FIRST_MINUTES, Line, Shop, bad, judged, ok, unknown
from ops.tick import FUNCTIONS

ALARMS_LINE: Final = "the alarms"
LISTENERS_LINE: Final = "who hears the alarms"
METRICS_LINE: Final = "what the alarms watch"
DATA_LINE: Final = "the alarms' data"
STATES_LINE: Final = "the alarms' states"
ALARM_KIND: Final = "AWS::CloudWatch::Alarm"
BACK: Final = timedelta(hours=3)
RUNBOOK: Final = "docs/runbook.md has a section for each alarm."

SENT_BY_AWS: Final[Mapping[tuple[str, ...], frozenset[str]]] = {
    ("AWS/Lambda", "FunctionName"): frozenset({"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}),
    ("AWS/SQS", "QueueName"): frozenset(
        {
            "ApproximateNumberOfMessagesVisible",
            "ApproximateAgeOfOldestMessage",
            "NumberOfMessagesSent",
            "NumberOfMessagesReceived",
        }
    ),
    ("AWS/ApiGateway", "ApiName"): frozenset({"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"}),
    ("AWS/Scheduler", "ScheduleGroup"): frozenset(
        {"InvocationAttemptCount", "TargetErrorCount", "TargetErrorThrottledCount", "InvocationDroppedCount"}
    ),
    ("AWS/SNS",): frozenset({"SMSMonthToDateSpentUSD"}),
    ("AWS/Events", "EventBusName", "RuleName"): frozenset(
        {"MatchedEvents", "TriggeredRules", "Invocations", "FailedInvocations"}
    ),
}
"""What AWS measures by itself, by namespace and dimensions."""
OWNERS: Final = {
    "FunctionName": "AWS::Lambda::Function",
    "QueueName": "AWS::SQS::Queue",
    "ScheduleGroup": "AWS::Scheduler::ScheduleGroup",
    "EventBusName": "AWS::Events::EventBus",
    "RuleName": "AWS::Events::Rule",
}
"""Which resources a dimension names, by the last word of their physical names; `ApiName` is the stack's own."""

Metric = tuple[str, str, Mapping[str, str]]
"""Namespace, name and dimensions."""


def check_alarms(shop: Shop) -> Iterator[Line]:
    """The lines about alarms."""
    names = sorted(shop.made(ALARM_KIND).values())
    watch = shop.client("cloudwatch")
    alarms = [
        alarm
        for start in range(0, len(names), 100)
        for page in watch.get_paginator("describe_alarms").paginate(AlarmNames=names[start : start + 100])
        for alarm in page["MetricAlarms"]
    ]
    yield _there(shop, names, alarms)
    yield _listeners(shop)
    yield _sent(shop, alarms)
    yield _data(shop, watch, alarms)
    yield _states(shop, alarms)


def metrics_of(alarm: Mapping[str, Any]) -> list[Metric]:
    """What an alarm watches: its one metric, or all those of its expression."""
    parts = [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", ()) if "MetricStat" in part]
    return [
        (one["Namespace"], one["MetricName"], {each["Name"]: each["Value"] for each in one.get("Dimensions", ())})
        for one in parts or ([alarm] if "MetricName" in alarm else [])
    ]


def _there(shop: Shop, names: list[str], alarms: list[dict[str, Any]]) -> Line:
    problems = [] if names else ["the stack has none"]
    problems += [f"{name} is gone" for name in sorted({*names} - {alarm["AlarmName"] for alarm in alarms})]
    topic = shop.output("AlarmTopicArn")
    problems += [f"{one['AlarmName']} is switched off" for one in alarms if not one.get("ActionsEnabled")]
    problems += [f"{one['AlarmName']} does not tell the topic" for one in alarms if topic not in one.get("AlarmActions", ())]
    return judged(ALARMS_LINE, problems, f"{len(alarms)} are there, on, and tell the topic", DEPLOY)


def _listeners(shop: Shop) -> Line:
    answer = shop.client("sns").list_subscriptions_by_topic(TopicArn=shop.output("AlarmTopicArn"))
    states = [one["SubscriptionArn"] for one in answer["Subscriptions"]]
    if not states:
        found, do = "nobody has subscribed to the topic", "Give AlarmEmail, or subscribe to the output AlarmTopicArn."
        return bad(LISTENERS_LINE, found, do) if shop.takes_real_money else ok(LISTENERS_LINE, found, do)
    waiting = [] if any(state.startswith("arn:") for state in states) else ["no subscription is confirmed"]
    return judged(LISTENERS_LINE, waiting, f"{len(states)} subscribed", "Confirm by the link in AWS's e-mail.")


def _sent(shop: Shop, alarms: list[dict[str, Any]]) -> Line:
    log = shop.output("FunctionLogsName")
    counted = {
        (one["metricNamespace"], one["metricName"])
        for page in shop.client("logs").get_paginator("describe_metric_filters").paginate(logGroupName=log)
        for found in page["metricFilters"]
        for one in found["metricTransformations"]
    }
    problems = [
        f"{alarm['AlarmName']} watches {_named(metric)}, which nothing in this stack sends"
        for alarm in alarms
        for metric in metrics_of(alarm)
        if not (metric[:2] in counted and not metric[2]) and not _has_source(shop, metric)
    ]
    return judged(METRICS_LINE, problems, f"everything that {len(alarms)} watch has a source in this stack", DEPLOY)


def _has_source(shop: Shop, metric: Metric) -> bool:
    space, name, dimensions = metric
    if (space, *dimensions) == ("PayFirst", "service"):
        by_folder = {shop.function(folder): folder for folder in FUNCTIONS.values()}
        return dimensions["service"] in by_folder and _measures(by_folder[dimensions["service"]], name)
    return name in SENT_BY_AWS.get((space, *sorted(dimensions)), ()) and all(
        value == shop.name if kind == "ApiName" else value in _owners(shop, kind) for kind, value in dimensions.items()
    )


def _owners(shop: Shop, dimension: str) -> set[str]:
    return {re.split(r"[/|:]", name)[-1] for name in shop.made(OWNERS[dimension]).values()}


def _measures(folder: str, name: str) -> bool:
    """Whether the function's source, in the release that we check with, counts that."""
    return re.search(rf"\b{name}\b", (ROOT / "functions" / folder / "app.py").read_text(encoding="utf-8")) is not None


def _always_sent(shop: Shop, metric: Metric) -> bool:
    """Whether the metric has a value whenever the clock has called its functions."""
    swept = {shop.function(folder) for folder in FUNCTIONS.values()} & set(metric[2].values())
    return metric[:2] == ("AWS/Scheduler", "InvocationAttemptCount") or (
        metric[0] in ("AWS/Lambda", "PayFirst") and bool(swept)
    )


def _data(shop: Shop, watch: Any, alarms: list[dict[str, Any]]) -> Line:  # noqa: ANN401 - a boto3 client
    if shop.emulated:
        return unknown(DATA_LINE, "an emulator measures nothing", "Look on an AWS account.")
    silent = [alarm for alarm in alarms if not _has_data(shop, watch, alarm)]
    due = [alarm["AlarmName"] for alarm in silent if any(_always_sent(shop, one) for one in metrics_of(alarm))]
    if due and not shop.is_new:
        return bad(DATA_LINE, f"none in three hours: {', '.join(due)}", "See the schedules above, and the functions' log.")
    if due:
        return unknown(DATA_LINE, f"not yet: {', '.join(due)}", f"Look again in {FIRST_MINUTES.seconds // 60} minutes.")
    quiet = f"; the others ({len(silent)}) count what has not happened" if silent else ""
    return ok(DATA_LINE, f"{len(alarms) - len(silent)} have some{quiet}")


def _has_data(shop: Shop, watch: Any, alarm: Mapping[str, Any]) -> bool:  # noqa: ANN401
    answer = watch.get_metric_data(MetricDataQueries=_queries(alarm), StartTime=shop.now - BACK, EndTime=shop.now)
    return any(one["Values"] for one in answer["MetricDataResults"])


def _queries(alarm: Mapping[str, Any]) -> list[dict[str, Any]]:
    if alarm.get("Metrics"):
        return list(alarm["Metrics"])
    metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions") if name in alarm}
    return [{"Id": "m", "MetricStat": {"Metric": metric, "Period": alarm["Period"], "Stat": alarm["Statistic"]}}]


def _states(shop: Shop, alarms: list[dict[str, Any]]) -> Line:
    ringing = _named_in(alarms, "ALARM")
    if ringing:
        return bad(STATES_LINE, f"ringing: {', '.join(ringing)}", RUNBOOK)
    if shop.emulated:
        return unknown(STATES_LINE, "none rings; an emulator evaluates none", "Look on an AWS account.")
    late = _named_in((one for one in alarms if shop.now - one["StateUpdatedTimestamp"] > FIRST_MINUTES), "INSUFFICIENT_DATA")
    if late:
        return bad(STATES_LINE, f"without data for {FIRST_MINUTES.seconds // 60} minutes: {', '.join(late)}", DEPLOY)
    young = _named_in(alarms, "INSUFFICIENT_DATA")
    return unknown(STATES_LINE, f"not yet: {', '.join(young)}", "Look again later.") if young else ok(STATES_LINE, "none rings")


def _named_in(alarms: Iterable[Mapping[str, Any]], state: str) -> list[str]:
    return [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == state]


def _named(metric: Metric) -> str:
    return f"{metric[0]} {metric[1]}{''.join(f' {name}={value}' for name, value in metric[2].items())}"
