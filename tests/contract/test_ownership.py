"""Somebody else's object is answered byte for byte like one that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.possessions import Possessions, possessions_of
from tests.contract.walk import PER_CALL, Customer, Stack, new_customer

UNKNOWN = {
    "session_id": ("0190f3a1-5c1e-7abc-8def-0123456789ab", 712345678901234),
    "payment_id": (712345678901234, "0190f3a1-5c1e-7abc-8def-0123456789ab", "TXN0000000000", "MT0000000000000"),
    "cart_id": (712345678901234, "0190f3a1-5c1e-7abc-8def-0123456789ab"),
    "booking_id": (712345678901234, "BK-00000000"),
    "order_id": (712345678901234, "ORD-20240115-999"),
}


@pytest.fixture(scope="module")
def possessions(stack: Stack) -> Possessions:
    return possessions_of(new_customer(stack), stack)


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
    ("POST", "/api/orders/{order_id}/cancel", {"reason": "Change of plans"}),
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
