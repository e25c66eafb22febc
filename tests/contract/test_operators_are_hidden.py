"""Below `/api/operators/` a customer learns nothing: known and unknown paths answer byte for byte alike, whatever is sent."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import pytest
import requests

from payfirst.api.routes import ROUTES
from tests.conftest import RunningStack
from tests.contract.walk import PER_CALL

KNOWN: Final = sorted(
    {re.sub(r"\{\w+\}", name, route.path) for route in ROUTES if route.operators for name in ("MT0123456789abc", "x")}
)
UNKNOWN: Final = (
    "/api/operators/nothing",
    "/api/operators/stuck/nothing",
    "/api/operators/payments",
    "/api/operators/payments/x/nothing",
    "/api/operators/a/b/c/d/e",
    "/api/operators/%2e%2e/stuck%20",
    "/api/operators/payments//refund",
)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")


@dataclass(frozen=True)
class Ask:
    """What is sent, whatever the path."""

    what: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: str = ""


ASKS: Final = (
    Ask("nothing"),
    Ask("a key", {"Idempotency-Key": "again"}, b'{"why": "a kindness"}'),
    Ask("the same key with another body", {"Idempotency-Key": "again"}, b'{"why": "another one"}'),
    Ask("a long key", {"Idempotency-Key": "k" * 256}, b"{}"),
    Ask("an empty key", {"Idempotency-Key": ""}, b"{}"),
    Ask("a large body", {}, b'{"why": "' + b"x" * 70_000 + b'"}'),
    Ask("no JSON", {"Content-Type": "application/json"}, b'{"why": '),
    Ask("no text", {"Content-Type": "application/octet-stream"}, bytes(range(256))),
    Ask("a form", {"Content-Type": "application/x-www-form-urlencoded"}, b"found=paid&why=it+is+there"),
    Ask("a list", {"Content-Type": "text/plain"}, b"[]"),
    Ask("a query", query="?day=2024-02-31&status=eaten&customer=x"),
    Ask("a preflight", {"Origin": "https://localhost", "Access-Control-Request-Method": "POST"}),
    Ask("a page at another origin", {"Origin": "https://elsewhere.example"}),
)


def answers(stack: RunningStack, path: str, method: str, token: str | None) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What comes back for each ask: status, headers and body, but for what names the one request."""
    who = {} if token is None else {"Authorization": f"Bearer {token}"}
    with requests.Session() as session:
        for ask, slash in zip(ASKS, itertools.cycle(("", "/"))):
            where = f"{stack.base_url}{path}{slash}{ask.query}"
            answer = session.request(method, where, headers={**who, **ask.headers}, data=ask.body, timeout=30)
            headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in PER_CALL}
            yield ask.what, (answer.status_code, headers, answer.content)


@pytest.mark.parametrize("method", METHODS)
def test_known_and_unknown_paths_answer_a_customer_alike(stack: RunningStack, method: str) -> None:
    token = stack.token(sub=str(uuid4()))
    first = dict(answers(stack, UNKNOWN[0], method, token))
    for path in (*KNOWN, *UNKNOWN[1:]) if method in ("GET", "POST") else (*KNOWN[::2], UNKNOWN[-1]):
        for what, answer in answers(stack, path, method, token):
            assert answer == first[what], f"{method} {path} with {what}"
    assert {status for what, (status, _, _) in first.items() if "preflight" not in what} == {404}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_known_and_unknown_paths_answer_alike_where_there_is_no_token(stack: RunningStack, method: str) -> None:
    first = dict(answers(stack, UNKNOWN[0], method, None))
    for path in (*KNOWN, *UNKNOWN[1:]):
        assert dict(answers(stack, path, method, None)) == first, f"{method} {path}"
    assert {status for status, _, _ in first.values()} == {401}


def test_an_operator_is_told_what_is_wrong(stack: RunningStack) -> None:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    who = {"Authorization": f"Bearer {stack.token(sub=str(uuid4()), **claims)}"}

    def ask(method: str, path: str, body: bytes = b"", **headers: str) -> requests.Response:
        return requests.request(method, f"{stack.base_url}{path}", headers={**who, **headers}, data=body, timeout=30)

    wrong = ask("DELETE", "/api/operators/stuck/")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD")
    assert ask("GET", "/api/operators/nothing").status_code == 404
    path, key = "/api/operators/payments/MT0123456789abc/refund", {"Idempotency-Key": uuid4().hex}
    assert ask("POST", path, b"x" * 70_000).status_code == 413
    assert ask("POST", path, b"{", **key).status_code == 400
    assert ask("POST", path, b"{}", **key).status_code == 422
    assert ask("POST", path, b"{}", **{"Idempotency-Key": "k" * 256}).status_code == 400
