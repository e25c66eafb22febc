"""Fifty customers one after the other, through the front door; then the machine is switched off and on."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

from tests.conftest import RunningStack
from tests.issuer import TokenIssuer

WALKS = 50
DELIVERY = {
    "full_name": "John Doe",
    "county_id": 1,
    "subcounty_id": 5,
    "detailed_address": "123 Main Street",
}


class Shopper:
    """One customer and a connection."""

    def __init__(self, stack: RunningStack, sub: str) -> None:
        self._stack = stack
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {stack.token(sub=sub)}"

    def get(self, path: str) -> Any:
        answer = self._http.get(self._stack.base_url + path, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.post(self._stack.base_url + path, json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def all(self, path: str) -> list[Any]:
        """Every page of a list."""
        found, address = [], self._stack.base_url + path
        while address:
            page = self._http.get(address, timeout=30).json()
            found += page["results"]
            address = page["next"]
        return found

    def order(self, phone: str) -> str:
        self.post("/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
        session = self.post("/api/payments/sessions/", {"delivery_details": {**DELIVERY, "phone_number": phone}})
        address = f"/api/payments/sessions/{session['session_id']}"
        started = self.post(f"{address}/initiate_payment/")
        self._stack.decide("mpesa", started["checkout_request_id"])
        status = self._wait(f"{address}/status/", "session_status", "order_created")
        return str(status["order"]["order_number"])

    def book(self) -> str:
        wanted = {"service_type": "PUJA", "puja_service": 1, "package_id": 2, "selected_date": "2025-07-20"}
        cart = self.post("/api/cart/carts/", {**wanted, "selected_time": "10:30"})
        payment = self.post("/api/payments/process-cart/", {"cart_id": cart["id"], "method": "PHONEPE"})
        self._stack.decide("phonepe", payment["merchant_transaction_id"])
        checked = self._wait(f"/api/payments/{payment['payment_id']}/check-booking/", "booking_created", value=True)
        return str(checked["booking"]["book_id"])

    def _wait(self, path: str, field: str, value: object) -> Any:
        for _ in range(300):
            answer = self.get(path)
            if answer[field] == value:
                return answer
            time.sleep(0.1)
        raise AssertionError(f"{field} never became {value}: {answer}")


def test_fifty_walks_of_each_flow_make_fifty_of_each_and_survive_a_restart(issuer: TokenIssuer, tmp_path: Path) -> None:
    with RunningStack(issuer, state_dir=tmp_path / "state") as stack:
        stack.wait_until_warm()
        shopper = Shopper(stack, "walker")
        before = Decimal(str(shopper.get("/api/listings/123/")["available"]))
        numbers = [shopper.order(f"07{20_000_000 + walk}") for walk in range(WALKS)]
        codes = [shopper.book() for _ in range(WALKS)]
        after = Decimal(str(shopper.get("/api/listings/123/")["available"]))

    assert len(set(numbers)) == WALKS
    assert len(set(codes)) == WALKS
    assert before - after == 2 * WALKS

    with RunningStack(issuer, state_dir=tmp_path / "state") as stack:
        shopper = Shopper(stack, "walker")
        assert {order["order_number"] for order in shopper.all("/api/orders/")} == set(numbers)
        assert {booking["book_id"] for booking in shopper.all("/api/booking/bookings/")} == set(codes)
        assert len(shopper.all("/api/payments/sessions/")) == 2 * WALKS
