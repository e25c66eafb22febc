"""The desk, as the shop's own people use it on a telephone: each button once, and what customers wrote is only text."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Visitors
from tests.browser.desk import agree, card, keep_token, loaded, look_at, part, told
from tests.browser.visit import NARROW, WIDE, Visit
from tests.conftest import RunningStack
from tests.contract.exchanges import document
from tests.contract.stack_table import table_of
from tests.contract.test_operators import an_order, under_review
from tests.contract.walk import Customer, new_customer, new_phone, pay_mpesa, pay_phonepe, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

MARKUP = "<img src=x onerror=alert(1)><b>bold</b>"


@pytest.fixture
def operator(stack: RunningStack) -> Customer:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return Customer(stack.base_url, stack.token(email="amina@example.com", **claims))


@pytest.fixture
def desk(visitor: Visit, operator: Customer) -> Page:
    assert operator.token
    keep_token(visitor, operator.token)
    return visitor.page


def a_booking(stack: RunningStack, **details: Any) -> tuple[str, str]:
    """A paid booking of tomorrow's first free time, and its attempt."""
    customer = new_customer(stack)
    tomorrow = (datetime.now(UTC) + timedelta(hours=5, minutes=30, days=1)).date()
    slots = customer.get(f"/api/services/2/slots?date={tomorrow}")["slots"]
    body = deepcopy(document("bookings")["create_cart"].body)
    time = next(slot["time"] for slot in slots if slot["free"])
    body |= {"puja_service": 2, "package_id": 2, "selected_date": f"{tomorrow}", "selected_time": time, **details}
    cart = customer.post("/api/cart/carts", body)
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    check = f"/api/payments/{payment['payment_id']}/check-booking"
    booked = wait_until(lambda: customer.get(check), lambda answer: answer["booking_created"])
    return booked["booking"]["book_id"], payment["merchant_transaction_id"]


def test_an_order_goes_to_the_door_by_one_tap_each(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, "/desk/orders")
    for label, status in (("Packed", "packed"), ("Out for delivery", "out_for_delivery"), ("Delivered", "delivered")):
        card(desk, code).get_by_role("button", name=label, exact=True).click()
        told(desk, f"{code} is ")
        assert operator.get(f"/api/operators/orders/{code}")["order_status"] == status
    assert card(desk, code).get_by_role("button").count() == 0


def test_an_order_is_packed_with_the_keyboard_alone(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, f"/desk/payments/{code}")
    for _ in range(60):
        desk.keyboard.press("Tab")
        if desk.evaluate("document.activeElement.textContent") == "Packed":
            break
    desk.keyboard.press("Enter")
    told(desk, f"{code} is packed.")
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "packed"


def test_a_step_that_somebody_else_took_first_is_shown_and_not_taken_twice(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, "/desk/orders")
    operator.post(f"/api/operators/orders/{code}/move", {"status": "cancelled", "why": "the van broke down"})
    card(desk, code).get_by_role("button", name="Packed").click()
    card(desk, code).get_by_text("cancelled", exact=True).wait_for()


def test_cancelling_an_order_says_what_goes_back_and_asks_first(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, "/desk/orders")
    open_it = card(desk, code).get_by_role("button", name="Cancel…")
    open_it.click()
    desk.get_by_role("button", name="Cancel, and give back KES 350.00").wait_for()
    desk.keyboard.press("Escape")
    desk.locator("dialog").wait_for(state="detached")
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "confirmed"
    assert desk.evaluate("document.activeElement.textContent") == "Cancel…"

    open_it.click()
    agree(desk, why="the van broke down")
    told(desk, f"{code} is cancelled; KES 350.00 goes back.")
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "cancelled"


