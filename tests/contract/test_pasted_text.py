"""Texts, times and phone numbers as phones and browsers paste them, over real HTTP."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import RunningStack
from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, new_customer, new_phone

PUJA = {"service_type": "PUJA", "puja_service": 1, "package_id": 2, "selected_date": "2025-07-20", "selected_time": "10:30"}
NOTHING_TO_SEE = ("", "   ", "\u00a0\u3000", "\u200b\u200d\u2060", "\u202e\u202c", "\ufeff", "\u2800", "\u3164", "\u00ad\t\n")


@pytest.fixture
def customer(stack: Stack) -> Customer:
    return new_customer(stack)


def delivery(**changed: Any) -> Any:
    body = deepcopy(document("payment_sessions")["create_session"].body)
    body["delivery_details"].update({"phone_number": new_phone(), **changed})
    return body


@pytest.mark.parametrize("nothing", NOTHING_TO_SEE, ids=ascii)
@pytest.mark.parametrize("name", ["full_name", "detailed_address", "phone_number"])
def test_a_required_text_that_nobody_sees_is_refused_by_its_name(customer: Customer, name: str, nothing: str) -> None:
    customer.add_tomatoes()
    answer = customer.send("POST", "/api/payments/sessions", delivery(**{name: nothing}))
    assert answer.status_code == 400, answer.text
    assert name in answer.text


def test_a_text_is_stored_without_what_nobody_sees(customer: Customer) -> None:
    customer.add_tomatoes()
    given = delivery(
        full_name="\u202a Ame\u0301lie\u00a0\u200b  O'Neill\u202c ", detailed_address="12\u202fMain\r\n Street\ufeff"
    )
    given["special_instructions"] = "\u200b\u00a0"
    made = customer.post("/api/payments/sessions", given)["delivery_details"]
    assert (made["full_name"], made["detailed_address"]) == ("Am\u00e9lie O'Neill", "12 Main Street")
    assert made["special_instructions"] == ""


@pytest.mark.parametrize(("name", "limit"), [("full_name", 100), ("detailed_address", 500)])
def test_a_limit_counts_what_is_stored_and_is_named_in_characters(customer: Customer, name: str, limit: int) -> None:
    customer.add_tomatoes()
    padded = "\u200b \u00a0" + "e\u0301" * limit + " \u2060" * 50
    assert customer.post("/api/payments/sessions", delivery(**{name: padded}))["delivery_details"][name] == "\u00e9" * limit
    answer = customer.send("POST", "/api/payments/sessions", delivery(**{name: "x" * (limit + 1)}))
    assert answer.status_code == 400
    assert f"{limit} characters" in answer.text


@pytest.mark.parametrize(
    "written",
    [
        "0712\u00a0345\u00a0678",
        "0712\u2011345\u2011678",
        "\u202a+254712345678\u202c",
        "(0712) 345.678",
        "00254712345678",
        "+254 (0) 712 345 678",
    ],
    ids=ascii,
)
def test_a_phone_number_is_taken_as_phones_paste_it_and_echoed_as_given(customer: Customer, written: str) -> None:
    customer.add_tomatoes()
    given = written.replace("345", new_phone()[-6:-3])
    made = customer.post("/api/payments/sessions", delivery(phone_number=given))
    assert made["phone_number"] == made["delivery_details"]["phone_number"] == given


@pytest.mark.parametrize("blank", [" ", "\u202f", "\u00a0", "\u2009", ""], ids=ascii)
@pytest.mark.parametrize("half", ["PM", "pm"])
def test_any_blank_may_stand_before_the_half_of_the_day(customer: Customer, blank: str, half: str) -> None:
    sent = f"2:30{blank}{half}"
    assert customer.post("/api/cart/carts", {**PUJA, "selected_time": sent})["selected_time"] == sent


def test_words_and_numbers_take_what_pasting_adds(customer: Customer) -> None:
    pasted = {"service_type": "\ufeffpuja\u00a0", "package_id": "\u202a2\u202c", "selected_date": "2025-07-20\u200b"}
    cart = customer.post("/api/cart/carts", {**PUJA, **pasted, "address": {"street": "12\u00a0Main\u200b"}})
    assert (cart["package"]["id"], cart["selected_date"], cart["address"]) == (2, "2025-07-20", {"street": "12 Main"})
    with_promo = customer.post(f"/api/cart/carts/{cart['id']}/apply_promo", {"promo_code": "\u200bDISCOUNT10\u00a0"})
    assert with_promo["promo_code"] == "DISCOUNT10"


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("amount", "99999999999.00", "at most 1000000000"),
        ("amount", "1.001", "two decimal places"),
        ("amount", "9" * 20, "12 digits"),
    ],
)
def test_an_amount_that_is_refused_names_the_limit_that_it_passed(
    customer: Customer, field: str, given: str, said: str
) -> None:
    answer = customer.send("POST", "/api/payments/process-cart", {"cart_id": 1, field: given})
    assert answer.status_code == 400
    assert said in answer.json()[field][0]


def test_a_quantity_that_is_too_large_names_the_largest(customer: Customer) -> None:
    answer = customer.send("POST", "/api/carts/add_item", {"listing_id": 123, "quantity": 10**7})
    assert "at most 1000000" in answer.text


def test_an_address_that_is_too_long_names_the_limit(customer: Customer) -> None:
    for address in ("x" * 501, {"street": "x" * 501}):
        answer = customer.send("POST", "/api/cart/carts", {**PUJA, "address": address})
        assert answer.status_code == 400
        assert "at most 500 characters" in answer.json()["address"][0]


@pytest.mark.parametrize("nothing", NOTHING_TO_SEE, ids=ascii)
def test_an_operator_says_a_reason_that_can_be_read(stack: RunningStack, nothing: str) -> None:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    operator = Customer(stack.base_url, stack.token(sub=str(uuid4()), **claims))
    answer = operator.send("POST", "/api/operators/payments/MT0000000000000/refund", {"why": nothing})
    assert answer.status_code == 400
    assert "why" in answer.text
