"""What `make smoke` makes of answers that no emulator gives, as AWS documents them: sandboxes, alarms, missing rights."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any, Final

import boto3
import pytest

from ops import smoke_alarms, smoke_api, smoke_outside, smoke_parts
from ops.smoke import awaits_its_owner, check_stack
from ops.smoke_shop import Line, Shop, Verdict

NOW: Final = datetime(2026, 7, 20, 12, tzinfo=UTC)
NOWHERE: Final = "http://127.0.0.1:9"
"""Nothing listens there: these are not about the API's answers."""
SWEEP: Final = "payfirst-ExpireSessionsFunction-1"
OK, NOT_OK, UNKNOWN = Verdict.OK, Verdict.NOT_OK, Verdict.UNKNOWN


SESSION: Final[Any] = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="ap-south-1")


class Recorded:
    """A boto3 session in AWS: answers by operation, errors as their codes; nobody has a right to ask anything else."""

    def __init__(self, answers: Mapping[str, dict[str, Any] | str]) -> None:
        self._answers = answers

    def client(self, service: str, **_: Any) -> Any:
        client = SESSION.client(service)
        client.meta.events.register("before-call", self._answer)
        return client

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        answer = self._answers.get(model.name, "AccessDeniedException")
        if isinstance(answer, str):
            return SimpleNamespace(status_code=400), {"Error": {"Code": answer, "Message": "no"}, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=200), answer


def a_shop(
    answers: Mapping[str, dict[str, Any] | str], *, stage: str = "production", age: timedelta = timedelta(days=1)
) -> Shop:
    """A stack with one sweep and one alarm."""
    made = [
        ("ExpireSessionsFunction", "AWS::Lambda::Function", SWEEP),
        ("SilentAlarm", smoke_alarms.ALARM_KIND, "silent"),
    ]
    return Shop(
        name="payfirst",
        session=Recorded(answers),
        outputs={"AlarmTopicArn": "arn:topic", "FunctionLogsName": "/payfirst", "GatewaysSecretId": "gateways"},
        parameters={"Stage": stage, "OrdersMailSender": "Shop <orders@shop.example>", "FailOnWarnings": "true"},
        resources=tuple(
            dict(zip(("LogicalResourceId", "ResourceType", "PhysicalResourceId"), each, strict=True)) for each in made
        ),
        status="UPDATE_COMPLETE",
        changed=NOW - age,
        now=NOW,
        address=NOWHERE,
    )


def verdicts(lines: Iterator[Line]) -> dict[str, tuple[Verdict, str]]:
    return {line.what: (line.verdict, line.found) for line in lines}


def alarm(state: str = "OK", since: timedelta = timedelta(hours=1), **other: Any) -> dict[str, Any]:
    """An alarm on how often the sweep is called."""
    return {
        "AlarmName": "silent",
        "ActionsEnabled": True,
        "AlarmActions": ["arn:topic"],
        "StateValue": state,
        "StateUpdatedTimestamp": NOW - since,
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": SWEEP}],
        "Statistic": "Sum",
        "Period": 300,
        **other,
    }


def watched(found: dict[str, Any], *, values: tuple[float, ...] = (5.0,), subscriptions: tuple[str, ...] = ("arn:a",)) -> Any:
    return {
        "DescribeAlarms": {"MetricAlarms": [found]},
        "ListSubscriptionsByTopic": {"Subscriptions": [{"SubscriptionArn": one} for one in subscriptions]},
        "DescribeMetricFilters": {"metricFilters": []},
        "GetMetricData": {"MetricDataResults": [{"Id": "m", "Values": list(values)}]},
    }


