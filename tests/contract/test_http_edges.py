"""What clients, proxies and gateways send beside the methods that the documents print."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

from payfirst.api.routes import ROUTES, Route, methods_of
from tests.conftest import RunningStack
from tests.contract.walk import PER_CALL, Customer, Stack, new_customer


@pytest.fixture(scope="module")
def customer(stack: Stack) -> Customer:
    return new_customer(stack)


@pytest.fixture(scope="module")
def operator(stack: RunningStack) -> Customer:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return Customer(stack.base_url, stack.token(sub=str(uuid4()), **claims))


def lasting(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items() if name.lower() not in PER_CALL}


@pytest.mark.parametrize("route", [each for each in ROUTES if each.method == "GET"], ids=lambda each: each.operation)
def test_head_answers_as_get_without_the_body(customer: Customer, operator: Customer, route: Route) -> None:
    path = route.path.replace("{service_id}", "1").replace("{listing_id}", "123").replace("{county_id}", "1")
    path = "/".join("1" if part.startswith("{") else part for part in path.split("/"))
    caller = operator if route.operators else customer
    got, headed = caller.send("GET", path), caller.send("HEAD", path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert got.content
    assert lasting(headed) == lasting(got)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/payments/process-cart", "POST"),
        ("HEAD", "/api/payments/process-cart", "POST"),
        ("DELETE", "/api/payments/process-cart", "POST"),
        ("GET", "/api/payments/payments/process-cart", "POST"),
        ("GET", "/api/payments/webhook", "POST"),
        ("GET", "/api/payments/webhook/phonepe", "POST"),
        ("GET", "/api/payments/webhook/check-booking", "POST"),
        ("GET", "/api/payments/transactions", "POST"),
        ("GET", "/api/payments/transactions/mpesa_callback", "POST"),
        ("PUT", "/api/payments/transactions", "POST"),
        ("DELETE", "/api/payments/sessions", "GET, HEAD, POST"),
        ("POST", "/api/payments/payments", "GET, HEAD"),
        ("DELETE", "/api/cart/carts/active", "GET, HEAD"),
        ("POST", "/api/payments/123", "GET, HEAD"),
        ("DELETE", "/paid", "GET, HEAD, POST"),
    ],
)
def test_a_fixed_word_with_another_method_is_405_and_no_id(customer: Customer, method: str, path: str, allowed: str) -> None:
    for slash in ("", "/"):
        answer = customer.send(method, path + slash)
        assert answer.status_code == 405, answer.text
        assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/api/payments", "/api/payments/process-cart", "/paid", "/nothing", "/", "/health", "/cb/stk/x"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://elsewhere.example"},
        {"Access-Control-Request-Method": "POST"},
        {"Origin": "null", "Access-Control-Request-Method": "\u00e9".encode("latin-1")},
    ],
)
def test_options_that_is_no_preflight_is_404_or_405(stack: Stack, path: str, headers: dict[str, str]) -> None:
    answer = requests.options(f"{stack.base_url}{path}", headers=headers, timeout=30)
    assert answer.status_code == (405 if methods_of(path) else 404), answer.text


@pytest.mark.parametrize(
    ("given", "type_"), [(None, ""), (b"code=PAYMENT_SUCCESS&merchantId=M1", "application/x-www-form-urlencoded")]
)
@pytest.mark.parametrize("path", ["/paid", "/paid/"])
def test_the_page_after_the_payment_answers_a_form_like_a_link(
    stack: Stack, path: str, given: bytes | None, type_: str
) -> None:
    posted = requests.post(f"{stack.base_url}{path}", data=given, headers={"Content-Type": type_} if type_ else {}, timeout=30)
    got = requests.get(f"{stack.base_url}{path}", timeout=30)
    assert (posted.status_code, posted.content) == (200, got.content)
    assert lasting(posted) == lasting(got)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/payments/%73essions",
        "/api/payments/%73essions/",
        "/api/payments/process%2Dcart",
        "/api/payments/sessions/1/%73tatus",
        "/api/%6fperators/stuck",
        "//api/payments",
        "//api/operators/stuck",
        "/api//payments",
    ],
)
def test_a_fixed_word_in_disguise_is_404_whatever_the_method(customer: Customer, method: str, path: str) -> None:
    base = urlsplit(customer.base_url)
    host = HTTPConnection(base.netloc, timeout=20)
    host.request(
        method, base.path + path, headers={"Authorization": f"Bearer {customer.token}"}
    )  # requests would decode it by itself
    answer = host.getresponse()
    assert answer.status == 404, answer.read()
    host.close()


def test_a_byte_order_mark_before_a_body_is_skipped(customer: Customer) -> None:
    body = b"\xef\xbb\xbf"
    assert customer.send("POST", "/api/carts/remove_promo", raw=body + b"{}").status_code == 200
    assert customer.send("POST", "/api/carts/remove_promo", raw=body).status_code == 200
    assert "listing_id" in customer.send("POST", "/api/carts/add_item", raw=body + b"{}").text
    assert customer.send("POST", "/api/carts/remove_promo", raw=body + body + b"{}").status_code == 400


@pytest.mark.parametrize("number", [b"9" * 5000, b"-" + b"9" * 5000])
def test_a_number_that_is_too_long_is_told_as_such(customer: Customer, number: bytes) -> None:
    for body in (b'{"listing_id": %b}' % number, b'{"listing_id": [1, {"a": %b}]}' % number):
        answer = customer.send("POST", "/api/carts/add_item", raw=body)
        assert (answer.status_code, answer.json()["message"]) == (400, "A number in the body is too long."), answer.text


def test_a_body_that_is_null_is_an_absent_body(customer: Customer) -> None:
    for body in (b"null", b" null\n"):
        answer = customer.send("POST", "/api/carts/remove_promo", raw=body)
        assert answer.status_code == customer.send("POST", "/api/carts/remove_promo").status_code == 200, answer.text
        refused = customer.send("POST", "/api/carts/add_item", raw=body)
        assert refused.status_code == 400
        assert "listing_id" in refused.text
