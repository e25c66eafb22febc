"""What all peers share: the shop's rules in short, the bodies of their answers, and what they say to the gateway."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

PLACES: Final = {1: range(1, 7)}
PHONE: Final = re.compile(r"0[17]\d{8}")
FEE: Final = 5000
LIFETIME: Final = timedelta(minutes=15)
OPEN_SESSIONS, SESSIONS_AN_HOUR, PROMPTS_AN_HOUR, PROMPTS_A_PHONE = 10, 30, 20, 10
ACCEPTED: Final = {"status": "success", "message": "Callback received", "ResultCode": 0, "ResultDesc": "Accepted"}


class RefusedError(Exception):
    """The shop says no; every peer answers it with 400."""


def check_delivery(delivery: Mapping[str, Any]) -> None:
    """RefusedError for a place or a phone number that does not exist."""
    if delivery["subcounty_id"] not in PLACES.get(delivery["county_id"], ()):
        raise RefusedError("There is no such place.")
    if not PHONE.fullmatch(delivery["phone_number"]):
        raise RefusedError("This is no phone number.")


def now() -> datetime:
    """The instant, in whole seconds as the documents print them."""
    return datetime.now(UTC).replace(microsecond=0)


def instant(at: datetime | str) -> str:
    """An instant as the documents print it."""
    return at if isinstance(at, str) else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def money(minor: int) -> str:
    """An amount as the documents print it."""
    return f"{minor // 100}.{minor % 100:02d}"


def line(number: int, listing: Mapping[str, Any], quantity: float) -> dict[str, Any]:
    """A line of a cart as peers keep it."""
    kept = {name: listing[name] for name in ("product_name", "farm_name", "unit")}
    return {
        "cart_item_id": number,
        "listing_id": int(listing["id"]),
        **kept,
        "quantity": quantity,
        "price": int(listing["price"]),
    }


def _line(kept: Mapping[str, Any], show: Any) -> dict[str, Any]:
    price, quantity = int(kept["price"]), float(kept["quantity"])
    return {
        "cart_item_id": int(kept["cart_item_id"]),
        "listing_id": int(kept["listing_id"]),
        "product_name": kept["product_name"],
        "farm_name": kept["farm_name"],
        "quantity": quantity,
        "price_at_addition": show(price),
        "subtotal": show(int(price * quantity)),
        "unit_of_measure": kept["unit"],
    }


def total_of(lines: Sequence[Mapping[str, Any]]) -> int:
    """What the lines cost, in cents."""
    return sum(int(int(one["price"]) * float(one["quantity"])) for one in lines)


def snapshot_of(lines: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What a session freezes; RefusedError for an empty cart."""
    if not lines:
        raise RefusedError("Cart is empty")
    items = [_line(one, lambda minor: minor / 100) for one in lines]
    total = sum(one["subtotal"] for one in items)
    frozen = {"items": items, "total_items": int(sum(one["quantity"] for one in items)), "total_cost": total}
    delivery = dict(wanted["delivery_details"])
    more = {name: wanted.get(name) or "" for name in ("special_instructions", "delivery_time_slot")}
    return {"cart": {**frozen, "created_at": instant(at)}, "delivery": {**delivery, **more, "estimated_delivery_date": None}}


def cart(lines: Sequence[Mapping[str, Any]], available: int, at: datetime) -> dict[str, Any]:
    """The answer to a change of the cart."""
    items = [{**_line(one, money), "available": available, "price_changed": False} for one in lines]
    total = {"total_items": int(sum(one["quantity"] for one in items)), "total_cost": money(total_of(lines)), "currency": "KES"}
    when = {"updated_at": instant(at), "expires_at": instant(at + timedelta(days=30))}
    return {"items": items, **total, "promo_code": None, "discount": "0.00", **when}


