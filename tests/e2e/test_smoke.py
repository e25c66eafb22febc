"""`make smoke` on the deployed form: green as it is deployed, red on each defect, by the line that names it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import boto3
import pytest
import requests

from local.deployed import STACK
from local.embedded_aws import AwsEndpoint
from ops import smoke_alarms, smoke_api, smoke_flows, smoke_http, smoke_outside, smoke_parts
from ops.smoke import check_stack
from ops.smoke_shop import Line, Shop, Verdict, read_shop
from payfirst.gateways.registry import GATEWAYS
from tests.conftest import PooledStack
from tests.e2e.smoke_defects import (
    a_disabled_schedule,
    a_missing_route,
    a_pool_of_another_stack,
    a_route_with_a_slash,
    a_url,
    an_alarm_on_a_metric_that_nobody_sends,
    an_empty_secret,
    another_clients_tokens,
    cors_for_another_origin,
)

NOT_KNOWN_ON_AN_EMULATOR: Final = {
    smoke_parts.WARNINGS_LINE,
    *smoke_outside.SENDER_LINES.values(),
    smoke_outside.SES_LINE,
    smoke_alarms.DATA_LINE,
    smoke_alarms.STATES_LINE,
    smoke_flows.EXPIRED_LINE,
}
SECRETS: Final = ("GatewaysSecretId", "CursorSecretId")
PHONEPE_SECRET: Final = smoke_outside.SECRET_LINES["phonepe"]
SHOP_PAGES: Final = {smoke_http.SHOP_LINE.format(origin) for origin in ("https://shop.example", "http://localhost:3000")}
CUSTOMERS: Final = {
    smoke_flows.CUSTOMER_LINE,
    smoke_flows.GROUPS_LINE,
    smoke_flows.IDS_LINE,
    smoke_flows.VERB_LINE,
    smoke_flows.EMPTY_LINE,
    *smoke_flows.FLOW_LINES.values(),
}
"""What a customer sees."""


@pytest.fixture(scope="module")
def aws(deployed: PooledStack) -> AwsEndpoint:
    return AwsEndpoint(int(deployed.endpoint.rsplit(":", 1)[1]))


@pytest.fixture
def shop(aws: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The deployed stack as somebody sees it whose AWS account is the embedded one."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return read_shop(boto3.session.Session(), STACK, datetime.now(UTC))


def red(shop: Shop) -> dict[str, Line]:
    return {line.what: line for line in check_stack(shop) if line.verdict is Verdict.NOT_OK}


def smoke(aws: AwsEndpoint, *words: str) -> subprocess.CompletedProcess[str]:
    """What `make smoke` prints to somebody whose AWS account is the embedded one."""
    command = [sys.executable, "-m", "ops.smoke", "--stack-name", STACK, *words]
    return subprocess.run(command, env=os.environ | aws.environment(), capture_output=True, text=True, timeout=300, check=False)


def test_a_stack_as_it_is_deployed_is_green_and_what_an_emulator_cannot_know_is_not(aws: AwsEndpoint) -> None:
    done = smoke(aws, "--json")
    told = json.loads(done.stdout)
    assert [line for line in told["lines"] if line["verdict"] == Verdict.NOT_OK] == []
    assert (done.returncode, told["ok"], told["stack"]) == (0, True, STACK)
    assert {line["what"] for line in told["lines"] if line["verdict"] == Verdict.UNKNOWN} == NOT_KNOWN_ON_AN_EMULATOR
    assert len(told["lines"]) == len({line["what"] for line in told["lines"]})


def test_no_secret_and_no_token_is_shown_and_nobody_is_left_behind(aws: AwsEndpoint, shop: Shop) -> None:
    keeper = aws.client("secretsmanager")
    texts = [json.loads(keeper.get_secret_value(SecretId=shop.outputs[name])["SecretString"]) for name in SECRETS]
    hidden = {field.name for each in GATEWAYS for form in each.forms() for field in form.fields if field.hidden} | {"key"}
    secrets = {one[name] for text in texts for one in (text, *text.values()) for name in hidden if name in one}
    assert len(secrets) > 5
    done = smoke(aws)
    assert not {secret for secret in secrets if secret in done.stdout + done.stderr}
    assert not re.search(r"eyJ\w{20}", done.stdout + done.stderr)
    users = aws.client("cognito-idp").list_users(UserPoolId=shop.outputs["UserPoolId"])["Users"]
    assert "smoke-" not in json.dumps(users, default=str)
    groups = aws.client("cognito-idp").list_groups(UserPoolId=shop.outputs["UserPoolId"])["Groups"]
    assert [group["GroupName"] for group in groups] == ["operators"]


def test_in_production_nobody_is_made_and_nothing_bought(shop: Shop) -> None:
    lines = list(smoke_flows.check_as_customer(replace(shop, parameters={**shop.parameters, "Stage": "production"})))
    assert {line.verdict for line in lines} == {Verdict.UNKNOWN}
    assert {*smoke_flows.FLOW_LINES.values()} < {line.what for line in lines}


class _HttpApi(BaseHTTPRequestHandler):
    """What AWS made of the first template, an HTTP API: no route ends in a slash, and such requests fall to the site's 404."""

    behind = ""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.partition("?")[0].endswith("/"):
            text = json.dumps({"status": "error", "message": "Not found", "error_code": "ROUTE_NOT_FOUND"}).encode()
            status, headers = 404, {"Content-Type": "application/json"}
        else:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
            got = requests.request(
                self.command, self.behind + self.path, data=body, headers=kept, timeout=60, allow_redirects=False
            )
            text, status = got.content, got.status_code
            headers = {
                name: value
                for name, value in got.headers.items()
                if name.lower() not in ("content-length", "transfer-encoding", "content-encoding", "connection")
            }
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _answer  # noqa: N815 - the names are the base class's

    def log_message(self, *_: object) -> None:
        """Nothing is written of requests."""


