"""`payfirst erase` against a whole stack: after it no word of the customer is anywhere in the table, and the books agree."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from local.stack import LocalStack
from ops.reconcile.simulated_ledger import read_ledger
from ops.token import mint
from tests.clients import client_of
from tests.contract.walk import Customer, pay_mpesa, pay_phonepe, wait_until
from tests.integration.ops.commands import payfirst, succeeded
from tests.tools import need

EMAIL: Final = "wanjiru.canary@example.com"
NAME: Final = "Wanjirucanary Otienocanary"
NATIONAL: Final = "712345987"
PHONE: Final = f"0{NATIONAL}"
STREET: Final = "12 Canary Avenue, Apartment 4B"
INDIA: Final = "7 Canary Ghat Road, Varanasi"
GATE: Final = "leave it with canaryguard"
WORDS: Final = ("canary", NATIONAL, EMAIL)
"""In lower case; each form in which a name, an address or a phone number is given holds one of them."""


class SignedUpStack(LocalStack):
    """A stack whose customers are signed up in its user pool."""

    def token(self, *, user_id: int, email: str, sub: str) -> str:
        """An ID token for a new customer; who they are is for the user pool to say, `sub` only keeps their address apart."""
        return mint(self.environment, user_id, f"{sub}-{email}")


@pytest.fixture(scope="module")
def running() -> Iterator[SignedUpStack]:
    """A stack whose sweeps run every second."""
    need("aws")
    with SignedUpStack(schedule_seconds=1.0) as stack:
        yield stack


@pytest.fixture(scope="module")
def home(running: SignedUpStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("home")
    told = {"pid": os.getpid(), "base_url": running.base_url, "environment": running.environment}
    (directory / "stack.json").write_text(json.dumps(told), encoding="utf-8")
    return directory


def client(stack: SignedUpStack, service: str) -> Any:
    return client_of(stack.environment, service)


def whole_table(stack: SignedUpStack) -> list[dict[str, Any]]:
    pages = (
        client(stack, "dynamodb").get_paginator("scan").paginate(TableName=stack.environment["TABLE_NAME"], ConsistentRead=True)
    )
    return [item for page in pages for item in page["Items"]]


def with_words(items: list[dict[str, Any]]) -> set[str]:
    """The sort keys, up to their first #, of the items in which a word of the customer stands, as text or as bytes."""
    return {item["sk"]["S"].split("#")[0] for item in items if any(word in repr(item).lower() for word in WORDS)}


@pytest.fixture(scope="module")
def customer(running: SignedUpStack) -> Customer:
    """Somebody who bought in both shops, changed their mind, wrote reasons, and left things in their carts."""
    mint(running.environment, 77, EMAIL)
    pool = running.environment["TOKEN_ISSUER"].rsplit("/", 1)[-1]
    client(running, "cognito-idp").admin_update_user_attributes(
        UserPoolId=pool, Username=EMAIL, UserAttributes=[{"Name": "name", "Value": NAME}]
    )
    shopper = Customer(running.base_url, mint(running.environment, 77, EMAIL))
    order(running, shopper)
    given_up(running, shopper)
    booking(running, shopper)
    shopper.add_tomatoes(1)
    shopper.post("/api/cart/carts", puja())
    return shopper


def session(shopper: Customer, *, name: str = NAME, phone: str = PHONE, street: str = STREET, gate: str = GATE) -> str:
    shopper.add_tomatoes(2)
    details = {"full_name": name, "phone_number": phone, "county_id": 1, "subcounty_id": 5, "detailed_address": street}
    body = {"delivery_details": details, "special_instructions": gate, "delivery_time_slot": "evening"}
    answer = shopper.send("POST", "/api/payments/sessions", body, headers={"Idempotency-Key": f"key-{time.monotonic_ns()}"})
    assert answer.status_code == 201, answer.text
    return f"/api/payments/sessions/{answer.json()['session_id']}"


