"""What a customer does on the pages of the shop, one step a function; each finds things by the words that people read."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from tests.browser.visit import Visit
from tests.contract.walk import Customer, new_phone

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TOMATOES: Final = "Fresh Tomatoes"
PUJA: Final = "Satyanarayan Puja"
LONG: Final = 60_000
"""Milliseconds for what a sweep does, or a gateway that is asked at its own pace."""


@dataclass
class Shopper:
    """Somebody who is signed in; `stack` is where, `customer` the same person calling the API."""

    visit: Visit
    stack: Any
    customer: Customer
    sub: str
    phone: str = field(default_factory=new_phone)

    @property
    def page(self) -> Page:
        return self.visit.page

    @classmethod
    def signed_in(cls, visit: Visit, stack: Any, *, sub: str | None = None, **claims: Any) -> Self:
        """A customer, new unless `sub` says who; the tab is given what signing in leaves behind."""
        sub = sub or str(uuid4())
        token = stack.token(sub=sub, name="Achieng Otieno", **claims)
        keep_token(visit, token, stack.base_url)
        return cls(visit, stack, Customer(stack.base_url, token), sub)

    def see(self, words: str | re.Pattern[str], *, patience: float = 20_000) -> Locator:
        """Wait until these words stand on the page, the bank's too."""
        found = self.page.locator("main, dialog[open]").get_by_text(words).first
        found.wait_for(timeout=patience)
        return found

    def press(self, words: str | re.Pattern[str]) -> None:
        """Press the button, or follow the link, that is called so."""
        exact = isinstance(words, str)
        called = self.page.get_by_role("button", name=words, exact=exact).or_(
            self.page.get_by_role("link", name=words, exact=exact)
        )
        called.first.click()

    def basket(self, product: str = TOMATOES, quantity: str = "2") -> None:
        """Open the shop and put some of `product` into the basket."""
        self.page.goto("shop")
        card = self.page.locator("li.card").filter(has_text=product).first
        card.get_by_role("spinbutton").fill(quantity)
        card.get_by_role("button", name="Add").click()
        self.see("Together, without delivery")

    def deliver(self, **more: str) -> None:
        """Say where to, and go to the checkout."""
        self.press("Choose the delivery")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(more.get("name", "Achieng Otieno"))
        dialog.get_by_label("M-Pesa phone number").fill(self.phone)
        dialog.locator("select[name=county_id]").select_option(index=1)
        dialog.locator("select[name=subcounty_id]:enabled").select_option(index=1)
        dialog.get_by_label("Street, house, landmark").fill(more.get("address", "123 Moi Avenue, blue gate"))
        dialog.get_by_label("For the rider").fill(more.get("instructions", "Call at the gate"))
        dialog.get_by_role("button", name="To the payment").click()
        self.page.wait_for_url(re.compile("/checkout/"))

    def prompt(self, words: str = "Send the request to my phone") -> str:
        """Have the phone prompted; the gateway's name for that."""
        button = self.page.get_by_role("button", name=words)
        with self.page.expect_response(re.compile("initiate_payment")) as answer:
            button.click()
        self.see("Look at your phone")
        return str(answer.value.json()["checkout_request_id"])

    def to_prompt(self) -> str:
        """From nothing to the prompt on the phone."""
        self.basket()
        self.deliver()
        return self.prompt()

    def puja(self) -> None:
        """Choose the puja with a calendar, its first free day and time, and say who and where."""
        self.page.goto("shop#part=bookings")
        card = self.page.locator("li.card").filter(has_text=PUJA).first
        card.get_by_role("link", name="Choose a day").click()
        self.first_free_day()
        self.page.locator("a.choice").filter(has_text=":").first.click()
        self.contact()

    def first_free_day(self) -> None:
        """Press the first day that has a free slot, in the next month where this one is over."""
        month = self.page.locator(".month")
        month.wait_for()
        if not month.get_by_role("link").count():
            self.press("The next month")
        month.get_by_role("link").first.click()

    def contact(self, **more: str) -> None:
        """Say who and where."""
        self.page.get_by_label("Package").select_option(index=1)
        self.page.get_by_label("Name").fill(more.get("name", "Asha Sharma"))
        self.page.get_by_label("Phone number").fill("9876543210")
        self.page.get_by_label("Where it takes place").fill(more.get("address", "12 Assi Ghat, Varanasi"))
        self.press("Look it over")
        self.see("To pay")

    def to_bank(self) -> str:
        """Go to PhonePe's page; PhonePe's name for the payment."""
        self.press(re.compile("^Pay .* with PhonePe"))
        self.page.wait_for_url(re.compile("/phonepe/pay/"))
        [payment] = self.customer.get("/api/payments?page_size=1")["results"]
        return str(payment["merchant_transaction_id"])


def keep_token(visit: Visit, token: str, base_url: str) -> None:
    """Let `visit` be signed in with `token`, as the sign-in page leaves it, in each of its tabs."""
    kept = json.dumps({"id": token, "refresh": None, "since": int(time.time() * 1000)})
    visit.secrets.append(token)
    visit.page.context.add_init_script(
        f"if (location.href.startsWith({json.dumps(base_url)}) && !sessionStorage.getItem('tokens'))"
        f" sessionStorage.setItem('tokens', {json.dumps(kept)});"
    )


def answer_on_the_phone(shopper: Shopper, ref: str, words: str) -> None:
    """Press the button `words` of the prompt `ref` on the simulated phone, as its owner would."""
    tab = shopper.page.context.new_page()
    tab.goto(shopper.stack.simulator_url)
    prompt = tab.locator(f"article:has(input[value='{ref}'])")
    prompt.get_by_role("button", name=words).click()
    prompt.wait_for(state="detached")
    tab.close()
