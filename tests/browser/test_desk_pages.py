"""Each page of the desk as everybody can use it, and its numbers as `payfirst` prints them."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from payfirst.domain.clock import BOOKINGS_ZONE, SHOP_ZONE
from tests.browser.desk import PAGES, a_booking, an_order_of, card, digits, keep_token, look_at, part, printed
from tests.browser.visit import NARROW, WIDE
from tests.contract.stack_table import table_of
from tests.contract.test_operators import under_review
from tests.contract.walk import Customer, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Visitors
    from tests.conftest import RunningStack


@pytest.fixture(scope="module")
def token(stack: RunningStack) -> str:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return stack.token(email="amina@example.com", **claims)


@pytest.fixture(scope="module")
def sold(stack: RunningStack, token: str) -> dict[str, str]:
    """A paid order, a paid booking, a refund in part, and a payment that needs a person."""
    operator = Customer(stack.base_url, token)
    order, (booking, attempt) = an_order_of(stack, full_name="Jane Doe"), a_booking(stack, customer_name="Asha Devi")
    operator.post(f"/api/operators/payments/{attempt}/refund", {"amount": "99.00", "why": "a kindness"})
    story = f"/api/operators/payments/{attempt}"  # money that moves meanwhile would be compared with itself a moment later
    wait_until(lambda: operator.get(story), lambda told: told["refunds"][0]["status"] == "refunded")
    _, waiting, _ = under_review(stack, operator, table_of(stack))
    return {"order": order, "booking": booking, "attempt": attempt, "waiting": waiting}


@pytest.fixture(scope="module")
def home(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack is announced, as `make run` does it, for the commands."""
    directory = tmp_path_factory.mktemp("home")
    announced = {"pid": os.getpid(), "base_url": stack.base_url, "environment": stack.environment}
    (directory / "stack.json").write_text(json.dumps(announced), encoding="utf-8")
    return directory


@pytest.fixture
def desk(visitors: Visitors, stack: RunningStack, token: str) -> Page:
    visitor = visitors(stack.base_url, width=WIDE)
    keep_token(visitor, token)
    return visitor.page


LOOKS = [
    (NARROW, "light"),
    (WIDE, "dark"),
    pytest.param(NARROW, "dark", marks=pytest.mark.all_pages),
    pytest.param(WIDE, "light", marks=pytest.mark.all_pages),
]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_no_page_of_the_desk_shuts_anybody_out(
    visitors: Visitors, stack: RunningStack, token: str, sold: dict[str, str], width: int, scheme: str
) -> None:
    visitor = visitors(stack.base_url, width=width, color_scheme=scheme)
    keep_token(visitor, token)
    found = []
    for path in (*PAGES, f"/desk/payments/{sold['attempt']}", f"/desk/payments/{sold['waiting']}"):
        look_at(visitor.page, path)
        visitor.picture(f"{scheme}{path.replace('/', '-')}")
        found += [f"{path}: {each}" for each in (*visitor.serious_findings(), visitor.too_wide()) if each]
    look_at(visitor.page, "/desk/orders")
    card(visitor.page, sold["order"]).get_by_role("button", name="Cancel…").click()
    visitor.page.locator("dialog[open]").wait_for()
    visitor.picture(f"{scheme}-desk-asks")
    assert [*found, *visitor.serious_findings()] == []


def today(zone: str) -> date:
    return datetime.now(ZoneInfo(zone)).date()


def count(where: Locator) -> str:
    number: str = where.locator(".amount").first.inner_text()
    return number


def test_every_count_of_the_day_is_what_payfirst_prints(desk: Page, home: Path, sold: dict[str, str]) -> None:
    look_at(desk, "/desk")
    to_pack = printed(home, "orders", "list", "--status", "confirmed")
    assert count(part(desk, "To pack")) == f"{len(to_pack)}"
    assert sold["order"] in [order["order_number"] for order in to_pack]
    for title, ahead in (("Today's bookings", 0), ("Tomorrow's bookings", 1)):
        day = today(BOOKINGS_ZONE) + timedelta(days=ahead)
        assert count(part(desk, title)) == f"{len(printed(home, 'bookings', 'list', '--day', f'{day}'))}"
    waiting = [entry["key"] for entry in printed(home, "stuck") if entry["what"] == "needs review"]
    shown = [each.get_attribute("aria-label") for each in part(desk, "Needs a person").get_by_role("article").all()]
    assert (count(part(desk, "Needs a person")), shown) == (f"{len(waiting)}", waiting)


