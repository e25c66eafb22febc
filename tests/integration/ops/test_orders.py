"""What those who pack and deliver type, against a whole stack whose own schedules sleep."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from local.stack import LocalStack
from tests.integration.ops.test_cli import DELIVERY, call, payfirst, succeeded, token
from tests.integration.ops.test_operator import home, running

__all__ = ["home", "running"]


@pytest.fixture
def order(running: LocalStack, home: Path) -> str:
    """The number of an order of two kilos of tomatoes."""
    bearer = token(home)
    call(running, bearer, "POST", "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
    session = call(running, bearer, "POST", "/api/payments/sessions/", {"delivery_details": DELIVERY})["session_id"]
    prompt = call(running, bearer, "POST", f"/api/payments/sessions/{session}/initiate_payment/")["checkout_request_id"]
    decided = requests.post(f"{running.simulator_url}/control/mpesa/{prompt}", json={"outcome": "pay"}, timeout=10)
    decided.raise_for_status()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        shown = call(running, bearer, "GET", f"/api/payments/sessions/{session}/status/")
        if shown["order"]:
            return str(shown["order"]["order_number"])
        time.sleep(0.1)
    raise AssertionError("the order was not made in 20 seconds")


def test_an_order_is_listed_and_taken_to_the_door(running: LocalStack, home: Path, order: str) -> None:
    assert order in succeeded("orders", "list", "--status", "confirmed", "--home", home)
    assert succeeded("orders", "pack", order, "--home", home).strip() == f"{order} is packed."
    assert succeeded("orders", "dispatch", order, "--home", home).strip() == f"{order} is out_for_delivery."
    assert succeeded("orders", "deliver", order, "--home", home).strip() == f"{order} is delivered."
    assert order not in succeeded("orders", "list", "--status", "confirmed", "--home", home)
    shown = call(running, token(home), "GET", f"/api/orders/{order}/")
    assert [step["status"] for step in shown["timeline"]] == ["confirmed", "packed", "out_for_delivery", "delivered"]


def test_a_cancelled_order_says_why_and_how_its_money_stands(running: LocalStack, home: Path, order: str) -> None:
    said = succeeded("orders", "cancel", order, "--why", "The van broke down.", "--home", home)
    assert said.startswith(f"{order} is cancelled; 350.00 KES go back as RMT")
    shown = call(running, token(home), "GET", f"/api/orders/{order}/")
    assert shown["order_status"] == "cancelled"
    assert shown["timeline"][-1]["reason"] == "The van broke down."
    assert shown["refund"] == {"amount": "350.00", "status": "due", "reason": "order_cancelled"}


def test_a_step_that_is_left_out_is_refused_in_one_sentence(home: Path, order: str) -> None:
    done = payfirst("orders", "deliver", order, "--home", home)
    assert done.returncode == 1
    assert done.stderr.strip() == f"{order} is confirmed: from there it cannot become delivered."


def test_a_day_that_is_none_is_refused_in_one_sentence(home: Path) -> None:
    done = payfirst("orders", "list", "--day", "yesterday", "--home", home)
    assert done.returncode == 1
    assert done.stderr.strip() == "yesterday is not a day; write it as YYYY-MM-DD."


def test_the_funnel_is_a_table_with_bars(home: Path, order: str) -> None:
    assert order
    succeeded("tick", "deliver", "--home", home)
    shown = succeeded("funnel", "--since", "24h", "--home", home)
    for word in ("Sessions made", "Payment started", "Payment received", "Order or booking", "Expired", "█"):
        assert word in shown
    done = payfirst("funnel", "--since", "yesterday", "--home", home)
    assert (done.returncode, done.stderr.strip()) == (1, "yesterday is no time; write it as 24h or 7d.")
