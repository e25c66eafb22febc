"""What a customer is told when a gateway is busy with their phone, refuses, or its answer never comes."""

from __future__ import annotations

from typing import Any

import pytest

from payfirst.api.routes import Family
from tests.contract.compare import differences
from tests.contract.error_shapes import shape_problem
from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, a_session, new_customer, pay_mpesa, script, wait_until

PUSH = "/api/payments/sessions/{}/initiate_payment"


@pytest.fixture
def customer(stack: Stack) -> Customer:
    return new_customer(stack)


def push(customer: Customer, session: Any, phone: str | None = None) -> Any:
    return customer.send("POST", PUSH.format(session["session_id"]), {"phone_number": phone} if phone else {})


def test_a_phone_with_an_open_prompt_is_busy_for_everybody_else(stack: Stack, customer: Customer) -> None:
    session = a_session(customer)
    started = push(customer, session).json()
    other = new_customer(stack, user_id=2, email="other@example.com")
    theirs = a_session(other)
    busy = push(other, theirs, session["phone_number"])
    assert busy.status_code == 429
    assert busy.json()["error_code"] == "PHONE_BUSY"
    assert int(busy.headers["Retry-After"]) > 0
    assert shape_problem(Family.ORDERS, busy) is None
    pay_mpesa(stack, started["checkout_request_id"], "cancel")
    freed = wait_until(lambda: push(other, theirs, session["phone_number"]), lambda answer: answer.status_code != 429)
    assert freed.status_code == 200


def test_a_push_whose_answer_is_lost_is_pending_and_not_pushed_again(stack: Stack, customer: Customer) -> None:
    session = a_session(customer)
    script(stack, gateway="mpesa", call="push", answer="lost", phone=f"254{session['phone_number'][1:]}", times=1)
    lost = push(customer, session)
    assert lost.status_code == 202, lost.text
    printed = {
        "status": "pending",
        "message": "We are checking with M-Pesa.",
        "session_id": session["session_id"],
        "transaction_id": 456,
        "checkout_request_id": None,
    }
    assert differences(printed, lost.json(), patterns={"transaction_id": "integer"}) == []
    again = push(customer, session)
    assert (again.status_code, again.json()["error_code"]) == (409, "PAYMENT_IN_PROGRESS")
    assert again.json()["checkout_request_id"] is None


def test_a_push_that_mpesa_refuses_fails_the_session_which_may_be_tried_again(stack: Stack, customer: Customer) -> None:
    session = a_session(customer)
    script(stack, gateway="mpesa", call="push", answer="refused", phone=f"254{session['phone_number'][1:]}", times=1)
    refused = push(customer, session)
    assert refused.status_code == 502, refused.text
    assert refused.json()["error_code"] == "GATEWAY_REJECTED"
    assert shape_problem(Family.ORDERS, refused) is None
    path = f"/api/payments/sessions/{session['session_id']}/status"
    assert customer.get(path)["session_status"] == "failed"
    assert push(customer, session).status_code == 200


def test_a_payment_page_whose_answer_is_lost_is_pending_without_an_address(stack: Stack, customer: Customer) -> None:
    cart = customer.post("/api/cart/carts", document("bookings")["create_cart"].body)
    script(stack, gateway="phonepe", call="pay", answer="lost", times=1)
    lost = customer.send("POST", "/api/payments/process-cart", {"cart_id": cart["id"]})
    assert lost.status_code == 201, lost.text
    assert (lost.json()["payment_url"], lost.json()["status"]) == (None, "PENDING")
