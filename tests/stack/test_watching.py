"""`alarms.yaml` watches every function, what it counts is what the code writes, and so is what `dashboard.yaml` shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ops.estimate import declared
from ops.template import load_template
from payfirst.api.wire.events import EVENTS
from payfirst.settings import Watching
from payfirst.storage import due
from payfirst.usecases.sweeps import deliver_events
from payfirst.usecases.sweeps.failing import FAILING, SOURCE

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE: dict[str, Any] = load_template(ROOT / "template.yaml")
STACKS: dict[str, dict[str, Any]] = {name: load_template(ROOT / name) for name in ("alarms.yaml", "dashboard.yaml")}
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"] | STACKS["alarms.yaml"]["Resources"]
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in (ROOT / "layers" / "common" / "python" / "payfirst", ROOT / "functions")
    for path in folder.rglob("*.py")
)


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS = {
    function["FunctionName"]["Fn::Sub"].replace("${AWS::StackName}", "${Shop}"): function
    for function in of_type("AWS::Serverless::Function").values()
}
"""The functions by the names that alarms and the dashboard know them by."""
MADE = {how: {name: alarm for name, kind, alarm in declared(how) if kind == "AWS::CloudWatch::Alarm"} for how in Watching}
"""The alarms of a shop that is watched so."""
ALARMS = MADE[Watching.FULL]
ONLY_WITH_TEXTS = {
    name: alarm
    for name, kind, alarm in declared(Watching.SMALL, codes="sms")
    if kind == "AWS::CloudWatch::Alarm" and name not in MADE[Watching.SMALL]
}
"""What more there is where customers sign in with codes by SMS."""
FILTERS = of_type("AWS::Logs::MetricFilter")


def measured(metric: str) -> dict[str, dict[str, Any]]:
    """The alarm that counts `metric` of a function, by function: its name and the place of the function in its expression."""
    return {
        part["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Fn::Sub"]: {"id": part["Id"], "alarm": alarm}
        for alarm in ALARMS.values()
        for part in alarm.get("Metrics", [])
        if "MetricStat" in part and part["MetricStat"]["Metric"]["MetricName"] == metric
    }


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_function_is_watched_for_errors_throttles_and_slowness(metric: str) -> None:
    found = measured(metric)
    assert set(found) == set(FUNCTIONS)
    for name, place in found.items():
        [expression] = [part["Expression"] for part in place["alarm"]["Metrics"] if "Expression" in part]
        assert "METRICS()" in expression or re.search(rf"\b{place['id']}\b", expression), f"{name} does not count"


def test_slowness_is_measured_against_each_functions_own_time() -> None:
    for name, place in measured("Duration").items():
        [expression] = [part["Expression"] for part in place["alarm"]["Metrics"] if "Expression" in part]
        assert f"{place['id']} / {FUNCTIONS[name]['Timeout'] * 1000}" in re.split(r"[\[\],] ?", expression), name


def test_no_alarm_counts_more_metrics_than_cloudwatch_takes() -> None:
    assert [name for name, alarm in ALARMS.items() if len(alarm.get("Metrics", [])) > 10] == []


def watched(how: Watching) -> list[dict[str, Any]]:
    """Namespace, name and dimensions of every metric that alarms watch."""
    alarms = MADE[how].values()
    several = [part["MetricStat"]["Metric"] for alarm in alarms for part in alarm.get("Metrics", []) if "MetricStat" in part]
    return several + [dict(alarm) for alarm in alarms if "MetricName" in alarm]


def test_small_rings_for_what_is_in_full_and_by_nothing_else() -> None:
    small, full = MADE[Watching.SMALL], MADE[Watching.FULL]
    assert small.keys() < full.keys()
    assert {"FailingPaymentsAlarm", "ReviewNeededAlarm", "SweepSilentAlarm", "ApiErrorsAlarm"} <= small.keys()
    for name, alarm in small.items():
        assert {**alarm, "Metrics": None} == {**full[name], "Metrics": None}
        assert all(part in full[name]["Metrics"] for part in alarm.get("Metrics", []))


def test_what_an_alarm_waits_for_on_the_bus_is_what_its_rule_matches_and_the_code_says() -> None:
    rules = of_type("AWS::Events::Rule")
    waited = [metric["Dimensions"] for metric in watched(Watching.SMALL) if metric["Namespace"] == "AWS/Events"]
    assert [{part["Name"]: part["Value"] for part in dimensions} for dimensions in waited] == [
        {"EventBusName": rule["EventBusName"], "RuleName": rule["Name"]} for rule in rules.values()
    ]
    failing, review = (rule["EventPattern"] for rule in rules.values())
    assert failing == {"source": [SOURCE], "detail-type": [FAILING]}
    assert review == {"source": [deliver_events.SOURCE], "detail-type": [each for each in EVENTS if each in NEED_A_PERSON]}


NEED_A_PERSON = {"payment.needs_review", "payment.contradicted", "refund.needs_review"}


def test_the_sweeps_are_the_only_schedules_of_the_group_whose_calls_are_counted() -> None:
    events = [event for each in FUNCTIONS.values() for event in each["Events"].values()]
    schedules = [event["Properties"] for event in events if "Schedule" in event["Type"]]
    assert [schedule["GroupName"] for schedule in schedules] == [{"Ref": "Sweeps"}] * 3
    assert {schedule["ScheduleExpression"] for schedule in schedules} == {"rate(1 minute)"}
    silent = MADE[Watching.SMALL]["SweepSilentAlarm"]
    calls = silent["Period"] // 60 * len(schedules)
    assert calls // 3 * 2 < silent["Threshold"] < calls, "two sweeps alone set it off, and three do not"


def test_texts_to_phones_ring_before_they_cost_much_and_where_none_leave_nothing_is_paid_for_that() -> None:
    [(name, alarm)] = ONLY_WITH_TEXTS.items()
    assert (name, alarm["Namespace"], alarm["MetricName"]) == ("SmsSpendingAlarm", "AWS/SNS", "SMSMonthToDateSpentUSD")
    assert "Dimensions" not in alarm  # AWS counts it for an account and a region
    assert TEMPLATE["Parameters"]["SmsWarningUsd"]["Default"] < 1  # what a new account may spend in a month


def test_every_alarm_says_what_it_means_and_tells_somebody() -> None:
    for name, alarm in (ALARMS | ONLY_WITH_TEXTS).items():
        assert alarm["AlarmDescription"].endswith("."), name
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name


def test_every_function_writes_json_into_the_log_in_which_lines_are_counted() -> None:
    log = TEMPLATE["Globals"]["Function"]["LoggingConfig"]
    assert log["LogFormat"] == "JSON"
    assert [name for name, function in FUNCTIONS.items() if "LoggingConfig" in function] == []
    group = RESOURCES[log["LogGroup"]["Ref"]]["Properties"]["LogGroupName"]["Fn::Sub"]
    assert {found["LogGroupName"]["Fn::Sub"] for found in FILTERS.values()} == {group.replace("${AWS::StackName}", "${Shop}")}


@pytest.mark.parametrize("file", sorted(STACKS))
def test_a_stack_of_watching_gets_what_it_asks_for_under_the_name_that_it_has_here(file: str) -> None:
    [given] = [stack["Parameters"] for stack in of_type("AWS::CloudFormation::Stack").values() if stack["TemplateURL"] == file]
    assert set(given) == set(STACKS[file]["Parameters"])
    here = {"Ref": "AWS::StackName"}
    for name, value in given.items():
        assert value in ({"Ref": name}, {"Fn::GetAtt": [name, "QueueName"]}) or (name, value) == ("Shop", here), name


@pytest.mark.parametrize("file", sorted(STACKS))
def test_a_stack_of_watching_uses_everything_that_it_is_given(file: str) -> None:
    text = json.dumps(STACKS[file])
    for name in STACKS[file]["Parameters"]:
        assert f'{{"Ref": "{name}"}}' in text or f"${{{name}}}" in text, name


@pytest.mark.parametrize("file", sorted(STACKS))
def test_a_stack_of_watching_names_only_functions_that_there_are(file: str) -> None:
    named = set(re.findall(r"\$\{Shop\}-[a-z-]+", json.dumps(STACKS[file])))
    assert len(named) > 4
    of_its_own = {rule["Name"]["Fn::Sub"] for rule in of_type("AWS::Events::Rule").values()} | {"${Shop}-counted"}
    assert named <= set(FUNCTIONS) | of_its_own


@pytest.mark.parametrize("how", list(Watching))
def test_a_new_version_goes_back_for_alarms_that_there_are(how: Watching) -> None:
    named = {
        alarm["AlarmName"]["Fn::Sub"].replace("${Shop}", "${AWS::StackName}")
        for alarm in MADE[how].values()
        if "AlarmName" in alarm
    }
    assert {name["Fn::Sub"] for name in TEMPLATE["Globals"]["Function"]["DeploymentPreference"]["Alarms"]} == named


def shown() -> list[dict[str, Any]]:
    """The properties of the dashboard's graphs, with the names of parameters in place of their values."""
    [dashboard] = STACKS["dashboard.yaml"]["Resources"].values()
    body = json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])
    return [widget["properties"] for widget in body["widgets"] if widget["type"] == "metric"]