def session(identifier: str, user: int, frozen: Mapping[str, Any], amount: int, at: datetime) -> dict[str, Any]:
    """The answer to a new session."""
    return {
        "session_id": identifier,
        "user": user,
        "cart_snapshot": frozen["cart"],
        "delivery_details": frozen["delivery"],
        "total_amount": money(amount),
        "currency": "KES",
        "delivery_fee": money(FEE),
        "phone_number": frozen["delivery"]["phone_number"],
        "session_status": "pending",
        "order": None,
        "created_at": instant(at),
        "expires_at": instant(at + LIFETIME),
    }


def initiated(identifier: str, transaction: int, checkout: str) -> dict[str, Any]:
    """The answer to a prompt."""
    sent = {"status": "success", "message": "STK Push sent successfully. Please check your phone.", "session_id": identifier}
    told = {"transaction_id": transaction, "checkout_request_id": checkout}
    return {**sent, **told, "customer_message": "Please check your phone for M-Pesa prompt."}


def status(found: Mapping[str, Any], order_id: int | None, order_number: str | None) -> dict[str, Any]:
    """The answer to a question about a session."""
    order = {"order_id": order_id, "order_number": order_number, "order_status": "confirmed", "payment_status": "paid"}
    told = {"session_id": str(found["id"]), "session_status": found["status"], "order": order if order_id else None}
    return {**told, "expires_at": instant(found["expires_at"]), "created_at": instant(found["created_at"])}


def listed_session(found: Mapping[str, Any], order_id: int | None, order_number: str | None) -> dict[str, Any]:
    """A line of the list of sessions."""
    order = {"order_id": order_id, "order_number": order_number} if order_id else None
    told = {"session_id": str(found["id"]), "session_status": found["status"], "total_amount": money(int(found["amount"]))}
    told["currency"] = "KES"
    return {**told, "created_at": instant(found["created_at"]), "order_details": order}


def listed_order(found: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the list of orders."""
    return {
        "order_id": int(found["id"]),
        "order_number": found["number"],
        "order_status": "confirmed",
        "payment_status": "paid",
        "total_amount": money(int(found["total"])),
        "currency": "KES",
        "total_items": int(found["total_items"]),
        "created_at": instant(found["created_at"]),
    }


def page(count: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    """One page, which here is the whole list."""
    return {"count": count, "next": None, "previous": None, "results": results}


def order_number(day: datetime, number: int) -> str:
    """A number as the shop gives them to orders."""
    return f"ORD-{day:%Y%m%d}-{number:03d}"


def _password(at: datetime) -> dict[str, str]:
    stamp = at.strftime("%Y%m%d%H%M%S")
    return {"Password": base64.b64encode(f"174379{'pass' * 16}{stamp}".encode()).decode(), "Timestamp": stamp}


def push(amount: int, phone: str, token: str, at: datetime) -> dict[str, str]:
    """The body of a prompt on a phone."""
    return {
        "BusinessShortCode": "174379",
        **_password(at),
        "TransactionType": "CustomerPayBillOnline",
        "Amount": str(amount // 100),
        "PartyA": "254" + phone[1:],
        "PartyB": "174379",
        "PhoneNumber": "254" + phone[1:],
        "CallBackURL": f"https://shop.example/cb/stk/{token}",
        "AccountReference": token[:12],
        "TransactionDesc": "Order",
    }


def query(checkout: str, at: datetime) -> dict[str, str]:
    """The body of a question about a prompt."""
    return {"BusinessShortCode": "174379", **_password(at), "CheckoutRequestID": checkout}


def receipt_in(notice: Mapping[str, Any], checkout: str, amount: int) -> str:
    """The receipt of a paid notice; RefusedError where it is about something else."""
    told = notice["Body"]["stkCallback"]
    facts = {item["Name"]: item["Value"] for item in told["CallbackMetadata"]["Item"]}
    if told["CheckoutRequestID"] != checkout or told["ResultCode"] != 0 or round(facts["Amount"] * 100) != amount:
        raise RefusedError("The notice is about something else.")
    return str(facts["MpesaReceiptNumber"])
