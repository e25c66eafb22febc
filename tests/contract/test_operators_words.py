"""What operators write, and who they are, is for operators: no answer to a customer and no letter of theirs holds it."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, Final
from uuid import uuid4

import pytest
import requests

from payfirst.storage.dynamodb.table import Table
from tests.conftest import RunningStack
from tests.contract.exchanges import document
from tests.contract.stack_table import table_of
from tests.contract.test_operators import an_order, under_review
from tests.contract.walk import Customer, new_customer, pay_phonepe, wait_until

WHY: Final = "Quarrelsome, we suspect a fraudster"
MAIL: Final = "amina.boss@example.com"
SUB: Final = f"sub-of-amina-{uuid4().hex}"
REFUND_S: Final = 240.0
"""A sweep sends the refund, a later one asks what became of it, another writes; deployed, they run once a minute."""


@pytest.fixture
def operator(stack: RunningStack) -> Customer:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return Customer(stack.base_url, stack.token(email=MAIL, sub=SUB, **claims))


@pytest.fixture
def table(stack: RunningStack) -> Table:
    return table_of(stack)


def customers_see(customer: Customer, *paths: str) -> None:
    """Nothing of an operator is in any of these answers, nor in any of the customer's lists."""
    lists = ("/api/payments/sessions", "/api/payments", "/api/orders", "/api/booking/bookings", "/api/cart/carts")
    for path in (*lists, *paths):
        text = customer.send("GET", path).text
        assert not [word for word in (WHY, "Quarrelsome", "fraudster", MAIL, SUB, "operator:") if word in text], path


def letters_to(stack: RunningStack, address: str, subject: str) -> str:
    """All letters to `address`, once one has come whose subject holds `subject`."""

    def written() -> str:
        with requests.Session() as session:
            named = re.findall(r'<a href="(/mail/[^"]+)">', session.get(f"{stack.simulator_url}/mail", timeout=10).text)
            pages = [session.get(f"{stack.simulator_url}{path}", timeout=10).text for path in named]
        return "".join(page for page in pages if address in page)

    return wait_until(written, lambda found: subject in found)


def test_why_an_order_was_cancelled_stays_with_the_operators(stack: RunningStack, operator: Customer) -> None:
    customer, code, path = an_order(stack)
    operator.post(f"/api/operators/orders/{code}/move", {"status": "cancelled", "why": WHY})
    customers_see(customer, f"/api/orders/{code}", path, f"{path}/status", f"{path}/timeline")
    order = customer.get(f"/api/orders/{code}")
    assert order["refund"]["reason"] == "order_cancelled"
    told = operator.get(f"/api/operators/payments/{code}")["events"]
    [cancelled] = [event for event in told if event["event"] == "order.cancelled"]
    assert (cancelled["by"], cancelled["facts"]["why"]) == (f"operator:{SUB} ({MAIL})", WHY)


def test_why_a_payment_was_given_back_stays_with_the_operators(stack: RunningStack, operator: Customer) -> None:
    address = f"payer-{uuid4().hex[:8]}@example.com"
    customer = new_customer(stack, email=address)
    cart = customer.post("/api/cart/carts", deepcopy(document("bookings")["create_cart"].body))
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    check = f"/api/payments/{payment['payment_id']}/check-booking"
    wait_until(lambda: customer.get(check), lambda answer: answer["booking_created"])
    given = operator.post(
        f"/api/operators/payments/{payment['merchant_transaction_id']}/refund", {"amount": "99.00", "why": WHY}
    )
    assert (given["reason"], given["why"]) == ("given_back", WHY)
    customers_see(customer, check, f"/api/payments/{payment['payment_id']}", f"/api/payments/sessions/{payment['payment_id']}")
    wait_until(lambda: customer.get(check), lambda answer: answer["refund"]["status"] == "refunded", seconds=REFUND_S)
    assert customer.get(check)["refund"]["reason"] == "given_back"
    letters = letters_to(stack, address, "sent back")
    assert not [word for word in (WHY, MAIL, SUB) if word in letters]


def test_what_a_person_found_out_stays_with_the_operators(stack: RunningStack, operator: Customer, table: Table) -> None:
    customer, ref, path = under_review(stack, operator, table)
    operator.post(f"/api/operators/payments/{ref}/resolve", {"found": "unpaid", "why": WHY})
    customers_see(customer, path, f"{path}/status", f"{path}/timeline")
