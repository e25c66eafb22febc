"""The shop on one DynamoDB table, in as few requests as its promises allow; for the peers that have no code of ours."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from benchmarks.peers import shapes
from benchmarks.peers.shapes import RefusedError, instant

Plain = dict[str, Any]
"""An item with plain values."""

ONE: Final = 1


class Store(Protocol):
    """One table and one gateway, asked with plain values."""

    def get(self, pk: str, sk: str) -> Plain | None:
        """The item, read consistently."""

    def query(self, pk: str, prefix: str, limit: int) -> list[Plain]:
        """The newest items whose sort key starts so, read consistently."""

    def count_up(self, pk: str) -> int:
        """The next number of a counter."""

    def transact(self, *actions: tuple[str, Plain]) -> None:
        """Apply all actions or none; each is a verb with DynamoDB's own arguments, values plain."""

    def ask_gateway(self, path: str, body: Mapping[str, str]) -> Plain:
        """The gateway's answer, with the access token that is kept."""


def put(**item: Any) -> tuple[str, Plain]:
    """An item that must be new."""
    return "Put", {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}


def update(pk: str, sk: str, change: str, when: str, **values: Any) -> tuple[str, Plain]:
    """A change under a condition; the names of values are those in the expressions, `s` stands for `status`."""
    names = {"ExpressionAttributeNames": {"#s": "status"}} if "#s" in change + when else {}
    asked = {"Key": {"pk": pk, "sk": sk}, "UpdateExpression": change, "ConditionExpression": when, **names}
    return "Update", {**asked, "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}}


def event(session: str, number: int, name: str, at: datetime, **facts: Any) -> tuple[str, Plain]:
    """An entry of a session's timeline, from which events are sent."""
    due = {"due_pk": f"OUTBOX#{number}", "due_sk": instant(at) + session}
    return put(pk=f"E#{session}", sk=f"{number:04d}", event=name, at=instant(at), facts=facts, **due)


def counted(pk: str, what: str, limit: int, at: datetime) -> tuple[str, Plain]:
    """One more in this hour, while there are fewer than `limit`."""
    when = "attribute_not_exists(n) OR n < :limit"
    return update(f"C#{pk}", f"{what}#{at:%Y%m%d%H}", "ADD n :one", when, limit=limit, one=ONE)


def add_item(store: Store, sub: str, wanted: Plain) -> Plain:
    """Put a listing into the cart."""
    at, listing, kept = shapes.now(), store.get("LISTING", str(wanted["listing_id"])), store.get(f"U#{sub}", "CART")
    if listing is None or listing["available"] < wanted["quantity"]:
        raise RefusedError("There is not enough in stock.")
    lines = [shapes.line(1, listing, wanted["quantity"])]
    version = kept["version"] if kept else 0
    when = "attribute_not_exists(version) OR version = :before"
    change = "SET cart_lines = :lines, version = :version"
    store.transact(update(f"U#{sub}", "CART", change, when, lines=lines, before=version, version=version + 1))
    return shapes.cart(lines, int(listing["available"]), at)


def create_session(store: Store, sub: str, user: int, wanted: Plain) -> Plain:
    """Freeze the cart."""
    shapes.check_delivery(wanted["delivery_details"])
    at, kept, identifier = shapes.now(), store.get(f"U#{sub}", "CART") or {"cart_lines": []}, str(uuid.uuid4())
    frozen = shapes.snapshot_of(kept["cart_lines"], wanted, at)
    amount = shapes.total_of(kept["cart_lines"]) + shapes.FEE
    session = {"id": identifier, "amount": amount, "status": "pending", "seq": 0, "created_at": instant(at)}
    items = {"lines": kept["cart_lines"], "delivery": frozen["delivery"], "total_items": frozen["cart"]["total_items"]}
    ends = instant(at + shapes.LIFETIME)
    [first] = kept["cart_lines"]
    still = {"Key": {"pk": "LISTING", "sk": str(first["listing_id"])}, "ConditionExpression": "price = :p AND available >= :q"}
    values = {"ExpressionAttributeValues": {":p": first["price"], ":q": first["quantity"]}}
    more_open = "attribute_not_exists(opened) OR opened < :most"
    store.transact(
        put(pk=f"U#{sub}", sk=f"S#{identifier}", **session, **items, expires_at=ends, due_pk="EXPIRE", due_sk=ends),
        event(identifier, 0, "session.created", at, amount=amount),
        ("ConditionCheck", {**still, **values}),
        counted(sub, "sessions", shapes.SESSIONS_AN_HOUR, at),
        update(f"U#{sub}", "OPEN", "ADD opened :one", more_open, one=ONE, most=shapes.OPEN_SESSIONS),
    )
    return shapes.session(identifier, user, frozen, amount, at)


def initiate(store: Store, sub: str, identifier: str, phone: str) -> Plain:
    """Claim the session, prompt the phone, keep what the gateway called it."""
    at, session = shapes.now(), store.get(f"U#{sub}", f"S#{identifier}")
    if session is None or session["expires_at"] < instant(at):
        raise RefusedError("Session has expired")
    token, transaction = secrets.token_hex(16), secrets.randbelow(2**50)
    ref = hashlib.sha256(token.encode()).hexdigest()
    claim = "SET #s = :to, seq = :after REMOVE due_pk, due_sk"
    attempt = {"sub": sub, "session": identifier, "status": "started", "amount": session["amount"], "phone": phone}
    store.transact(
        update(f"U#{sub}", f"S#{identifier}", claim, "#s = :pending", to="payment_initiated", pending="pending", after=1),
        put(pk=f"A#{ref}", sk="A", transaction=transaction, **attempt, due_pk="SETTLE", due_sk=instant(at)),
        event(identifier, 1, "payment.initiated", at, phone=phone),
        counted(sub, "prompts", shapes.PROMPTS_AN_HOUR, at),
        counted(phone, "prompts", shapes.PROMPTS_A_PHONE, at),
    )
    body = shapes.push(int(session["amount"]), phone, token, at)
    answer = store.ask_gateway("/mpesa/stkpush/v1/processrequest", body)
    checkout = answer["CheckoutRequestID"]
    sent = "SET #s = :to, checkout = :checkout"
    store.transact(
        update(f"A#{ref}", "A", sent, "#s = :from", **{"from": "started", "to": "sent", "checkout": checkout}),
        event(identifier, 2, "payment.sent", at, checkout=checkout),
    )
    return shapes.initiated(identifier, transaction, checkout)


def notice(store: Store, token: str, raw: bytes, told: Plain) -> Plain:
    """Keep the notice, ask the gateway, record the money, make the order."""
    ref, at = hashlib.sha256(token.encode()).hexdigest(), shapes.now()
    attempt = store.get(f"A#{ref}", "A")
    if attempt is None or attempt["status"] == "captured":
        return shapes.ACCEPTED
    store.transact(put(pk=f"N#{hashlib.sha256(raw).hexdigest()}", sk="N", ref=ref, body=raw.decode(), at=instant(at)))
    receipt = shapes.receipt_in(told, attempt["checkout"], int(attempt["amount"]))
    asked = store.ask_gateway("/mpesa/stkpushquery/v1/query", shapes.query(attempt["checkout"], at))
    if asked["ResultCode"] != "0":
        raise RefusedError("The gateway says something else.")
    sub, identifier = attempt["sub"], attempt["session"]
    paid = update(f"U#{sub}", f"S#{identifier}", "SET #s = :to, seq = :three", "#s = :from",
                  **{"from": "payment_initiated", "to": "paid", "three": 3})  # fmt: skip
    captured = "SET #s = :to, receipt = :receipt REMOVE due_pk, due_sk"
    store.transact(
        update(f"A#{ref}", "A", captured, "#s = :from", **{"from": "sent", "to": "captured", "receipt": receipt}),
        put(pk=f"R#{receipt}", sk="R", ref=ref),
        paid,
        event(identifier, 3, "payment.received", at, receipt=receipt),
    )
    _fulfil(store, sub, identifier, at)
    return shapes.ACCEPTED


def _fulfil(store: Store, sub: str, identifier: str, at: datetime) -> None:
    session = store.get(f"U#{sub}", f"S#{identifier}")
    if session is None:
        raise RefusedError("There is no such session.")
    number = shapes.order_number(at, store.count_up(f"ORDERS#{at:%Y%m%d}"))
    [line], order_id = session["lines"], secrets.randbelow(2**50)
    order = {"id": order_id, "number": number, "total": session["amount"], "total_items": session["total_items"]}
    done = "SET #s = :to, order_id = :id, order_number = :number, seq = :four"
    sold = "SET available = available - :q, sold = sold + :q"
    moved = {"from": "paid", "to": "order_created", "id": order_id, "number": number, "four": 4}
    store.transact(
        put(pk=f"U#{sub}", sk=f"O#{instant(at)}#{number}", **order, lines=session["lines"], created_at=instant(at)),
        update(f"U#{sub}", f"S#{identifier}", done, "#s = :from", **moved),
        update("LISTING", str(line["listing_id"]), sold, "available >= :q", q=line["quantity"]),
        update(f"U#{sub}", "OPEN", "ADD opened :less", "opened > :none", less=-1, none=0),
        ("Delete", {"Key": {"pk": f"U#{sub}", "sk": "CART"}}),
        event(identifier, 4, "order.created", at, order=number),
    )


def status(store: Store, sub: str, identifier: str) -> Plain:
    """What became of a session."""
    found = store.get(f"U#{sub}", f"S#{identifier}")
    if found is None:
        raise RefusedError("Session not found")
    order_id = int(found["order_id"]) if "order_id" in found else None
    return shapes.status(found, order_id, found.get("order_number"))


def list_sessions(store: Store, sub: str) -> Plain:
    """The newest sessions."""
    found = store.query(f"U#{sub}", "S#", 20)
    shown = [shapes.listed_session(one, int(one.get("order_id", 0)) or None, one.get("order_number")) for one in found]
    return shapes.page(len(found), shown)


def list_orders(store: Store, sub: str) -> Plain:
    """The newest orders."""
    found = store.query(f"U#{sub}", "O#", 20)
    return shapes.page(len(found), [shapes.listed_order(one) for one in found])
