"""Every route that needs a customer and every token that is none of this shop's customers': always 401, and nothing is told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
import requests

from payfirst.api.routes import ROUTES, Route
from tests.conftest import RunningStack
from tests.contract.test_ownership import REQUESTS

PROTECTED: Final = [route for route in ROUTES if not route.public]
TOKENS: Final[Mapping[str, Callable[[RunningStack], str | None]]] = {
    "no token": lambda _: None,
    "no token at all but a word": lambda _: "operator",
    "expired": lambda stack: stack.token(exp=int(time.time()) - 60),
    "for another audience": lambda stack: stack.token(aud="another-shop"),
    "of another issuer": lambda stack: stack.token(iss="https://issuer.example"),
    "an access token": lambda stack: stack.token(token_use="access", aud=None, client_id="test-shop"),
    "an access token with the audience": lambda stack: stack.token(token_use="access"),
    "another issuer's access token": lambda stack: stack.token(token_use=None, client_id="test-shop"),
    "another issuer's access token with its scope": lambda stack: stack.token(token_use=None, scope="openid orders"),
    "another issuer's access token with its scopes": lambda stack: stack.token(token_use=None, scp=["orders"]),
    "changed after it was signed": lambda stack: changed(stack.token()),
}


def changed(token: str) -> str:
    """The token with one character of its claims exchanged."""
    header, claims, signature = token.split(".")
    middle = len(claims) // 2
    other = "A" if claims[middle] != "A" else "B"
    return ".".join((header, claims[:middle] + other + claims[middle + 1 :], signature))


def call(stack: RunningStack, route: Route, end: str, token: str | None) -> requests.Response:
    path = re.sub(r"\{\w+\}", "0199c4f2-7d3a-7c41-8e52-9a0b1c2d3e4f", route.path)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return requests.request(route.method, f"{stack.base_url}{path}{end}", headers=headers, timeout=30)


@pytest.mark.parametrize("kind", TOKENS)
def test_no_route_takes_a_token_that_is_not_a_customers(stack: RunningStack, kind: str) -> None:
    token = TOKENS[kind](stack)
    table = {
        f"{route.method} {route.path}{end}": call(stack, route, end, token).status_code
        for route in PROTECTED
        for end in ("", "/")
    }
    assert {key: status for key, status in table.items() if status != 401} == {}


def test_the_same_calls_with_a_customers_token_are_not_refused_for_it(stack: RunningStack) -> None:
    token = stack.token()
    assert [route.operation for route in PROTECTED if call(stack, route, "", token).status_code == 401] == []


def test_an_id_token_of_an_issuer_that_does_not_call_it_so_is_one(stack: RunningStack) -> None:
    headers = {"Authorization": f"Bearer {stack.token(token_use=None)}"}
    assert requests.get(f"{stack.base_url}/api/payments/sessions/", headers=headers, timeout=30).status_code == 200


def test_every_route_to_somebodys_own_thing_is_tried_by_a_stranger() -> None:
    tried = {(method, without_names(path)) for method, path, _ in REQUESTS}
    customers = [route for route in PROTECTED if not route.operators]
    named = {(route.method, without_names(route.path)) for route in customers if "{" in route.path}
    assert sorted(named - tried) == []


NO_OPERATORS: Final[Mapping[str, object]] = {
    "no group": None,
    "another group": ["customers"],
    "a name that begins alike": ["operators2"],
    "a name that ends alike": ["our-operators"],
    "another case": ["Operators"],
    "the singular": ["operator"],
    "a name with a comma": ["customers,operators"],
    "a name in brackets": ["[operators]"],
    "the word without a list, in quotes": '"operators"',
}


@pytest.mark.parametrize("kind", NO_OPERATORS)
def test_to_a_customer_the_operators_routes_are_paths_that_do_not_exist(stack: RunningStack, kind: str) -> None:
    claims: dict[str, Any] = {"cognito:groups": NO_OPERATORS[kind], "groups": ["operators"], "custom:groups": "operators"}
    token = stack.token(**claims)
    operators = [route for route in ROUTES if route.operators]
    answers = [call(stack, route, end, token) for route in operators for end in ("", "/")]
    unknown = requests.get(f"{stack.base_url}/api/nothing", timeout=30)

    assert len(answers) > 10
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, unknown.content)}


def test_an_operator_is_let_in_whatever_other_groups_there_are(stack: RunningStack) -> None:
    for groups in (["operators"], ["customers", "operators"], ["operators", "packers", "operators2"]):
        claims: dict[str, Any] = {"cognito:groups": groups}
        headers = {"Authorization": f"Bearer {stack.token(**claims)}"}
        answer = requests.get(f"{stack.base_url}/api/operators/stuck", headers=headers, timeout=30)
        assert answer.status_code == 200, groups


def without_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
