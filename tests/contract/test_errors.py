"""The errors that the contract names: status, words and codes, in the shape of the route's family."""

from __future__ import annotations

from typing import Any

import pytest

from payfirst.api.routes import ROUTES, Family, family_of, methods_of
from tests.contract.error_shapes import shape_problem
from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, a_session, new_customer, pay_mpesa, pay_phonepe, wait_until

A_CART = document("bookings")["create_cart"].body
A_SESSION = document("payment_sessions")["create_session"].body


@pytest.fixture
def customer(stack: Stack) -> Customer:
    return new_customer(stack)


def refused(customer: Customer, path: str, body: Any, status: int, method: str = "POST") -> Any:
    """The answer to a request that must be refused with `status`, in its family's shape."""
    response = customer.send(method, path, body)
    assert response.status_code == status, response.text
    assert shape_problem(family_of(path), response) is None, response.text
    return response.json()


def initiate(customer: Customer, session_id: str) -> Any:
    return customer.post(f"/api/payments/sessions/{session_id}/initiate_payment", {})


def test_an_empty_cart_makes_no_session(customer: Customer) -> None:
    assert refused(customer, "/api/payments/sessions", A_SESSION, 400) == {
        "status": "error",
        "message": "Cart is empty",
        "error_code": "CART_EMPTY",
    }


def test_a_second_push_while_the_first_is_open_names_the_one_on_the_phone(customer: Customer) -> None:
    session_id = a_session(customer)["session_id"]
    started = initiate(customer, session_id)
    answer = refused(customer, f"/api/payments/sessions/{session_id}/initiate_payment", {}, 409)
    assert answer["error_code"] == "PAYMENT_IN_PROGRESS"
    assert answer["checkout_request_id"] == started["checkout_request_id"]


def test_a_session_with_an_open_push_is_not_extended(customer: Customer) -> None:
    session_id = a_session(customer)["session_id"]
    initiate(customer, session_id)
    answer = refused(customer, f"/api/payments/sessions/{session_id}/extend_session", None, 409)
    assert answer["error_code"] == "PAYMENT_IN_PROGRESS"


def test_a_session_that_ended_in_an_order_is_closed(stack: Stack, customer: Customer) -> None:
    session_id = a_session(customer)["session_id"]
    pay_mpesa(stack, initiate(customer, session_id)["checkout_request_id"])
    status = f"/api/payments/sessions/{session_id}/status"
    wait_until(lambda: customer.get(status), lambda answer: answer["session_status"] == "order_created")
    extended = refused(customer, f"/api/payments/sessions/{session_id}/extend_session", None, 409)
    assert extended["error_code"] == "SESSION_CLOSED"
    again = refused(customer, f"/api/payments/sessions/{session_id}/initiate_payment", {}, 409)
    assert again["error_code"] == "SESSION_CLOSED"


def test_a_session_is_extended_four_times_and_not_a_fifth(customer: Customer) -> None:
    path = f"/api/payments/sessions/{a_session(customer)['session_id']}/extend_session"
    for _ in range(4):
        customer.post(path)
    refused(customer, path, None, 409)


def test_an_expired_session_is_neither_extended_nor_shown_as_pending(short_lived_stack: Stack) -> None:
    customer = new_customer(short_lived_stack)
    path = f"/api/payments/sessions/{a_session(customer)['session_id']}"
    wait_until(lambda: customer.get(path), lambda answer: answer["session_status"] == "expired")
    answer = refused(customer, f"{path}/extend_session", None, 400)
    assert answer["error_code"] == "SESSION_EXPIRED"
    assert [each["session_status"] for each in customer.get("/api/payments/sessions")["results"]] == ["expired"]


def test_a_total_that_mpesa_cannot_charge_is_refused_when_the_session_is_made(customer: Customer) -> None:
    customer.add_tomatoes(1700)
    answer = refused(customer, "/api/payments/sessions", A_SESSION, 400)
    assert answer["error_code"] == "AMOUNT_NOT_CHARGEABLE"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone_number", "12345"),
        ("phone_number", "+919876543210"),
        ("phone_number", "0202222222"),
        ("county_id", 48),
        ("county_id", 0),
        ("subcounty_id", 291),
        ("subcounty_id", 7),
    ],
)
def test_delivery_details_that_cannot_be_are_refused_by_name(customer: Customer, field: str, value: Any) -> None:
    customer.add_tomatoes()
    details = {**A_SESSION["delivery_details"], field: value}
    answer = refused(customer, "/api/payments/sessions", {**A_SESSION, "delivery_details": details}, 400)
    assert field in str(answer)


