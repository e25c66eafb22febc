"""The desk's payments: what needs a person, what goes back, and how a payment or a person is found."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from payfirst.storage import notices
from payfirst.storage.dynamodb import keys
from payfirst.storage.notices import Entry
from tests.browser.desk import MARKUP, a_booking, agree, an_order_of, card, loaded, look_at, part, told
from tests.conftest import RunningStack
from tests.contract.stack_table import table_of
from tests.contract.test_operators import an_order, under_review
from tests.contract.walk import Customer, new_phone, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def test_a_payment_is_given_back_in_part_and_the_rest_is_what_can_still_go(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, ref = a_booking(stack)
    look_at(desk, f"/desk/payments/{ref}")
    card(desk, ref).get_by_role("button", name="Refund…").click()
    desk.locator("dialog [name=amount]").fill("99.00")
    desk.get_by_role("button", name="Give back ₹99.00").wait_for()
    agree(desk, why="a kindness")
    told(desk, "₹99.00 goes back")
    card(desk, ref).get_by_text("₹900.00").wait_for()
    [refund] = operator.get(f"/api/operators/payments/{ref}")["refunds"]
    assert (refund["amount"], refund["why"]) == ("99.00", "a kindness")


def test_what_was_refused_is_asked_anew_by_the_same_words(stack: RunningStack, desk: Page) -> None:
    _, ref = a_booking(stack)
    keys: list[str] = []

    def refuse_once(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
        else:
            route.fulfill(status=409, json={"message": "Not now.", "error_code": "REFUND_IN_PROGRESS"})

    desk.route("**/refund/", refuse_once)
    look_at(desk, f"/desk/payments/{ref}")
    card(desk, ref).get_by_role("button", name="Refund…").click()
    for name, value in (("amount", "99.00"), ("why", "a kindness")):
        desk.locator(f"dialog [name={name}]").fill(value)
    desk.locator("dialog button[type=submit]").click()
    desk.locator("dialog .refused").wait_for()

    agree(desk)

    told(desk, "₹99.00 goes back")
    assert len(set(keys)) == 2, "a refusal that was kept under a key would be told again for a day"


def test_a_refund_that_no_gateway_pays_is_recorded_once_it_was_paid_by_hand(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, code, _ = an_order(stack)
    answer = operator.post(f"/api/operators/payments/{code}/refund", {"why": "a kindness"})
    wait_until(
        lambda: operator.get(f"/api/operators/payments/{code}")["refunds"][0], lambda made: made["status"] == "needs_review"
    )
    look_at(desk, "/desk")
    part(desk, "Needs a person").get_by_role("link", name=answer["refund"]).click()
    loaded(desk)
    card(desk, answer["refund"]).get_by_role("button", name="Paid back by hand…").click()
    agree(desk, why="sent from the shop's phone")
    card(desk, answer["refund"]).get_by_text("went back").wait_for()


@pytest.mark.parametrize(("button", "receipt"), [("It was paid…", True), ("It was not paid…", False)])
def test_a_payment_under_review_is_decided(
    stack: RunningStack, desk: Page, operator: Customer, button: str, *, receipt: bool
) -> None:
    _, ref, _ = under_review(stack, operator, table_of(stack))
    look_at(desk, "/desk")
    part(desk, "Needs a person").get_by_role("link", name=ref).click()
    loaded(desk)
    card(desk, ref).get_by_role("button", name=button).click()
    agree(desk, why="it is on the statement", **({"receipt": f"N{ref[-9:].upper()}"} if receipt else {}))
    told(desk, f"{ref}: ")
    assert ref not in [entry["which"] for entry in operator.get("/api/operators/stuck")["waiting"]]


def test_what_waits_too_long_is_tried_again_or_closed_for_a_reason(desk: Page) -> None:
    entry = {"what": "needs review", "key": "INBOX#7", "which": "INBOX#7", "customer": None, "since": "2026-11-01T00:00:00Z"}
    asked: list[Any] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"which": "INBOX#7", "result": "closed"})

    desk.route("**/api/operators/stuck/?list=*", lambda route: route.fulfill(json={"waiting": [entry], "next": None}))
    desk.route(re.compile("/api/operators/stuck/(replay|close)/"), answer)
    look_at(desk, "/desk")
    card(desk, "INBOX#7").get_by_role("button", name="Try again").click()
    told(desk, "INBOX#7: closed")
    loaded(desk)
    card(desk, "INBOX#7").get_by_role("button", name="Close…").click()
    agree(desk, why="it is not ours")
    wait_until(lambda: len(asked), lambda count: count > 1)
    assert asked == [{"which": "INBOX#7"}, {"which": "INBOX#7", "why": "it is not ours"}]


def test_a_notice_that_waits_leads_to_its_payment_where_it_names_the_attempt_and_is_closed_there(desk: Page) -> None:
    def entry(key: str) -> dict[str, Any]:
        return {"what": "needs review", "key": key, "which": key, "customer": None, "since": "2026-11-01T00:00:00Z"}

    waiting = {"waiting": [entry("INBOX#MT0123#ab"), entry("INBOX#ab")], "next": None}
    desk.route("**/api/operators/stuck/?list=*", lambda route: route.fulfill(json=waiting))
    look_at(desk, "/desk")
    named = card(desk, "INBOX#MT0123#ab")
    assert named.get_by_role("link").get_attribute("href") == "/desk/payments/MT0123"
    assert card(desk, "INBOX#ab").get_by_role("link").count() == 0
    for each in (named, card(desk, "INBOX#ab")):
        assert each.get_by_role("button").all_inner_texts() == ["Try again", "Close…"]


def test_what_waits_goes_on_and_what_was_left_lying_is_looked_for_on_a_tap(desk: Page) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        said = parse_qs(urlsplit(route.request.url).query)
        [which], [after] = said["list"], said.get("after", [""])
        asked.append(f"{which} {after}".strip())
        key = f"INBOX#{which}{after}"
        what = "needs review" if which == "review" else "overdue: settle"
        entry = {"what": what, "key": key, "which": key, "customer": None, "since": "2026-11-01T00:00:00Z"}
        route.fulfill(json={"waiting": [entry], "next": None if after or which == "overdue" else "behind"})

    desk.route("**/api/operators/stuck/?list=*", answer)
    look_at(desk, "/desk")
    waits = part(desk, "Needs a person")
    assert (asked, waits.locator(".amount").inner_text()) == (["review"], "1+")
    waits.get_by_role("button", name="Show more").click()
    card(desk, "INBOX#reviewbehind").wait_for()
    waits.get_by_role("button", name="Look for work left lying").click()
    card(desk, "INBOX#overdue").get_by_text("overdue: settle").wait_for()
    assert asked == ["review", "review behind", "overdue"]
    assert waits.get_by_role("article").count() == 3


def test_what_the_gateway_sent_is_read_on_a_tap_as_text_without_who_paid(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, code, _ = an_order(stack)
    [attempt] = operator.get(f"/api/operators/payments/{code}")["attempts"]
    ref, secret = attempt["attempt"], "whsec9f8e7d6c5b4a39281706"
    raw = json.dumps({"Body": {"ResultDesc": f"{MARKUP} {secret}", MARKUP: secret, "PhoneNumber": "254712345678"}}).encode()
    key = keys.notice(ref, "f" * 64)
    notices.store(table_of(stack), Entry(key, None, stored=False, settled=False), "stk", ref, raw, datetime.now(UTC))
    notices.mark_settled(table_of(stack), key, datetime.now(UTC))

    look_at(desk, f"/desk/payments/{code}")
    assert desk.locator("pre").count() == 0
    desk.get_by_text("What the gateway sent").click()
    told = desk.locator("details pre")
    told.filter(has_text="<img src=x").wait_for()
    assert told.count() == 2
    text = "".join(told.all_inner_texts())
    assert attempt["receipt"] in text
    assert secret not in text
    assert "12345678" not in text
    assert desk.locator("details img, details b").count() == 0

    def answer(route: Route) -> None:
        story = route.fetch().json()
        more = {"notices": story["notices"][:1], "more_notices": True} if seen else {"notices": []}
        seen.append(route.request.url)
        route.fulfill(json={**story, **more})

    seen: list[str] = []
    desk.route("**/api/operators/payments/*/?notices=true", answer)
    for said in (
        "What earlier releases kept is not, nor what came about refunds.",
        "Of each attempt 50 are shown: there are more",
    ):
        look_at(desk, f"/desk/payments/{code}")
        desk.get_by_text("What the gateway sent").click()
        desk.get_by_text(said).wait_for()


def test_a_payment_is_found_by_phone_and_the_number_stands_in_no_address(stack: RunningStack, desk: Page) -> None:
    number = new_phone()
    code = an_order_of(stack, full_name=MARKUP, phone_number=number)
    look_at(desk, "/desk/find")
    desk.get_by_role("searchbox").fill(number)
    desk.keyboard.press("Enter")
    card(desk, code).wait_for()
    assert number not in desk.url
    card(desk, code).get_by_role("link").click()
    card(desk, code).get_by_text(MARKUP).wait_for()
    desk.go_back()
    card(desk, code).wait_for()


def test_a_person_is_found_by_phone_with_all_that_is_theirs_and_how_they_are_erased(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    number = new_phone()
    code = an_order_of(stack, full_name=MARKUP, phone_number=number)
    operator.post(f"/api/operators/payments/{code}/refund", {"amount": "50.00", "why": "a kindness"})
    customer = operator.get(f"/api/operators/payments/{code}")["customer"]
    look_at(desk, "/desk/find")
    desk.get_by_role("link", name="By person").click()
    desk.get_by_role("searchbox").fill(number)
    desk.keyboard.press("Enter")
    theirs = card(desk, customer)
    theirs.get_by_role("heading", name="Orders").wait_for()
    assert "(KES\N{NO-BREAK SPACE}50.00 back or on its way in all; the latest refund: " in theirs.inner_text()
    assert "See what erasing takes" in theirs.inner_text()
    assert f"payfirst erase {customer} --dry-run" in theirs.inner_text()
    assert number not in desk.url
    theirs.get_by_role("link", name=code).click()
    card(desk, code).get_by_text(MARKUP).wait_for()


def test_people_go_on_page_by_page_and_who_is_nobodys_is_said(desk: Page) -> None:
    def answer(route: Route) -> None:
        older = "before=7" in route.request.url
        each = {"kind": "session", "status": "expired", "amount": "350.00", "currency": "KES", "refund": None}
        each |= {"created_at": "2026-11-01T00:00:00Z", "refund_status": None, "show": "", "customer": MARKUP}
        found = [
            {**each, "id": "MTolder" if older else "MTnewer"},
            *([{**each, "customer": "b", "id": "MTb"}] if older else []),
        ]
        route.fulfill(json={"what": "last_digits", "found": found, "before": None if older else 7})

    look_at(desk, "/desk/people")
    box = desk.get_by_role("searchbox")
    for nobodys, said in ((new_phone(), "Nobody's payments go by that."), ("!", "Write a receipt")):
        box.fill(nobodys)
        desk.keyboard.press("Enter")
        desk.get_by_text(said).wait_for()
    desk.route("**/api/operators/search/?*", answer)
    box.fill("1234")
    desk.keyboard.press("Enter")
    card(desk, MARKUP).get_by_role("link", name="MTnewer").wait_for()
    desk.get_by_role("button", name="Show more").click()
    card(desk, "b").wait_for()
    assert card(desk, MARKUP).get_by_role("link").all_inner_texts() == ["MTnewer", "MTolder"]
    assert desk.get_by_role("button", name="Show more").count() == 0
