"""A shop as `make run` starts it, with people who sign in on its page, and sessions that end after some seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from local.stack import LocalStack
from tests import tools
from tests.browser.conftest import Visitors
from tests.browser.shopping import Shopper
from tests.browser.visit import Visit
from tests.conftest import NO_REVERSALS, SCHEDULE_SECONDS
from tests.contract.walk import Customer

pytestmark = pytest.mark.all_pages


@pytest.fixture(scope="module")
def shop() -> Iterator[LocalStack]:
    """With the user pool's own tokens."""
    tools.need("aws")
    variables = {"SESSION_TTL_SECONDS": "20"}
    with LocalStack(variables=variables, schedule_seconds=SCHEDULE_SECONDS, environment=NO_REVERSALS) as running:
        running.wait_until_warm()
        yield running


@pytest.fixture
def visitor(visitors: Visitors, shop: LocalStack) -> Visit:
    """Somebody whom the shop does not know yet."""
    return visitors(shop.base_url)


def sign_in(visitor: Visit, name: str) -> None:
    """Pick somebody on the sign-in page, and be back."""
    visitor.page.get_by_role("button", name=name).click()
    visitor.page.wait_for_url(re.compile("^(?!.*/sign-in)"))
    token = visitor.page.evaluate("JSON.parse(sessionStorage.tokens).id")
    visitor.secrets.append(token)


def test_who_pressed_a_button_signs_in_and_finds_it_pressed_and_the_session_ends(visitor: Visit, shop: LocalStack) -> None:
    page = visitor.page
    page.goto("shop")
    page.locator("li.card").filter(has_text="Fresh Tomatoes").first.get_by_role("button", name="Add").click()
    sign_in(visitor, "Customer 1")
    page.get_by_text("Together, without delivery").wait_for()
    shopper = Shopper(visitor, shop, Customer(shop.base_url, visitor.secrets[0]), "")
    shopper.deliver()
    shopper.see("Pay with M-Pesa")
    shopper.see(re.compile("^The time to pay is over"), patience=60_000)
    visitor.picture("produce-expired")
    assert visitor.serious_findings() == []
    shopper.press("To the shop")


def test_signing_out_forgets_the_token_and_the_desk_is_for_operators(visitor: Visit) -> None:
    page = visitor.page
    page.goto("me")
    page.get_by_role("button", name="Sign in").click()
    sign_in(visitor, "The shop's own people")
    page.get_by_role("link", name="To the desk").click()
    page.locator("#desk section").first.wait_for()
    page.goto("me")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/shop"))
    assert page.evaluate("sessionStorage.tokens") is None
    assert page.context.cookies() == []


def test_who_signs_in_from_the_reference_tries_on_as_themselves(visitor: Visit) -> None:
    page = visitor.page
    page.goto("docs/my_cart")
    page.get_by_role("button", name="Sign in", exact=True).click()
    sign_in(visitor, "Customer 1")
    page.get_by_text("Sent as user@example.com.").wait_for()
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("#answer h3").get_by_text("200").wait_for()
