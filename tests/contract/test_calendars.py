"""Slots and cancellations over HTTP: what a front end shows, and every refusal in the shape of its family."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pytest

from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import Service, ServiceType
from payfirst.domain.clock import Deadline
from payfirst.domain.money import Currency, Money
from payfirst.storage import catalogue
from payfirst.storage.dynamodb.table import Table
from tests.clients import client_of
from tests.conftest import RunningStack
from tests.contract.walk import Customer, Stack, new_customer, pay_phonepe, wait_until

PROCESS: Final = "/api/payments/process-cart"
DAY: Final = (datetime.now(UTC) + timedelta(days=30)).date()
NUMBER: Final = 77
DAILY: Final = Calendar(dict.fromkeys(range(7), (Opening(time(9), time(12)),)), slot_minutes=60, capacity=1, days_ahead=60)


@pytest.fixture(scope="module")
def service(stack: RunningStack) -> int:
    """A puja of one place for each of three hours of every day."""
    environment = stack.environment
    client = client_of(environment, "dynamodb")
    table = Table(client, environment["TABLE_NAME"], Deadline(lambda: 20.0))
    price = Money(51000, Currency.INR)
    offered = Service(ServiceType.PUJA, NUMBER, "Ganesh Puja", "", "Asia/Kolkata", Currency.INR, (), price, calendar=DAILY)
    catalogue.add(table, offered)
    return NUMBER


@pytest.fixture
def customer(stack: Stack) -> Customer:
    return new_customer(stack)


def wanted(service: int, day: date = DAY, at: str = "10:00 AM") -> dict[str, Any]:
    return {"service_type": "PUJA", "puja_service": service, "selected_date": day.isoformat(), "selected_time": at}


def a_booking(stack: Stack, customer: Customer, service: int, **more: Any) -> Any:
    cart = customer.post("/api/cart/carts", wanted(service, **more))
    payment = customer.post(PROCESS, {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    path = f"/api/payments/{payment['payment_id']}/check-booking"
    return wait_until(lambda: customer.get(path), lambda answer: answer["booking_created"])["booking"]


def slots(customer: Customer, service: int, day: date = DAY) -> dict[str, int]:
    answer = customer.get(f"/api/services/{service}/slots/?date={day.isoformat()}")
    return {slot["time"]: slot["free"] for slot in answer["slots"]}


def test_a_service_without_a_calendar_says_so_and_the_day_has_to_be_given(customer: Customer) -> None:
    answer = customer.get(f"/api/services/1/slots/?date={DAY.isoformat()}")
    assert (answer["any_time"], answer["slots"], answer["timezone"]) == (True, [], "Asia/Kolkata")
    for query in ("", "?date=tomorrow", "?date=2027-02-31"):
        refused = customer.send("GET", f"/api/services/1/slots/{query}")
        assert (refused.status_code, list(refused.json())) == (400, ["date", "error_code"])
    assert customer.send("GET", f"/api/services/404404/slots/?date={DAY.isoformat()}").status_code == 404


def test_a_booking_takes_its_slot_moves_it_and_gives_it_back_with_the_money(
    stack: Stack, customer: Customer, service: int
) -> None:
    assert slots(customer, service) == {"09:00:00": 1, "10:00:00": 1, "11:00:00": 1}
    booking = a_booking(stack, customer, service)
    assert slots(customer, service)["10:00:00"] == 0
    rival = customer.send("POST", "/api/cart/carts", wanted(service))
    assert (rival.status_code, rival.json()["error_code"]) == (409, "SLOT_FULL")

    path = f"/api/booking/bookings/{booking['id']}"
    moved = customer.post(f"{path}/reschedule", {"selected_date": DAY.isoformat(), "selected_time": "11:00"})["booking"]
    assert slots(customer, service) == {"09:00:00": 1, "10:00:00": 1, "11:00:00": 0}
    assert "refund" not in moved

    cancelled = customer.post(f"{path}/cancel", {"reason": "Change of plans"})
    assert (cancelled["status"], cancelled["refund"]) == ("CANCELLED", {"amount": "510.00"})
    assert cancelled["timeline"][-1]["reason"] == "Change of plans"
    assert customer.post(f"{path}/cancel") == cancelled
    assert slots(customer, service)["11:00:00"] == 1
    again = customer.send("POST", f"{path}/reschedule", {"selected_date": DAY.isoformat(), "selected_time": "9:00 AM"})
    assert (again.status_code, again.json()["error_code"]) == (409, "BOOKING_NOT_CONFIRMED")


@pytest.mark.parametrize(
    ("day", "at", "code"),
    [
        (DAY, "10:30", "SLOT_NOT_OFFERED"),
        (date(2025, 7, 20), "10:00", "SLOT_TOO_SOON"),
        (DAY + timedelta(days=60), "10:00", "SLOT_TOO_FAR"),
    ],
)
def test_what_no_rule_offers_is_a_400_that_says_so(customer: Customer, service: int, day: date, at: str, code: str) -> None:
    refused = customer.send("POST", "/api/cart/carts", wanted(service, day, at))
    assert (refused.status_code, refused.json()["error_code"]) == (400, code)
    assert set(refused.json()) == {"error", "details", "error_code"}


def test_nobody_cancels_what_is_not_theirs(stack: Stack, customer: Customer, service: int) -> None:
    booking = a_booking(stack, customer, service, day=DAY + timedelta(days=1))
    refused = new_customer(stack).send("POST", f"/api/booking/bookings/{booking['id']}/cancel", {})
    assert refused.status_code == 404


def test_the_days_of_a_month_show_where_a_place_is_free(stack: Stack, customer: Customer, service: int) -> None:
    day = DAY + timedelta(days=2)

    def days(query: str) -> dict[str, int]:
        return {each["date"]: each["free_slots"] for each in customer.get(f"/api/services/{service}/days?{query}")["days"]}

    before = days(f"month={day:%Y-%m}")
    a_booking(stack, customer, service, day=day)
    assert days(f"month={day:%Y-%m}") == {**before, day.isoformat(): 2}
    assert before[day.isoformat()] == 3
    any_time = Customer(customer.base_url, None).get(f"/api/services/1/days/?month={day:%Y-%m}")
    assert (any_time["any_time"], any_time["days"], any_time["month"]) == (True, [], f"{day:%Y-%m}")
    for query in ("", "month=2027-13", "month=2027-1", "month=soon", "month=9999-12", "month=0000-01", "month=1999-12"):
        refused = customer.send("GET", f"/api/services/1/days/?{query}")
        assert (refused.status_code, list(refused.json())) == (400, ["month", "error_code"]), query
    assert customer.send("GET", f"/api/services/404404/days/?month={day:%Y-%m}").status_code == 404


def test_the_example_that_the_readme_books_is_sold_in_its_hours_and_once(stack: Stack, customer: Customer) -> None:
    month = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m}"
    days = customer.get(f"/api/services/2/days?month={month}")["days"]
    day = date.fromisoformat(next(each["date"] for each in days if each["free_slots"]))
    at = next(start for start, free in slots(customer, 2, day).items() if free)
    at_night = customer.send("POST", "/api/cart/carts", {**wanted(2, day, "03:17"), "package_id": 2})
    assert (at_night.status_code, at_night.json()["error_code"]) == (400, "SLOT_NOT_OFFERED")
    cart = customer.post("/api/cart/carts", {**wanted(2, day, at), "package_id": 2})
    payment = customer.post(PROCESS, {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    path = f"/api/payments/{payment['payment_id']}/check-booking"
    wait_until(lambda: customer.get(path), lambda answer: answer["booking_created"])
    again = new_customer(stack).send("POST", "/api/cart/carts", {**wanted(2, day, at), "package_id": 2})
    assert (again.status_code, again.json()["error_code"]) == (409, "SLOT_FULL")
