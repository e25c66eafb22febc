"""What a customer may own, made over the API as a customer makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.contract.exchanges import document
from tests.contract.walk import Customer, Stack, a_session, pay_mpesa, pay_phonepe, wait_until


@dataclass(frozen=True, slots=True)
class Possessions:
    """What one customer owns, under every id that it goes by."""

    session_id: tuple[Any, ...]
    payment_id: tuple[Any, ...]
    cart_id: tuple[Any, ...]
    booking_id: tuple[Any, ...]
    order_id: tuple[Any, ...]


def possessions_of(owner: Customer, stack: Stack) -> Possessions:
    """A session that was paid and its order, a payment through PhonePe with its cart and booking, and another cart."""
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