def test_every_count_of_our_own_that_the_dashboard_shows_exists() -> None:
    from_filters = {found["MetricTransformations"][0]["MetricName"] for found in FILTERS.values()}
    counted = 0
    for graph in shown():
        space = name = ""
        for row in graph["metrics"]:
            if isinstance(row[0], dict) or row[0] == "...":
                continue
            space, name = (row[0] if row[0] != "." else space), row[1]
            if space == "PayFirst":
                assert f"{name}=" in CODE or f'"{name}":' in CODE, name
            elif space == "PayFirst/${Shop}":
                assert name in from_filters, name
            counted += space.startswith("PayFirst")
    assert counted > 10


def test_the_dashboard_shows_every_function() -> None:
    text = json.dumps(shown())
    assert [name for name in FUNCTIONS if f'"{name}"' not in text] == []


def test_graphs_do_not_lie_upon_each_other() -> None:
    [dashboard] = STACKS["dashboard.yaml"]["Resources"].values()
    taken: set[tuple[int, int]] = set()
    for widget in json.loads(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]:
        columns, rows = range(widget["x"], widget["x"] + widget["width"]), range(widget["y"], widget["y"] + widget["height"])
        cells = {(column, row) for column in columns for row in rows}
        assert max(columns) < 24
        assert not cells & taken, widget
        taken |= cells


