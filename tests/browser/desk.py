"""What the tests of the desk share: one of the shop's own people at it, and what `payfirst` prints of the same shop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.integration.ops.commands import payfirst

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.visit import Visit

PAGES = ("/desk", "/desk/orders", "/desk/bookings", "/desk/find", "/desk/catalogue", "/desk/funnel", "/desk/slips")


def keep_token(visit: Visit, token: str) -> None:
    """Whatever page the visitor opens next, they are signed in by `token`."""
    kept = json.dumps(json.dumps({"id": token, "refresh": None, "since": 0}))
    visit.page.add_init_script(f"sessionStorage.setItem('tokens', {kept})")


def look_at(page: Page, path: str) -> None:
    """Open a page of the desk, and wait until all of it is there."""
    page.goto(path)
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
