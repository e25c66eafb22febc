"""The contract's rules for every route: bodies, ids, prefixes, lists, repeats, times and amounts."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.exchanges import document
from tests.contract.walk import TOMATOES, Customer, Stack, a_session, new_customer, pay_phonepe, wait_until

A_CART = document("bookings")["create_cart"].body
A_SESSION = document("payment_sessions")["create_session"].body
PROCESS = "/api/payments/process-cart"


@pytest.fixture
def customer(stack: Stack) -> Customer:
    return new_customer(stack)


def a_cart(customer: Customer, **changes: Any) -> Any:
    return customer.post("/api/cart/carts", {**A_CART, **changes})


def a_booking(stack: Stack, customer: Customer, **changes: Any) -> Any:
    payment = customer.post(PROCESS, {"cart_id": a_cart(customer, **changes)["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    path = f"/api/payments/{payment['payment_id']}/check-booking"
    return wait_until(lambda: customer.get(path), lambda answer: answer["booking_created"])["booking"]


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "application/x-www-form-urlencoded"])
def test_a_body_is_json_whatever_its_content_type_says(customer: Customer, kind: str) -> None:
    response = customer.send(
        "POST", "/api/carts/add_item", raw=b'{"listing_id": 123, "quantity": 1}', headers={"Content-Type": kind}
    )
    assert response.ok, response.text


def test_a_body_of_optional_fields_may_be_absent(customer: Customer) -> None:
    session = a_session(customer)
    started = customer.post(f"/api/payments/sessions/{session['session_id']}/initiate_payment")
    assert started["status"] == "success"


def test_a_field_that_is_not_known_is_refused_by_name_and_null_equals_absent(customer: Customer) -> None:
    response = customer.send("POST", "/api/cart/carts", {**A_CART, "colour": "red"})
    assert response.status_code == 400
    assert "colour" in response.text
    assert a_cart(customer, promo_code=None, address=None)["total_price"] == "999.00"


def test_the_doubled_prefix_answers_as_the_single_one_does(customer: Customer) -> None:
    started = customer.post("/api/payments/payments/process-cart", {"cart_id": a_cart(customer)["id"]})
    payment_id = started["payment_id"]
    for path in ("", f"/{payment_id}", f"/{payment_id}/check-booking"):
        single, doubled = (customer.get(f"{prefix}{path}") for prefix in ("/api/payments", "/api/payments/payments"))
        assert single == doubled


def test_a_payment_answers_to_every_one_of_its_ids(customer: Customer) -> None:
    started = customer.post(PROCESS, {"cart_id": a_cart(customer)["id"]})
    whole = customer.get(f"/api/payments/{started['payment_id']}")
    for name in ("transaction_id", "merchant_transaction_id"):
        assert customer.get(f"/api/payments/{started[name]}") == whole


def test_a_cart_answers_to_its_integer_as_number_or_string_and_to_its_uuid(customer: Customer) -> None:
    cart = a_cart(customer)
    assert customer.get(f"/api/cart/carts/{cart['id']}") == customer.get(f"/api/cart/carts/{cart['cart_id']}")
    for identifier in (cart["id"], str(cart["id"]), cart["cart_id"]):
        assert customer.post(PROCESS, {"cart_id": identifier})["cart_id"] == cart["id"]


def test_a_booking_answers_to_its_integer_and_to_its_code(stack: Stack, customer: Customer) -> None:
    booking = a_booking(stack, customer)
    by_number = customer.get(f"/api/booking/bookings/{booking['id']}")
    assert by_number == customer.get(f"/api/booking/bookings/{booking['book_id']}")


def test_an_open_payment_is_given_again_with_200_and_is_the_same(customer: Customer) -> None:
    body = {"cart_id": a_cart(customer)["id"], "method": "phonepe", "amount": "999.00"}
    first, second = (customer.send("POST", PROCESS, body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


@pytest.mark.parametrize("amount", [999, 999.0, "999", "999.00", "999.000"])
def test_an_amount_that_equals_the_total_is_taken_as_number_or_string(customer: Customer, amount: Any) -> None:
    assert customer.post(PROCESS, {"cart_id": a_cart(customer)["id"], "amount": amount})["amount"] == "999.00"


def test_a_retry_keeps_the_payment_and_takes_new_codes(stack: Stack, customer: Customer) -> None:
    cart = a_cart(customer)
    first = customer.post(PROCESS, {"cart_id": cart["id"]})
    pay_phonepe(stack, first["merchant_transaction_id"], "fail")
    path = f"/api/payments/{first['payment_id']}/check-booking"
    wait_until(lambda: customer.get(path), lambda answer: answer["payment_status"] == "FAILED")
    response = customer.send("POST", PROCESS, {"cart_id": cart["id"]})
    assert response.status_code == 201
    second = response.json()
    assert second["payment_id"] == first["payment_id"]
    assert second["transaction_id"] != first["transaction_id"]
    assert second["merchant_transaction_id"] != first["merchant_transaction_id"]
    pay_phonepe(stack, second["merchant_transaction_id"])
    wait_until(lambda: customer.get(path), lambda answer: answer["booking_created"])


@pytest.mark.parametrize(
    ("sent", "booked"),
    [("10:30", "10:30:00"), ("10:30:15", "10:30:15"), ("2:00 PM", "14:00:00"), ("12:05 am", "00:05:00")],
)
def test_a_time_is_echoed_by_the_cart_and_shown_in_full_by_the_booking(
    stack: Stack, customer: Customer, sent: str, booked: str
) -> None:
    assert a_cart(customer, selected_time=sent)["selected_time"] == sent
    assert a_booking(stack, customer, selected_time=sent)["selected_time"] == booked


@pytest.mark.parametrize("sent", ["25:00", "10", "noon", "13:00 PM", "0:30 AM", "10:60", "", 1030])
def test_a_time_that_cannot_be_read_is_refused_on_its_field(customer: Customer, sent: Any) -> None:
    response = customer.send("POST", "/api/cart/carts", {**A_CART, "selected_time": sent})
    assert response.status_code == 400
    assert list(response.json()) >= ["selected_time"]


def test_rescheduling_to_the_same_slot_changes_nothing(stack: Stack, customer: Customer) -> None:
    booking = a_booking(stack, customer)
    path = f"/api/booking/bookings/{booking['id']}"
    before = customer.get(path)
    same = {"selected_date": booking["selected_date"], "selected_time": "10:30 AM", "reason": "None"}
    assert customer.send("POST", f"{path}/reschedule", same).status_code == 200
    assert customer.get(path) == before


def test_a_promo_in_per_cent_is_taken_off_to_the_minor_unit(customer: Customer) -> None:
    cart = customer.post(f"/api/cart/carts/{a_cart(customer)['id']}/apply_promo", {"promo_code": "PUJA10"})
    assert (cart["discount"], cart["total_price"]) == ("99.90", "899.10")
    removed = customer.post(f"/api/cart/carts/{cart['id']}/remove_promo")
    assert removed["total_price"] == "999.00"


def test_the_same_key_and_body_give_the_same_answer_and_another_body_is_refused(customer: Customer) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, second = (customer.send("POST", "/api/cart/carts", A_CART, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    other = customer.send("POST", "/api/cart/carts", {**A_CART, "package_id": 1}, headers=key)
    assert other.status_code == 422
    assert customer.get("/api/cart/carts")["count"] == 1


def test_a_key_that_is_too_long_is_refused(customer: Customer) -> None:
    response = customer.send("POST", "/api/cart/carts", A_CART, headers={"Idempotency-Key": "k" * 256})
    assert response.status_code == 400


def test_a_list_is_paged_newest_first_with_ready_made_addresses(stack: Stack, customer: Customer) -> None:
    made = [a_cart(customer)["id"] for _ in range(5)]
    page = customer.get("/api/cart/carts?page_size=2")
    assert page["previous"] is None
    seen, pages = [each["id"] for each in page["results"]], 1
    while page["next"] is not None:
        assert page["count"] == 5
        assert page["next"].startswith(stack.base_url)
        page = customer.get(page["next"].removeprefix(stack.base_url))
        assert page["previous"] is not None
        seen += [each["id"] for each in page["results"]]
        pages += 1
    assert (seen, pages) == (made[::-1], 3)


def test_a_cursor_that_was_changed_is_refused(customer: Customer) -> None:
    response = customer.send("GET", "/api/cart/carts?page_size=2&cursor=eyJmb3JnZWQiOnRydWV9")
    assert response.status_code == 400


def test_the_cart_of_produce_takes_decimal_quantities(customer: Customer) -> None:
    customer.add_tomatoes(0.5)
    cart = customer.get("/api/carts/my_cart")
    line = cart["items"][0]
    assert (line["listing_id"], line["quantity"]) == (TOMATOES, 0.5)
    customer.post("/api/carts/update_quantity", {"cart_item_id": line["cart_item_id"], "quantity": 2.5})
    session = customer.post("/api/payments/sessions", A_SESSION)
    assert session["cart_snapshot"]["total_items"] == 2.5
    assert (session["cart_snapshot"]["total_cost"], session["total_amount"]) == (375.0, "425.00")
    customer.post("/api/carts/remove_item", {"cart_item_id": line["cart_item_id"]})
    assert customer.get("/api/carts/my_cart")["items"] == []


def test_a_fraction_of_a_shilling_is_rounded_up_once_and_shown(customer: Customer) -> None:
    customer.add_tomatoes(0.01)
    session = customer.post("/api/payments/sessions", A_SESSION)
    assert session["cart_snapshot"]["total_cost"] == 1.5
    assert (session["rounding"], session["total_amount"]) == ("0.50", "52.00")


def test_a_whole_total_of_items_is_printed_as_an_integer(customer: Customer) -> None:
    customer.add_tomatoes(2)
    response = customer.send("POST", "/api/payments/sessions", A_SESSION)
    assert type(response.json()["cart_snapshot"]["total_items"]) is int
    assert "rounding" not in response.json()


def test_delivery_wishes_may_stand_inside_the_details(customer: Customer) -> None:
    customer.add_tomatoes()
    wishes = {key: value for key, value in A_SESSION.items() if key != "delivery_details"}
    session = customer.post("/api/payments/sessions", {"delivery_details": {**A_SESSION["delivery_details"], **wishes}})
    assert {key: session["delivery_details"][key] for key in wishes} == wishes


def test_sessions_are_filtered_by_status_in_either_case(customer: Customer) -> None:
    customer.add_tomatoes()
    customer.post("/api/payments/sessions", A_SESSION)
    for word, count in (("pending", 1), ("PENDING", 1), ("failed", 0)):
        found = customer.get(f"/api/payments/sessions?status={word}")
        assert len(found["results"]) == count, word


def test_what_is_public_needs_no_token(stack: Stack) -> None:
    nobody = Customer(stack.base_url, None)
    listed = nobody.get("/api/listings")["results"]
    tomatoes = next(listing for listing in listed if listing["listing_id"] == TOMATOES)
    assert (tomatoes["product_name"], tomatoes["farm_name"]) == ("Fresh Tomatoes", "Green Valley Farm")
    counties = nobody.get("/api/locations/counties")
    assert len(counties["results"] if isinstance(counties, dict) else counties) == 47