def test_an_alarm_with_data_that_somebody_hears_is_green() -> None:
    found = verdicts(smoke_alarms.check_alarms(a_shop(watched(alarm()))))
    assert {verdict for verdict, _ in found.values()} == {OK}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("answers", "age", "line", "verdict"),
    [
        (watched(alarm(), values=()), timedelta(minutes=3), smoke_alarms.DATA_LINE, UNKNOWN),
        (watched(alarm(), values=()), timedelta(days=1), smoke_alarms.DATA_LINE, NOT_OK),
        (watched(alarm("ALARM")), timedelta(days=1), smoke_alarms.STATES_LINE, NOT_OK),
        (watched(alarm("INSUFFICIENT_DATA")), timedelta(days=1), smoke_alarms.STATES_LINE, NOT_OK),
        (watched(alarm("INSUFFICIENT_DATA", timedelta(minutes=3))), timedelta(days=1), smoke_alarms.STATES_LINE, UNKNOWN),
        (watched(alarm(ActionsEnabled=False)), timedelta(days=1), smoke_alarms.ALARMS_LINE, NOT_OK),
        (watched(alarm(AlarmName="another")), timedelta(days=1), smoke_alarms.ALARMS_LINE, NOT_OK),
        (watched(alarm(Namespace="AWS/Lamda")), timedelta(days=1), smoke_alarms.METRICS_LINE, NOT_OK),
        (watched(alarm(MetricName="Invocation")), timedelta(days=1), smoke_alarms.METRICS_LINE, NOT_OK),
        (watched(alarm(Dimensions=[])), timedelta(days=1), smoke_alarms.METRICS_LINE, NOT_OK),
        (watched(alarm(), subscriptions=()), timedelta(days=1), smoke_alarms.LISTENERS_LINE, NOT_OK),
        (watched(alarm(), subscriptions=("PendingConfirmation",)), timedelta(days=1), smoke_alarms.LISTENERS_LINE, NOT_OK),
    ],
)
def test_an_alarm_that_would_not_ring_is_red_and_a_young_one_not_known(
    answers: dict[str, Any], age: timedelta, line: str, verdict: Verdict
) -> None:
    assert verdicts(smoke_alarms.check_alarms(a_shop(answers, age=age)))[line][0] is verdict


DEFAULT_ID: Final = "DEFAULT_PROTECT_CONFIGURATION_ID"
PROTECTED: Final = {"DescribeAccountAttributes": {"AccountAttributes": [{"Name": DEFAULT_ID, "Value": "protect-1"}]}}
UNPROTECTED: Final = {"DescribeAccountAttributes": {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}]}}


def rules(**countries: str) -> dict[str, Any]:
    return {"CountryRuleSet": {name: {"ProtectStatus": status} for name, status in countries.items()}}


ANYWHERE: Final = {
    "GetProtectConfigurationCountryRuleSet": rules(**dict.fromkeys(["KE", "IN", "SO", "LV", "TJ", "GE"], "ALLOW"))
}


def outside(**other: Any) -> dict[str, Any]:
    """Everything verified and out of its sandbox, no secret filled."""
    return {
        "GetSecretValue": "ResourceNotFoundException",
        "DescribeSecret": {"Name": "gateways"},
        "GetEmailIdentity": {"VerifiedForSendingStatus": True},
        "GetAccount": {"SendingEnabled": True, "ProductionAccessEnabled": True},
        "DescribeUserPool": {"UserPool": {"SmsConfiguration": {"SnsCallerArn": "arn"}}},
        "GetSMSSandboxAccountStatus": {"IsInSandbox": False},
        **PROTECTED,
        "GetProtectConfigurationCountryRuleSet": rules(KE="ALLOW", IN="ALLOW", SO="BLOCK"),
        **other,
    }


IN_SES: Final = {"GetAccount": {"SendingEnabled": True, "ProductionAccessEnabled": False}}
IN_SNS: Final = {"GetSMSSandboxAccountStatus": {"IsInSandbox": True}}
ORDERS: Final = smoke_outside.SENDER_LINES["OrdersMailSender"]


@pytest.mark.parametrize(
    ("answers", "stage", "line", "verdict"),
    [
        ({}, "production", smoke_outside.SES_LINE, OK),
        (IN_SES, "production", smoke_outside.SES_LINE, NOT_OK),
        (IN_SES, "sandbox", smoke_outside.SES_LINE, OK),
        ({"GetAccount": {"SendingEnabled": False}}, "sandbox", smoke_outside.SES_LINE, NOT_OK),
        ({}, "production", smoke_outside.SMS_LINE, OK),
        (IN_SNS, "production", smoke_outside.SMS_LINE, NOT_OK),
        (IN_SNS, "sandbox", smoke_outside.SMS_LINE, OK),
        ({}, "production", smoke_outside.COUNTRIES_LINE, OK),
        (UNPROTECTED, "sandbox", smoke_outside.COUNTRIES_LINE, NOT_OK),
        (ANYWHERE, "sandbox", smoke_outside.COUNTRIES_LINE, NOT_OK),
        ({}, "production", ORDERS, OK),
        ({"GetEmailIdentity": {"VerifiedForSendingStatus": False}}, "production", ORDERS, NOT_OK),
        ({"GetEmailIdentity": "NotFoundException"}, "production", ORDERS, NOT_OK),
        ({}, "production", smoke_outside.SENDER_LINES["BookingsMailSender"], NOT_OK),
        ({}, "production", smoke_outside.CURSOR_LINE, NOT_OK),
        ({}, "production", smoke_outside.CATALOGUE_LINE, NOT_OK),
    ],
)
def test_a_sandbox_is_red_in_production_and_said_elsewhere(
    answers: dict[str, Any], stage: str, line: str, verdict: Verdict
) -> None:
    assert verdicts(smoke_outside.check_outside(a_shop(outside(**answers), stage=stage)))[line][0] is verdict


