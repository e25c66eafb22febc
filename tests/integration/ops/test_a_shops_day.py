"""A shop's day through the API and `payfirst` alone: operators' routes answer for it, with the gateways' numbers."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from local.stack import LocalStack
from ops.reconcile.books import Ledger
from ops.reconcile.simulated_ledger import read_ledger
from payfirst.domain.clock import utc_now
from payfirst.domain.totals import day_of
from tests.integration.ops.commands import payfirst, succeeded
from tests.integration.ops.test_cli import DELIVERY, NEVER, call, token
from tests.tools import need

CUSTOMERS: Final = 10
ORDERS: Final = 30
SLOTS: Final = ("09:00", "10:30", "16:00", "17:30")
"""Those of the puja with a calendar, each of them sold once; the other sixteen are for the puja without one."""

BOOKINGS: Final = 20
PATIENCE_S: Final = 90.0
_GATEWAYS: Final = (("mpesa", "KES"), ("phonepe", "INR"))


class Day:
    """The shop and its customers, from the first cart to the last."""

    def __init__(self, stack: LocalStack, home: Path) -> None:
        self.stack, self.home = stack, home
        self.customers = [token(home, "--user-id", str(number + 1)) for number in range(CUSTOMERS)]
        self.operator = token(home, "--operator")
        self.today = day_of(utc_now())
        self.prompts: list[str] = []

    # What customers do

    def order(self, number: int, outcome: str = "pay") -> None:
        bearer = self.customers[number % CUSTOMERS]
        call(self.stack, bearer, "POST", "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
        delivery = {"delivery_details": {**DELIVERY, "phone_number": f"07123{number:05d}"}}
        session = call(self.stack, bearer, "POST", "/api/payments/sessions/", delivery)["session_id"]
        begun = call(self.stack, bearer, "POST", f"/api/payments/sessions/{session}/initiate_payment/")
        self.prompts.append(begun["checkout_request_id"])
        self.decide(f"mpesa/{begun['checkout_request_id']}", outcome)

    def book(self, number: int, day: date, outcome: str = "pay") -> None:
        bearer = self.customers[number % CUSTOMERS]
        puja, at = (2, SLOTS[number]) if number < len(SLOTS) else (1, f"{6 + number // 4:02d}:{number % 4 * 15:02d}")
        wanted = {"service_type": "PUJA", "puja_service": puja, "package_id": 2, "selected_date": str(day), "selected_time": at}
        called = {"customer_name": f"Customer {number}", "phone_number": f"+9198765{number:05d}"}
        cart = call(self.stack, bearer, "POST", "/api/cart/carts/", {**wanted, **called})
        payment = call(self.stack, bearer, "POST", "/api/payments/process-cart/", {"cart_id": cart["id"]})
        self.decide(f"phonepe/{payment['merchant_transaction_id']}", outcome)

    def decide(self, which: str, outcome: str) -> None:
        decided = requests.post(f"{self.stack.simulator_url}/control/{which}", json={"outcome": outcome}, timeout=20)
        decided.raise_for_status()

    # What the shop's people ask

    def ask(self, path: str) -> Any:
        return call(self.stack, self.operator, "GET", f"/api/operators/{path}")

    def command(self, *words: str) -> str:
        return succeeded(*words, "--home", self.home)

    def read(self, *words: str) -> Any:
        return json.loads(self.command(*words, "--json"))

    def lines(self, what: str, first: date | None = None) -> list[dict[str, str]]:
        """The lines of an export from a day on, of this one if absent, and the day after it."""
        first = first or self.today
        last = first + timedelta(days=1)
        return list(csv.DictReader(self.command("export", what, "--from", str(first), "--to", str(last)).splitlines()))

    def orders(self) -> list[Any]:
        return list(self.ask(f"orders/?from={self.today}&to={day_of(utc_now())}")["orders"])

    def bookings(self, day: date) -> list[Any]:
        return list(self.ask(f"bookings/?day={day}")["bookings"])

    def totals(self) -> dict[str, dict[str, str]]:
        """What came to what so far, by gateway."""
        found = self.ask(f"totals/?from={self.today}&to={day_of(utc_now())}")
        return {each["gateway"].lower(): each for each in found["together"]}

    def ledger(self) -> Ledger:
        return read_ledger(self.stack.simulator_url)


def until(holds: Callable[[], Any]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.3)


def _are(found: Callable[[], list[Any]], count: int) -> bool:
    return len(found()) == count


def major(amounts: Iterator[int]) -> str:
    return f"{sum(amounts) / 100:.2f}"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A day of twenty bookings, thirty orders, three failures and one doubt."""
    need("aws")
    home = tmp_path_factory.mktemp("home")
    with LocalStack(schedule_seconds=NEVER) as stack:
        told = {"pid": os.getpid(), "base_url": stack.base_url, "environment": stack.environment}
        (home / "stack.json").write_text(json.dumps(told), encoding="utf-8")
        lived = Day(stack, home)
        for number in range(ORDERS):
            lived.order(number)
            if (number + 1) % CUSTOMERS == 0:  # whoever orders again has got the order before
                until(partial(_are, lived.orders, number + 1))
        for number in range(BOOKINGS):
            lived.book(number, lived.today + timedelta(days=2))
        until(partial(_are, partial(lived.bookings, lived.today + timedelta(days=2)), BOOKINGS))
        lived.order(ORDERS, "cancel")
        lived.order(ORDERS + 1, "wrong_pin")
        lived.book(BOOKINGS, lived.today + timedelta(days=3), "fail")
        first = f"{stack.simulator_url}/control/mpesa/{lived.prompts[0]}/notice"
        requests.post(first, json={"kind": "failed"}, timeout=20).raise_for_status()
        until(lambda: lived.ask("stuck/")["waiting"])
        yield lived


