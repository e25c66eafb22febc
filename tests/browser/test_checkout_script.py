"""A shop that shows PhonePe's page within its own, by the script that the simulated PhonePe gives to shops."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from local.ports import free_port
from local.stack import Ports
from tests.browser.conftest import Visitors
from tests.browser.shopping import Shopper
from tests.conftest import RunningStack
from tests.issuer import TokenIssuer

PAY = re.compile("^Pay .* with PhonePe")
CONFIRMED = re.compile(r"^Paid\. Your booking BK-\w+ is confirmed\.$")


@pytest.fixture(scope="module")
def shop(issuer: TokenIssuer) -> Iterator[RunningStack]:
    """A stack whose PhonePe has a script."""
    simulators = free_port()
    script = {"PHONEPE_SCRIPT": f"http://127.0.0.1:{simulators}/phonepe/checkout.js"}
    with RunningStack(issuer, ports=Ports(simulators=simulators), variables=script) as running:
        running.wait_until_warm()
        yield running


@pytest.fixture
def shopper(visitors: Visitors, shop: RunningStack) -> Shopper:
    """Somebody with a booking before them."""
    ready = Shopper.signed_in(visitors(shop.base_url), shop)
    ready.puja()
    return ready


def test_the_payment_is_made_without_leaving_the_shop(shopper: Shopper) -> None:
    shopper.press(PAY)
    framed = shopper.page.frame_locator("iframe[title=PhonePe]")
    framed.get_by_role("button", name="Pay", exact=True).wait_for()
    assert "/shop" in shopper.page.url
    shopper.visit.picture("puja-framed")
    framed.get_by_role("button", name="Pay", exact=True).click()
    shopper.page.wait_for_url(re.compile("/paid"))
    shopper.see(CONFIRMED)


@pytest.mark.all_pages
def test_who_closes_the_page_is_told_that_nothing_is_paid_and_may_go_on(shopper: Shopper, shop: RunningStack) -> None:
    shopper.press(PAY)
    shopper.page.frame_locator("iframe[title=PhonePe]").get_by_role("button", name="Close without an answer").click()
    shopper.page.wait_for_url(re.compile("/paid"))
    [payment] = shopper.customer.get("/api/payments?page_size=1")["results"]
    shop.decide("phonepe", payment["merchant_transaction_id"])
    shopper.see(CONFIRMED)


@pytest.mark.all_pages
@pytest.mark.parametrize("broken", ["never comes", "is no such script"])
def test_where_the_script_fails_people_leave_for_the_page(shopper: Shopper, broken: str) -> None:
    if broken == "never comes":
        shopper.visit.page.route("**/checkout.js", lambda route: route.abort())
    else:
        shopper.visit.page.route(
            "**/checkout.js", lambda route: route.fulfill(content_type="text/javascript", body="'nothing'")
        )
    shopper.visit.forgiven.append("ERR_FAILED")
    shopper.press(PAY)
    shopper.page.wait_for_url(re.compile("/phonepe/pay/"))
    shopper.press("Pay")
    shopper.page.wait_for_url(re.compile("/paid"))
    shopper.see(CONFIRMED)


def test_only_the_page_where_payments_begin_lets_that_script_in(shop: RunningStack, stack: RunningStack) -> None:
    def policy(of: RunningStack, path: str) -> str:
        return requests.get(of.base_url + path, timeout=30).headers["Content-Security-Policy"]

    theirs = shop.simulator_url
    assert f"script-src 'self' {theirs};" in policy(shop, "/shop")
    assert f"frame-src {theirs};" in policy(shop, "/shop")
    assert not [path for path in ("/me", "/desk", "/paid", "/checkout/1", "/docs") if theirs in policy(shop, path)]
    assert "frame-src" not in policy(stack, "/shop")
