"""Who cancels is told what that gives back before it is done, and then that goes back or nothing happens."""

from __future__ import annotations

import pytest

from payfirst.domain.booking import ChangeRules, RefundStep
from payfirst.storage.dynamodb.table import Table
from tests.conftest import RunningStack
from tests.contract.repeatable import new_operator
from tests.contract.test_operators import an_order
from tests.contract.test_shop import a_booking, a_service, customer, refused, sub, table
from tests.contract.walk import Customer, Stack

__all__ = ["customer", "sub", "table"]
"""The fixtures of the shop."""

HALF = ChangeRules(refunds=(RefundStep(hours_before=0, percent=50),))


def test_what_goes_back_is_told_when_it_is_asked_for_and_is_what_goes_back(
    stack: Stack,
    table: Table,
    customer: Customer,
) -> None:
    booking = a_booking(stack, customer, a_service(table, changes=HALF))
    path = f"/api/booking/bookings/{booking['id']}"
    assert "cancellation" not in customer.get(path)
    assert customer.get(f"{path}?cancellation=true")["cancellation"] == {"refund": "255.00"}
    changed = refused(customer, f"{path}/cancel", {"refund": "510.00"}, 409, "REFUND_CHANGED")
    assert changed["refund"] == "255.00"
    assert customer.get(path)["status"] == "CONFIRMED"
    assert customer.post(f"{path}/cancel", {"refund": "255.00"})["refund"] == {"amount": "255.00"}
    assert customer.get(f"{path}?cancellation=true")["cancellation"] is None


def test_another_word_than_true_and_an_amount_that_is_none_are_refused(
    stack: Stack,
    table: Table,
    customer: Customer,
) -> None:
    booking = a_booking(stack, customer, a_service(table))
    path = f"/api/booking/bookings/{booking['id']}"
    answer = customer.send("GET", f"{path}?cancellation=yes")
    assert (answer.status_code, answer.json()["cancellation"]) == (400, ["true is expected."])
    for amount in ("all", "-1.00", "1e3", "12.345"):
        assert customer.send("POST", f"{path}/cancel", {"refund": amount}).status_code in (400, 409), amount
    assert customer.get(path)["status"] == "CONFIRMED"


def test_a_customer_is_told_what_cancelling_an_order_gives_back_and_that_goes_back(stack: RunningStack) -> None:
    customer, code, _ = an_order(stack)
    path = f"/api/orders/{code}"
    assert "cancellation" not in customer.get(path)
    assert customer.get(f"{path}?cancellation=true")["cancellation"] == {"refund": "350.00"}
    changed = refused(customer, f"{path}/cancel", {"refund": "349.00"}, 409, "REFUND_CHANGED")
    assert changed["refund"] == "350.00"
    assert customer.get(path)["order_status"] == "confirmed"
    ended = [customer.post(f"{path}/cancel", {"refund": "350.00"}) for _ in range(2)]
    assert {(each["order_status"], each["refund"]["amount"]) for each in ended} == {("cancelled", "350.00")}
    refused(customer, f"{path}/cancel", {"refund": "349.00"}, 409, "REFUND_CHANGED")
    assert customer.get(f"{path}?cancellation=true")["cancellation"] is None


def test_the_shop_is_told_what_cancelling_an_order_gives_back_and_that_goes_back(stack: RunningStack) -> None:
    _, code, _ = an_order(stack)
    operator = new_operator(stack).api
    path = f"/api/operators/orders/{code}"
    assert operator.get(path)["cancellation"] == {"refund": "350.00"}
    said = {"status": "cancelled", "why": "rain"}
    changed = refused(operator, f"{path}/move", {**said, "refund": "349.00"}, 409, "REFUND_CHANGED")
    assert changed["refund"] == "350.00"
    assert operator.get(path)["order_status"] == "confirmed"
    for _ in range(2):
        assert operator.post(f"{path}/move", {**said, "refund": "350.00"})["refund"]["amount"] == "350.00"
    assert operator.get(path)["cancellation"] is None


@pytest.mark.parametrize("status", ["packed", "out_for_delivery", "delivered"])
def test_only_a_cancellation_says_what_goes_back(stack: RunningStack, status: str) -> None:
    _, code, _ = an_order(stack)
    refused(
        new_operator(stack).api,
        f"/api/operators/orders/{code}/move",
        {"status": status, "refund": "1.00"},
        400,
        "INVALID_INPUT",
    )
