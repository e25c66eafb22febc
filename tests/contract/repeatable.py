"""One ready request to every POST of a customer, as the tests of `Idempotency-Key` send it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from uuid import uuid4

from payfirst.domain.catalogue import ServiceType
from payfirst.domain.money import Currency
from payfirst.domain.promo import Promo
from payfirst.storage import attempts, catalogue, notices, sessions
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.keys import Key
from payfirst.storage.notices import Entry
from payfirst.usecases.operators import review
from tests.contract.exchanges import document
from tests.contract.stack_table import HasTable, content, raw_item, table_of, with_values
from tests.contract.walk import TOMATOES, Customer, Stack, a_session, pay_mpesa, pay_phonepe, wait_until

A_CART: Final = document("bookings")["create_cart"].body
A_SESSION: Final = document("payment_sessions")["create_session"].body
_services = itertools.count(70_000 + secrets.randbelow(10_000))


class StackWithTable(Stack, HasTable, Protocol):
    """A running stack whose table the tests may change, and whose tokens they write."""

    def token(self, *, user_id: int, email: str, sub: str, **claims: Any) -> str:
        """An ID token for a customer who may be new."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer of the stack, and where in the table everything of theirs lies."""

    stack: StackWithTable
    sub: str
    api: Customer

    def owns(self, what: str, number: int) -> Key:
        """The key of a cart, session or booking."""
        return keys.owned(self.sub, what, number)


def new_owner(stack: StackWithTable, **claims: Any) -> Owner:
    """Somebody who has never been here."""
    sub = str(uuid4())
    return Owner(stack, sub, Customer(stack.base_url, stack.token(user_id=1, email="user@example.com", sub=sub, **claims)))


