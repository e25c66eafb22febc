"""The pictures of README.md and docs/pages.md, taken of the running product, and what each page weighs: `make pictures`.

It starts a stack of its own, lets a few people buy, and looks at what they see. Pictures are WebP of a few kilobytes; weights
stand in docs/pages.md, between its marks.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.browser.chromium import running_browser
from tests.browser.desk import keep_token, look_at
from tests.browser.shopping import Shopper
from tests.browser.visit import NARROW, WIDE, Visit, visit
from tests.conftest import RunningStack
from tests.contract.walk import new_customer, new_phone, wait_until
from tests.issuer import running_issuer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT: Final = Path(__file__).resolve().parents[2]
PICTURES: Final = ROOT / "docs" / "pictures"
PAGE: Final = ROOT / "docs" / "pages.md"
MARKS: Final = ("<!-- written by make pictures: begin -->", "<!-- written by make pictures: end -->")
MOST: Final = 60_000
"""Bytes of one picture."""
QUALITY: Final = 60
TELEPHONE: Final = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000}
"""1.6 Mbit/s and 150 ms, with a processor four times as slow: what Lighthouse takes for a telephone on a slow network."""
SLOWER: Final = 4
TIMES: Final = 3
"""How often each page is weighed: the quickest says most, since what else the machine does only adds."""
ENDED: Final = ("order_created", "failed")
CUSTOMERS: Final = ("Achieng Otieno", "Brian Kamau", "Chebet Koech", "Dalila Hassan", "Esther Wanjiru")


@dataclass(frozen=True, slots=True)
class Weight:
    """What one page takes: bytes as they were sent, requests, and when something is first seen."""

    path: str
    bytes: int
    requests: int
    calls: int
    milliseconds: int


def keep(visit: Visit, name: str) -> None:
    """The page as it is seen now, as docs/pictures/`name`.webp."""
    session = visit.page.context.new_cdp_session(visit.page)
    told = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    picture = base64.b64decode(told["data"])
    assert len(picture) < MOST, f"{name} has {len(picture)} bytes"
    (PICTURES / f"{name}.webp").write_bytes(picture)
    print(f"docs/pictures/{name}.webp  {len(picture):6,} bytes")


def opened(browser: Browser, stack: RunningStack, *, width: int = NARROW) -> Visit:
    """Somebody new."""
    return visit(
        browser,
        stack.base_url,
        width=width,
        pictures=None,
    )[1]


def tomatoes(browser: Browser, stack: RunningStack) -> Shopper:
    """Produce, from the shop to the receipt."""
    shopper = Shopper.signed_in(opened(browser, stack), stack)
    shopper.phone = "0712345678"
    shopper.basket()
    shopper.page.evaluate("scrollTo(0, 0)")
    keep(shopper.visit, "shop")
    shopper.deliver()
    ref = shopper.prompt()
    keep(shopper.visit, "prompt")
    stack.decide("mpesa", ref)
    shopper.see(re.compile("^Paid. Your order "))
    shopper.press("See your order and its receipt")
    shopper.see("Receipt")
    keep(shopper.visit, "order")
    return shopper


def puja(browser: Browser, stack: RunningStack) -> Shopper:
    """A puja, from its day to the receipt."""
    shopper = Shopper.signed_in(opened(browser, stack), stack)
    shopper.page.goto("shop#kind=PUJA&service=2")
    shopper.press("The next month")
    shopper.page.locator(".month a").first.wait_for()
    shopper.first_free_day()
    slots = shopper.page.locator("a.choice").filter(has_text=":")
    slots.last.scroll_into_view_if_needed()
    keep(shopper.visit, "puja")
    hindi = opened(browser, stack)
    hindi.page.goto(shopper.page.url.replace("/shop#", "/shop?lang=hi#"))
    hindi.page.locator("a.choice").filter(has_text=":").last.scroll_into_view_if_needed()
    keep(hindi, "puja-hindi")
    slots.first.click()
    shopper.contact()
    keep(shopper.visit, "review")
    ref = shopper.to_bank()
    keep(shopper.visit, "bank")
    stack.decide("phonepe", ref)
    shopper.page.goto("paid")
    shopper.see(re.compile("^Paid. Your booking "))
    keep(shopper.visit, "paid")
    return shopper


def a_day_of_business(stack: RunningStack) -> None:
    """Some orders and prompts that went otherwise, for the desk to show."""
    for at, (name, outcome) in enumerate(zip(CUSTOMERS, ("pay", "pay", "cancel", "pay", "timeout"), strict=True)):
        customer = new_customer(stack, email=f"{name.split()[0].lower()}@example.com")
        customer.post("/api/carts/add_item", {"listing_id": 123 + at, "quantity": at + 2})
        where = {"county_id": 1, "subcounty_id": at + 1, "detailed_address": f"House {at + 7}, Moi Avenue"}
        details = where | {"full_name": name, "phone_number": new_phone(), "special_instructions": "Call at the gate"}
        session = customer.post("/api/payments/sessions", {"delivery_details": details})
        path = f"/api/payments/sessions/{session['session_id']}"
        stack.decide("mpesa", customer.post(f"{path}/initiate_payment")["checkout_request_id"], outcome)
        wait_until(partial(customer.get, f"{path}/status"), lambda told: told["session_status"] in ENDED)


def desk(browser: Browser, stack: RunningStack) -> str:
    """The desk on a telephone and on a laptop; a token for it."""
    claims: Any = {"cognito:groups": ["operators"]}
    token = stack.token(**claims)
    for width, name in ((NARROW, "desk-phone"), (WIDE, "desk")):
        owner = opened(browser, stack, width=width)
        keep_token(owner, token)
        look_at(owner.page, "/desk")
        keep(owner, name)
        if width == WIDE:
            look_at(owner.page, "/desk/funnel")
            keep(owner, "funnel")
    return token


def shown_path(path: str) -> str:
    """`path` as tables show it, without the number of what it is about."""
    return re.sub(r"[^/]*\d[^/]*$", "…", path)


def weight(browser: Browser, stack: RunningStack, path: str, token: str) -> Weight:
    """What the page at `path` takes on a telephone that has never seen the shop."""
    visiting = opened(browser, stack)
    keep_token(visiting, token)
    page = visiting.page
    session = page.context.new_cdp_session(page)
    told: dict[str, list[Any]] = {"Network.loadingFinished": [], "Network.requestWillBeSent": []}
    for event, kept in told.items():
        session.on(event, partial(list.append, kept))
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", TELEPHONE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(path.lstrip("/"))
    page.wait_for_load_state("networkidle")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    sent = sum(each["encodedDataLength"] for each in told["Network.loadingFinished"])
    asked = [each["request"]["url"] for each in told["Network.requestWillBeSent"]]
    asked = [address for address in asked if not address.startswith("data:")]
    page.context.close()  # pages that stay open take of the processor
    return Weight(shown_path(path), round(sent), len(asked), sum("/api/" in address for address in asked), round(painted))


def table(weights: list[Weight]) -> str:
    """The weights as a table of Markdown."""
    rows = [
        f"| `{each.path}` | {each.bytes / 1000:.0f} | {each.requests} | {each.calls} | {each.milliseconds / 1000:.1f} |"
        for each in weights
    ]
    head = ["| page | KB sent | requests | of them to the API | first paint, s |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", f"Measured on {date.today():%Y-%m-%d}."])  # noqa: DTZ011 - the day of who measured


def pages_of(session: str, order: str, booking: str, bought: str, booked: str, owner: str) -> list[tuple[str, str]]:
    """The pages, and the token of whoever opens each: of who `bought` the order, `booked` the puja, and owns the shop."""
    wanted = [("/shop", bought), (f"/checkout/{session}", bought), ("/paid", booked), (f"/orders/{order}", bought)]
    wanted += [(f"/bookings/{booking}", booked), ("/me", bought), ("/docs", bought)]
    return wanted + [(f"/desk{part}", owner) for part in ("", "/orders", f"/payments/{order}", "/catalogue", "/funnel")]


def write_between(marks: tuple[str, str], told: str) -> None:
    """Show the table `told`, and put it between its marks on docs/pages.md."""
    print(told)
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(marks[0])[0], text.split(marks[1])[1]
    PAGE.write_text(f"{before}{marks[0]}\n\n{told}\n\n{marks[1]}{after}", encoding="utf-8")


def main() -> None:
    """Take all pictures, weigh all pages, write both."""
    PICTURES.mkdir(exist_ok=True)
    with running_browser() as browser, running_issuer() as issuer, RunningStack(issuer) as stack:
        stack.wait_until_warm()
        buyer, guest = tomatoes(browser, stack), puja(browser, stack)
        a_day_of_business(stack)
        owner = desk(browser, stack)
        [order] = buyer.customer.get("/api/orders")["results"]
        [booking] = guest.customer.get("/api/booking/bookings")["results"]
        [session] = buyer.customer.get("/api/payments/sessions")["results"]
        bought, booked = buyer.customer.token or "", guest.customer.token or ""
        wanted = pages_of(session["session_id"], order["order_number"], booking["book_id"], bought, booked, owner)
        measured = [[weight(browser, stack, path, token) for _ in range(TIMES)] for path, token in wanted]
    weights = table([min(each, key=lambda one: one.milliseconds) for each in measured])
    write_between(MARKS, weights)


if __name__ == "__main__":
    main()