def order(stack: SignedUpStack, shopper: Customer) -> None:
    path = session(shopper)
    pay_mpesa(stack, shopper.post(f"{path}/initiate_payment", {"phone_number": f"+254 {NATIONAL}"})["checkout_request_id"])
    code = wait_until(lambda: shopper.get(f"{path}/status"), lambda answer: answer["order"])["order"]["order_number"]
    operator = Customer(stack.base_url, mint(stack.environment, 1, "amina@example.com", groups=["operators"]))
    for status in ("packed", "out_for_delivery", "delivered"):
        operator.post(f"/api/operators/orders/{code}/move", {"status": status})
    [attempt] = operator.get(f"/api/operators/payments/{code}")["attempts"]
    operator.post(
        f"/api/operators/payments/{attempt['attempt']}/refund",
        {"amount": "10.00", "why": "Otienocanary rang from 0712 345 987: two were green"},
    )


def given_up(stack: SignedUpStack, shopper: Customer) -> None:
    path = session(shopper)
    pay_mpesa(stack, shopper.post(f"{path}/initiate_payment", {})["checkout_request_id"], "cancel")
    wait_until(lambda: shopper.get(f"{path}/status"), lambda answer: answer["session_status"] == "failed")


def puja(address: str = INDIA) -> dict[str, Any]:
    place = {"service_type": "PUJA", "puja_service": 1, "package_id": 2, "address": address}
    return {**place, "selected_date": "2027-01-20", "selected_time": "10:00 AM"}


def booking(stack: SignedUpStack, shopper: Customer) -> None:
    cart = shopper.post("/api/cart/carts", puja())
    payment = shopper.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    path = f"/api/payments/{payment['payment_id']}/check-booking"
    made = wait_until(lambda: shopper.get(path), lambda answer: answer["booking_created"])["booking"]
    moved = {"selected_date": "2027-01-22", "selected_time": "11:00 AM", "reason": "my sister Canary cannot come"}
    shopper.post(f"/api/booking/bookings/{made['id']}/reschedule", moved)
    shopper.post(f"/api/booking/bookings/{made['id']}/cancel", {"reason": "canaryflu"})


def plan(home: Path) -> str:
    return succeeded("erase", EMAIL, "--dry-run", "--home", home)


def quiet(home: Path) -> str:
    """The dry run once refunds have gone back, events have left and letters are written."""
    return wait_until(lambda: plan(home), lambda said: "In the way" not in said, seconds=90)


def refunds_paid_by_hand(stack: SignedUpStack, home: Path) -> None:
    """What M-Pesa's sandbox cannot reverse waits for a person, who pays it back and says so."""
    for item in whole_table(stack):
        if item["sk"]["S"].startswith("R#") and item["status"]["S"] == "needs_review":
            refund = item["refund_id"]["S"]
            assert f"payfirst resolve {refund} --refunded" in " ".join(succeeded("show", refund, "--home", home).split())
            succeeded("resolve", refund, "--refunded", "--why", "paid from the till", "--home", home)


def ledger(stack: SignedUpStack) -> list[tuple[Any, ...]]:
    """What the books need of the table: amounts, receipts, statuses and codes, by the item's own key."""
    names = ("amount", "captured", "refundable", "receipt", "status", "currency", "order_number", "book_id", "number", "n")
    kinds = ("ATT", "R", "S", "O", "B", "RECEIPT")
    return sorted(
        (item["pk"]["S"], item["sk"]["S"], *(repr(item.get(name)) for name in names))
        for item in whole_table(stack)
        if item["sk"]["S"].split("#")[0] in kinds and not item["sk"]["S"].endswith("#~")
    )


