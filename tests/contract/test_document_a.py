"""The Payment-First Booking Flow (bookings, PhonePe), walked in its own order against the running stack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, Walk, new_customer, pay_phonepe, phonepe_refuses_the_next_order, wait_until

FLOW = "bookings"

pytestmark = pytest.mark.parametrize("slash", [True, False], ids=["with slash", "without slash"])


@pytest.fixture
def walk(stack: Stack, slash: bool) -> Walk:  # noqa: FBT001 - the parameter of every test here
    return Walk(FLOW, new_customer(stack, slash=slash))


def check_booking(customer: Customer, payment_id: int) -> Any:
    return customer.get(f"/api/payments/{payment_id}/check-booking")


def until(customer: Customer, payment_id: int, word: str) -> Any:
    return wait_until(lambda: check_booking(customer, payment_id), lambda answer: answer["payment_status"] == word)


def until_booked(customer: Customer, payment_id: int) -> Any:
    return wait_until(lambda: check_booking(customer, payment_id), lambda answer: answer["booking_created"])


def a_cart(walk: Walk, **changes: Any) -> Any:
    """A cart beside the document's own, remembered as the one that the next exchange pays for."""
    cart = walk.customer.post("/api/cart/carts", {**document(FLOW)["create_cart"].body, **changes})
    walk.known["cart_number"] = cart["id"]
    return cart


def test_the_new_endpoints_answer_as_printed(stack: Stack, walk: Walk) -> None:
    a_cart(walk, selected_date="2025-07-15")
    walk.take("process_cart")
    payment_id = walk.known["payment_id"]
    assert check_booking(walk.customer, payment_id) == {
        "success": False,
        "payment_status": "PENDING",
        "booking_created": False,
        "message": "Payment status: Pending",
    }
    pay_phonepe(stack, walk.known["merchant_transaction_id"])
    until_booked(walk.customer, payment_id)
    walk.take("check_booking_created")


def test_the_complete_flow_works_as_printed_from_cart_to_booking(stack: Stack, walk: Walk) -> None:
    walk.take("create_cart")
    walk.take("process_payment")
    pay_phonepe(stack, walk.known["merchant_transaction_id"])
    until_booked(walk.customer, walk.known["payment_id"])
    booked = walk.take("check_booking")
    assert booked["booking"]["address"] is None
    cart = walk.customer.get(f"/api/cart/carts/{walk.known['cart_number']}")
    assert cart["status"] == "CONVERTED"


def test_a_booking_shows_the_address_that_the_customer_gave(stack: Stack, walk: Walk) -> None:
    address = {"address_line1": "14 Temple Road", "city": "Pune", "state": "Maharashtra", "postal_code": "411001"}
    a_cart(walk, address=address)
    walk.take("process_payment")
    pay_phonepe(stack, walk.known["merchant_transaction_id"])
    booked = until_booked(walk.customer, walk.known["payment_id"])
    shown = booked["booking"]["address"]
    assert {key: shown[key] for key in address} == address


def test_a_failed_payment_answers_as_printed_and_leaves_the_cart_active(stack: Stack, walk: Walk) -> None:
    walk.take("create_cart")
    walk.take("process_payment")
    pay_phonepe(stack, walk.known["merchant_transaction_id"], "fail")
    until(walk.customer, walk.known["payment_id"], "FAILED")
    walk.take("check_booking_failed")
    cart = walk.customer.get(f"/api/cart/carts/{walk.known['cart_number']}")
    assert cart["status"] == "ACTIVE"


def test_a_cart_that_is_not_there_answers_the_printed_error(walk: Walk) -> None:
    walk.take("cart_not_found")


def test_another_amount_answers_the_printed_error(walk: Walk) -> None:
    walk.take("create_cart")
    walk.take("amount_mismatch")


def test_a_gateway_that_refuses_answers_the_printed_error_and_leaves_the_cart_active(stack: Stack, walk: Walk) -> None:
    walk.take("create_cart")
    phonepe_refuses_the_next_order(stack)
    walk.take("gateway_refuses")
    cart = walk.customer.get(f"/api/cart/carts/{walk.known['cart_number']}")
    assert cart["status"] == "ACTIVE"
    walk.take("process_payment")
    pay_phonepe(stack, walk.known["merchant_transaction_id"])
    until_booked(walk.customer, walk.known["payment_id"])