@contextmanager
def http_api_before(base_url: str) -> Iterator[str]:
    handler = type("Handler", (_HttpApi,), {"behind": base_url})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_api_without_routes_that_end_in_a_slash_is_red(aws: AwsEndpoint, deployed: PooledStack) -> None:
    with http_api_before(deployed.base_url) as address:
        done = smoke(aws, "--json", "--address", address)
    assert done.returncode == 1
    wrong = {line["what"]: line["found"] for line in json.loads(done.stdout)["lines"] if line["verdict"] == Verdict.NOT_OK}
    assert "GET /health/: 404" in wrong[smoke_http.PUBLIC_LINES["/"]]
    assert smoke_http.PUBLIC_LINES[""] not in wrong
    assert {*smoke_http.TOKEN_LINES.values(), *SHOP_PAGES, *CUSTOMERS} <= wrong.keys()


def test_a_stack_whose_api_is_no_rest_api_is_red(shop: Shop) -> None:
    [line] = smoke_api.check_api(replace(shop, outputs={**shop.outputs, "ApiId": "httpapi000"}))
    assert (line.what, line.verdict) == (smoke_api.ROUTES_LINE, Verdict.NOT_OK)


def test_a_url_of_the_webhooks_own_is_green_with_both_rights_and_red_where_the_stack_made_one_that_is_gone(shop: Shop) -> None:
    def said(seen: Shop) -> tuple[Verdict, str]:
        [line] = [line for line in smoke_parts.check_parts(seen) if line.what == smoke_parts.URL_LINE]
        return line.verdict, line.found

    assert said(shop) == (Verdict.OK, f"there is none: notices come to {shop.outputs['NoticeUrl']}")
    with a_url(shop):
        assert said(shop)[0] is Verdict.OK
        assert "lambda:InvokeFunctionUrl and lambda:InvokeFunction" in said(shop)[1]
    made = {"ResourceType": "AWS::Lambda::Url", "LogicalResourceId": "WebhookFunctionUrl", "PhysicalResourceId": "arn"}
    assert said(replace(shop, resources=(*shop.resources, made)))[0] is Verdict.NOT_OK


DEFECTS: Final[dict[str, tuple[Callable[[Shop], AbstractContextManager[str]], str, set[str]]]] = {
    "a missing route": (a_missing_route, smoke_api.ROUTES_LINE, CUSTOMERS | {smoke_flows.ACCESS_LINE}),
    "a pool of another stack": (a_pool_of_another_stack, smoke_api.POOL_LINE, CUSTOMERS),
    "another client's tokens": (another_clients_tokens, smoke_api.POOL_LINE, CUSTOMERS),
    "a disabled schedule": (a_disabled_schedule, smoke_parts.SCHEDULES_LINE, set()),
    "CORS for another origin": (cors_for_another_origin, min(SHOP_PAGES), SHOP_PAGES | {smoke_api.SETTINGS_LINE}),
    "an alarm on a metric nobody sends": (an_alarm_on_a_metric_that_nobody_sends, smoke_alarms.METRICS_LINE, set()),
    "an empty secret": (an_empty_secret, PHONEPE_SECRET, {smoke_outside.SECRET_LINES["mpesa"]}),
    "a route with a slash": (a_route_with_a_slash, smoke_api.SLASHES_LINE, set()),
    "a URL without InvokeFunctionUrl": (
        partial(a_url, without="lambda:InvokeFunctionUrl"),
        smoke_parts.URL_LINE,
        set(),
    ),
    "a URL without InvokeFunction": (
        partial(a_url, without="lambda:InvokeFunction"),
        smoke_parts.URL_LINE,
        set(),
    ),
}
"""What is done to the deployed stack, the line that names it, and the lines that may be red because of it as well."""


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_red_by_the_line_that_names_it(shop: Shop, name: str) -> None:
    make, line, consequences = DEFECTS[name]
    with make(shop) as found:
        wrong = red(shop)
    assert found in wrong[line].found
    assert wrong[line].do
    assert wrong.keys() - {line} <= consequences, {what: wrong[what].found for what in wrong}
