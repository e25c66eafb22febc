"""What a pandit and a rider type on a day: their lists, one of them, and what becomes of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from local.stack import LocalStack
from tests.contract.exchanges import document
from tests.integration.ops.commands import payfirst, succeeded
from tests.integration.ops.test_cli import call, token
from tests.integration.ops.test_operator import home, running
from tests.integration.ops.test_orders import order

__all__ = ["home", "order", "running"]


@pytest.fixture
def booking(running: LocalStack, home: Path) -> Any:
    """A booking of the document's puja, by Jane Doe."""
    bearer = token(home)
    body = {**document("bookings")["create_cart"].body, "customer_name": "Jane Doe", "phone_number": "+91 98765 43210"}
    cart = call(running, bearer, "POST", "/api/cart/carts/", body)
    payment = call(running, bearer, "POST", "/api/payments/process-cart/", {"cart_id": cart["id"]})
    where = f"{running.simulator_url}/control/phonepe/{payment['merchant_transaction_id']}"
    requests.post(where, json={"outcome": "pay"}, timeout=10).raise_for_status()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        shown = call(running, bearer, "GET", f"/api/payments/{payment['payment_id']}/check-booking/")
        if shown["booking_created"]:
            return shown["booking"]
        time.sleep(0.1)
    raise AssertionError("the booking was not made in 20 seconds")


def test_a_booking_is_listed_moved_and_cancelled_as_it_was_said(home: Path, booking: Any) -> None:
    code = booking["book_id"]
    line = succeeded("bookings", "list", "--day", "2025-07-20", "--home", home)
    for word in (code, "Ganesh Puja, Complete", "Jane Doe, +91 98765 43210", "999.00 INR"):
        assert word in line
    moved = succeeded("bookings", "move", code, "2027-01-04", "11:00", "--why", "rain", "--home", home)
    assert moved.strip() == f"{code} is on 2027-01-04 11:00 (Asia/Kolkata)."
    [listed] = json.loads(succeeded("bookings", "list", "--day", "2027-01-04", "--json", "--home", home))
    assert (listed["book_id"], listed["customer_name"]) == (code, "Jane Doe")
    assert "in full" in succeeded("bookings", "show", code, "--home", home)
    cancel = ("bookings", "cancel", code, "--why", "the pandit is ill", "--in-full", "--json", "--home", home)
    assert payfirst(*cancel).returncode == 2
    refused = payfirst(*cancel, "--refund", "998.00")
    assert (refused.returncode, "gives back 999.00, not 998.00" in refused.stderr) == (1, True)
    done = json.loads(succeeded(*cancel, "--refund", "999.00"))
    assert (done["status"], done["refund"]) == ("CANCELLED", {"amount": "999.00"})
    assert json.loads(succeeded("bookings", "show", code, "--json", "--home", home))["cancellation"] is None


def test_an_order_is_shown_and_printed_for_its_rider(home: Path, order: str) -> None:
    shown = json.loads(succeeded("orders", "show", order, "--json", "--home", home))
    assert (shown["county"], shown["subcounty"], shown["refunds"]) == ("Mombasa", "Likoni", [])
    assert shown["delivery_details"]["phone_number"] in succeeded("orders", "show", order, "--home", home)
    assert order in [each["order_number"] for each in json.loads(succeeded("orders", "list", "--json", "--home", home))]
    page = succeeded("orders", "slip", order, "--home", home)
    assert page.startswith("<!doctype html>")
    assert f"<h1>{order}</h1>" in page
