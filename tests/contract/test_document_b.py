"""The Payment Session API Guide (orders, M-Pesa), walked in its own order against the running stack."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, Walk, new_customer, pay_mpesa, wait_until

GUIDE = "payment_sessions"
FIFTEEN_MINUTES = timedelta(minutes=15)

pytestmark = pytest.mark.parametrize("slash", [True, False], ids=["with slash", "without slash"])


@pytest.fixture
def walk(stack: Stack, slash: bool) -> Walk:  # noqa: FBT001 - the parameter of every test here
    return Walk(GUIDE, new_customer(stack, slash=slash))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def status_of(customer: Customer, session_id: str) -> Any:
    return customer.get(f"/api/payments/sessions/{session_id}/status")


def until(customer: Customer, session_id: str, word: str) -> Any:
    return wait_until(lambda: status_of(customer, session_id), lambda answer: answer["session_status"] == word)


def test_the_guide_works_as_printed_from_the_first_endpoint_to_the_last(stack: Stack, walk: Walk) -> None:
    customer = walk.customer
    customer.add_tomatoes()
    created = walk.take("create_session")
    assert instant(created["expires_at"]) - instant(created["created_at"]) == FIFTEEN_MINUTES
    walk.take("initiate_payment")
    assert status_of(customer, walk.known["session_id"])["session_status"] == "payment_initiated"
    pay_mpesa(stack, walk.known["checkout_request_id"])
    until(customer, walk.known["session_id"], "order_created")
    walk.take("session_status")
    walk.known["extended_id"], expires_at = _second_session(customer)
    extended = walk.take("extend_session")
    assert instant(extended["expires_at"]) - instant(expires_at) == FIFTEEN_MINUTES
    listed = walk.take("list_sessions")
    assert [result["order_details"] is None for result in listed["results"]] == [True, False]


def _second_session(customer: Customer) -> tuple[str, str]:
    customer.add_tomatoes()
    session = customer.post("/api/payments/sessions", document(GUIDE)["create_session"].body)
    return session["session_id"], session["expires_at"]


def test_an_expired_session_answers_the_printed_error(short_lived_stack: Stack, slash: bool) -> None:  # noqa: FBT001
    walk = Walk(GUIDE, new_customer(short_lived_stack, slash=slash))
    walk.customer.add_tomatoes()
    walk.take("create_session")
    until(walk.customer, walk.known["session_id"], "expired")
    walk.take("initiate_expired")


def test_the_javascript_checkout_ends_at_the_order_that_it_redirects_to(stack: Stack, walk: Walk) -> None:
    customer = walk.customer
    customer.add_tomatoes()
    walk.take("javascript_create_session")
    walk.take("javascript_initiate_payment")
    pay_mpesa(stack, walk.known["checkout_request_id"])
    until(customer, walk.known["session_id"], "order_created")
    walk.take("javascript_poll_paid")
    order = customer.get(f"/api/orders/{walk.known['order_id']}")
    assert order["order_id"] == walk.known["order_id"]


def test_the_javascript_checkout_hears_of_a_payment_that_failed(stack: Stack, walk: Walk) -> None:
    walk.customer.add_tomatoes()
    walk.take("javascript_create_session")
    walk.take("javascript_initiate_payment")
    pay_mpesa(stack, walk.known["checkout_request_id"], "cancel")
    until(walk.customer, walk.known["session_id"], "failed")
    walk.take("javascript_poll_failed")


def test_a_forged_callback_is_answered_like_any_other_and_makes_no_order(stack: Stack, walk: Walk) -> None:
    walk.customer.add_tomatoes()
    walk.take("javascript_create_session")
    walk.take("javascript_initiate_payment")
    walk.take("mpesa_callback")
    status = status_of(walk.customer, walk.known["session_id"])
    assert status["session_status"] == "payment_initiated"
    assert status["order"] is None
    pay_mpesa(stack, walk.known["checkout_request_id"], "cancel")
    until(walk.customer, walk.known["session_id"], "failed")
