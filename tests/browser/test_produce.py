"""Tomatoes, from choosing them to the receipt, and whatever else can become of a prompt on the phone."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

import pytest

from payfirst.domain.money import Currency
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from tests.browser.conftest import Visitors
from tests.browser.shopping import LONG, Shopper, answer_on_the_phone
from tests.browser.visit import NARROW, WIDE
from tests.conftest import RunningStack
from tests.contract.stack_table import table_of
from tests.contract.test_shop import a_listing, a_promo, new_price

CONFIRMED = re.compile(r"^Paid\. Your order ORD-\d{8}-\d{3,} is confirmed\.$")


@pytest.fixture
def shopper(visitors: Visitors, stack: RunningStack) -> Shopper:
    """A new customer with a telephone."""
    return Shopper.signed_in(visitors(stack.base_url), stack)


def look(shopper: Shopper, step: str, *, thorough: bool) -> None:
    """Nothing sticks out; a `thorough` look also asks axe."""
    shopper.visit.picture(f"produce-{step}")
    assert shopper.visit.too_wide() == "", step
    if thorough:
        assert shopper.visit.serious_findings() == [], step


@pytest.mark.parametrize("width", [NARROW, pytest.param(WIDE, marks=pytest.mark.all_pages)])
def test_tomatoes_are_paid_with_the_mouse(visitors: Visitors, stack: RunningStack, width: int) -> None:
    shopper = Shopper.signed_in(visitors(stack.base_url, width=width), stack)
    shopper.basket()
    look(shopper, "1-basket", thorough=True)
    shopper.press("Choose the delivery")
    shopper.see("Where do we deliver to?")
    look(shopper, "2-delivery", thorough=True)
    shopper.page.keyboard.press("Escape")
    shopper.deliver()
    shopper.see("Pay with M-Pesa")
    look(shopper, "3-checkout", thorough=True)
    ref = shopper.prompt()
    look(shopper, "4-prompt", thorough=True)
    answer_on_the_phone(shopper, ref, "Enter PIN and pay")
    shopper.see(CONFIRMED)
    look(shopper, "5-paid", thorough=False)
    shopper.press("See your order and its receipt")
    shopper.see("KES")
    shopper.see("Confirmed: the shop packs it next.")
    look(shopper, "6-order", thorough=True)
    shopper.page.goto("me")
    shopper.see(re.compile("ORD-"))
    look(shopper, "7-me", thorough=True)


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("cancel", "The payment request was cancelled or not answered in time. You can try again."),
        ("wrong_pin", "The M-Pesa PIN was wrong. Please try again with the right PIN."),
        ("timeout", "Your phone could not be reached, or the request was not answered. Check that it is on and try again."),
        ("insufficient_funds", "There is not enough money in your M-Pesa account. Top it up and try again."),
    ],
)
@pytest.mark.all_pages
def test_what_went_wrong_is_one_sentence_and_another_try_is_paid(
    shopper: Shopper, stack: RunningStack, outcome: str, sentence: str
) -> None:
    stack.decide("mpesa", shopper.to_prompt(), outcome)
    shopper.see(sentence)
    look(shopper, outcome, thorough=True)
    stack.decide("mpesa", shopper.prompt("Try again"))
    shopper.see(CONFIRMED)


def test_a_cancelled_prompt_is_sent_again_to_another_phone(shopper: Shopper, stack: RunningStack) -> None:
    stack.decide("mpesa", shopper.to_prompt(), "cancel")
    shopper.see("The payment request was cancelled or not answered in time. You can try again.")
    shopper.page.get_by_label("M-Pesa phone number").fill("0722" + shopper.phone[4:])
    ref = shopper.prompt("Try again")
    assert ref.endswith("722" + shopper.phone[4:])
    stack.decide("mpesa", ref)
    shopper.see(CONFIRMED)


def test_the_customer_takes_more_time(shopper: Shopper) -> None:
    shopper.basket()
    shopper.deliver()
    timer = shopper.page.get_by_role("timer")
    timer.wait_for()
    before = timer.inner_text()
    shopper.press("More time")
    shopper.page.wait_for_function(
        "before => document.querySelector('[role=timer]').textContent.split(':')[0] * 1 > before + 1",
        arg=int(before.split(":")[0]),
    )


@pytest.mark.all_pages
def test_a_lost_notice_is_made_up_for_by_asking(shopper: Shopper, stack: RunningStack) -> None:
    stack.decide("mpesa", shopper.to_prompt(), notices=0)
    shopper.see(CONFIRMED, patience=LONG)


@pytest.mark.all_pages
def test_what_was_sold_out_meanwhile_comes_back(visitors: Visitors, stack: RunningStack) -> None:
    table = table_of(stack)
    product = f"Pumpkin {secrets.token_hex(4)}"
    listing = a_listing(table, product_name=product)
    shopper = Shopper.signed_in(visitors(stack.base_url), stack)
    shopper.basket(product, "1")
    shopper.deliver()
    ref = shopper.prompt()
    write(table, Update("entry", shop_keys.listing(listing), set={"available": 0}))
    stack.decide("mpesa", ref)
    shopper.see(re.compile("sold out|paid back|give.* back", re.IGNORECASE), patience=LONG)
    look(shopper, "sold-out", thorough=True)


def test_a_changed_price_is_said_before_anything_is_paid(visitors: Visitors, stack: RunningStack) -> None:
    table = table_of(stack)
    product = f"Beans {secrets.token_hex(4)}"
    listing = a_listing(table, product_name=product)
    shopper = Shopper.signed_in(visitors(stack.base_url), stack)
    shopper.basket(product, "1")
    new_price(table, shop_keys.listing(listing), 12000)
    shopper.page.reload()
    shopper.see(re.compile("A price has changed since"))
    shopper.see(re.compile(r"It costs .*120"))


@pytest.mark.parametrize("part", ["produce", "bookings"])
def test_a_promo_code_is_taken_and_taken_off_again(shopper: Shopper, stack: RunningStack, part: str) -> None:
    code = a_promo(table_of(stack), Currency.KES if part == "produce" else Currency.INR)
    (shopper.basket if part == "produce" else shopper.puja)()
    shopper.see("I have a promo code").click()
    shopper.page.get_by_label("Promo code").fill(f" {code} ")
    shopper.press("Apply")
    shopper.see(f"Code {code}")
    shopper.press("Remove the code")
    shopper.see("I have a promo code")


@pytest.mark.all_pages
def test_reload_back_and_a_second_tab_do_no_harm(shopper: Shopper, stack: RunningStack) -> None:
    ref = shopper.to_prompt()
    shopper.page.reload()
    shopper.see("Look at your phone")
    address = shopper.page.url
    second = replace(shopper, visit=replace(shopper.visit, page=shopper.page.context.new_page()))
    second.page.goto(address)
    second.see("Look at your phone")
    shopper.page.goto("shop")
    shopper.page.go_back()
    shopper.see("Look at your phone")
    stack.decide("mpesa", ref)
    shopper.see(CONFIRMED)
    second.see(CONFIRMED)
    assert len(shopper.customer.get("/api/orders")["results"]) == 1


@pytest.mark.all_pages
def test_a_lost_network_is_waited_out(shopper: Shopper, stack: RunningStack) -> None:
    shopper.visit.forgiven.append("ERR_INTERNET_DISCONNECTED")
    ref = shopper.to_prompt()
    shopper.page.context.set_offline(True)
    stack.decide("mpesa", ref)
    shopper.page.get_by_text("The shop cannot be reached.").wait_for()
    assert shopper.page.get_by_text("Look at your phone").is_visible()
    shopper.page.context.set_offline(False)
    shopper.see(CONFIRMED)


def test_cancelling_an_order_gives_back_exactly_what_was_said(shopper: Shopper, stack: RunningStack) -> None:
    stack.decide("mpesa", shopper.to_prompt())
    shopper.see(CONFIRMED)
    shopper.press("See your order and its receipt")
    shopper.press("Cancel the order")
    shopper.see(re.compile("You get .* back. This cannot be undone."))
    look(shopper, "cancelling", thorough=True)
    [order] = shopper.customer.get("/api/orders")["results"]
    with shopper.page.expect_request("**/cancel") as asked:
        shopper.page.get_by_role("dialog").get_by_role("button", name="Cancel the order").click()
    assert asked.value.post_data_json == {"refund": order["total_amount"]}
    shopper.see("Cancelled.")
    assert shopper.customer.get("/api/orders")["results"][0]["order_status"] == "cancelled"


def test_a_shop_that_cancels_orders_itself_says_so(shopper: Shopper, stack: RunningStack) -> None:
    stack.decide("mpesa", shopper.to_prompt())
    shopper.see(CONFIRMED)
    shopper.press("See your order and its receipt")
    shopper.see("Receipt")
    order = shopper.customer.get(f"/api/orders/{shopper.page.url.rsplit('/', 1)[1]}")
    shopper.page.route("**/api/orders/*cancellation=true", lambda route: route.fulfill(json={**order, "cancellation": None}))
    shopper.press("Cancel the order")
    shopper.see("This shop cancels orders itself; please call the shop.")
