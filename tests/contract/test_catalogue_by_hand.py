"""What operators change in the catalogue over HTTP, and that nobody who is paying is told anything else for it."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import pytest

from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from tests.conftest import RunningStack
from tests.contract.repeatable import READY, listing_of_its_own, new_operator
from tests.contract.stack_table import table_of
from tests.contract.walk import Customer, new_customer, new_phone, pay_mpesa, wait_until

WHO: Final = "amina@example.com"
DELIVERY: Final = {"full_name": "John Doe", "county_id": 1, "subcounty_id": 5, "detailed_address": "123 Main Street"}


@pytest.fixture
def operator(stack: RunningStack) -> Customer:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return Customer(stack.base_url, stack.token(email=WHO, sub=str(uuid4()), **claims))


@pytest.fixture
def number(stack: RunningStack) -> int:
    """A listing that no other test knows: a hundred kilograms at 150.00 shillings each."""
    return listing_of_its_own(stack)


def open_session(customer: Customer, number: int) -> str:
    customer.post("/api/carts/add_item/", {"listing_id": number, "quantity": 2})
    session = customer.post("/api/payments/sessions/", {"delivery_details": {**DELIVERY, "phone_number": new_phone()}})
    assert session["total_amount"] == "350.00"
    return f"/api/payments/sessions/{session['session_id']}"


def told(customer: Customer, path: str) -> Any:
    shown = customer.get(path)
    return {name: shown[name] for name in ("cart_snapshot", "total_amount", "delivery_fee", "expires_at")}


def paid(stack: RunningStack, customer: Customer, path: str, *, started: Any = None) -> Any:
    prompt = (started or customer.post(f"{path}/initiate_payment"))["checkout_request_id"]
    pay_mpesa(stack, prompt)
    return wait_until(lambda: customer.get(f"{path}/status"), lambda answer: answer["order"] or "refund" in answer)


def test_a_listing_is_seen_changed_and_seen_again_by_everybody(operator: Customer, stack: RunningStack, number: int) -> None:
    path = f"/api/operators/listings/{number}"
    seen = operator.get(path)
    assert (seen["version"], seen["held"], seen["edited_by"], seen["image_url"]) == ("0-100", 0, None, None)
    words = {"product_name": "Cherry Tomatoes", "description": "Sweet", "image_url": "https://shop.example/1.jpg"}

    after = operator.post(path, {"version": seen["version"], "price": "160.00", "add_stock": -20.5, **words})

    assert (after["version"], after["price"], after["available"]) == ("1-79.5", "160.00", 79.5)
    assert (after["edited_by"].startswith("operator:"), WHO in after["edited_by"]) == (True, True)
    assert operator.get(path) == after
    public = Customer(stack.base_url, None).get(f"/api/listings/{number}")
    assert public == {name: value for name, value in after.items() if name in public}
    assert set(after) - set(public) == {"version", "held", "edited_by", "edited_at"}
    off = operator.post(path, {"version": after["version"], "active": False, "image_url": "", "set_stock": 0})
    assert (off["active"], off["image_url"], off["available"], off["version"]) == (False, None, 0, "2-0")


def test_a_service_is_seen_and_changed_with_its_kind(operator: Customer, stack: RunningStack) -> None:
    path = "/api/operators/services/1?service_type=astrology"
    seen = operator.get(path)
    changed = operator.post(path, {"version": seen["version"], "description": f"A conversation, {uuid4()}."})
    assert Customer(stack.base_url, None).get("/api/services/1?service_type=ASTROLOGY")["description"] == changed["description"]
    late = operator.send("POST", path, {"version": seen["version"], "active": False})
    assert (late.status_code, late.json()["error_code"]) == (409, "CHANGED_MEANWHILE")
    assert late.json()["version"] == changed["version"]


def test_whoever_was_slower_is_told_so_with_the_present_version(operator: Customer, number: int) -> None:
    path = f"/api/operators/listings/{number}"
    operator.post(path, {"version": "0-100", "price": "170.00"})
    late = operator.send("POST", path, {"version": "0-100", "set_stock": "90"})
    assert (late.status_code, late.json()["error_code"], late.json()["version"]) == (409, "CHANGED_MEANWHILE", "1-100")
    assert "Somebody was faster" in late.json()["message"]
    few = operator.send("POST", path, {"version": "1-100", "add_stock": "-101"})
    assert (few.status_code, few.json()["error_code"]) == (409, "STOCK_TOO_LOW")
    assert operator.get(path)["available"] == 100


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"price": "1.00"}, "version"),
        ({"version": "0-100"}, "body"),
        ({"version": "latest", "price": "1.00"}, "version"),
        ({"version": "0", "price": "1.00"}, "version"),
        ({"version": "0-100", "price": "0"}, "price"),
        ({"version": "0-100", "price": "-1"}, "price"),
        ({"version": "0-100", "price": "1.001"}, "price"),
        ({"version": "0-100", "active": "yes"}, "active"),
        ({"version": "0-100", "product_name": " \u200b "}, "product_name"),
        ({"version": "0-100", "image_url": "http://shop.example/1.jpg"}, "image_url"),
        ({"version": "0-100", "image_url": "javascript:alert(1)"}, "image_url"),
        ({"version": "0-100", "set_stock": "-1"}, "set_stock"),
        ({"version": "0-100", "set_stock": "0.0001"}, "set_stock"),
        ({"version": "0-100", "add_stock": 0}, "add_stock"),
        ({"version": "0-100", "add_stock": "--1"}, "add_stock"),
        ({"version": "0-100", "set_stock": 5, "add_stock": 5}, "body"),
        ({"version": "0-100", "packages": []}, "packages"),
    ],
)
def test_what_cannot_be_taken_is_named_and_changes_nothing(operator: Customer, number: int, body: Any, field: str) -> None:
    path = f"/api/operators/listings/{number}"
    refused = operator.send("POST", path, body)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_INPUT")
    assert list(refused.json()["errors"]) == [field]
    assert operator.get(path)["version"] == "0-100"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"price": "1.00"}, "price"),
        ({"packages": [{"id": 9, "price": "1.00"}]}, "packages"),
        ({"packages": [{"id": 1, "price": "1.00"}, {"id": 1, "price": "2.00"}]}, "packages"),
        ({"packages": [{"id": 1, "price": "0"}]}, "packages.0.price"),
        ({"set_stock": 1}, "set_stock"),
    ],
)
def test_what_a_service_has_not_cannot_be_changed(operator: Customer, body: Any, field: str) -> None:
    seen = operator.get("/api/operators/services/1")
    refused = operator.send("POST", "/api/operators/services/1", {"version": seen["version"], **body})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])


def test_a_new_price_changes_nothing_of_what_a_customer_in_a_session_was_told(
    operator: Customer, stack: RunningStack, number: int
) -> None:
    customer, other = new_customer(stack), new_customer(stack)
    path = open_session(customer, number)
    other.post("/api/carts/add_item/", {"listing_id": number, "quantity": 1})
    before = told(customer, path)

    words = {"price": "999.00", "product_name": "Golden Tomatoes"}
    operator.post(f"/api/operators/listings/{number}", {"version": "0-100", **words})

    assert told(customer, path) == before
    assert other.get("/api/carts/my_cart")["items"][0]["price_changed"] is True
    refused = other.send("POST", "/api/payments/sessions/", {"delivery_details": {**DELIVERY, "phone_number": new_phone()}})
    assert (refused.status_code, refused.json()["error_code"]) == (409, "PRICE_CHANGED")
    order = paid(stack, customer, path)["order"]
    shown = customer.get(f"/api/orders/{order['order_id']}")
    assert (shown["total_amount"], order["payment_status"]) == ("350.00", "paid")
    assert "Fresh" in str(before) or "Spring" in str(before)
    assert "Golden" not in str(shown)


def test_what_is_taken_off_sale_is_still_delivered_to_whoever_was_paying(
    operator: Customer, stack: RunningStack, number: int
) -> None:
    customer = new_customer(stack)
    path = open_session(customer, number)
    started = customer.post(f"{path}/initiate_payment")
    operator.post(f"/api/operators/listings/{number}", {"version": "0-100", "active": False})
    assert paid(stack, customer, path, started=started)["order"]["order_status"] == "confirmed"


def test_a_stock_that_is_set_leaves_what_a_payment_holds(operator: Customer, stack: RunningStack, number: int) -> None:
    write(table_of(stack), Update("listing", shop_keys.listing(number), set={"hold": True}))
    customer, path = new_customer(stack), f"/api/operators/listings/{number}"
    session = open_session(customer, number)
    started = customer.post(f"{session}/initiate_payment")
    seen = operator.get(path)
    assert (seen["held"], seen["available"], seen["version"]) == (2, 98, "0-98")
    operator.post(path, {"version": seen["version"], "set_stock": 0})
    assert paid(stack, customer, session, started=started)["order"]["payment_status"] == "paid"
    assert (operator.get(path)["held"], operator.get(path)["available"]) == (0, 0)


def test_a_stock_that_is_set_to_nothing_gives_the_money_back_where_nothing_was_held(
    operator: Customer, stack: RunningStack, number: int
) -> None:
    customer = new_customer(stack)
    path = open_session(customer, number)
    started = customer.post(f"{path}/initiate_payment")
    operator.post(f"/api/operators/listings/{number}", {"version": "0-100", "set_stock": 0})
    assert paid(stack, customer, path, started=started)["refund"]["amount"] == "350.00"


def test_a_puja_in_a_cart_under_payment_keeps_its_price(operator: Customer, stack: RunningStack) -> None:

    ready = READY["operators_change_service"](new_operator(stack))
    number = int(ready.path.rsplit("/", 1)[-1])
    customer = new_customer(stack)
    wanted = {"service_type": "PUJA", "puja_service": number, "package_id": 2, "selected_date": "2025-07-20"}
    cart = customer.post("/api/cart/carts", {**wanted, "selected_time": "10:30"})
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    operator.post(ready.path, ready.body)
    assert customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})["amount"] == payment["amount"] == "999.00"
    assert customer.get(f"/api/cart/carts/{cart['id']}")["total_price"] == "999.00"


def test_a_key_says_nothing_about_the_service_of_another_kind(operator: Customer) -> None:
    puja, astrology = (f"/api/operators/services/1?service_type={kind}" for kind in ("PUJA", "ASTROLOGY"))
    key, said = {"Idempotency-Key": str(uuid4())}, {"version": operator.get(puja)["version"], "active": True}
    assert operator.send("POST", puja, said, headers=key).status_code == 200

    refused = operator.send("POST", astrology, said, headers=key)

    assert (refused.status_code, refused.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
