"""The shop for who has no mouse, a slow network, another language or bad intentions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests

from tests.browser.conftest import Visitors
from tests.browser.desk import PAGES, keep_token, look_at
from tests.browser.shopping import PUJA, Shopper
from tests.browser.visit import NARROW, WIDE
from tests.conftest import RunningStack
from tests.contract.stack_table import table_of
from tests.contract.test_shop import a_listing

if TYPE_CHECKING:
    from playwright.sync_api import Locator

SHELLS: Final = ("/shop", "/checkout/1", "/paid", "/orders/ORD-20260101-001", "/bookings/BK-1", "/me", *PAGES)
MARKUP: Final = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>"\'&amp;'
SLOW: Final = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 30_000}
"""A telephone at the edge of its network: 400 kbit/s, answers after 400 ms."""


@pytest.fixture
def shopper(visitors: Visitors, stack: RunningStack) -> Shopper:
    """A new customer with a telephone."""
    return Shopper.signed_in(visitors(stack.base_url), stack)


def tab_to(shopper: Shopper, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, which has to be seen."""
    wanted.wait_for()
    for _ in range(80):
        shopper.page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            assert wanted.evaluate("each => each.matches(':focus-visible') && getComputedStyle(each).outlineStyle !== 'none'")
            return
    raise AssertionError(f"no Tab leads to {wanted}")


def focused(shopper: Shopper) -> str:
    """What has the focus: its name, or its words."""
    found: str = shopper.page.evaluate("document.activeElement.name || document.activeElement.textContent")
    return found


def write(shopper: Shopper, field: Locator, words: str) -> None:
    """Go to a field and type, over what stands there."""
    tab_to(shopper, field)
    shopper.page.keyboard.press("ControlOrMeta+a")
    shopper.page.keyboard.type(words)


def test_tomatoes_are_paid_by_keyboard_alone(visitors: Visitors, stack: RunningStack) -> None:
    shopper = Shopper.signed_in(visitors(stack.base_url, width=WIDE), stack)
    page, keyboard = shopper.page, shopper.page.keyboard
    page.goto("shop")
    card = page.locator("li.card").filter(has_text="Fresh Tomatoes").first
    write(shopper, card.get_by_role("spinbutton"), "3")
    keyboard.press("Enter")
    tab_to(shopper, page.get_by_role("button", name="Choose the delivery"))
    keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    write(shopper, dialog.locator("[name=full_name]"), "Achieng Otieno")
    write(shopper, dialog.locator("[name=phone_number]"), shopper.phone)
    tab_to(shopper, dialog.locator("[name=county_id]"))
    keyboard.press("ArrowDown")
    subcounty = dialog.locator("select[name=subcounty_id]:enabled")
    tab_to(shopper, subcounty)
    keyboard.press("ArrowDown")
    write(shopper, dialog.locator("[name=detailed_address]"), "Moi Avenue")
    tab_to(shopper, dialog.get_by_role("button", name="To the payment"))
    keyboard.press("Enter")
    page.wait_for_url(re.compile("/checkout/"))
    tab_to(shopper, page.get_by_role("button", name="Send the request to my phone"))
    with page.expect_response(re.compile("initiate_payment")) as answer:
        keyboard.press("Enter")
    stack.decide("mpesa", answer.value.json()["checkout_request_id"])
    tab_to(shopper, page.get_by_role("link", name="See your order and its receipt"))
    keyboard.press("Enter")
    page.wait_for_url(re.compile("/orders/"))


def test_whoever_changes_the_basket_by_keyboard_stays_where_they_are(shopper: Shopper) -> None:
    shopper.basket()
    basket = shopper.page.get_by_role("complementary", name="Basket")
    write(shopper, basket.get_by_role("spinbutton"), "3")
    with shopper.page.expect_response(re.compile("update_quantity")):
        shopper.page.keyboard.press("Enter")
    shopper.page.wait_for_function("document.querySelector('aside input[name^=quantity]').value === '3'")
    assert focused(shopper).startswith("quantity-")
    tab_to(shopper, basket.get_by_role("button", name="Remove Fresh Tomatoes"))
    shopper.page.keyboard.press("Enter")
    shopper.see("Nothing is in it yet.")
    assert focused(shopper) == "Basket"


