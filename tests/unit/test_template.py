"""`template.yaml` says the same as the code: routes, functions, settings; and it gives no function more than it needs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from local.template import load_template, the_only
from payfirst.api.routes import ROUTES
from payfirst.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = load_template(ROOT / "template.yaml")
FUNCTION = "AWS::Serverless::Function"
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
LEFT_ALONE = {
    "Runtime",
    "Architecture",
    "Stage",  # `samconfig.toml` gives it and the gateways' addresses
    "MpesaBaseUrl",
    "PhonePeBaseUrl",
    "PhonePeTokenUrl",
    "PublicOrigin",
    "CallbackOrigin",
    "ExpiryGraceSeconds",
    "PhonePaceSeconds",
    "MpesaNoAnswerSeconds",
    "MpesaConfirmWithQuery",
    "ApiRequestsPerSecond",
    "ApiBurst",
}
"""Parameters that the page about deploying leaves to their descriptions."""
GATEWAY_SECRETS = {"MpesaSecret", "PhonePeSecret"}


def functions() -> dict[str, dict[str, Any]]:
    """The properties of each function by the name of its folder."""
    return {
        Path(resource["Properties"]["CodeUri"]).name: resource["Properties"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == FUNCTION
    }


def events_of_kind(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, function in functions().items():
        for event in function["Events"].values():
            if event["Type"] == kind:
                yield name, event["Properties"]


def statements(name: str) -> list[dict[str, Any]]:
    """What the function called `name` may do, whether its role is SAM's or its own."""
    function = functions()[name]
    if "Role" in function:
        role = TEMPLATE["Resources"][function["Role"]["Fn::GetAtt"][0]]
        policies = [policy["PolicyDocument"] for policy in role["Properties"]["Policies"]]
    else:
        policies = function.get("Policies", [])
    return [statement for policy in policies for statement in policy["Statement"]]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(name: str) -> set[str]:
    return {action for statement in statements(name) for action in as_list(statement["Action"])}


def secrets_of(name: str) -> set[str]:
    return {
        resource["Fn::GetAtt"][0]
        for statement in statements(name)
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def test_the_api_has_exactly_the_routes_of_the_code_with_and_without_a_slash_at_the_end() -> None:
    declared = sorted(
        (event["Method"], event["Path"], name, event.get("Auth", {}).get("Authorizer") == "NONE")
        for name, event in events_of_kind("HttpApi")
        if "Path" in event
    )
    expected = sorted(
        (route.method, path, route.function, route.public) for route in ROUTES for path in (route.path, f"{route.path}/")
    )
    assert declared == expected


def test_whatever_no_route_matches_goes_to_the_site_without_a_token() -> None:
    unmatched = [(name, event) for name, event in events_of_kind("HttpApi") if "Path" not in event]
    assert [(name, event["Auth"]["Authorizer"]) for name, event in unmatched] == [("site", "NONE")]


def test_every_other_route_demands_a_token_of_our_user_pool_for_our_client() -> None:
    auth = the_only(TEMPLATE, "AWS::Serverless::HttpApi")["Auth"]
    demanded = auth["Authorizers"][auth["DefaultAuthorizer"]]["JwtConfiguration"]
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert demanded["issuer"] == variables["TOKEN_ISSUER"]
    assert TEMPLATE["Conditions"]["HasOwnUsers"] == {"Fn::Equals": [{"Ref": "TokenIssuer"}, ""]}
    assert demanded["audience"] == [variables["TOKEN_AUDIENCE"]]


def test_every_folder_of_functions_is_a_function_and_every_function_has_its_folder() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert set(functions()) == folders


def test_every_function_is_called_by_something() -> None:
    assert [name for name, function in functions().items() if not function["Events"]] == []


def test_functions_get_exactly_the_settings_that_they_read() -> None:
    names = {field.name.upper() for field in fields(Settings)}
    assert set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]) == names
    for name, function in functions().items():
        own = set(function.get("Environment", {}).get("Variables", {}))
        assert own <= names, name


def test_no_secret_is_a_parameter_or_a_setting() -> None:
    for name in [*TEMPLATE["Parameters"], *(field.name for field in fields(Settings))]:
        words = name.lower().replace("_secret_id", "").replace("keyarn", "")
        assert not any(word in words for word in ("secret", "password", "passkey", "key")), name


def test_a_shop_finds_every_parameter_on_the_page_about_deploying_but_those_that_it_can_leave_alone() -> None:
    told = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert {name for name in TEMPLATE["Parameters"] if not re.search(rf"\b{name}\b", told)} <= LEFT_ALONE
    assert set(TEMPLATE["Parameters"]) >= LEFT_ALONE


def test_every_parameter_says_what_it_is_for() -> None:
    assert [name for name, parameter in TEMPLATE["Parameters"].items() if not parameter.get("Description")] == []


@pytest.mark.parametrize("name", sorted(functions()))
def test_no_function_may_do_everything_with_anything(name: str) -> None:
    for statement in statements(name):
        assert not any("*" in action for action in as_list(statement["Action"])), statement
        assert all(isinstance(resource, dict) for resource in as_list(statement["Resource"])), statement


@pytest.mark.parametrize("name", ["read_payments", "catalogue"])
def test_functions_that_read_cannot_write(name: str) -> None:
    assert {action for action in actions(name) if action.startswith("dynamodb:")} <= READS


