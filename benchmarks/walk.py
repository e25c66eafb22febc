"""The documents' flows as requests: what customers and gateways send, in the order in which each needs the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from benchmarks.gateway import Gateways

TIDY: Final = "tidy"
"""What the runs are called that only make room for others."""

IDLE: Final = "nothing due"
"""What the runs of schedules are called that find nothing to do."""

Answer = Callable[["Ask"], Any]
"""The JSON body that a request is answered with; an error is raised for any but a success."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who asks, as the verified token says, and the number of their telephone, which is their own where it is 0."""

    number: int
    telephone: int = 0

    @property
    def sub(self) -> str:
        return f"3f2b7c1e-9d54-4a6e-8b0f-{self.number:012d}"

    @property
    def phone(self) -> str:
        return f"0{700_000_000 + (self.telephone or self.number)}"

    def claims(self, issuer: str, audience: str) -> dict[str, str]:
        """The claims that the API's authorizer hands to a function."""
        return {
            "sub": self.sub,
            "iss": issuer,
            "aud": audience,
            "token_use": "id",
            "custom:user_id": str(self.number),
            "email": "user@example.com",
            "email_verified": "true",
            "name": "John Doe",
        }


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `name` is what the figures of such requests stand under. A run of a schedule has no method."""

    name: str
    method: str
    path: str
    customer: Customer | None = None
    body: Any = None
    headers: Mapping[str, str] | None = None
    query: str = ""


def add_item(who: Customer) -> Ask:
    """Two kilograms of tomatoes into the cart."""
    return Ask("cart: add item", "POST", "/api/carts/add_item/", who, {"listing_id": 123, "quantity": 2})


def create_session(who: Customer) -> Ask:
    """Document B's first request, as it is printed."""
    delivery = {
        "full_name": "John Doe",
        "phone_number": who.phone,
        "county_id": 1,
        "subcounty_id": 5,
        "detailed_address": "123 Main Street, Apartment 4B",
    }
    body = {"delivery_details": delivery, "special_instructions": "Leave at the gate", "delivery_time_slot": "morning"}
    return Ask("create session", "POST", "/api/payments/sessions/", who, body)


def initiate(who: Customer, session_id: str) -> Ask:
    """Document B's second request."""
    path = f"/api/payments/sessions/{session_id}/initiate_payment/"
    return Ask("initiate", "POST", path, who, {"phone_number": who.phone})


def paid_notice(gateways: Gateways, checkout_request_id: str, name: str = "notice") -> Ask:
    """What M-Pesa posts once the prompt has been paid; the same one each time."""
    return stk_notice(gateways.pushed[checkout_request_id], checkout_request_id, name)


def stk_notice(pushed: Mapping[str, Any], checkout_request_id: str, name: str = "notice") -> Ask:
    """The notice of success for a prompt with the body `pushed`."""
    receipt = "N" + hashlib.sha256(checkout_request_id.encode()).hexdigest()[:9].upper()
    facts = {
        "Amount": float(pushed["Amount"]),
        "MpesaReceiptNumber": receipt,
        "TransactionDate": 20260115103045,
        "PhoneNumber": int(pushed["PhoneNumber"]),
    }
    told = {
        "MerchantRequestID": f"29115-{checkout_request_id}",
        "CheckoutRequestID": checkout_request_id,
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "CallbackMetadata": {"Item": [{"Name": key, "Value": value} for key, value in facts.items()]},
    }
    path = "/cb/stk/" + pushed["CallBackURL"].rsplit("/", 1)[1]
    return Ask(name, "POST", path, body={"Body": {"stkCallback": told}})


def status(who: Customer, session_id: str) -> Ask:
    """Document B's third request."""
    return Ask("status", "GET", f"/api/payments/sessions/{session_id}/status/", who)


def list_sessions(who: Customer) -> Ask:
    """Document B's fifth request."""
    return Ask("list of sessions", "GET", "/api/payments/sessions/", who, query="page_size=20")


def list_orders(who: Customer) -> Ask:
    """What came of them."""
    return Ask("list of orders", "GET", "/api/orders/", who, query="page_size=20")