def test_a_promo_code_that_does_not_exist_is_refused_in_the_printed_words(customer: Customer) -> None:
    cart = customer.post("/api/cart/carts", A_CART)
    answer = refused(customer, f"/api/cart/carts/{cart['id']}/apply_promo", {"promo_code": "NOSUCHCODE"}, 400)
    assert answer["error"] == "Invalid or expired promo code"
    assert answer["error_code"]
    assert customer.get(f"/api/cart/carts/{cart['id']}")["total_price"] == "999.00"


def test_a_cart_that_is_being_paid_for_is_locked(customer: Customer) -> None:
    cart = customer.post("/api/cart/carts", A_CART)
    customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    answer = refused(customer, f"/api/cart/carts/{cart['id']}/apply_promo", {"promo_code": "DISCOUNT10"}, 409)
    assert answer["error_code"] == "CART_LOCKED"


def test_a_cart_that_became_a_booking_is_no_active_cart(stack: Stack, customer: Customer) -> None:
    cart = customer.post("/api/cart/carts", A_CART)
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    booked = f"/api/payments/{payment['payment_id']}/check-booking"
    wait_until(lambda: customer.get(booked), lambda answer: answer["booking_created"])
    answer = refused(customer, "/api/payments/process-cart", {"cart_id": cart["id"]}, 404)
    assert answer["details"] == "Active cart not found"


def test_a_method_that_does_not_fit_the_currency_is_refused_on_its_field(customer: Customer) -> None:
    cart = customer.post("/api/cart/carts", A_CART)
    answer = refused(customer, "/api/payments/process-cart", {"cart_id": cart["id"], "method": "MPESA"}, 400)
    assert isinstance(answer["method"], list)


def test_a_uuid_sent_unquoted_is_told_to_use_the_integer(customer: Customer) -> None:
    cart = customer.post("/api/cart/carts", A_CART)
    raw = f'{{"cart_id": {cart["cart_id"]}, "amount": 500.00}}'.encode()
    response = customer.send("POST", "/api/payments/process-cart", raw=raw)
    assert response.status_code == 400
    assert shape_problem(Family.PAYMENTS, response) is None
    assert "integer" in response.text


def test_a_notice_that_phonepe_did_not_sign_is_refused_and_an_unknown_gateway_is_not_found(stack: Stack) -> None:
    nobody = Customer(stack.base_url, None)
    refused(nobody, "/api/payments/webhook/phonepe", {"event": "checkout.order.completed"}, 401)
    refused(nobody, "/api/payments/webhook/stripe", {"event": "checkout.order.completed"}, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/payments/sessions/0190f3a1-5c1e-7abc-8def-0123456789ab/nothing",
        "/api/payments/1/nothing",
        "/api/cart/nothing",
        "/api/booking/nothing",
        "/api/orders/1/nothing",
        "/api/carts/nothing",
        "/nothing",
        "/shop/nothing",
    ],
)
def test_an_unknown_path_is_not_found_in_the_shape_of_its_family(customer: Customer, path: str) -> None:
    refused(customer, path, None, 404, method="GET")


PATHS = sorted({route.path for route in ROUTES if not route.operators})
"""Those of operators are unknown to everybody else, whatever the method."""


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_a_path_does_not_have_is_405_in_the_shape_of_its_family(customer: Customer, path: str) -> None:
    address = path.replace("{", "").replace("}", "")
    refused(customer, address, None, 405, method="PATCH")
    assert "PATCH" not in methods_of(address)


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.public], ids=lambda route: route.operation)
@pytest.mark.parametrize("token", [None, "abc", "a.b.c"])
def test_nobody_without_a_good_token_gets_in(stack: Stack, route: Any, token: str | None) -> None:
    path = route.path.replace("{", "").replace("}", "")
    response = Customer(stack.base_url, token).send(route.method, path, {})
    assert response.status_code == 401
    assert shape_problem(route.family, response) is None, response.text
