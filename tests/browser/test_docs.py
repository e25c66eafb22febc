"""The API reference for developers: found by searching, tried from the page, copied for the command line."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
import requests

from tests.browser.conftest import Visitors
from tests.browser.desk import MARKUP, an_order_of
from tests.browser.shopping import keep_token
from tests.browser.visit import NARROW, WIDE, Visit
from tests.conftest import RunningStack
from tests.contract.walk import Customer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

MOST: Final = 100_000
"""Bytes that a page of the reference may take, itself and all that it loads."""


def found(page: Page) -> list[str]:
    """The operations that the list shows."""
    shown: list[str] = page.locator(".operations li:visible").evaluate_all("all => all.map(each => each.id)")
    return shown


def answered(page: Page) -> tuple[str, str]:
    """Status line and body of the answer that the page shows."""
    answer = page.locator("#answer")
    answer.locator("h3 span").wait_for()
    return answer.locator("h3 span").inner_text(), answer.locator("pre.body").inner_text()


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


def signed_in(visitor: Visit, stack: RunningStack, **claims: Any) -> Customer:
    """Let the visitor be a new customer, or one of the shop's own people."""
    token = stack.token(sub=str(uuid4()), **claims)
    keep_token(visitor, token, stack.base_url)
    return Customer(stack.base_url, token)


def test_searching_finds_operations_by_word_field_and_error_code(page: Page) -> None:
    page.goto("docs")
    everything = found(page)
    box = page.get_by_role("searchbox")
    box.fill("cancel_booking")
    assert found(page) == ["cancel_booking", "operators_cancel_booking"]
    box.fill("booking cancel")
    assert {"cancel_booking", "get_booking"} <= set(found(page)), "one says what cancelling gives back"
    box.press("Enter")
    page.get_by_role("heading", name="Cancel a booking").wait_for()
    page.go_back()
    box.fill("REFUND_changed")
    assert "cancel_booking" in found(page)
    page.locator("#cancel_booking .found").get_by_text("REFUND_CHANGED").wait_for()
    box.fill("subcounty_id")
    assert {"create_session", "get_order"} <= set(found(page)) < set(everything)
    page.locator("#create_session .found").get_by_text("subcounty_id").wait_for()
    box.fill("no such thing")
    page.get_by_text("Nothing is called so.").wait_for()
    box.press("Escape")
    assert found(page) == everything


def test_searching_goes_by_keyboard_and_is_there_again_on_the_way_back(page: Page) -> None:
    page.goto("docs")
    page.get_by_role("searchbox").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("add_item")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.parentElement.id") == "add_item"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Put produce into the cart").wait_for()
    page.go_back()
    page.locator("#search:visible").wait_for()
    assert page.get_by_role("searchbox").input_value() == "add_item"
    assert found(page) == ["add_item"]


def test_a_public_operation_is_tried_without_a_token(page: Page, stack: RunningStack) -> None:
    page.goto("docs/get_listing")
    page.get_by_text("No token is sent.").wait_for()
    page.get_by_role("button", name="Fill in the example").click()
    with page.expect_request("**/api/listings/**") as asked:
        send(page)
    assert "authorization" not in asked.value.all_headers()
    status, body = answered(page)
    assert status.startswith("200")
    assert json.loads(body) == requests.get(f"{stack.base_url}/api/listings/123", timeout=30).json()
    assert "content-type: application/json" in page.locator("#answer pre.headers").inner_text()


def test_a_signed_in_customer_puts_something_into_the_cart(visitor: Visit, stack: RunningStack) -> None:
    customer = signed_in(visitor, stack)
    page = visitor.page
    page.goto("docs/add_item")
    page.get_by_text("Sent as ").wait_for()
    page.get_by_role("button", name="Fill in the example").click()
    send(page)
    status, body = answered(page)
    assert status.startswith("200")
    assert json.loads(body)["items"] == customer.get("/api/carts/my_cart")["items"]
    with page.expect_response("**/api/carts/add_item*"):
        send(page)
    assert customer.get("/api/carts/my_cart")["items"][0]["quantity"] == 2, "the same form is sent with the same key"
    page.get_by_label("Body").fill('{"listing_id": 123, "quantity": 3}')
    with page.expect_response("**/api/carts/add_item*"):
        send(page)
    assert customer.get("/api/carts/my_cart")["items"][0]["quantity"] == 5


