"""The desk's bookings and what is for sale, as the shop's own people change them on a telephone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.browser.desk import a_booking, agree, card, free_days, look_at, told
from tests.conftest import RunningStack
from tests.contract.walk import Customer, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def test_a_booking_moves_and_the_move_is_taken_back(stack: RunningStack, desk: Page, operator: Customer) -> None:
    code, _ = a_booking(stack)
    before = operator.get(f"/api/operators/bookings/{code}")
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Move…").click()
    day = next(day for day in free_days(operator) if day != before["selected_date"])
    desk.locator("dialog [name=day]").fill(day)
    desk.locator("dialog [name=time]").wait_for()
    agree(desk)
    told(desk, f"{code} is on ")
    assert operator.get(f"/api/operators/bookings/{code}")["selected_date"] == day

    desk.get_by_role("button", name="Undo").click()
    told(desk, "Taken back.")
    now = operator.get(f"/api/operators/bookings/{code}")
    assert (now["selected_date"], now["selected_time"]) == (before["selected_date"], before["selected_time"])


def test_a_booking_that_has_begun_is_said_to_have_taken_place_and_the_api_has_the_last_word(
    stack: RunningStack, desk: Page
) -> None:
    code, _ = a_booking(stack)

    def begun(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "selected_date": "2026-01-01"})

    desk.route(f"**/api/operators/bookings/{code}/", begun)
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Took place").click()
    card(desk, code).get_by_role("alert").get_by_text("This booking has not begun yet.").wait_for()


def test_cancelling_a_booking_gives_back_exactly_what_was_said(stack: RunningStack, desk: Page, operator: Customer) -> None:
    code, _ = a_booking(stack)
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Cancel…").click()
    desk.locator("dialog [name=back]").select_option("full")
    agree_to = desk.locator("dialog button[type=submit]").inner_text()
    agree(desk, why="the pandit is ill")
    told(desk, f"{code} is cancelled")
    assert agree_to == "Cancel, and give back ₹999.00"
    assert operator.get(f"/api/operators/bookings/{code}")["refund"] == {"amount": "999.00"}


def test_a_cancellation_whose_refund_changed_meanwhile_asks_again_with_the_new_amount(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    code, ref = a_booking(stack)
    story = f"/api/operators/payments/{ref}"
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Cancel…").click()
    desk.locator("dialog [name=back]").select_option("full")
    desk.locator("dialog [name=why]").fill("the pandit is ill")
    operator.post(f"{story}/refund", {"amount": "99.00", "why": "a kindness"})
    wait_until(lambda: operator.get(story), lambda told: told["refunds"][0]["status"] == "refunded")

    desk.get_by_role("button", name="Cancel, and give back ₹999.00").click()
    desk.locator("dialog").get_by_text("What goes back has changed meanwhile; this is what it is now.").wait_for()
    desk.get_by_role("button", name="Cancel, and give back ₹900.00").wait_for()
    assert operator.get(f"/api/operators/bookings/{code}")["status"] == "CONFIRMED"
    agree(desk)
    told(desk, f"{code} is cancelled; ₹900.00 goes back.")
    assert operator.get(f"/api/operators/bookings/{code}")["refund"]["amount"] == "900.00"


def test_what_is_for_sale_changes_and_each_change_is_taken_back(desk: Page, operator: Customer) -> None:
    path = "/api/operators/listings/125"
    before = operator.get(path)
    name = before["product_name"]

    def undone() -> Any:
        desk.get_by_role("button", name="Undo").click()
        told(desk, "Taken back.")
        now = operator.get(path)
        return {key: now[key] for key in ("price", "active", "available")}

    kept = {key: before[key] for key in ("price", "active", "available")}
    look_at(desk, "/desk/catalogue")
    card(desk, name).get_by_role("button", name="Take it off sale").click()
    told(desk, f"{name} is not for sale any more.")
    assert not operator.get(path)["active"]
    assert undone() == kept

    card(desk, name).get_by_role("button", name="Price, picture…").click()
    agree(desk, price="111.00")
    assert operator.get(path)["price"] == "111.00"
    assert undone() == kept

    card(desk, name).get_by_role("button", name="Stock…").click()
    agree(desk, quantity="5")
    assert operator.get(path)["available"] == kept["available"] + 5
    assert undone() == kept


def test_the_free_days_of_a_service_lead_to_their_bookings(desk: Page) -> None:
    look_at(desk, "/desk/catalogue")
    card(desk, "Satyanarayan Puja").get_by_role("button", name="Days").click()
    card(desk, "Satyanarayan Puja").locator(".days a").first.click()
    desk.wait_for_url(re.compile(r"/desk/bookings\?day=\d{4}-\d\d-\d\d"))
