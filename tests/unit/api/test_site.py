"""The site answers without any right: its page, its description, its sign of life, and every path that no route has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.site.app import handler
from ops.api_reference.document import build


class Context:
    """As much of a Lambda context as a function asks for."""

    function_name = "site"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:site"
    aws_request_id = "r"

    def get_remaining_time_in_millis(self) -> int:
        return 3000


def answer(path: str, method: str = "GET") -> dict[str, Any]:
    context = {"requestId": "r", "http": {"method": method, "path": path}, "stage": "$default"}
    event = {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "requestContext": context}
    return handler({**event, "headers": {}, "isBase64Encoded": False}, Context())


@pytest.mark.parametrize("path", ["/health", "/health/"])
def test_the_sign_of_life(path: str) -> None:
    given = answer(path)
    assert (given["statusCode"], json.loads(given["body"])) == (200, {"status": "ok"})


def test_the_description_is_the_one_that_the_code_has() -> None:
    given = answer("/openapi.json")
    assert given["headers"]["Content-Type"] == "application/json"
    assert json.loads(given["body"]) == build()


@pytest.mark.parametrize(
    ("path", "shape"),
    [("/nothing", "message"), ("/sign-in", "message"), ("/api/orders/1/nothing", "message"), ("/api/cart/nothing", "error")],
)
def test_an_unknown_path_is_404_in_the_shape_of_its_family(path: str, shape: str) -> None:
    given = answer(path)
    assert given["statusCode"] == 404
    assert json.loads(given["body"])["error_code"] == "ROUTE_NOT_FOUND"
    assert shape in json.loads(given["body"])


def test_another_method_is_405_and_says_which_there_are() -> None:
    given = answer("/api/cart/carts/1", "PUT")
    assert given["statusCode"] == 405
    assert given["headers"]["Allow"] == "DELETE, GET, HEAD"


def test_an_id_that_no_id_looks_like_is_not_found_and_no_wrong_method() -> None:
    assert answer("/api/orders/\x00")["statusCode"] == 404
