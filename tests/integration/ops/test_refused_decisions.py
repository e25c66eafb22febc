"""What operators are refused changes nothing: the whole table is the same before and after, over HTTP and by command."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from payfirst.storage import attempts, captures, sessions
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Table
from tests.conftest import RunningStack
from tests.contract.repeatable import captured_in_vain, new_operator, new_owner, order_of
from tests.contract.stack_table import raw_item, table_of, with_values
from tests.contract.walk import Customer, pay_phonepe, wait_until
from tests.integration.ops.commands import payfirst
from tests.integration.ops.test_cli import NEVER
from tests.issuer import TokenIssuer

WHY: Final = "seen in the portal"


@dataclass(frozen=True, slots=True)
class Shop:
    """A stack whose sweeps and stream sleep, where it is announced, one of its operators, and what may be decided about."""

    stack: RunningStack
    home: Path
    operator: Customer
    names: dict[str, str]

    @property
    def table(self) -> Table:
        return table_of(self.stack)

    def items(self) -> list[Any]:
        pages = self.table.client.get_paginator("scan").paginate(TableName=self.table.name, ConsistentRead=True)
        return sorted((item for page in pages for item in page["Items"]), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


@pytest.fixture(scope="module")
def shop(issuer: TokenIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("home")
    with RunningStack(issuer, schedule_seconds=NEVER, streams=False) as stack:
        told = {"pid": os.getpid(), "base_url": stack.base_url, "environment": stack.environment}
        (home / "stack.json").write_text(json.dumps(told), encoding="utf-8")
        operator = new_operator(stack).api
        order, ordered, _ = order_of(stack)
        names = {"order": order, "ordered": ordered, "vain": captured_in_vain(stack), **_booking(stack)}
        here = Shop(stack, home, operator, names)
        attempt = attempts.read(here.table, ordered)
        assert attempt is not None
        session = sessions.read(here.table, attempt.owner, attempt.session_number)
        assert session is not None
        captures.contradiction(here.table, session, ordered, "its gateway took it back", datetime.now(UTC))
        operator.post(f"/api/operators/payments/{names['booked']}/refund", {"amount": "10.00", "why": WHY})
        yield here


def _booking(stack: RunningStack) -> dict[str, str]:
    """A booking that has not begun, and its payment."""
    owner = new_owner(stack)
    cart = owner.api.post("/api/cart/carts", {**_CART, "selected_date": "2027-01-01"})
    payment = owner.api.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    check = f"/api/payments/{payment['payment_id']}/check-booking"
    checked = wait_until(lambda: owner.api.get(check), lambda answer: answer["booking_created"])
    return {"booked": payment["merchant_transaction_id"], "booking": checked["booking"]["book_id"]}


_CART: Final = {"service_type": "PUJA", "puja_service": 1, "package_id": 1, "selected_time": "10:30"}

OVER_HTTP: Final = {
    "paid, though nobody asked": ("payments/{ordered}/resolve", {"found": "paid", "receipt": "NLJ7RT61SV"}, 409),
    "unpaid, though nobody asked": ("payments/{ordered}/resolve", {"found": "unpaid"}, 409),
    "a doubt where none is open": ("payments/{booked}/resolve", {}, 409),
    "unpaid, though the money is here": ("payments/{vain}/resolve", {"found": "unpaid"}, 409),
    "paid, and still not to be made": ("payments/{vain}/resolve", {"found": "paid"}, 409),
    "paid, with another receipt": ("payments/{vain}/resolve", {"found": "paid", "receipt": "NLJ7RT61SV"}, 400),
    "a part of what must go back as a whole": ("payments/{vain}/refund", {"amount": "10.00"}, 400),
    "more than was paid": ("payments/{ordered}/refund", {"amount": "350.01"}, 409),
    "a second refund beside the first": ("payments/{booked}/refund", {}, 409),
    "cents of shillings": ("payments/{ordered}/refund", {"amount": "10.50"}, 400),
    "a refund by hand that goes by itself": ("refunds/R{booked}-1/resolve", {}, 409),
    "an order that skips a step": ("orders/{order}/move", {"status": "delivered"}, 409),
    "nobody's payment": ("payments/MT0000000000000/refund", {}, 404),
}

BY_COMMAND: Final = {
    "paid, though nobody asked": ("resolve {ordered} --found paid --receipt NLJ7RT61SV --why", 1),
    "unpaid, though nobody asked": ("resolve {ordered} --found unpaid --why", 1),
    "a doubt where none is open": ("resolve {booked} --why", 1),
    "a receipt of nothing": ("resolve {ordered} --receipt NLJ7RT61SV --why", 2),
    "unpaid, though the money is here": ("resolve {vain} --found unpaid --why", 1),
    "paid, and still not to be made": ("resolve {vain} --found paid --why", 1),
    "a part of what must go back as a whole": ("refund {vain} --amount 10.00 --why", 2),
    "more than was paid": ("refund {ordered} --amount 350.01 --why", 1),
    "a second refund beside the first": ("refund {booked} --why", 1),
    "cents of shillings": ("refund {ordered} --amount 10.50 --why", 2),
    "a refund by hand that goes by itself": ("resolve R{booked}-1 --refunded --why", 1),
    "a refund that nobody called refunded": ("resolve R{booked}-1 --why", 2),
    "an order that skips a step": ("orders deliver {order}", 1),
    "an order that is cancelled after it was delivered": ("orders cancel {delivered} --why", 1),
    "a booking that has not begun": ("bookings complete {booking}", 1),
    "nobody's payment": ("refund MT0000000000000 --why", 1),
}


@pytest.fixture(autouse=True, scope="module")
def _delivered(shop: Shop) -> None:
    number, _, _ = order_of(shop.stack)
    shop.names["delivered"] = number
    for status in ("packed", "out_for_delivery", "delivered"):
        shop.operator.post(f"/api/operators/orders/{number}/move", {"status": status})


@pytest.mark.parametrize("what", OVER_HTTP)
def test_a_refused_decision_changes_nothing(shop: Shop, what: str) -> None:
    path, body, status = OVER_HTTP[what]
    said = body if path.endswith("/move") else {"why": WHY, **body}
    before = shop.items()

    answer = shop.operator.send("POST", f"/api/operators/{path.format(**shop.names)}", said)

    assert answer.status_code == status, answer.text
    assert shop.items() == before


@pytest.mark.parametrize("what", BY_COMMAND)
def test_a_command_that_is_refused_changes_nothing_and_says_why_in_a_sentence(shop: Shop, what: str) -> None:
    typed, code = BY_COMMAND[what]
    words = typed.format(**shop.names).split()
    before = shop.items()

    done = payfirst(*words, *((WHY,) if words[-1] == "--why" else ()), "--home", shop.home)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.strip()
    assert shop.items() == before


def test_a_refusal_of_a_race_that_was_lost_changes_nothing(shop: Shop) -> None:
    """The order's payment is under way back when its cancellation is asked for."""
    _, ref, _ = order_of(shop.stack)
    number = next(event["facts"]["order_number"] for event in _events(shop, ref) if event["event"] == "order.created")
    shop.operator.post(f"/api/operators/payments/{ref}/refund", {"amount": "10.00", "why": WHY})
    with_values(shop.table, keys.refund(ref, 1), status="accepted")
    before = shop.items()

    answer = shop.operator.send("POST", f"/api/operators/orders/{number}/move", {"status": "cancelled", "why": WHY})

    assert (answer.status_code, answer.json()["error_code"]) == (409, "REFUND_IN_PROGRESS")
    assert shop.items() == before
    assert raw_item(shop.table, keys.attempt(ref))["status"]["S"] == "succeeded"


def _events(shop: Shop, ref: str) -> list[Any]:
    found: list[Any] = shop.operator.get(f"/api/operators/payments/{ref}")["events"]
    return found
