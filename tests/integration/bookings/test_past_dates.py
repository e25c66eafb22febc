"""Days and hours that the shop does not take are refused on their field: in carts, reschedules, deliveries, lists of slots."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
import requests

from tests.conftest import RunningStack, SecondFront, SettingsBeside

IN_INDIA: Final = ZoneInfo("Asia/Kolkata")
PATIENCE_S: Final = 20.0
DETAILS: Final = {
    "full_name": "John Doe",
    "phone_number": "0712345678",
    "county_id": 1,
    "subcounty_id": 5,
    "detailed_address": "123 Main Street",
}


@pytest.fixture(scope="module")
def strict_stack(stack_with: SettingsBeside) -> Iterator[RunningStack | SecondFront]:
    """A stack with production's rule for days that are over."""
    with stack_with(ALLOW_PAST_DATES="false") as other:
        yield other


@pytest.fixture
def bearer(strict_stack: RunningStack) -> str:
    return strict_stack.token()


def send(stack: RunningStack, bearer: str, path: str, body: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {bearer}"}
    return requests.post(f"{stack.base_url}{path}", json=body, headers=headers, timeout=20)


def read(stack: RunningStack, bearer: str, path: str) -> Any:
    answer = requests.get(f"{stack.base_url}{path}", headers={"Authorization": f"Bearer {bearer}"}, timeout=20)
    assert answer.ok, answer.text
    return answer.json()


def a_cart(stack: RunningStack, bearer: str, day: str, at: str = "23:59") -> requests.Response:
    body = {"service_type": "PUJA", "puja_service": 1, "package_id": 2, "selected_date": day, "selected_time": at}
    return send(stack, bearer, "/api/cart/carts/", body)


def today_in_india() -> datetime:
    return datetime.now(UTC).astimezone(IN_INDIA)


def test_a_cart_for_yesterday_is_refused_and_for_today_is_not(strict_stack: RunningStack, bearer: str) -> None:
    yesterday, today = today_in_india() - timedelta(days=1), today_in_india()
    refused = a_cart(strict_stack, bearer, yesterday.date().isoformat())
    assert refused.status_code == 400
    assert refused.json()["selected_date"]
    assert a_cart(strict_stack, bearer, today.date().isoformat()).status_code == 201
    over = a_cart(strict_stack, bearer, today.date().isoformat(), "12:00 AM")
    assert over.status_code == 400
    assert "over" in over.json()["selected_time"][0]


def test_a_booking_does_not_move_to_an_hour_that_is_over(strict_stack: RunningStack, bearer: str) -> None:
    path = _a_booking(strict_stack, bearer, (today_in_india() + timedelta(days=30)).date())
    before = read(strict_stack, bearer, path)
    yesterday, today = (today_in_india() - timedelta(days=1)).date().isoformat(), today_in_india().date().isoformat()
    for field, day, at in (("selected_date", yesterday, "9:00 AM"), ("selected_time", today, "00:00")):
        wanted = {"selected_date": day, "selected_time": at}
        refused = send(strict_stack, bearer, f"{path}reschedule/", wanted)
        assert refused.status_code == 400
        assert refused.json()[field]
    assert read(strict_stack, bearer, path) == before


@pytest.mark.parametrize("which", ["stack", "strict_stack"])
def test_no_day_beyond_the_horizon_is_taken_anywhere(which: str, request: pytest.FixtureRequest) -> None:
    there: RunningStack = request.getfixturevalue(which)
    bearer = there.token()
    last = today_in_india().date() + timedelta(days=400)
    path = _a_booking(there, bearer, last)
    send(there, bearer, "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
    before = read(there, bearer, path), read(there, bearer, "/api/cart/carts/"), read(there, bearer, "/api/payments/sessions/")
    for day in ((last + timedelta(days=2)).isoformat(), "9999-12-31", "0001-01-01", "1999-12-31"):
        asked = {"selected_date": day, "selected_time": "12:00 AM"}
        details = {**DETAILS, "estimated_delivery_date": day}
        refusals = {
            "selected_date": [a_cart(there, bearer, day), send(there, bearer, f"{path}reschedule/", asked)],
            "delivery_details.estimated_delivery_date": [
                send(there, bearer, "/api/payments/sessions/", {"delivery_details": details})
            ],
            "date": [requests.get(f"{there.base_url}/api/services/1/slots/?date={day}", timeout=20)],
        }
        for field, answers in refusals.items():
            for refused in answers:
                assert refused.status_code == 400, refused.text
                [said] = refused.json().get("errors", refused.json())[field]
                assert str(last.year) in said, said
    after = read(there, bearer, path), read(there, bearer, "/api/cart/carts/"), read(there, bearer, "/api/payments/sessions/")
    assert after == before


def _a_booking(stack: RunningStack, bearer: str, day: date) -> str:
    cart = a_cart(stack, bearer, day.isoformat()).json()
    payment = send(stack, bearer, "/api/payments/process-cart/", {"cart_id": cart["id"]}).json()
    stack.decide("phonepe", payment["merchant_transaction_id"])
    return f"/api/booking/bookings/{_booked(stack, bearer, payment['payment_id'])['id']}/"


def _booked(stack: RunningStack, bearer: str, payment_id: int) -> Any:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        checked = read(stack, bearer, f"/api/payments/{payment_id}/check-booking/")
        if checked["booking_created"]:
            return checked["booking"]
        time.sleep(0.2)
    raise AssertionError("no booking was made in time")


def test_produce_is_not_delivered_on_a_day_that_is_over(strict_stack: RunningStack, bearer: str) -> None:
    send(strict_stack, bearer, "/api/carts/add_item/", {"listing_id": 123, "quantity": 2})
    details = {**DETAILS, "estimated_delivery_date": "2024-01-15"}
    refused = send(strict_stack, bearer, "/api/payments/sessions/", {"delivery_details": details})
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["delivery_details.estimated_delivery_date"]
    beside = {"delivery_details": details, "estimated_delivery_date": "2024-01-16"}
    refused = send(strict_stack, bearer, "/api/payments/sessions/", beside)
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["estimated_delivery_date"]
