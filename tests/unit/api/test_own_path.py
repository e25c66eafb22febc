"""Functions find their routes whether or not API Gateway leaves a stage or a domain's mapping in the path."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from functions.site.app import handler
from payfirst.api.request import own_path

SESSION = "GET /api/payments/sessions/{session_id}/status"


def event(path: str, route: str, stage: str = "$default") -> dict[str, Any]:
    http = {"method": "GET", "path": path, "sourceIp": "127.0.0.1", "userAgent": "test", "protocol": "HTTP/1.1"}
    context = {"http": http, "requestId": "r", "stage": stage, "timeEpoch": 0}
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": context,
    }


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("/api/payments/sessions/7/status", "$default"),
        ("/api/payments/sessions/7/status/", "$default"),
        ("/production/api/payments/sessions/7/status", "production"),
        ("/api/payments/sessions/7/status", "production"),
        ("/shop/api/payments/sessions/7/status/", "$default"),
        ("/shops/kenya/api/payments/sessions/7/status", "live"),
    ],
)
def test_the_matched_route_says_where_the_path_begins(path: str, stage: str) -> None:
    assert own_path(event(path, SESSION, stage)) == "/api/payments/sessions/7/status"


@pytest.mark.parametrize(
    ("path", "stage", "own"),
    [
        ("/cb/stk/token/", "$default", "/cb/stk/token"),
        ("/live/cb/stk/token", "live", "/cb/stk/token"),
        ("/cb/stk/token", "live", "/cb/stk/token"),
        ("/", "$default", "/"),
        ("", "$default", "/"),
        ("/live", "live", "/"),
        ("/live/live", "live", "/live"),
        ("/$default", "live", "/$default"),
    ],
)
def test_without_a_matched_route_only_the_stage_is_taken_off(path: str, stage: str, own: str) -> None:
    assert own_path(event(path, "$default", stage)) == own


def test_a_value_in_the_path_is_never_mistaken_for_the_stage() -> None:
    assert own_path(event("/api/orders/api", "GET /api/orders/{order_id}", "api")) == "/api/orders/api"


@pytest.mark.parametrize(("path", "stage"), [("/health", "$default"), ("/live/health", "live"), ("/health/", "live")])
def test_a_function_answers_its_route_under_every_stage(path: str, stage: str) -> None:
    of_lambda = {"function_name": "site", "memory_limit_in_mb": 512, "invoked_function_arn": "arn", "aws_request_id": "r"}
    context = SimpleNamespace(**of_lambda, get_remaining_time_in_millis=lambda: 3000)
    answer = handler(event(path, "GET /health", stage), context)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("/api/operators/a/b/", "$default"),
        ("/prod/api/operators/a/b", "prod"),
        ("/shop/api/operators/a/b", "$default"),
    ],
)
def test_a_route_that_takes_any_path_keeps_what_stands_behind_its_prefix(path: str, stage: str) -> None:
    assert own_path(event(path, "ANY /api/operators/{proxy+}", stage)) == "/api/operators/a/b"