def test_a_payment_is_given_back_in_part_and_the_rest_is_what_can_still_go(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, ref = a_booking(stack)
    look_at(desk, f"/desk/payments/{ref}")
    card(desk, ref).get_by_role("button", name="Refund…").click()
    desk.locator("dialog [name=amount]").fill("99.00")
    desk.get_by_role("button", name="Give back ₹99.00").wait_for()
    agree(desk, why="a kindness")
    told(desk, "₹99.00 goes back")
    card(desk, ref).get_by_text("₹900.00").wait_for()
    [refund] = operator.get(f"/api/operators/payments/{ref}")["refunds"]
    assert (refund["amount"], refund["why"]) == ("99.00", "a kindness")


def test_a_refund_that_no_gateway_pays_is_recorded_once_it_was_paid_by_hand(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, code, _ = an_order(stack)
    answer = operator.post(f"/api/operators/payments/{code}/refund", {"why": "a kindness"})
    wait_until(
        lambda: operator.get(f"/api/operators/payments/{code}")["refunds"][0], lambda made: made["status"] == "needs_review"
    )
    look_at(desk, "/desk")
    part(desk, "Needs a person").get_by_role("link", name=answer["refund"]).click()
    loaded(desk)
    card(desk, answer["refund"]).get_by_role("button", name="Paid back by hand…").click()
    agree(desk, why="sent from the shop's phone")
    card(desk, answer["refund"]).get_by_text("went back").wait_for()


@pytest.mark.parametrize(("button", "receipt"), [("It was paid…", True), ("It was not paid…", False)])
def test_a_payment_under_review_is_decided(
    stack: RunningStack, desk: Page, operator: Customer, button: str, *, receipt: bool
) -> None:
    _, ref, _ = under_review(stack, operator, table_of(stack))
    look_at(desk, "/desk")
    part(desk, "Needs a person").get_by_role("link", name=ref).click()
    loaded(desk)
    card(desk, ref).get_by_role("button", name=button).click()
    agree(desk, why="it is on the statement", **({"receipt": f"N{ref[-9:].upper()}"} if receipt else {}))
    told(desk, f"{ref}: ")
    assert ref not in [entry["which"] for entry in operator.get("/api/operators/stuck")["waiting"]]


def test_a_booking_moves_and_the_move_is_taken_back(stack: RunningStack, desk: Page, operator: Customer) -> None:
    code, _ = a_booking(stack)
    before = operator.get(f"/api/operators/bookings/{code}")
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Move…").click()
    day = f"{datetime.fromisoformat(before['selected_date']) + timedelta(days=1):%Y-%m-%d}"
    desk.locator("dialog [name=day]").fill(day)
    desk.locator("dialog [name=time]").wait_for()
    agree(desk)
    told(desk, f"{code} is on ")
    assert operator.get(f"/api/operators/bookings/{code}")["selected_date"] == day

    desk.get_by_role("button", name="Undo").click()
    told(desk, "Taken back.")
    now = operator.get(f"/api/operators/bookings/{code}")
    assert (now["selected_date"], now["selected_time"]) == (before["selected_date"], before["selected_time"])


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


def test_a_payment_is_found_by_phone_and_the_number_stands_in_no_address(stack: RunningStack, desk: Page) -> None:
    number = new_phone()
    code = an_order_of(stack, full_name=MARKUP, phone_number=number)
    look_at(desk, "/desk/find")
    desk.get_by_role("searchbox").fill(number)
    desk.keyboard.press("Enter")
    card(desk, code).wait_for()
    assert number not in desk.url
    card(desk, code).get_by_role("link").click()
    card(desk, code).get_by_text(MARKUP).wait_for()
    desk.go_back()
    card(desk, code).wait_for()


def an_order_of(stack: RunningStack, *, instructions: str = "", **delivery: Any) -> str:
    """The number of a paid order with these details of delivery."""
    customer = new_customer(stack)
    customer.add_tomatoes()
    body = deepcopy(document("payment_sessions")["create_session"].body)
    body["delivery_details"] |= {"phone_number": new_phone(), **delivery}
    session = customer.post("/api/payments/sessions", {**body, "special_instructions": instructions})
    path = f"/api/payments/sessions/{session['session_id']}"
    pay_mpesa(stack, customer.post(f"{path}/initiate_payment", {})["checkout_request_id"])
    paid = wait_until(lambda: customer.get(f"{path}/status"), lambda answer: answer["order"] is not None)
    number: str = paid["order"]["order_number"]
    return number


@pytest.mark.parametrize("width", [NARROW, pytest.param(WIDE, marks=pytest.mark.all_pages)])
def test_what_customers_wrote_is_text_wherever_the_desk_shows_it(
    visitors: Visitors, stack: RunningStack, operator: Customer, width: int
) -> None:
    order = an_order_of(stack, full_name=MARKUP, detailed_address=MARKUP, instructions=MARKUP)
    booking, _ = a_booking(stack, customer_name=MARKUP, address={"street": MARKUP})
    visitor = visitors(stack.base_url, width=width)
    assert operator.token
    keep_token(visitor, operator.token)
    for path in ("/desk", "/desk/orders", f"/desk/payments/{order}", f"/desk/slips?order={order}", f"/desk/payments/{booking}"):
        look_at(visitor.page, path)
        assert visitor.page.get_by_text(MARKUP).count() > 0
        assert visitor.page.locator("main :is(img, b, script)").count() == 0
        assert visitor.too_wide() == ""


def test_a_customer_is_told_whose_the_desk_is_and_is_shown_nothing(visitor: Visit, stack: RunningStack) -> None:
    keep_token(visitor, stack.token())
    for path in ("/desk", "/desk/orders", "/desk/catalogue", "/desk/payments/ORD-20260101-001"):
        visitor.page.goto(path)
        visitor.page.get_by_text("This desk is for the shop's own people; you are signed in as a customer.").wait_for()
        assert visitor.page.get_by_role("article").count() == 0


def test_who_is_not_signed_in_is_asked_to(page: Page) -> None:
    page.goto("/desk/orders")
    page.get_by_role("button", name="Sign in").wait_for()
    assert page.get_by_role("article").count() == 0


def test_who_was_signed_in_too_long_ago_is_asked_to_sign_in_again(desk: Page) -> None:
    desk.route("**/api/operators/**", lambda route: route.fulfill(status=401, json={"message": "Unauthorized"}))
    desk.goto("/desk")
    desk.get_by_role("button", name="Sign in").wait_for()
    assert desk.get_by_role("article").count() == 0


def test_a_lost_network_is_said_and_the_page_goes_on_when_it_is_back(stack: RunningStack, visitor: Visit, desk: Page) -> None:
    _, code, _ = an_order(stack)
    visitor.forgiven.append("ERR_INTERNET_DISCONNECTED")
    look_at(desk, "/desk/orders")
    desk.context.set_offline(True)
    card(desk, code).get_by_role("button", name="Packed").click()
    card(desk, code).get_by_role("alert").wait_for()
    desk.context.set_offline(False)
    card(desk, code).get_by_role("button", name="Packed").click()
    told(desk, f"{code} is packed.")


def test_a_list_goes_on_where_the_first_page_ends(stack: RunningStack, desk: Page, operator: Customer) -> None:
    for _ in range(2):
        an_order(stack)

    def short(route: Route) -> None:
        found = route.fetch().json()
        first = found["orders"][0]
        route.fulfill(json={**found, "orders": [first], "next": first["order_number"]})

    desk.route(re.compile(r"/api/operators/orders/\?(?!.*after=)"), short)
    look_at(desk, "/desk/orders")
    assert desk.get_by_role("article").count() == 1
    desk.get_by_role("button", name="Show more").click()
    desk.get_by_role("button", name="Show more").wait_for(state="hidden")
    day = f"{datetime.now(UTC) + timedelta(hours=3):%Y-%m-%d}"
    before = f"{datetime.now(UTC) + timedelta(hours=3, days=-6):%Y-%m-%d}"
    listed = operator.get(f"/api/operators/orders?from={before}&to={day}")["orders"]
    shown = [each.get_attribute("aria-label") for each in desk.get_by_role("article").all()]
    assert shown == [order["order_number"] for order in listed]


def test_a_day_without_anything_says_so(desk: Page) -> None:
    look_at(desk, "/desk/orders?from=2026-01-01&to=2026-01-02")
    desk.get_by_text("There are no such orders on these days.").wait_for()
    look_at(desk, "/desk/bookings?day=2026-01-01")
    desk.get_by_text("There are no such bookings on this day.").wait_for()
