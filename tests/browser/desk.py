"""What the tests of the desk share: one of the shop's own people at it, and what `payfirst` prints of the same shop."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from payfirst.domain.clock import BOOKINGS_ZONE
from tests.contract.exchanges import document
from tests.contract.walk import Customer, new_customer, new_phone, pay_mpesa, pay_phonepe, wait_until
from tests.integration.ops.commands import payfirst

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.visit import Visit
    from tests.conftest import RunningStack

MARKUP = "<img src=x onerror=alert(1)><b>bold</b>"
PAGES = (
    "/desk",
    "/desk/orders",
    "/desk/bookings",
    "/desk/find",
    "/desk/people",
    "/desk/catalogue",
    "/desk/funnel",
    "/desk/slips",
)


def keep_token(visit: Visit, token: str) -> None:
    """Whatever page the visitor opens next, they are signed in by `token`, since long ago; no address may hold it."""
    visit.secrets.append(token)
    kept = json.dumps(json.dumps({"id": token, "refresh": None, "since": 0}))
    visit.page.add_init_script(f"sessionStorage.setItem('tokens', {kept})")


def look_at(page: Page, path: str) -> None:
    """Open a page of the desk, and wait until all of it is there."""
    page.goto(path.lstrip("/"))
    loaded(page)


def loaded(page: Page) -> None:
    """Wait until no part of the page is loading."""
    page.locator("#desk section, #desk form").first.wait_for()
    page.locator("html:not(:has([aria-busy=true]))").wait_for(state="attached")


def part(page: Page, title: str) -> Locator:
    """The part of the page under that heading."""
    return page.get_by_role("region", name=title)


def card(page: Page, name: str) -> Locator:
    """The card of an order, a booking, an attempt, a refund or an entry of the catalogue."""
    return page.get_by_role("article", name=name, exact=True)


def agree(page: Page, **values: str) -> None:
    """Fill in the dialog that asks, and agree."""
    for name, value in values.items():
        page.locator(f"dialog [name={name}]").fill(value)
    page.locator("dialog button[type=submit]").click()
    page.locator("dialog").wait_for(state="detached")
    loaded(page)


def told(page: Page, words: str) -> None:
    """Wait until the page says that it was done."""
    page.locator(".told").filter(has_text=words).wait_for()


def printed(home: Path, *words: str) -> Any:
    """What a command of `payfirst` prints with `--json`; that something is stuck is no failure."""
    done = payfirst(*words, "--json", "--home", home)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def digits(text: str) -> str:
    """The number in an amount as a page writes it, as the API does: "KES 1,234.50" is "1234.50"."""
    return "".join(char for char in text if char.isdigit() or char == ".")


def free_days(customer: Customer) -> list[str]:
    """The days from tomorrow to the end of the following month on which something is free."""
    today = datetime.now(ZoneInfo(BOOKINGS_ZONE)).date()
    months = sorted({f"{today + timedelta(days=ahead):%Y-%m}" for ahead in range(1, 32)})
    found = [day for month in months for day in customer.get(f"/api/services/2/days?month={month}")["days"]]
    return [day["date"] for day in found if day["free_slots"] and day["date"] > f"{today}"]


def a_booking(stack: RunningStack, **details: Any) -> tuple[str, str]:
    """A paid booking of the first time that is free from tomorrow on, and its attempt."""
    _, booking, attempt = a_booking_of(stack, **details)
    return booking, attempt


def a_booking_of(stack: RunningStack, **details: Any) -> tuple[Customer, str, str]:
    """The same, and whose it is."""
    customer = new_customer(stack)
    day, *_ = free_days(customer)
    slots = customer.get(f"/api/services/2/slots?date={day}")["slots"]
    body = deepcopy(document("bookings")["create_cart"].body)
    time = next(slot["time"] for slot in slots if slot["free"])
    body |= {"puja_service": 2, "package_id": 2, "selected_date": day, "selected_time": time, **details}
    cart = customer.post("/api/cart/carts", body)
    payment = customer.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    pay_phonepe(stack, payment["merchant_transaction_id"])
    check = f"/api/payments/{payment['payment_id']}/check-booking"
    booked = wait_until(lambda: customer.get(check), lambda answer: answer["booking_created"])
    return customer, booked["booking"]["book_id"], payment["merchant_transaction_id"]


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
