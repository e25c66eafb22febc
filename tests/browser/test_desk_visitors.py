"""Who is shown what on the desk: its own people everything as text, customers nothing; whatever the network does."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from payfirst.domain.clock import SHOP_ZONE
from tests.browser.conftest import Visitors
from tests.browser.desk import MARKUP, a_booking, an_order_of, card, keep_token, look_at, told
from tests.browser.visit import NARROW, WIDE, Visit
from tests.conftest import RunningStack
from tests.contract.test_operators import an_order
from tests.contract.walk import Customer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


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
        visitor.page.goto(path.lstrip("/"))
        visitor.page.get_by_text("This desk is for the shop's own people; you are signed in as a customer.").wait_for()
        assert visitor.page.get_by_role("article").count() == 0


def test_who_is_not_signed_in_is_asked_to(page: Page) -> None:
    page.goto("desk/orders")
    page.get_by_role("button", name="Sign in").wait_for()
    assert page.get_by_role("article").count() == 0


def test_who_was_signed_in_too_long_ago_is_asked_to_sign_in_again(desk: Page) -> None:
    desk.route("**/api/operators/**", lambda route: route.fulfill(status=401, json={"message": "Unauthorized"}))
    desk.goto("desk")
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
    day = datetime.now(ZoneInfo(SHOP_ZONE)).date()
    listed = operator.get(f"/api/operators/orders?from={day - timedelta(days=6)}&to={day}")["orders"]
    shown = [each.get_attribute("aria-label") for each in desk.get_by_role("article").all()]
    assert shown == [order["order_number"] for order in listed]


def test_a_day_without_anything_says_so(desk: Page) -> None:
    look_at(desk, "/desk/orders?from=2026-01-01&to=2026-01-02")
    desk.get_by_text("There are no such orders on these days.").wait_for()
    look_at(desk, "/desk/bookings?day=2026-01-01")
    desk.get_by_text("There are no such bookings on this day.").wait_for()
