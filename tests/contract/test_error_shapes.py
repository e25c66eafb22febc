"""The judge of error answers must be red for whatever is not the family's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from payfirst.api.routes import Family
from tests.contract.error_shapes import shape_problem

ORDERS = {"status": "error", "message": "Cart is empty", "error_code": "CART_EMPTY"}
PAYMENTS = {"error": "Cart payment processing failed", "details": "Active cart not found"}
FIELD = {"amount": ["Payment amount must be exactly 999.00"]}
NOTICE = {"status": "success", "message": "Accepted", "ResultCode": 0, "ResultDesc": "Accepted"}


def answered(status: int, body: Any, kind: str = "application/json") -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers["Content-Type"] = kind
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()  # noqa: SLF001 - its only way in
    return response


@pytest.mark.parametrize(
    ("family", "status", "body"),
    [
        (Family.ORDERS, 400, ORDERS),
        (Family.ORDERS, 400, {**ORDERS, "lines": []}),
        (Family.PAYMENTS, 404, PAYMENTS),
        (Family.PAYMENTS, 400, FIELD),
        (Family.BOOKINGS, 400, {**FIELD, "error_code": "INVALID_INPUT"}),
        (Family.BOOKINGS, 400, {"error": "Invalid or expired promo code"}),
        (Family.NOTICE, 200, NOTICE),
        (Family.NOTICE, 405, ORDERS),
        *((family, 401, {**ORDERS, **PAYMENTS}) for family in Family if family is not Family.NOTICE),
    ],
)
def test_the_documented_shapes_are_right(family: Family, status: int, body: Any) -> None:
    assert shape_problem(family, answered(status, body)) is None


@pytest.mark.parametrize(
    ("family", "status", "body"),
    [
        (Family.ORDERS, 400, PAYMENTS),
        (Family.ORDERS, 400, FIELD),
        (Family.ORDERS, 400, {**ORDERS, "status": "failed"}),
        (Family.ORDERS, 400, {**ORDERS, "message": ""}),
        (Family.ORDERS, 400, {**ORDERS, "error_code": None}),
        (Family.ORDERS, 404, {"message": "Not Found"}),
        (Family.PAYMENTS, 400, ORDERS),
        (Family.PAYMENTS, 404, {"error": "Cart payment processing failed"}),
        (Family.PAYMENTS, 400, {"amount": "Payment amount must be exactly 999.00"}),
        (Family.PAYMENTS, 400, {"amount": []}),
        (Family.PAYMENTS, 400, {"amount": [1]}),
        (Family.PAYMENTS, 404, {"message": "Not Found"}),
        (Family.BOOKINGS, 400, {}),
        (Family.BOOKINGS, 400, {"error_code": "INVALID_INPUT"}),
        (Family.BOOKINGS, 400, {"error": {"code": 1}}),
        (Family.NOTICE, 200, {"ResultCode": 0, "ResultDesc": "Accepted"}),
        (Family.NOTICE, 200, ORDERS),
        *((family, 400, [PAYMENTS]) for family in Family),
        *((family, 400, b"") for family in Family),
        *((family, 500, b"Internal Server Error") for family in Family),
    ],
)
def test_any_other_shape_is_a_problem(family: Family, status: int, body: Any) -> None:
    assert shape_problem(family, answered(status, body)) is not None


def test_an_answer_that_does_not_say_that_it_is_json_is_a_problem() -> None:
    assert shape_problem(Family.ORDERS, answered(400, ORDERS, "text/html")) == "the answer is text/html"
