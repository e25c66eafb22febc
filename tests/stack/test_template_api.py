"""Routes, tokens and what the API says by itself are in `template.yaml` as in the code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checks.aws.stacks import make_shop
from ops.template import the_only
from payfirst.api.routes import ROUTES
from tests.stack.template import ROOT, TEMPLATE, events_of_kind, functions


def test_the_api_has_exactly_the_routes_of_the_code() -> None:
    declared = sorted(
        (event["Method"], event["Path"], name, event.get("Auth", {}).get("Authorizer") == "NONE")
        for name, event in events_of_kind("Api")
        if event["Method"] not in ("ANY", "OPTIONS")
    )
    expected = [(method, route.path, route.function, route.public) for route in ROUTES for method in route.methods]
    assert declared == sorted(expected)


def test_whatever_no_route_matches_goes_to_the_site_without_a_token_but_below_the_operators_prefix() -> None:
    rest = sorted(
        (event["Path"], event["Method"], name, event.get("Auth", {}).get("Authorizer") == "NONE")
        for name, event in events_of_kind("Api")
        if event["Method"] in ("ANY", "OPTIONS")
    )
    assert rest == [
        ("/", "ANY", "site", True),
        ("/api/operators/{proxy+}", "ANY", "operators", False),
        ("/api/operators/{proxy+}", "OPTIONS", "site", True),
        ("/{proxy+}", "ANY", "site", True),
    ]


def test_every_variable_in_a_path_has_one_name_for_what_stands_before_it() -> None:
    names: dict[str, set[str]] = {}
    for route in ROUTES:
        parts = route.path.split("/")
        for at, part in enumerate(parts):
            if part.startswith("{"):
                names.setdefault("/".join(parts[:at]), set()).add(part)
    assert {before: found for before, found in names.items() if len(found) > 1} == {}, "API Gateway takes one"


def test_every_other_route_demands_a_token_of_our_user_pool_for_our_client() -> None:
    auth = the_only(TEMPLATE, "AWS::Serverless::Api")["Auth"]
    assert auth["Authorizers"][auth["DefaultAuthorizer"]] == {
        "UserPoolArn": {"Fn::GetAtt": ["UserPool", "Arn"]},
        "Identity": {"ValidationExpression": {"Ref": "UserPoolClient"}},
    }
    assert auth["AddDefaultAuthorizerToCorsPreflight"] is False


@pytest.mark.parametrize(
    "kind", ["UNAUTHORIZED", "EXPIRED_TOKEN", "MISSING_AUTHENTICATION_TOKEN", "THROTTLED", "REQUEST_TOO_LARGE"]
)
def test_what_the_api_says_by_itself_has_the_keys_of_both_families_and_a_code_of_ours(kind: str) -> None:
    declared = the_only(TEMPLATE, "AWS::Serverless::Api")["GatewayResponses"][kind]
    said = json.loads(declared["ResponseTemplates"]["application/json"])
    assert set(said) == {"status", "message", "error", "details", "error_code"}
    assert said["error_code"] in {"UNAUTHORIZED", "ROUTE_NOT_FOUND", "TOO_MANY_REQUESTS", "BODY_TOO_LARGE"}


@pytest.mark.parametrize("kind", ["DEFAULT_4XX", "DEFAULT_5XX"])
def test_what_the_api_says_otherwise_keeps_its_status(kind: str) -> None:
    assert "StatusCode" not in the_only(TEMPLATE, "AWS::Serverless::Api")["GatewayResponses"][kind]


def test_no_function_behind_the_api_may_run_longer_than_the_api_waits() -> None:
    behind_the_api = {name for name, _ in events_of_kind("Api")}
    assert {name for name in behind_the_api if functions()[name]["Timeout"] > 29} == set()


def test_with_a_domain_the_api_has_no_other_address() -> None:
    api = the_only(TEMPLATE, "AWS::Serverless::Api")
    assert api["DisableExecuteApiEndpoint"] == {"Fn::If": ["HasDomain", True, False]}


def test_the_log_of_calls_names_the_route_and_never_the_path_that_may_hold_a_token() -> None:
    written = the_only(TEMPLATE, "AWS::Serverless::Api")["AccessLogSetting"]["Fn::If"][1]["Format"]
    assert "$context.resourcePath" in written
    assert "$context.path" not in written


@pytest.mark.parametrize("name", sorted({name for name, _ in events_of_kind("Api")}))
def test_the_event_of_a_function_behind_the_api_takes_a_route_of_its_own(name: str) -> None:
    event = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    [route] = [route for route in ROUTES if (route.method, route.path) == (event["httpMethod"], event["resource"])]
    assert route.function == name
    assert ("authorizer" in event["requestContext"]) is not route.public


def test_every_function_has_one_event_to_try_it_with() -> None:
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == set(functions())


def test_whoever_gives_out_callback_addresses_has_one() -> None:
    own = {name for name, function in functions().items() if "CALLBACK_ORIGIN" in str(function.get("Environment"))}
    assert own == {"initiate_payment", "reconcile_payments"}


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({}, ".functionurl."),
        ({"PublicOrigin": "https://front.example/shop"}, ".functionurl."),
        ({"DomainName": "api.shop.example"}, "api.shop.example"),
        ({"CallbackOrigin": "https://notices.example"}, "notices.example"),
        ({"CallbackOrigin": "https://notices.example", "DomainName": "api.shop.example"}, "notices.example"),
    ],
)
def test_the_webhook_has_a_url_of_its_own_only_where_no_address_of_the_shops_takes_mpesas_notices(
    template: dict[str, Any], given: dict[str, str], host: str
) -> None:
    parts = make_shop("any", given, ROOT / "template.yaml", template).resources
    variables = [part.properties["Environment"]["Variables"] for part in parts if part.kind == "AWS::Lambda::Function"]
    [origin] = {one["CALLBACK_ORIGIN"] for one in variables} - {""}
    assert host in origin
    public = {part.name for part in parts if part.kind == "AWS::Lambda::Url" or part.properties.get("Principal") == "*"}
    by_sam = {"WebhookFunctionUrl", "WebhookFunctionUrlPublicPermissions", "WebhookFunctionURLInvokeAllowPublicAccess"}
    assert public == (by_sam if host == ".functionurl." else set()), "under other names a shop's URL would change"
