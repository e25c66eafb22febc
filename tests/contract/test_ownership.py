"""Somebody else's object is answered byte for byte like one that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, a_session, new_customer, pay_mpesa, pay_phonepe, wait_until

UNKNOWN = {
    "session_id": ("0190f3a1-5c1e-7abc-8def-0123456789ab", 712345678901234),
    "payment_id": (712345678901234, "0190f3a1-5c1e-7abc-8def-0123456789ab", "TXN0000000000", "MT0000000000000"),
    "cart_id": (712345678901234, "0190f3a1-5c1e-7abc-8def-0123456789ab"),
    "booking_id": (712345678901234, "BK-00000000"),
    "order_id": (712345678901234, "ORD-20240115-999"),
}
PER_CALL = {"date", "x-request-id", "apigw-requestid", "x-amzn-requestid", "x-amzn-trace-id"}


@dataclass(frozen=True, slots=True)
class Possessions:
    """What one customer owns, under every id that it goes by."""

    session_id: tuple[Any, ...]
    payment_id: tuple[Any, ...]
    cart_id: tuple[Any, ...]
    booking_id: tuple[Any, ...]
    order_id: tuple[Any, ...]


@pytest.fixture(scope="module")
def possessions(stack: Stack) -> Possessions:
    owner = new_customer(stack)
    session = a_session(owner)
    path = f"/api/payments/sessions/{session['session_id']}"
    pay_mpesa(stack, owner.post(f"{path}/initiate_payment", {})["checkout_request_id"])
    paid = wait_until(lambda: owner.get(f"{path}/status"), lambda answer: answer["order"] is not None)
    cart = owner.post("/api/cart/carts", document("bookings")["create_cart"].body)
    payment = owner.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    check = f"/api/payments/{payment['payment_id']}/check-booking"
    booking = wait_until(lambda: owner.get(check), lambda answer: answer["booking_created"])["booking"]
    open_cart = owner.post("/api/cart/carts", document("bookings")["create_cart"].body)
    return Possessions(
        session_id=(session["session_id"],),
        payment_id=(payment["payment_id"], payment["transaction_id"], payment["merchant_transaction_id"]),
        cart_id=(open_cart["id"], open_cart["cart_id"], cart["id"]),
        booking_id=(booking["id"], booking["book_id"]),
        order_id=(paid["order"]["order_id"], paid["order"]["order_number"]),
    )


REQUESTS = [
    ("GET", "/api/payments/sessions/{session_id}", None),
    ("GET", "/api/payments/sessions/{session_id}/status", None),
    ("GET", "/api/payments/sessions/{session_id}/events", None),
    ("POST", "/api/payments/sessions/{session_id}/extend_session", None),
    ("POST", "/api/payments/sessions/{session_id}/initiate_payment", {"phone_number": "0712345678"}),
    ("GET", "/api/payments/{payment_id}", None),
    ("GET", "/api/payments/payments/{payment_id}", None),
    ("GET", "/api/payments/{payment_id}/check-booking", None),
    ("GET", "/api/payments/payments/{payment_id}/check-booking", None),
    ("POST", "/api/payments/process-cart", {"cart_id": "{cart_id}", "method": "PHONEPE"}),
    ("POST", "/api/payments/payments/process-cart", {"cart_id": "{cart_id}", "method": "PHONEPE"}),
    ("GET", "/api/cart/carts/{cart_id}", None),
    ("DELETE", "/api/cart/carts/{cart_id}", None),
    ("POST", "/api/cart/carts/{cart_id}/apply_promo", {"promo_code": "DISCOUNT10"}),
    ("POST", "/api/cart/carts/{cart_id}/remove_promo", None),
    ("GET", "/api/booking/bookings/{booking_id}", None),
    (
        "POST",
        "/api/booking/bookings/{booking_id}/reschedule",
        {"selected_date": "2025-07-22", "selected_time": "11:00 AM", "reason": "Change of plans"},
    ),
    ("POST", "/api/booking/bookings/{booking_id}/cancel", {"reason": "Change of plans"}),
    ("GET", "/api/orders/{order_id}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS, ids=lambda part: part if isinstance(part, str) else "")
def test_what_belongs_to_another_is_answered_like_what_does_not_exist(
    stack: Stack, possessions: Possessions, method: str, path: str, body: Any
) -> None:
    stranger = new_customer(stack, user_id=2, email="stranger@example.com")
    name = next(name for name in UNKNOWN if f"{{{name}}}" in path or (body and f"{{{name}}}" in body.values()))
    answers = list(_answers(stranger, method, path, body, name, (*getattr(possessions, name), *UNKNOWN[name])))
    for identifier, response in answers:
        assert response.status_code == 404, f"{identifier}: {response.status_code} {response.text}"
        assert response.content == answers[-1][1].content, identifier
        assert _headers(response) == _headers(answers[-1][1]), identifier


def _answers(
    stranger: Customer, method: str, path: str, body: Any, name: str, identifiers: tuple[Any, ...]
) -> Iterator[tuple[Any, requests.Response]]:
    for identifier in identifiers:
        sent = body and {key: identifier if value == f"{{{name}}}" else value for key, value in body.items()}
        yield identifier, stranger.send(method, path.replace(f"{{{name}}}", str(identifier)), sent)


def _headers(response: requests.Response) -> dict[str, str]:
    return {key.lower(): value for key, value in response.headers.items() if key.lower() not in PER_CALL}


def test_a_strangers_lists_are_empty(stack: Stack, possessions: Possessions) -> None:
    assert possessions.order_id
    stranger = new_customer(stack, user_id=2, email="stranger@example.com")
    for path in ("/api/payments/sessions", "/api/payments", "/api/booking/bookings", "/api/orders", "/api/cart/carts"):
        assert stranger.get(path) == {"count": 0, "next": None, "previous": None, "results": []}
    assert stranger.get("/api/cart/carts/active") == []
