"""What an operator types about one payment, against a whole stack whose own schedules sleep."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.stack import LocalStack
from tests.integration.ops.commands import payfirst, succeeded
from tests.integration.ops.test_cli import NEVER, call, token
from tests.tools import need
from tests.unit.ops.layouts import PORTAL


@pytest.fixture(scope="module")
def running() -> Iterator[LocalStack]:
    """A stack whose sweeps run only when they are told to."""
    need("aws")
    with LocalStack(schedule_seconds=NEVER) as stack:
        yield stack


@pytest.fixture(scope="module")
def home(running: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack is announced, as `make run` does it."""
    directory = tmp_path_factory.mktemp("home")
    told = {"pid": os.getpid(), "base_url": running.base_url, "environment": running.environment}
    (directory / "stack.json").write_text(json.dumps(told), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def booked(running: LocalStack, home: Path) -> dict[str, str]:
    """A puja that was paid and booked."""
    bearer = token(home)
    wanted = {"service_type": "PUJA", "puja_service": 1, "package_id": 1, "selected_date": "2027-01-01"}
    cart = call(running, bearer, "POST", "/api/cart/carts/", {**wanted, "selected_time": "10:30"})
    payment = call(running, bearer, "POST", "/api/payments/process-cart/", {"cart_id": cart["id"]})
    address = f"{running.simulator_url}/control/phonepe/{payment['merchant_transaction_id']}"
    requests.post(address, json={"outcome": "pay", "notices": 0}, timeout=10).raise_for_status()
    requests.post(f"{address}/notice", json={}, timeout=10).raise_for_status()
    path = f"/api/payments/{payment['payment_id']}/check-booking/"
    ends = time.monotonic() + 60
    while not (checked := call(running, bearer, "GET", path))["booking_created"]:
        assert time.monotonic() < ends
        time.sleep(0.2)
    booking = checked["booking"]
    return {"ref": payment["merchant_transaction_id"], "book_id": booking["book_id"], "amount": payment["amount"]}


@pytest.mark.parametrize("which", ["ref", "book_id"])
def test_one_payment_tells_its_whole_story_under_any_of_its_names(home: Path, booked: dict[str, str], which: str) -> None:
    shown = succeeded("show", booked[which], "--home", home)

    assert booked["book_id"] in shown
    for event in ("session.created", "payment.initiated", "payment.received", "booking.created"):
        assert event in shown
    assert re.search(r"made 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d IST, to be paid until 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d IST", shown)
    assert "amount=510.00 INR" in shown
    assert "51000" not in shown
    assert not re.search(r"\d\dT\d\d:\d\d", shown), "no instant of another clock"


def test_nothing_is_found_under_an_unknown_name(home: Path) -> None:
    done = payfirst("show", "BK-00000000", "--home", home)

    assert done.returncode == 1
    assert done.stderr.strip() == "There is nothing under BK-00000000."


def test_nothing_is_stuck_while_all_is_well(home: Path) -> None:
    ends = time.monotonic() + 60  # what other tests left is settled by then
    while payfirst("stuck", "--home", home).returncode != 0:
        assert time.monotonic() < ends
    assert succeeded("stuck", "--home", home).strip() == "Nothing is stuck."
    assert json.loads(succeeded("stuck", "--json", "--home", home)) == []


def test_a_script_reads_what_a_person_is_shown(home: Path, booked: dict[str, str]) -> None:
    shown = json.loads(succeeded("show", booked["book_id"], "--json", "--home", home))
    assert (shown["became"], shown["amount"], shown["currency"]) == (booked["book_id"], "510.00", "INR")
    assert "booking.created" in [event["event"] for event in shown["events"]]
    assert json.loads(succeeded("funnel", "--json", "--home", home))["stages"].keys() >= {"session.created", "fulfilled"}
    assert json.loads(succeeded("catalogue", "export", "--json", "--home", home))["listings"][0]["id"] == 123
    checked = json.loads(succeeded("credentials", "check", "--json", "--home", home))
    assert [(each["gateway"], each["passed"]) for each in checked] == [("mpesa", True), ("phonepe", True)]


def test_a_payment_is_given_back_in_part_and_a_second_wish_waits(home: Path, booked: dict[str, str]) -> None:
    said = succeeded("refund", booked["ref"], "--amount", "10.00", "--why", "a kindness", "--home", home)
    again = payfirst("refund", booked["book_id"], "--amount", "10.00", "--why", "a kindness", "--home", home)

    assert said.strip() == f"R{booked['ref']}-1: 10.00 INR goes back; the next sweep asks the gateway to pay it."
    assert again.returncode == 1
    assert "is under way" in again.stderr
    assert f"phonepe {booked['ref']}: refund due, 10.00 INR" in payfirst("reconcile", "--check", "--home", home).stdout
    assert "a kindness" in succeeded("show", booked["ref"], "--home", home)


def test_only_what_needs_review_is_resolved(home: Path, booked: dict[str, str]) -> None:
    done = payfirst("resolve", booked["ref"], "--found", "unpaid", "--why", "a mistake", "--home", home)

    assert done.returncode == 1
    assert "only what needs review is resolved" in done.stderr


def test_both_ledgers_agree_and_a_booking_that_nobody_paid_for_is_a_difference(
    running: LocalStack, home: Path, booked: dict[str, str]
) -> None:
    settled_first = succeeded("reconcile", "--home", home)
    assert "looked at" in settled_first.splitlines()[0]
    assert "{" not in settled_first
    told = json.loads(succeeded("reconcile", "--json", "--home", home))
    assert (told["settled"]["finished"], told["differences"], told["unread"]) == (True, [], [])
    assert [(each["captures"], each["currency"], each["collected"]) for each in told["compared"]] == [(1, "INR", 51000)]
    agreed = succeeded("reconcile", "--check", "--home", home)
    assert "no difference" in agreed

    statement = home / "settlement.csv"
    header, paid = "PaymentType,MerchantReferenceId,Amount,TransactionDate", f"PAYMENT,{booked['ref']},{{}},2030-01-01 10:00:00"
    statement.write_text(f"{header}\n{paid.format(booked['amount'])}\n", encoding="utf-8")
    assert "1 capture compared, no difference." in succeeded("reconcile", "--check", "--ledger", str(statement), "--home", home)
    other_gateway = home / "mpesa.csv"
    other_gateway.write_text(PORTAL, encoding="utf-8")
    alone = payfirst("reconcile", "--check", "--ledger", str(other_gateway), "--home", home)
    assert alone.stdout.endswith("1 capture lies outside these statements (phonepe 1).\n")
    assert (alone.returncode, "510.00" in alone.stdout) == (1, False), "what M-Pesa lists is unknown here"
    statement.write_text(f"{header}\n{paid.format('1.00')}\n", encoding="utf-8")
    other = payfirst("reconcile", "--check", "--ledger", str(statement), "--home", home)
    assert other.returncode == 1
    assert "captured: ours 510.00 INR, theirs 1.00 INR" in other.stderr

    unreadable = paid.format(booked["amount"]) + "\n" + paid.format("soon")
    statement.write_text(f"{header}\n{unreadable}\n", encoding="utf-8")
    not_read = payfirst("reconcile", "--check", "--ledger", str(statement), "--home", home)
    assert (not_read.returncode, not_read.stderr.splitlines()) == (
        1,
        ["What was not read:", "settlement.csv, line 3, column Amount: 'soon' is no amount in INR."],
    )

    requests.post(f"{running.simulator_url}/control/reset", timeout=10).raise_for_status()
    done = payfirst("reconcile", "--check", "--home", home)

    assert done.returncode == 1
    assert booked["ref"] in done.stderr


def test_taking_up_a_finished_payment_again_changes_nothing(home: Path, booked: dict[str, str]) -> None:
    assert succeeded("replay", booked["ref"], "--home", home).strip() == f"{booked['ref']}: nothing_to_do"
    assert succeeded("show", booked["ref"], "--home", home).count("booking.created") == 1


def test_only_what_has_begun_can_be_completed(home: Path, booked: dict[str, str]) -> None:
    early = payfirst("bookings", "complete", booked["book_id"], "--home", home)
    unknown = payfirst("bookings", "complete", "BK-00000000", "--home", home)

    assert (early.returncode, early.stderr.strip()) == (1, "This booking has not begun yet.")
    assert (unknown.returncode, unknown.stderr.strip()) == (1, "There is no booking BK-00000000.")