def test_the_day_s_numbers_are_the_gateways_own_and_its_work_is_done_from_lists(day: Day) -> None:
    when = day.today + timedelta(days=2)
    # Who comes, who is waited for, who called
    booked, ordered = day.bookings(when), day.orders()
    assert {each["customer_name"] for each in booked} == {f"Customer {number}" for number in range(BOOKINGS)}
    called = {each["delivery_details"]["phone_number"]: each["order_number"] for each in ordered}
    assert called.keys() == {f"07123{number:05d}" for number in range(ORDERS)}
    assert [each["id"] for each in day.ask("search/?q=0712300007")["found"]] == [called["0712300007"]]
    assert booked[0]["book_id"] in day.command("find", booked[0]["phone_number"])
    [doubt] = day.ask("stuck/")["waiting"]
    assert doubt["key"].startswith("MT")

    # The day's money, before anything goes back
    for gateway, currency in _GATEWAYS:
        captured = [each.amount for each in day.ledger().captures if each.gateway == gateway]
        assert day.totals()[gateway]["captured"] == major(iter(captured)), currency
        assert len(captured) == (ORDERS if gateway == "mpesa" else BOOKINGS)

    # To the door, to another hour, and back
    first, second = ordered[0]["order_number"], ordered[1]["order_number"]
    for step in ("pack", "dispatch", "deliver"):
        day.command("orders", step, first)
    moved = booked[1]["book_id"]
    day.command("bookings", "move", moved, str(when + timedelta(days=1)), "08:00", "--why", "the pandit is ill")
    assert [each["book_id"] for each in day.bookings(when + timedelta(days=1))] == [moved]
    called_off = booked[0]["book_id"]
    gives = day.ask(f"bookings/{called_off}/")["cancellation"]["in_full"]
    day.command("bookings", "cancel", called_off, "--in-full", "--refund", gives, "--why", "the pandit is ill")
    day.command("refund", second, "--amount", "100.00", "--why", "two tomatoes were green")
    assert {name: each["on_its_way_back"] for name, each in day.totals().items()} == {"mpesa": "100.00", "phonepe": gives}

    def nothing_is_on_its_way() -> bool:
        day.command("tick", "reconcile")
        return {each["on_its_way_back"] for each in day.totals().values()} == {"0.00"}

    until(nothing_is_on_its_way)
    _equal_to_the_ledger(day)
    _exported(day, when)
    _told_by_counters(day)
    assert day.command("orders", "list", "--status", "delivered").count("ORD-") == 1
    closed = payfirst("resolve", doubt["key"], "--why", "its own portal says paid", "--home", day.home)
    assert closed.returncode == 0, closed.stderr
    assert day.ask("stuck/")["waiting"] == []


def _equal_to_the_ledger(day: Day) -> None:
    """Both the gateways' ledger and `reconcile` add up to the totals."""
    ledger, books = day.ledger(), day.read("reconcile", "--check")
    assert books["differences"] == []
    shown = {
        each["gateway"].lower(): each
        for each in day.read("totals", "--from", str(day.today), "--to", str(day_of(utc_now())))["together"]
    }
    for gateway, currency in _GATEWAYS:
        back = [each.amount for each in ledger.refunds if each.gateway == gateway]
        compared = [each for each in books["compared"] if each["currency"] == currency]
        assert shown[gateway]["refunded"] == major(iter(back)) == major(each["paid_back"] for each in compared)
        assert shown[gateway]["captured"] == major(each["collected"] for each in compared)
        assert shown[gateway]["waiting_for_a_person"] == "0.00"
        assert len(back) == 1


def _exported(day: Day, when: date) -> None:
    """What an accountant gets adds up to the same."""
    totals = day.totals()
    for what, column in (("payments", "captured"), ("refunds", "refunded")):
        lines = day.lines(what)
        for gateway, currency in _GATEWAYS:
            amounts = [round(float(line["amount"]) * 100) for line in lines if line["currency"] == currency]
            assert major(iter(amounts)) == totals[gateway][column]
    assert len(day.lines("orders")) == ORDERS
    assert len(day.lines("bookings", when)) == BOOKINGS
    paid = day.lines("payments")
    assert {line["order_or_booking"] for line in paid} == {each["order_number"] for each in day.orders()} | {
        each["book_id"] for at in (when, when + timedelta(days=1)) for each in day.bookings(at)
    }


def _told_by_counters(day: Day) -> None:
    day.command("tick", "deliver")
    funnel = day.read("funnel", "--since", "2h")
    made = ORDERS + BOOKINGS + 3
    counts = [funnel["stages"][stage]["sessions"] for stage in ("session.created", "payment.received", "fulfilled")]
    assert counts == [made, made - 3, made - 3]
    assert (funnel["status_now"]["order_created"], funnel["status_now"]["failed"]) == (made - 3, 3)