def test_only_the_functions_that_talk_to_gateways_may_read_their_secrets() -> None:
    assert {name for name in functions() if secrets_of(name) & GATEWAY_SECRETS} == {
        "initiate_payment",
        "webhook",
        "reconcile_payments",
    }


def test_only_functions_that_keep_answers_to_repeated_requests_may_delete_items() -> None:
    repeatable = {route.function for route in ROUTES if route.method == "POST" and not route.public}
    assert {name for name in functions() if "dynamodb:DeleteItem" in actions(name)} == repeatable


def test_the_site_may_do_nothing_but_write_its_log() -> None:
    assert actions("site") == {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_no_function_may_delete_or_change_the_table_itself() -> None:
    allowed = {
        *READS,
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:ConditionCheckItem",
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "secretsmanager:GetSecretValue",
        "events:PutEvents",
        "ses:SendEmail",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    assert {action for name in functions() for action in actions(name)} <= allowed


def test_the_table_outlives_the_stack_and_can_be_restored() -> None:
    table = TEMPLATE["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["DeletionProtectionEnabled"] == {"Fn::If": ["IsProduction", True, False]}


def test_the_index_of_unfinished_work_holds_keys_only() -> None:
    [index] = the_only(TEMPLATE, "AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_run() -> None:
    visible_again_after = TEMPLATE["Resources"]["SettleQueue"]["Properties"]["VisibilityTimeout"]
    assert visible_again_after >= 6 * functions()["reconcile_payments"]["Timeout"]


def test_the_settle_queue_reports_single_failures_and_ends_in_a_dead_letter_queue() -> None:
    assert [(name, event["FunctionResponseTypes"]) for name, event in events_of_kind("SQS")] == [
        ("reconcile_payments", ["ReportBatchItemFailures"])
    ]
    redrive = TEMPLATE["Resources"]["SettleQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["SettleDeadLetterQueue", "Arn"]}


def test_the_sweeps_run_every_minute() -> None:
    assert sorted((name, event["ScheduleExpression"]) for name, event in events_of_kind("ScheduleV2")) == [
        ("deliver_events", "rate(1 minute)"),
        ("expire_sessions", "rate(1 minute)"),
        ("reconcile_payments", "rate(1 minute)"),
    ]


def test_the_schedules_of_two_stacks_in_one_account_have_names_of_their_own() -> None:
    names = {event["Name"]["Fn::Sub"] for _, event in events_of_kind("ScheduleV2")}
    assert len(names) == 3
    assert all(name.startswith("${AWS::StackName}-") for name in names)


def test_no_function_behind_the_api_may_run_longer_than_the_api_waits() -> None:
    behind_the_api = {name for name, _ in events_of_kind("HttpApi")}
    assert {name for name in behind_the_api if functions()[name]["Timeout"] > 29} == set()


def test_nobody_chooses_their_own_user_id() -> None:
    client = the_only(TEMPLATE, "AWS::Cognito::UserPoolClient")
    assert "custom:user_id" in client["ReadAttributes"]
    assert "custom:user_id" not in client["WriteAttributes"]
    schema = {entry["Name"]: entry for entry in the_only(TEMPLATE, "AWS::Cognito::UserPool")["Schema"]}
    assert schema["user_id"]["Mutable"] is False


def test_the_log_of_calls_names_the_route_and_never_the_path_that_may_hold_a_token() -> None:
    written = the_only(TEMPLATE, "AWS::Serverless::HttpApi")["AccessLogSettings"]["Format"]
    assert "$context.routeKey" in written
    assert "path" not in written


def test_the_layer_holds_the_package_once() -> None:
    layer = the_only(TEMPLATE, "AWS::Serverless::LayerVersion")
    assert (ROOT / layer["ContentUri"] / "payfirst" / "__init__.py").exists()


def test_the_layer_is_built_for_the_runtime_and_processor_of_the_functions_unless_told_otherwise() -> None:
    makefile = (ROOT / "layers" / "common" / "python" / "Makefile").read_text(encoding="utf-8")
    for name in ("Runtime", "Architecture"):
        assert f"LAYER_{name.upper()} ?= {TEMPLATE['Parameters'][name]['Default']}\n" in makefile


def test_the_layer_describes_every_service_that_the_package_calls() -> None:
    packed = ast.parse((ROOT / "layers" / "common" / "python" / "build_layer.py").read_text(encoding="utf-8"))
    [kept] = [
        ast.literal_eval(node.value)
        for node in packed.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "SERVICES"
    ]
    clients = {"ses": "sesv2"}  # where the word of a right is not the name of the client
    words = {action.split(":")[0] for name in functions() for action in actions(name)} - {"logs"}  # Lambda itself writes them
    services = {clients.get(word, word) for word in words}
    assert services == set(kept)


def test_no_function_imports_another() -> None:
    for path in (ROOT / "functions").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] in ("functions", "local", "ops") for name in names), path


def test_every_function_has_one_event_to_try_it_with() -> None:
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == set(functions())


@pytest.mark.parametrize("name", sorted({name for name, _ in events_of_kind("HttpApi")}))
def test_the_event_of_a_function_behind_the_api_takes_a_route_of_its_own(name: str) -> None:
    event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    method, path = event["routeKey"].split(" ")
    [route] = [route for route in ROUTES if route.method == method and route.path == path.rstrip("/")]
    assert route.function == name
    assert ("authorizer" in event["requestContext"]) is not route.public