def new_operator(stack: StackWithTable) -> Owner:
    """Somebody who works at the shop."""
    return new_owner(stack, **{"cognito:groups": ["operators"]})


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that will be taken once, another body for the same address, and the item without which it fails."""

    path: str
    body: Any
    other: Any
    needs: Key
    status: int = 200


def _create_session(owner: Owner) -> Ready:
    owner.api.add_tomatoes()
    other = {**A_SESSION, "special_instructions": "Ring twice"}
    return Ready("/api/payments/sessions", A_SESSION, other, keys.produce_cart(owner.sub), 201)


def session_of(owner: Owner) -> tuple[str, Key]:
    """The path and the key of a new session, the only one of its customer."""
    session = a_session(owner.api)
    listed = table_of(owner.stack).client.query(
        TableName=table_of(owner.stack).name,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": keys.owner(owner.sub)}, ":sk": {"S": f"{keys.SESSION}#0"}},
        ConsistentRead=True,
    )["Items"]
    [sort_key] = [item["sk"]["S"] for item in listed]
    return f"/api/payments/sessions/{session['session_id']}", {"pk": keys.owner(owner.sub), "sk": sort_key}


def _extend_session(owner: Owner) -> Ready:
    path, key = session_of(owner)
    return Ready(f"{path}/extend_session", None, {}, key)


def _initiate_payment(owner: Owner) -> Ready:
    path, key = session_of(owner)
    return Ready(f"{path}/initiate_payment", {}, {"phone_number": "0712345678"}, key)


def cart_of(owner: Owner) -> Any:
    """A new cart of a puja for 999.00 rupees."""
    return owner.api.post("/api/cart/carts", A_CART)


def _process_cart(prefix: str) -> Callable[[Owner], Ready]:
    def ready(owner: Owner) -> Ready:
        cart = cart_of(owner)
        body = {"cart_id": cart["id"]}
        path = f"{prefix}/process-cart"
        return Ready(path, body, {**body, "method": "PHONEPE"}, owner.owns(keys.CART, cart["id"]), 201)

    return ready


def _create_cart(owner: Owner) -> Ready:
    number = next(_services)
    table = table_of(owner.stack)
    puja = catalogue.read_service(table, ServiceType.PUJA, 1)
    assert puja is not None
    catalogue.add(table, replace(puja, number=number))
    body = {**A_CART, "puja_service": number}
    return Ready("/api/cart/carts", body, {**body, "package_id": 1}, shop_keys.service("PUJA", number), 201)


def _apply_promo(owner: Owner) -> Ready:
    cart = cart_of(owner)
    path = f"/api/cart/carts/{cart['id']}/apply_promo"
    return Ready(path, {"promo_code": "PUJA10"}, {"promo_code": "DISCOUNT10"}, owner.owns(keys.CART, cart["id"]))


def _remove_promo(owner: Owner) -> Ready:
    cart = owner.api.post("/api/cart/carts", {**A_CART, "promo_code": "PUJA10"})
    return Ready(f"/api/cart/carts/{cart['id']}/remove_promo", None, {}, owner.owns(keys.CART, cart["id"]))


def line_of(owner: Owner) -> int:
    """The line of tomatoes in the cart of produce."""
    return int(owner.api.add_tomatoes()["items"][0]["cart_item_id"])


def _add_item(owner: Owner) -> Ready:
    line_of(owner)
    body = {"listing_id": TOMATOES, "quantity": 2}
    return Ready("/api/carts/add_item", body, {**body, "quantity": 3}, keys.produce_cart(owner.sub))


def _update_quantity(owner: Owner) -> Ready:
    body = {"cart_item_id": line_of(owner), "quantity": 7}
    return Ready("/api/carts/update_quantity", body, {**body, "quantity": 8}, keys.produce_cart(owner.sub))


def _remove_item(owner: Owner) -> Ready:
    body = {"cart_item_id": line_of(owner)}
    return Ready("/api/carts/remove_item", body, {"cart_item_id": 99}, keys.produce_cart(owner.sub))


def _produce_promo(owner: Owner) -> str:
    """A code that takes ten per cent off what is in the cart of produce."""
    line_of(owner)
    code = f"T{secrets.token_hex(6).upper()}"
    catalogue.add(table_of(owner.stack), Promo(code, Currency.KES, percent=Decimal(10)))
    return code


def _apply_produce_promo(owner: Owner) -> Ready:
    code = _produce_promo(owner)
    path = "/api/carts/apply_promo"
    return Ready(path, {"promo_code": code}, {"promo_code": code.lower()}, keys.produce_cart(owner.sub))


def _remove_produce_promo(owner: Owner) -> Ready:
    owner.api.post("/api/carts/apply_promo", {"promo_code": _produce_promo(owner)})
    return Ready("/api/carts/remove_promo", None, {}, keys.produce_cart(owner.sub))


def booking_of(owner: Owner, cart: Any = None) -> Any:
    """The booking that a cart, by default a new one, becomes."""
    payment = owner.api.post("/api/payments/process-cart", {"cart_id": (cart or cart_of(owner))["id"]})
    pay_phonepe(owner.stack, payment["merchant_transaction_id"])
    path = f"/api/payments/{payment['payment_id']}/check-booking"
    return wait_until(lambda: owner.api.get(path), lambda answer: bool(answer["booking_created"]))["booking"]


def _reschedule_booking(owner: Owner) -> Ready:
    booking = booking_of(owner)
    body = {"selected_date": "2025-07-22", "selected_time": "11:00 AM", "reason": "Change of plans"}
    path = f"/api/booking/bookings/{booking['id']}/reschedule"
    return Ready(path, body, {**body, "selected_date": "2025-07-23"}, owner.owns(keys.BOOKING, booking["id"]))


def _cancel_booking(owner: Owner) -> Ready:
    booking = booking_of(owner)
    path = f"/api/booking/bookings/{booking['id']}/cancel"
    return Ready(path, {"reason": "Rain"}, {"reason": "Snow"}, owner.owns(keys.BOOKING, booking["id"]))


def order_of(stack: StackWithTable) -> tuple[str, str, Key]:
    """The number of a new customer's order, the reference of its payment, and the key of its session."""
    owner = new_owner(stack)
    path, key = session_of(owner)
    pay_mpesa(stack, owner.api.post(f"{path}/initiate_payment")["checkout_request_id"])
    paid = wait_until(lambda: owner.api.get(f"{path}/status"), lambda answer: answer["order"] is not None)
    return paid["order"]["order_number"], str(content(raw_item(table_of(stack), key))["latest"]["ref"]), key