def test_every_number_of_the_funnel_is_what_payfirst_prints(desk: Page, home: Path, sold: dict[str, str]) -> None:
    assert sold
    look_at(desk, "/desk/funnel?since=24h&kind=order")
    told = printed(home, "funnel", "--since", "24h", "--kind", "order")
    stages, rates, statuses = (rows(table) for table in desk.get_by_role("table").all()[:3])
    assert [row[1] for row in stages] == [f"{each['sessions']}" for each in told["stages"].values()]
    made, *others = told["rates"].values()
    assert rates[0][1] == f"{made['part']} in {made['of']} minutes"
    assert float(rates[0][2].removesuffix(" an hour")) == pytest.approx(made["rate"] * 60, abs=0.0501)
    assert [row[1] for row in rates[1:]] == [f"{each['part']} of {each['of']}" for each in others]
    assert [row[1] for row in statuses] == [f"{number}" for number in told["status_now"].values()]
    shares = [row[2] for row in (*stages, *rates[1:])]
    for shown, each in zip(shares, (*told["stages"].values(), *others), strict=True):
        assert shown == "\N{EN DASH}" if each["rate"] is None else is_percent(shown, each["rate"])


def test_every_sum_of_money_is_what_payfirst_prints(desk: Page, home: Path, sold: dict[str, str]) -> None:
    assert sold
    day = today(SHOP_ZONE)
    look_at(desk, "/desk/funnel")
    told = printed(home, "totals", "--from", f"{day - timedelta(days=6)}", "--to", f"{day}")
    table = part(desk, "Money of the last seven days").get_by_role("table")
    assert [sums(row) for row in rows(table)] == [amounts(each) for each in told["days"]]
    assert [sums(row) for row in rows(table, "tfoot")] == [amounts(each) for each in told["together"]]

    look_at(desk, "/desk")
    told = printed(home, "totals", "--from", f"{day - timedelta(days=30)}", "--to", f"{day}")
    of_today = {each["gateway"]: amounts(each)[:2] for each in told["days"] if each["day"] == f"{day}"}
    expected = [[*of_today.get(each["gateway"], ["0.00", "0.00"]), *amounts(each)[2:]] for each in told["together"]]
    cards = part(desk, "Money").get_by_role("article").all()
    assert [[digits(cell) for cell in each.locator("dd").all_inner_texts()] for each in cards] == expected


def amounts(each: dict[str, str]) -> list[str]:
    return [each[name] for name in ("captured", "refunded", "on_its_way_back", "waiting_for_a_person")]


def sums(row: list[str]) -> list[str]:
    return [digits(cell) for cell in row[1:]]


def rows(table: Locator, within: str = "tbody") -> list[list[str]]:
    """The texts of a table's body, or of its foot."""
    return [row.locator("th, td").all_inner_texts() for row in table.locator(f"{within} tr").all()]


def is_percent(shown: str, rate: float) -> bool:
    """Whether `shown` is `rate` with one digit behind the point, however halves are rounded."""
    return shown.endswith("%") and abs(float(shown[:-1]) - rate * 100) <= 0.05 + 1e-9


def test_every_amount_of_a_payment_is_what_payfirst_prints(desk: Page, home: Path, sold: dict[str, str]) -> None:
    look_at(desk, f"/desk/payments/{sold['attempt']}")
    story = printed(home, "show", sold["attempt"])
    [attempt], [refund] = story["attempts"], story["refunds"]
    shown = dict(zip(*(card(desk, sold["attempt"]).locator(each).all_inner_texts() for each in ("dt", "dd")), strict=True))
    named = {"Asked for": "amount", "Received": "captured", "Can go back": "refundable"}
    assert {label: digits(shown[label]) for label in named} == {label: attempt[name] for label, name in named.items()}
    assert shown.get("Receipt") == attempt["receipt"]
    assert digits(card(desk, refund["refund"]).get_by_role("heading").inner_text()) == refund["amount"]
    assert desk.locator(".timeline strong").all_inner_texts() == [event["event"] for event in story["events"]]


def test_an_order_and_a_booking_cost_what_payfirst_prints(desk: Page, home: Path, sold: dict[str, str]) -> None:
    for code, kind in ((sold["order"], "orders"), (sold["booking"], "bookings")):
        look_at(desk, f"/desk/payments/{code}")
        told = printed(home, kind, "show", code)
        assert digits(card(desk, code).locator("dd .number").inner_text()) == told["total_amount"]
        receipts = card(desk, code).locator("dd .mono").all_inner_texts()
        assert receipts == ([told["receipt"]] if told["receipt"] else [])


def test_what_is_found_and_what_is_for_sale_is_what_payfirst_prints(desk: Page, home: Path, sold: dict[str, str]) -> None:
    look_at(desk, "/desk/find")
    desk.get_by_role("searchbox").fill(sold["order"])
    desk.keyboard.press("Enter")
    [found] = printed(home, "find", sold["order"])["found"]
    assert digits(card(desk, found["id"]).locator("strong").inner_text()) == found["amount"]

    look_at(desk, "/desk/catalogue")
    kept = printed(home, "catalogue", "show", "124")
    shown = card(desk, kept["product_name"]).locator("dd").all_inner_texts()
    unit = kept["unit_of_measure"]
    assert shown[1:3] == [f"KES\N{NO-BREAK SPACE}{kept['price']} / {unit}", f"{kept['available']:g} {unit}"]
