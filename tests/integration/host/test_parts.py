"""What the host reads from a template, makes of a function's reports, and shows to a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.console import readable
from local.host.application import read_application
from local.host.authorizer import render_claim
from local.host.config import HostConfig
from local.host.invocation import Failure, Outcome
from local.host.queues import BatchFailedError, messages_to_keep
from local.host.schedules import pause_seconds
from local.host.tell import interesting
from ops.resolve import Resolver, TemplateError
from tests.integration.host.conftest import SAMPLE


def outcome(answer: Any) -> Outcome:
    return Outcome(json.dumps(answer).encode())


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, {"other": 1}])
def test_an_empty_report_means_that_the_whole_batch_succeeded(answer: Any) -> None:
    assert messages_to_keep(outcome(answer), {"a", "b"}, partial=True) == set()


def test_a_report_names_the_messages_to_keep() -> None:
    report = {"batchItemFailures": [{"itemIdentifier": "b"}]}

    assert messages_to_keep(outcome(report), {"a", "b"}, partial=True) == {"b"}
    assert messages_to_keep(outcome(report), {"a", "b"}, partial=False) == set()


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": "c"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"wrong": "a"}]},
        {"batchItemFailures": ["a"]},
        ["a"],
        "a",
    ],
)
def test_a_report_that_names_no_message_of_the_batch_keeps_all_of_it(answer: Any) -> None:
    with pytest.raises(BatchFailedError):
        messages_to_keep(outcome(answer), {"a", "b"}, partial=True)


def test_a_function_that_failed_keeps_the_whole_batch() -> None:
    failure = Outcome(b'{"errorType": "ValueError", "errorMessage": "no"}', Failure.ERROR)

    with pytest.raises(BatchFailedError, match="ValueError: no"):
        messages_to_keep(failure, {"a"}, partial=True)


def test_failures_in_a_row_make_a_schedule_wait_longer_up_to_five_minutes() -> None:
    assert [pause_seconds(5, failures) for failures in range(4)] == [5, 10, 20, 40]
    assert pause_seconds(60, 1000) == 300
    assert pause_seconds(3600, 3) == 3600


def test_a_template_is_resolved_with_its_parameters_and_conditions() -> None:
    template = {
        "Parameters": {"Stage": {"Default": "dev"}, "Name": {"Default": "shop"}},
        "Conditions": {"IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}},
        "Mappings": {"Sizes": {"dev": {"memory": 128}}},
    }
    resolver = Resolver(template, {"AWS::Region": "us-east-1"})

    assert resolver.value({"Fn::Sub": "${Name}-${AWS::Region}-${!Literal}"}) == "shop-us-east-1-${Literal}"
    assert resolver.value({"Fn::If": ["IsDev", "yes", {"Ref": "Unknown"}]}) == "yes"
    assert resolver.value({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}) == 128
    with pytest.raises(TemplateError, match="known only in AWS"):
        resolver.value({"Fn::GetAtt": ["Table", "Arn"]})


def test_a_list_that_nobody_gives_has_the_parts_of_its_default() -> None:
    template = {"Parameters": {"Pages": {"Type": "CommaDelimitedList", "Default": "one,two"}}}
    assert Resolver(template, {}).value({"Fn::Join": [" ", {"Ref": "Pages"}]}) == "one two"


def test_a_setting_that_nobody_gives_locally_is_named(tmp_path: Any) -> None:
    with pytest.raises(TemplateError, match="nothing says what TABLE_NAME is"):
        read_application(HostConfig(template=SAMPLE, log_dir=tmp_path))


def test_claims_are_told_as_text_and_instants_in_words() -> None:
    assert render_claim("cognito:groups", ["a", "b"]) == "a,b"
    assert render_claim("cognito:groups", ["a"]) == "a"
    assert render_claim("email_verified", True) == "true"  # noqa: FBT003 - what tokens hold
    assert render_claim("exp", 1700000000) == "Tue Nov 14 22:13:20 UTC 2023"
    assert render_claim("custom:user_id", 7) == "7"


def line(**told: Any) -> str | None:
    text = readable({"time": "2026-01-01T10:00:00+00:00", **told})
    return None if text is None else str(text).split("  ", 1)[1]


def test_a_change_of_state_is_one_line_with_its_facts() -> None:
    record = {"level": "INFO", "message": "order.created", "event": "order.created", "order": "ORD-1", "service": "payfirst"}

    assert line(kind="log", function="webhook", record=record) == "order.created  order=ORD-1"


def test_a_sweep_that_found_nothing_is_not_shown_and_one_that_did_is() -> None:
    idle = {"level": "INFO", "event": "expiry.ran", "examined": 0, "finished": True}

    assert line(kind="log", function="expire_sessions", record=idle) is None
    assert (
        line(kind="log", function="expire_sessions", record={**idle, "examined": 2}) == "expiry.ran  examined=2  finished=True"
    )


def test_requests_and_what_the_simulators_say_are_shown_in_one_form() -> None:
    assert line(kind="request", method="GET", path="/health", status=200, ms=4.4) == "GET    /health  200  4 ms"
    assert line(kind="simulator", text="10:00:00 mpesa: a prompt waits") == "mpesa: a prompt waits"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{"level": "INFO", "message": "loaded"}', None),
        ('{"level": "WARNING", "message": "odd"}', "odd"),
        ("plain words", None),
        ("[ERROR] ValueError: no\rTraceback (most recent call last):", None),
        ("{broken", None),
        ("[WARNING]\t2026-01-01T10:00:00Z\tid\todd", "odd"),
        ("[INFO]\t2026-01-01T10:00:00Z\tid\tusual", None),
        ("[WARNING]\t2026-01-01T10:00:00Z\t\tLAMBDA_WARNING: Unhandled exception. The most likely cause", None),
    ],
)
def test_of_a_functions_log_only_events_warnings_and_errors_are_shown(written: str, shown: str | None) -> None:
    record = interesting(written)

    assert (record and record["message"]) == shown