def captured_in_vain(stack: StackWithTable) -> str:
    """The reference of a payment that came before a person: the booking that its session has frozen cannot be made."""
    owner, table = new_owner(stack), table_of(stack)
    payment = owner.api.post("/api/payments/process-cart", {"cart_id": cart_of(owner)["id"]})
    ref = str(payment["merchant_transaction_id"])
    session = owner.owns(keys.SESSION, payment["payment_id"])
    with_values(table, session, snapshot={**content(raw_item(table, session))["snapshot"], "day": "9999-12-31"})
    pay_phonepe(stack, ref)
    attempt = keys.attempt(ref)
    wait_until(lambda: content(raw_item(table, attempt))["status"], lambda status: status == "needs_review")
    return ref


def under_review(stack: StackWithTable) -> tuple[str, Key]:
    """The reference of a payment that waits for a person, and the key of its session."""
    owner, table = new_owner(stack), table_of(stack)
    path, key = session_of(owner)
    owner.api.post(f"{path}/initiate_payment")
    session = sessions.read(table, owner.sub, int(key["sk"].split("#")[1]))
    attempt = attempts.read(table, session.live_attempt or "") if session else None
    assert session is not None
    assert attempt is not None
    attempts.review(table, session, attempt, "the gateway contradicts itself", datetime.now(UTC))
    return attempt.ref, key


def _resolve(owner: Owner) -> Ready:
    ref, key = under_review(owner.stack)
    body = {"found": "unpaid", "why": "it is on no statement"}
    return Ready(f"/api/operators/payments/{ref}/resolve", body, {**body, "why": "nobody knows it"}, key)


def _give_back(owner: Owner) -> Ready:
    _, ref, key = order_of(owner.stack)
    body = {"amount": "100.00", "why": "two tomatoes were green"}
    return Ready(f"/api/operators/payments/{ref}/refund", body, {**body, "amount": "50.00"}, key)


def _paid_back(owner: Owner) -> Ready:
    _, ref, key = order_of(owner.stack)
    owner.api.post(f"/api/operators/payments/{ref}/refund", {"why": "all of it was green"})
    table = table_of(owner.stack)
    with_values(table, keys.refund(ref, 1), status="needs_review")
    return Ready(f"/api/operators/refunds/R{ref}-1/resolve", {"why": "from the till"}, {"why": "by hand"}, key)


def _move(owner: Owner) -> Ready:
    number, _, key = order_of(owner.stack)
    return Ready(f"/api/operators/orders/{number}/move", {"status": "packed"}, {"status": "delivered"}, key)


def _undo(owner: Owner) -> Ready:
    number, _, key = order_of(owner.stack)
    owner.api.post(f"/api/operators/orders/{number}/move", {"status": "packed"})
    return Ready(f"/api/operators/orders/{number}/undo", {"step": "packed"}, {"step": "delivered"}, key)


def parked_refund(stack: StackWithTable) -> str:
    """A refund that sweeps have put aside."""
    _, ref, _ = order_of(stack)
    new_operator(stack).api.post(f"/api/operators/payments/{ref}/refund", {"why": "all of it was green"})
    key = keys.refund(ref, 1)
    with_values(table_of(stack), key, **due_index.due(due_index.REVIEW, key, datetime.now(UTC)), status="needs_review")
    return f"R{ref}-1"


def parked_notice(stack: StackWithTable) -> str:
    """A stored notice that sweeps have put aside: it speaks of an attempt that is not there."""
    table, now = table_of(stack), datetime.now(UTC)
    key = keys.notice("MT0000000000000", secrets.token_hex(32))
    notices.store(table, Entry(key, None, stored=False, settled=False), "stk", "MT0000000000000", b"{}", now)
    with_values(table, key, **due_index.due(due_index.REVIEW, key, now))
    return due_index.name_of(key)


def _replay(owner: Owner) -> Ready:
    which = parked_refund(owner.stack)
    path, (ref, number) = "/api/operators/stuck/replay", review.parts_of_refund(which)
    return Ready(path, {"which": which}, {"which": f"R{ref}-2"}, dict(keys.refund(ref, number)))


def _close(owner: Owner) -> Ready:
    notice = parked_notice(owner.stack)
    body = {"which": notice, "why": "it speaks of nothing"}
    key = due_index.key_named(notice) or {}
    return Ready("/api/operators/stuck/close", body, {**body, "why": "nobody reads it"}, key)


