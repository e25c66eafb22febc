"""A puja, from its day to the receipt, by way of the bank's page and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from payfirst.domain.money import Currency
from payfirst.storage.dynamodb import shop_keys
from tests.browser.conftest import Visitors
from tests.browser.shopping import LONG, Shopper
from tests.browser.visit import NARROW, WIDE
from tests.conftest import RunningStack
from tests.contract.stack_table import table_of
from tests.contract.test_shop import a_cart, a_service, new_price

if TYPE_CHECKING:
    from playwright.sync_api import Route

CONFIRMED = re.compile(r"^Paid\. Your booking BK-\w+ is confirmed\.$")


@pytest.fixture
def shopper(visitors: Visitors, stack: RunningStack) -> Shopper:
    """A new customer with a telephone."""
    return Shopper.signed_in(visitors(stack.base_url), stack)


def look(shopper: Shopper, step: str) -> None:
    """Nothing sticks out, and nobody is shut out."""
    shopper.visit.picture(f"puja-{step}")
    assert shopper.visit.too_wide() == "", step
    assert shopper.visit.serious_findings() == [], step


@pytest.mark.parametrize("width", [NARROW, pytest.param(WIDE, marks=pytest.mark.all_pages)])
def test_a_puja_is_paid_with_the_mouse(visitors: Visitors, stack: RunningStack, width: int) -> None:
    shopper = Shopper.signed_in(visitors(stack.base_url, width=width), stack)
    shopper.page.goto("shop#part=bookings")
    shopper.see("Satyanarayan Puja")
    look(shopper, "1-offers")
    shopper.page.locator("li.card").filter(has_text="Satyanarayan Puja").first.get_by_role("link", name="Choose a day").click()
    shopper.first_free_day()
    slots = shopper.page.locator("a.choice").filter(has_text=":")
    slots.first.wait_for()
    look(shopper, "2-slots")
    slots.first.click()
    shopper.see("Look it over")
    look(shopper, "3-who")
    shopper.contact()
    look(shopper, "4-review")
    shopper.to_bank()
    shopper.visit.picture("puja-5-bank")
    shopper.press("Pay")
    shopper.page.wait_for_url(re.compile("/paid"))
    shopper.see(CONFIRMED)
    look(shopper, "6-paid")
    shopper.press("See your booking and its receipt")
    shopper.see("Receipt")
    look(shopper, "7-booking")


@pytest.mark.parametrize(
    ("button", "sentence"),
    [
        ("Decline", "You can try again"),
        ("Wrong UPI PIN", "^The UPI PIN was wrong. Please try again with the right PIN.$"),
        ("Low balance", "^The account has not enough money. You can try again.$"),
        ("Let it expire", "^The order expired before it was paid. You can try again.$"),
        ("Bank fails", "You can try again"),
    ],
)
@pytest.mark.all_pages
def test_what_went_wrong_is_one_sentence_and_another_try_is_paid(shopper: Shopper, button: str, sentence: str) -> None:
    shopper.puja()
    shopper.to_bank()
    shopper.press(button)
    shopper.page.wait_for_url(re.compile("/paid"))
    shopper.see(re.compile(sentence, re.IGNORECASE), patience=LONG)
    shopper.page.get_by_role("button", name="Try again").wait_for()
    look(shopper, button.lower().replace(" ", "-"))
    shopper.press("Try again")
    shopper.page.wait_for_url(re.compile("/phonepe/pay/"))
    shopper.press("Pay")
    shopper.page.wait_for_url(re.compile("/paid"))
    shopper.see(CONFIRMED)


def test_a_booking_paid_by_a_prompt_gets_another_try_with_its_number(shopper: Shopper, stack: RunningStack) -> None:
    cart = a_cart(shopper.customer, a_service(table_of(stack), currency=Currency.KES), phone_number=shopper.phone)
    prompts: list[str] = []

    def note(route: Route) -> None:
        answer = route.fetch()
        prompts.append(answer.json()["checkout_request_id"])
        route.fulfill(response=answer)

    shopper.page.route(re.compile("/process-cart"), note)
    shopper.page.goto(f"shop#cart={cart['id']}")
    for outcome in ("cancel", "pay"):
        shopper.press(re.compile("^Pay .* with M-Pesa"))
        shopper.page.wait_for_url(re.compile("/paid"))
        stack.decide("mpesa", prompts[-1], outcome)
        if outcome == "cancel":
            shopper.press("Try again")
    shopper.see(CONFIRMED)


def test_a_browser_that_lost_its_session_finds_the_payment(visitors: Visitors, stack: RunningStack, shopper: Shopper) -> None:
    shopper.puja()
    ref = shopper.to_bank()
    other = visitors(stack.base_url)
    other.page.goto("paid")
    other.page.get_by_role("button", name="Sign in").wait_for()
    again = Shopper.signed_in(visitors(stack.base_url), stack, sub=shopper.sub)
    again.page.goto("paid")
    again.see("We are checking whether the payment went through.")
    stack.decide("phonepe", ref)
    again.see(CONFIRMED)


@pytest.mark.all_pages
def test_a_lost_notice_is_made_up_for_by_asking(shopper: Shopper, stack: RunningStack) -> None:
    shopper.puja()
    ref = shopper.to_bank()
    stack.decide("phonepe", ref, notices=0)
    shopper.page.goto("paid")
    shopper.see(CONFIRMED, patience=LONG)


def test_a_slot_that_another_took_is_said_before_anything_is_paid(
    visitors: Visitors, stack: RunningStack, shopper: Shopper
) -> None:
    shopper.puja()
    other = Shopper.signed_in(visitors(stack.base_url), stack)
    cart = shopper.customer.get("/api/cart/carts/active")[0]
    taken = {"service_type": "PUJA", "puja_service": 2, "package_id": 1}
    taken |= {name: cart[name] for name in ("selected_date", "selected_time")}
    payment = other.customer.post(
        "/api/payments/process-cart", {"cart_id": other.customer.post("/api/cart/carts", taken)["id"]}
    )
    stack.decide("phonepe", payment["merchant_transaction_id"])
    shopper.press(re.compile("^Pay "))
    shopper.page.locator(".note.bad, .note.warn").first.wait_for()
    look(shopper, "slot-lost")
    shopper.page.reload()
    shopper.see("This time cannot be had any more. Nothing was charged; please choose another.")
    shopper.page.locator("a.button").filter(has_text="Another time").click()
    shopper.page.locator(".month").wait_for()


@pytest.mark.all_pages
def test_a_changed_price_is_said_before_anything_is_paid(stack: RunningStack, shopper: Shopper) -> None:
    table = table_of(stack)
    service = a_service(table)
    wanted = {"service_type": "PUJA", "puja_service": service, "selected_date": "2027-03-01", "selected_time": "10:00"}
    cart = shopper.customer.post("/api/cart/carts", wanted)
    new_price(table, shop_keys.service("PUJA", service), 61000)
    shopper.page.goto(f"shop#cart={cart['id']}")
    shopper.see(re.compile(r"It costs .*610.* now\. Nothing was charged"))
    shopper.page.get_by_role("link", name="Start again").wait_for()
    look(shopper, "price-changed")


@pytest.mark.all_pages
def test_a_booking_is_moved_then_cancelled_with_what_it_costs_said_first(shopper: Shopper, stack: RunningStack) -> None:
    shopper.puja()
    stack.decide("phonepe", shopper.to_bank())
    shopper.page.goto("paid")
    shopper.see(CONFIRMED)
    shopper.press("See your booking and its receipt")
    shopper.press("Move")
    dialog = shopper.page.get_by_role("dialog")
    # Other visitors take the first free days.
    dialog.get_by_label("Day").fill((datetime.now(UTC) + timedelta(days=9)).date().isoformat())
    dialog.get_by_label("Time").wait_for()
    dialog.get_by_label("Time").select_option(index=0)
    look(shopper, "moving")
    dialog.get_by_role("button", name="Move", exact=True).click()
    shopper.see(re.compile("^Moved to "))
    shopper.press("Cancel")
    shopper.see(re.compile("This cannot be undone"))
    look(shopper, "cancelling")
    shopper.press("Cancel the booking")
    shopper.see(re.compile("^Cancelled"))
    look(shopper, "cancelled")