def test_who_is_nobody_is_told_so(page: Page) -> None:
    page.goto("docs/my_cart")
    page.get_by_text("Nobody is signed in").wait_for()
    send(page)
    assert answered(page)[0].startswith("401")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_text("This shop has no sign-in page").wait_for()


def test_an_operators_call_is_shown_before_it_is_sent(visitor: Visit, stack: RunningStack) -> None:
    code = an_order_of(stack)
    operator = signed_in(visitor, stack, **{"cognito:groups": ["operators"]})
    page = visitor.page
    page.goto("docs/operators_move_order")
    page.get_by_label("order_number").fill(code)
    page.get_by_label("Body").fill('{"status": "packed"}')
    send(page)
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(f"/api/operators/orders/{code}/move").wait_for()
    assert visitor.serious_findings() == []
    assert visitor.too_wide() == ""
    dialog.get_by_role("button", name="Back").click()
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "confirmed"
    send(page)
    dialog.get_by_role("button", name="Send it").click()
    assert answered(page)[0].startswith("200")
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "packed"


def test_a_customer_is_told_whose_an_operators_call_is(visitor: Visit, stack: RunningStack) -> None:
    signed_in(visitor, stack)
    visitor.page.goto("docs/operators_stuck")
    visitor.page.get_by_text("to everybody else this path does not exist").wait_for()
    send(visitor.page)
    assert answered(visitor.page)[0].startswith("404")


def test_markup_in_an_answer_is_text(visitor: Visit, stack: RunningStack) -> None:
    code = an_order_of(stack, full_name=MARKUP, instructions=MARKUP)
    signed_in(visitor, stack, **{"cognito:groups": ["operators"]})
    visitor.page.goto("docs/operators_order")
    visitor.page.get_by_label("order_number").fill(code)
    send(visitor.page)
    assert MARKUP in answered(visitor.page)[1]
    assert visitor.page.locator("main :is(img, b)").count() == 0


def test_what_is_not_reached_is_said(visitor: Visit) -> None:
    visitor.forgiven.append("ERR_INTERNET_DISCONNECTED")
    visitor.page.goto("docs/list_listings")
    visitor.page.get_by_text("No token is sent.").wait_for()
    visitor.page.context.set_offline(True)
    send(visitor.page)
    visitor.page.locator("#answer").get_by_text("No answer came").wait_for()


def test_the_line_of_curl_asks_for_what_the_form_says_and_holds_no_token(visitors: Visitors, stack: RunningStack) -> None:
    visitor = visitors(stack.base_url, permissions=["clipboard-read", "clipboard-write"])
    customer = signed_in(visitor, stack)
    page = visitor.page
    page.goto("docs/create_cart")
    page.get_by_label("Body").fill('{"note": "it\'s $(mine)"}')
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    words = shlex.split(page.evaluate("navigator.clipboard.readText()").replace("\\\n", ""))
    assert [word.rstrip("/") for word in words[:4]] == ["curl", "-X", "POST", f"{stack.base_url}/api/cart/carts"]
    assert "Authorization: Bearer $TOKEN" in words
    assert words[words.index("-d") + 1] == '{"note":"it\'s $(mine)"}'
    assert customer.token not in page.content()
    page.goto("docs/get_listing")
    assert f"{stack.base_url}/api/listings/123" in page.locator("#curl").inner_text()


def test_what_only_a_gateway_calls_cannot_be_tried(page: Page) -> None:
    page.goto("docs/stk_callback")
    page.get_by_text("Only the gateway calls this").wait_for()
    assert not page.get_by_role("button", name="Send", exact=True).is_visible()


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("path", ["/docs", "/docs/initiate_payment", "/docs/operators_orders"])
def test_a_page_of_the_reference_shuts_nobody_out(
    visitors: Visitors, stack: RunningStack, path: str, width: int, colours: str
) -> None:
    visitor = visitors(stack.base_url, width=width, color_scheme=colours)
    visitor.page.goto(path.lstrip("/"))
    visitor.page.locator("form:visible").wait_for()
    visitor.page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    visitor.picture(f"{colours}-{path.strip('/').replace('/', '-')}")
    assert visitor.serious_findings() == []
    assert visitor.too_wide() == ""


def test_a_page_of_the_reference_is_small(page: Page) -> None:
    for path in ("/docs", "/docs/operators_orders"):
        answers: list[Response] = []
        page.on("response", lambda answer, kept=answers: kept.append(answer))
        page.goto(path.lstrip("/"))
        page.wait_for_load_state("networkidle")
        assert 20_000 < sum(len(each.body()) for each in answers) < MOST, path