def _complete_booking(owner: Owner) -> Ready:
    customer = new_owner(owner.stack)
    booking = booking_of(customer)
    path = f"/api/operators/bookings/{booking['book_id']}/complete"
    return Ready(path, None, {}, customer.owns(keys.BOOKING, booking["id"]))


def _cancel_order(owner: Owner) -> Ready:
    path, _ = session_of(owner)
    pay_mpesa(owner.stack, owner.api.post(f"{path}/initiate_payment")["checkout_request_id"])
    paid = wait_until(lambda: owner.api.get(f"{path}/status"), lambda answer: answer["order"] is not None)["order"]
    key = owner.owns(keys.ORDER, paid["order_id"])
    return Ready(f"/api/orders/{paid['order_number']}/cancel", {"reason": "Rain"}, {"reason": "Snow"}, key)


def _move_booking(owner: Owner) -> Ready:
    customer = new_owner(owner.stack)
    booking = booking_of(customer)
    body = {"selected_date": "2025-07-22", "selected_time": "11:00 AM", "why": "the pandit is ill"}
    path = f"/api/operators/bookings/{booking['book_id']}/move"
    return Ready(path, body, {**body, "selected_date": "2025-07-23"}, customer.owns(keys.BOOKING, booking["id"]))


def _call_off(owner: Owner) -> Ready:
    customer = new_owner(owner.stack)
    booking = booking_of(customer)
    body = {"refund": booking["total_amount"], "in_full": True, "why": "the pandit is ill"}
    path = f"/api/operators/bookings/{booking['book_id']}/cancel"
    return Ready(path, body, {**body, "why": "the road is closed"}, customer.owns(keys.BOOKING, booking["id"]))


def listing_of_its_own(stack: StackWithTable) -> int:
    """The number of a listing that no other test knows, with a hundred to buy."""
    number, table = next(_services), table_of(stack)
    tomatoes = catalogue.read_listing(table, TOMATOES)
    assert tomatoes is not None
    catalogue.add(table, replace(tomatoes, number=number, product_name="Spring Tomatoes", available=Decimal(100)))
    return number


def _change_listing(owner: Owner) -> Ready:
    number = listing_of_its_own(owner.stack)
    body = {"version": "0-100", "price": "160.00", "add_stock": 20}
    return Ready(f"/api/operators/listings/{number}", body, {**body, "price": "170.00"}, shop_keys.listing(number))


def _change_service(owner: Owner) -> Ready:
    number, table = next(_services), table_of(owner.stack)
    puja = catalogue.read_service(table, ServiceType.PUJA, 1)
    assert puja is not None
    catalogue.add(table, replace(puja, number=number))
    body = {"version": "0", "packages": [{"id": 2, "price": "1100.00"}]}
    path = f"/api/operators/services/{number}"
    return Ready(path, body, {"version": "0", "active": False}, shop_keys.service("PUJA", number))


READY: Final[Mapping[str, Callable[[Owner], Ready]]] = {
    "create_session": _create_session,
    "extend_session": _extend_session,
    "initiate_payment": _initiate_payment,
    "process_cart": _process_cart("/api/payments"),
    "process_cart_doubled": _process_cart("/api/payments/payments"),
    "create_cart": _create_cart,
    "apply_promo": _apply_promo,
    "remove_promo": _remove_promo,
    "add_item": _add_item,
    "update_quantity": _update_quantity,
    "remove_item": _remove_item,
    "apply_produce_promo": _apply_produce_promo,
    "remove_produce_promo": _remove_produce_promo,
    "reschedule_booking": _reschedule_booking,
    "cancel_booking": _cancel_booking,
    "cancel_order": _cancel_order,
    "operators_resolve": _resolve,
    "operators_refund": _give_back,
    "operators_refund_paid": _paid_back,
    "operators_move_order": _move,
    "operators_undo_step": _undo,
    "operators_replay": _replay,
    "operators_close": _close,
    "operators_complete_booking": _complete_booking,
    "operators_move_booking": _move_booking,
    "operators_cancel_booking": _call_off,
    "operators_change_listing": _change_listing,
    "operators_change_service": _change_service,
}
"""By operation (those of operators want an operator): all that has to be there first is made; the answer has its `status`."""
