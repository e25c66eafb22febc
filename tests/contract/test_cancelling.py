"""A customer is told what cancelling a booking gives back before it is done, and then that goes back or nothing happens."""

from __future__ import annotations

from payfirst.domain.booking import ChangeRules, RefundStep
from payfirst.storage.dynamodb.table import Table
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