@pytest.mark.all_pages
def test_a_puja_is_chosen_by_keyboard_alone(shopper: Shopper) -> None:
    page, keyboard = shopper.page, shopper.page.keyboard
    page.goto("shop#part=bookings")
    tab_to(shopper, page.locator("li.card").filter(has_text=PUJA).first.get_by_role("link", name="Choose a day"))
    keyboard.press("Enter")
    tab_to(shopper, page.get_by_role("link", name="The next month"))
    keyboard.press("Enter")
    tab_to(shopper, page.locator(".month").get_by_role("link").first)
    keyboard.press("Enter")
    tab_to(shopper, page.locator("a.choice").filter(has_text=":").first)
    keyboard.press("Enter")
    write(shopper, page.get_by_label("Name"), "Asha Sharma")
    write(shopper, page.get_by_label("Phone number"), "9876543210")
    write(shopper, page.get_by_label("Where it takes place"), "12 Assi Ghat")
    tab_to(shopper, page.get_by_role("button", name="Look it over"))
    keyboard.press("Enter")
    tab_to(shopper, page.get_by_role("button", name=re.compile("^Pay ")))
    keyboard.press("Enter")
    page.wait_for_url(re.compile("/phonepe/pay/"))


@pytest.mark.all_pages
def test_a_slow_network_only_takes_longer(shopper: Shopper, stack: RunningStack) -> None:
    session = shopper.page.context.new_cdp_session(shopper.page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    stack.decide("mpesa", shopper.to_prompt())
    shopper.see(re.compile(r"^Paid\. Your order "))


def test_words_of_customers_and_of_the_catalogue_stay_words(visitors: Visitors, stack: RunningStack) -> None:
    listing = a_listing(table_of(stack), product_name=f"Kale {MARKUP}", farm_name=MARKUP, description=MARKUP)
    shopper = Shopper.signed_in(visitors(stack.base_url), stack)
    shopper.page.goto("shop")
    shopper.see(f"Kale {MARKUP}")
    shopper.customer.post("/api/carts/add_item", {"listing_id": listing, "quantity": 1})
    shopper.page.reload()
    shopper.deliver(name=MARKUP, address=MARKUP, instructions=MARKUP)
    stack.decide("mpesa", shopper.prompt())
    shopper.see(re.compile(r"^Paid\. Your order "))
    [order] = shopper.customer.get("/api/orders")["results"]
    shopper.press("See your order and its receipt")
    shopper.see(MARKUP)
    shopper.page.goto("me")
    shopper.see(order["order_number"])
    owner = visitors(stack.base_url)
    claims: Any = {"cognito:groups": ["operators"]}
    keep_token(owner, stack.token(**claims))
    for path in (
        "/desk",
        "/desk/orders",
        f"/desk/slips?order={order['order_number']}",
        f"/desk/payments/{order['order_number']}",
    ):
        look_at(owner.page, path)
    for who in (shopper, owner):
        assert who.page.evaluate("window.hit") is None
    assert owner.page.locator("main img[src=x]").count() == 0


@pytest.mark.parametrize("language", ["sw", "hi"])
def test_another_language_says_everything_and_fits(visitors: Visitors, stack: RunningStack, language: str) -> None:
    shopper = Shopper.signed_in(visitors(stack.base_url, width=NARROW), stack)
    shopper.page.goto(f"shop?lang={language}")
    shopper.page.locator("li.card").first.wait_for()
    shopper.visit.picture(f"language-{language}")
    assert shopper.page.locator("html").get_attribute("lang") == language
    assert (
        shopper.page.get_by_text("Choose the delivery").count() == shopper.page.get_by_role("button", name="Add").count() == 0
    )
    assert shopper.visit.too_wide() == ""
    assert shopper.visit.serious_findings() == []
    shopper.page.goto("me")
    shopper.page.wait_for_url(re.compile(f"lang={language}"))


def test_a_shell_holds_nobodys_data(stack: RunningStack) -> None:
    headers = {"Authorization": f"Bearer {stack.token()}", "Accept": "text/html"}
    for path in SHELLS:
        asked = [requests.get(stack.base_url + path, headers=each, timeout=30) for each in ({"Accept": "text/html"}, headers)]
        assert [each.status_code for each in asked] == [200, 200], path
        assert asked[0].content == asked[1].content, path
        assert "'unsafe-inline'" not in asked[0].headers["Content-Security-Policy"], path


def test_the_desk_gives_a_customer_nothing(shopper: Shopper) -> None:
    shopper.page.goto("desk")
    shopper.page.wait_for_load_state("networkidle")
    shopper.visit.picture("desk-of-a-customer")
    assert shopper.page.locator("main table, main dl").count() == 0