def test_after_erasing_no_word_of_the_customer_is_anywhere_and_the_books_agree(
    running: SignedUpStack, home: Path, customer: Customer
) -> None:
    # A refund is asked about for the first time half a minute after it left.
    wait_until(lambda: plan(home), lambda said: "is open" not in said and "is under way" not in said, seconds=90)
    refunds_paid_by_hand(running, home)
    planned = quiet(home)
    before = ledger(running)
    assert with_words(whole_table(running)) >= {"S", "C", "O", "B", "E", "ATT", "INBOX", "IDEMPOTENCY"}
    assert len(read_ledger(running.simulator_url).captures) == 2
    assert "2 payments, " in planned

    said = succeeded("erase", EMAIL, "--why", "asked by letter", "--yes", "--home", home)

    assert said.splitlines()[-1] == "Erased."
    assert with_words(whole_table(running)) == set()
    assert ledger(running) == before
    assert "no difference" in succeeded("reconcile", "--check", "--home", home)
    assert succeeded("erase", EMAIL, "--why", "asked by letter", "--yes", "--home", home).strip() == (
        "Nothing is kept about this customer."
    )
    # The token lives on for an hour: it still reads what is left, and sees nobody in it.
    [order] = customer.get("/api/orders")["results"]
    shown = customer.get(f"/api/orders/{order['order_id']}")
    assert shown["delivery_details"]["full_name"] == ""
    assert shown["total_amount"] == "350.00"
    assert [each["refund"] for each in customer.get("/api/booking/bookings")["results"]] != []


@pytest.mark.parametrize(("name", "typed"), [("another@example.com",) * 2, ("+254700000078", "+254 700 000 078")])
def test_the_account_is_gone_from_the_user_pool(running: SignedUpStack, home: Path, name: str, typed: str) -> None:
    mint(running.environment, 78, name)
    pool = running.environment["TOKEN_ISSUER"].rsplit("/", 1)[-1]
    said = succeeded("erase", typed, "--why", "asked", "--yes", "--home", home)

    users = client(running, "cognito-idp").list_users(UserPoolId=pool)["Users"]
    assert "the account" in said
    assert name not in json.dumps(users, default=str)


def test_while_a_payment_is_open_nothing_is_erased_and_the_operator_is_told_what_to_wait_for(
    running: SignedUpStack, home: Path
) -> None:
    email = "open.payment@example.com"
    shopper = Customer(running.base_url, mint(running.environment, 79, email))
    path = session(shopper, name="Jane Roe", phone="0712000111", street="1 Main Street", gate="")
    started = shopper.post(f"{path}/initiate_payment", {"phone_number": "0712000111"})

    done = payfirst("erase", email, "--why", "asked", "--yes", "--home", home)

    assert done.returncode == 1
    assert "Not yet: " in done.stderr
    assert "is open until its gateway has answered" in done.stderr
    assert shopper.get(f"{path}/status")["session_status"] == "payment_initiated"
    pay_mpesa(running, started["checkout_request_id"], "cancel")


def test_an_erasure_needs_a_reason(running: SignedUpStack, home: Path) -> None:
    email = "no.reason@example.com"
    shopper = Customer(running.base_url, mint(running.environment, 80, email))
    shopper.post("/api/cart/carts", puja("1 Main Street"))

    done = payfirst("erase", email, "--yes", "--home", home)

    assert done.returncode == 1
    assert "Say --why" in done.stderr
    assert shopper.get("/api/cart/carts")["count"] == 1


@pytest.mark.parametrize("who", ["nobody@example.com", "no-such-sub"])
def test_about_somebody_unknown_nothing_is_kept(home: Path, who: str) -> None:
    said = succeeded("erase", who, "--why", "asked", "--yes", "--home", home)
    assert "othing" in said


@pytest.mark.parametrize("who", ['a"@example.com', "", "  "])
def test_what_is_no_name_is_refused(home: Path, who: str) -> None:
    done = payfirst("erase", who, "--why", "asked", "--home", home)
    assert done.returncode == 2
    assert "neither a sub, nor a mail address, nor a phone number" in done.stderr