def test_every_filter_matches_lines_that_the_code_writes() -> None:
    for name, found in FILTERS.items():
        for key, value in re.findall(r'\$\.(\w+) = "([^"]+)"', found["FilterPattern"]):
            assert key == "level" or f'"{value}"' in CODE, f"{name}: nothing writes {key} {value}"


def test_every_count_of_a_filter_or_of_the_code_that_an_alarm_watches_exists() -> None:
    from_filters = {found["MetricTransformations"][0]["MetricName"] for found in FILTERS.values()}
    from_code = set(re.findall(r"(\w+)=report\[", CODE))
    own = {alarm["MetricName"]: alarm["Namespace"] for alarm in ALARMS.values() if "Metrics" not in alarm}
    for metric, namespace in own.items():
        if namespace == "PayFirst":
            assert metric in from_code, metric
        elif isinstance(namespace, dict):
            assert metric in from_filters, metric
    assert from_filters <= set(own)


def test_the_age_of_every_kind_of_work_is_measured_and_watched() -> None:
    measured_ages = set(re.findall(r"(Oldest\w+Seconds)=", CODE))
    assert len(measured_ages) == len(due.ALL_KINDS)
    parts = [part for part in ALARMS["OldestDueAlarm"]["Metrics"] if "MetricStat" in part]
    assert {part["MetricStat"]["Metric"]["MetricName"] for part in parts} == measured_ages
    assert measured_ages <= {row[1] for graph in shown() for row in graph["metrics"] if isinstance(row[0], str)}


def test_logs_are_kept_for_as_long_as_the_shop_says() -> None:
    groups = of_type("AWS::Logs::LogGroup")
    assert {name for name, group in groups.items() if group["RetentionInDays"] != {"Ref": "LogRetentionDays"}} == set()


RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+Alarm)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))


def test_the_runbook_has_a_section_for_each_alarm_with_three_commands_and_when_to_wake_somebody() -> None:
    assert set(SECTIONS) == {*ALARMS, *ONLY_WITH_TEXTS}
    for name, section in SECTIONS.items():
        [commands] = re.findall(r"```\n(.*?)```", section, re.DOTALL)
        assert len(commands.splitlines()) == 3, name
        assert "Wake " in section or "wake " in section, name


def test_the_runbook_says_of_each_alarm_where_it_rings() -> None:
    for name, section in SECTIONS.items():
        where = "*In small" if name in MADE[Watching.SMALL].keys() | ONLY_WITH_TEXTS else "*In full only"
        assert section.lstrip().startswith(where), name
    assert "nine in `small`" in RUNBOOK
    assert len(MADE[Watching.SMALL]) == 9


def test_everything_that_the_runbook_names_is_in_the_template() -> None:
    assert set(re.findall(r"--logical-resource-id (\w+)", RUNBOOK)) <= set(RESOURCES)
    named = {
        f"${{Shop}}-{name}" for name in re.findall(r'(?:\$\.function_name = "|--function-name )payfirst-([\w-]+)', RUNBOOK)
    }
    assert len(named) == 3
    assert named <= set(FUNCTIONS)