def produce(answer: Answer, gateways: Gateways, who: Customer) -> str:
    """From an empty cart to an order, and what is read meanwhile; the session's id."""
    answer(add_item(who))
    session = answer(create_session(who))["session_id"]
    checkout = answer(initiate(who, session))["checkout_request_id"]
    answer(paid_notice(gateways, checkout))
    answer(paid_notice(gateways, checkout, "notice, duplicate"))
    if answer(status(who, session))["session_status"] != "order_created":
        raise RuntimeError("a paid notice made no order")
    return str(session)


def reads(answer: Answer, who: Customer, session: str) -> None:
    """What else a customer of produce and a visitor read."""
    answer(list_sessions(who))
    answer(list_orders(who))
    answer(Ask("session", "GET", f"/api/payments/sessions/{session}/", who))
    answer(Ask("timeline", "GET", f"/api/payments/sessions/{session}/events/", who))
    answer(Ask("cart", "GET", "/api/carts/my_cart/", who))
    answer(Ask("listings", "GET", "/api/listings/"))
    answer(Ask("health", "GET", "/health/"))


def puja(answer: Answer, who: Customer, webhook: tuple[str, str]) -> None:
    """From a cart to a booking, which is moved and cancelled."""
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    wanted = {"service_type": "PUJA", "puja_service": 1, "package_id": 2, "selected_date": day, "selected_time": "10:30"}
    cart = answer(Ask("puja: create cart", "POST", "/api/cart/carts/", who, wanted))["id"]
    payment = answer(
        Ask("puja: process cart", "POST", "/api/payments/process-cart/", who, {"cart_id": cart, "method": "PHONEPE"})
    )
    ref = payment["merchant_transaction_id"]
    paid = {"merchantOrderId": ref, "orderId": f"OMO{ref}", "state": "COMPLETED", "amount": 99900}
    notice = {"event": "checkout.order.completed", "payload": paid}
    for name in ("puja: notice", "puja: notice, duplicate"):
        answer(_phonepe(name, notice, webhook))
    path = f"/api/payments/{payment['payment_id']}/check-booking/"
    booking = answer(Ask("puja: check booking", "GET", path, who))["booking"]["book_id"]
    answer(Ask("puja: list of bookings", "GET", "/api/booking/bookings/", who))
    moved = {"selected_date": day, "selected_time": "11:30", "reason": "Another time suits us better"}
    answer(Ask("puja: reschedule", "POST", f"/api/booking/bookings/{booking}/reschedule/", who, moved))
    deliver(answer, "a booking")
    answer(Ask("puja: cancel", "POST", f"/api/booking/bookings/{booking}/cancel/", who, {"reason": "We are away"}))


def operators(answer: Answer, who: Customer) -> None:
    """What an operator looks at first."""
    answer(Ask("operators: stuck", "GET", "/api/operators/stuck/", who))


def deliver(answer: Answer, what: str) -> None:
    """The run of the schedule that takes the events and messages of `what` away."""
    answer(Ask(f"deliver {what}", "", "deliver_events"))


def sweep(answer: Answer, gateways: Gateways, webhook: tuple[str, str]) -> None:
    """Runs of the schedules until nothing is due any more, and then one of each; a gateway tells that it has refunded."""
    schedules = ("reconcile_payments", "deliver_events", "expire_sessions")
    for function in schedules:
        answer(Ask(f"{TIDY}: {function}", "", function))
    refund = list(gateways.refunded)[-1]
    payload = {"merchantRefundId": refund, "state": "COMPLETED", "amount": gateways.refunded[refund]}
    answer(_phonepe("puja: refund notice", {"event": "pg.refund.completed", "payload": payload}, webhook))
    for name in (TIDY, TIDY, IDLE):
        for function in schedules:
            answer(Ask(f"{name}: {function}", "", function))


def _phonepe(name: str, notice: Mapping[str, Any], webhook: tuple[str, str]) -> Ask:
    proof = hashlib.sha256(":".join(webhook).encode()).hexdigest()
    return Ask(name, "POST", "/api/payments/webhook/phonepe/", None, notice, {"authorization": proof})