def test_an_empty_secret_names_the_variables_that_are_missing() -> None:
    lines = verdicts(smoke_outside.check_outside(a_shop(outside())))
    for account, first in zip(smoke_outside.SECRET_LINES.values(), ("MPESA_CONSUMER_KEY", "PHONEPE_CLIENT_ID"), strict=True):
        assert lines[account][0] is NOT_OK
        assert first in lines[account][1]


def test_what_a_caller_has_no_right_to_ask_is_not_known_and_names_the_right() -> None:
    lines = [line for line in check_stack(a_shop({})) if "no right to" in line.found]
    assert {line.verdict for line in lines} == {UNKNOWN}
    assert "no right to ListSchedules" in " ".join(line.found for line in lines)


def test_what_somebody_has_deleted_by_hand_is_red() -> None:
    lines = list(check_stack(a_shop({"ListSchedules": "ResourceNotFoundException"})))
    assert [line.verdict for line in lines if "ListSchedules is answered ResourceNotFoundException" in line.found] == [NOT_OK]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS", "CREATE_FAILED"])
def test_a_stack_that_is_not_as_it_was_deployed_is_red(status: str) -> None:
    line = next(check_stack(replace(a_shop({}), status=status)))
    assert (line.what, line.verdict) == (smoke_parts.STACK_LINE, NOT_OK)
    assert line.found.startswith(status)


def test_a_stack_of_another_release_is_red() -> None:
    assert "it has no output ApiId" in next(check_stack(a_shop({}))).found


@pytest.mark.parametrize(
    ("domain", "is_off", "status", "verdict"),
    [
        ("", False, 200, OK),
        ("", True, 403, NOT_OK),
        ("api.shop.example", True, 403, OK),
        ("api.shop.example", True, 200, NOT_OK),
        ("api.shop.example", False, 200, NOT_OK),
    ],
)
def test_the_api_s_own_address_is_closed_where_a_domain_leads_to_it(
    domain: str,
    is_off: bool,  # noqa: FBT001 - a case of the table
    status: int,
    verdict: Verdict,
) -> None:
    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is written of requests."""

    nothing: dict[str, Any] = {"items": []}
    answers = {"GetResources": nothing, "GetAuthorizers": nothing, "GetRestApi": {"disableExecuteApiEndpoint": is_off}}
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        own = f"http://127.0.0.1:{server.server_address[1]}"
        shop = replace(a_shop(answers), parameters={"DomainName": domain}, outputs={"ApiId": "api", "ApiUrl": own})
        line = next(line for line in smoke_api.check_api(shop) if line.what == smoke_api.OWN_ADDRESS_LINE)
        assert line.verdict is verdict, line.found
        server.shutdown()


def test_a_first_deployment_that_went_well_waits_for_its_owner_and_a_fault_or_a_shop_that_was_filled_does_not() -> None:
    wrong = [line for line in smoke_outside.check_outside(a_shop(outside())) if line.verdict is NOT_OK]
    unfilled = [line for line in wrong if line.what != smoke_outside.CURSOR_LINE]
    assert awaits_its_owner(unfilled)
    assert not awaits_its_owner(wrong), "the key of cursors is made by the stack"
    for name in (smoke_outside.CATALOGUE_LINE, *smoke_outside.SECRET_LINES.values()):
        assert not awaits_its_owner([line for line in unfilled if line.what != name]), f"{name} was given: the others are lost"
    assert not awaits_its_owner([])
