"""The desk, as the shop's own people use it on a telephone: each button once."""

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
from tests.browser.desk import MARKUP, a_booking, agree, an_order_of, card, free_days, loaded, look_at, part, told
from tests.conftest import RunningStack
from tests.contract.stack_table import table_of
from tests.contract.test_operators import an_order, under_review
from tests.contract.walk import Customer, new_phone, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def test_an_order_goes_to_the_door_by_one_tap_each(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, "/desk/orders")
    steps = {"Packed": "packed", "Out for delivery": "on its way", "Delivered": "delivered"}
    for (label, word), status in zip(steps.items(), ("packed", "out_for_delivery", "delivered"), strict=True):
        card(desk, code).get_by_role("button", name=label, exact=True).click()
        told(desk, f"{code} is {word}.")
        assert operator.get(f"/api/operators/orders/{code}")["order_status"] == status
    assert card(desk, code).get_by_role("button").all_inner_texts() == ["Undo: delivered"]


def test_the_last_step_of_an_order_is_taken_back_by_one_tap(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    operator.post(f"/api/operators/orders/{code}/move", {"status": "packed"})
    operator.post(f"/api/operators/orders/{code}/move", {"status": "out_for_delivery"})
    look_at(desk, "/desk/orders")
    card(desk, code).get_by_role("button", name="Undo: on its way").click()
    told(desk, f"{code} is packed.")
    card(desk, code).get_by_role("button", name="Undo: packed").click()
    told(desk, f"{code} is to pack.")
    assert card(desk, code).get_by_role("button").all_inner_texts() == ["Packed", "Cancel…"]
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "confirmed"


def test_a_step_that_somebody_else_took_back_first_is_shown(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    operator.post(f"/api/operators/orders/{code}/move", {"status": "packed"})
    look_at(desk, "/desk/orders")
    operator.post(f"/api/operators/orders/{code}/move", {"status": "out_for_delivery"})
    card(desk, code).get_by_role("button", name="Undo: packed").click()
    card(desk, code).get_by_text("on its way", exact=True).wait_for()


def test_an_order_is_packed_with_the_keyboard_alone(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, f"/desk/payments/{code}")
    for _ in range(60):
        desk.keyboard.press("Tab")
        if desk.evaluate("document.activeElement.textContent") == "Packed":
            break
    desk.keyboard.press("Enter")
    told(desk, f"{code} is packed.")
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "packed"


def test_a_step_that_somebody_else_took_first_is_shown_and_not_taken_twice(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, "/desk/orders")
    operator.post(f"/api/operators/orders/{code}/move", {"status": "cancelled", "why": "the van broke down"})
    card(desk, code).get_by_role("button", name="Packed").click()
    card(desk, code).get_by_text("cancelled", exact=True).wait_for()


def test_cancelling_an_order_says_what_goes_back_and_asks_first(stack: RunningStack, desk: Page, operator: Customer) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, "/desk/orders")
    open_it = card(desk, code).get_by_role("button", name="Cancel…")
    open_it.click()
    desk.get_by_role("button", name="Cancel, and give back KES 350.00").wait_for()
    desk.keyboard.press("Escape")
    desk.locator("dialog").wait_for(state="detached")
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "confirmed"
    assert desk.evaluate("document.activeElement.textContent") == "Cancel…"

    open_it.click()
    agree(desk, why="the van broke down")
    told(desk, f"{code} is cancelled; KES 350.00 goes back.")
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "cancelled"


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


def test_a_booking_moves_and_the_move_is_taken_back(stack: RunningStack, desk: Page, operator: Customer) -> None:
    code, _ = a_booking(stack)
    before = operator.get(f"/api/operators/bookings/{code}")
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Move…").click()
    day = next(day for day in free_days(operator) if day != before["selected_date"])
    desk.locator("dialog [name=day]").fill(day)
    desk.locator("dialog [name=time]").wait_for()
    agree(desk)
    told(desk, f"{code} is on ")
    assert operator.get(f"/api/operators/bookings/{code}")["selected_date"] == day

    desk.get_by_role("button", name="Undo").click()
    told(desk, "Taken back.")
    now = operator.get(f"/api/operators/bookings/{code}")
    assert (now["selected_date"], now["selected_time"]) == (before["selected_date"], before["selected_time"])


def test_a_booking_that_has_begun_is_said_to_have_taken_place_and_the_api_has_the_last_word(
    stack: RunningStack, desk: Page
) -> None:
    code, _ = a_booking(stack)

    def begun(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "selected_date": "2026-01-01"})

    desk.route(f"**/api/operators/bookings/{code}/", begun)
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Took place").click()
    card(desk, code).get_by_role("alert").get_by_text("This booking has not begun yet.").wait_for()


def test_cancelling_a_booking_gives_back_exactly_what_was_said(stack: RunningStack, desk: Page, operator: Customer) -> None:
    code, _ = a_booking(stack)
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Cancel…").click()
    desk.locator("dialog [name=back]").select_option("full")
    agree_to = desk.locator("dialog button[type=submit]").inner_text()
    agree(desk, why="the pandit is ill")
    told(desk, f"{code} is cancelled")
    assert agree_to == "Cancel, and give back ₹999.00"
    assert operator.get(f"/api/operators/bookings/{code}")["refund"] == {"amount": "999.00"}


def test_a_cancellation_whose_refund_changed_meanwhile_asks_again_with_the_new_amount(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    code, ref = a_booking(stack)
    story = f"/api/operators/payments/{ref}"
    look_at(desk, f"/desk/payments/{code}")
    card(desk, code).get_by_role("button", name="Cancel…").click()
    desk.locator("dialog [name=back]").select_option("full")
    desk.locator("dialog [name=why]").fill("the pandit is ill")
    operator.post(f"{story}/refund", {"amount": "99.00", "why": "a kindness"})
    wait_until(lambda: operator.get(story), lambda told: told["refunds"][0]["status"] == "refunded")

    desk.get_by_role("button", name="Cancel, and give back ₹999.00").click()
    desk.locator("dialog").get_by_text("What goes back has changed meanwhile; this is what it is now.").wait_for()
    desk.get_by_role("button", name="Cancel, and give back ₹900.00").wait_for()
    assert operator.get(f"/api/operators/bookings/{code}")["status"] == "CONFIRMED"
    agree(desk)
    told(desk, f"{code} is cancelled; ₹900.00 goes back.")
    assert operator.get(f"/api/operators/bookings/{code}")["refund"]["amount"] == "900.00"


def test_an_order_whose_refund_changed_meanwhile_keeps_the_reason_and_the_focus(
    stack: RunningStack, desk: Page, operator: Customer
) -> None:
    _, code, _ = an_order(stack)
    look_at(desk, "/desk/orders")
    card(desk, code).get_by_role("button", name="Cancel…").click()
    desk.locator("dialog [name=why]").fill("the van broke down")
    operator.post(f"/api/operators/payments/{code}/refund", {"amount": "50.00", "why": "a kindness"})
    paid_back = {"why": "sent by hand"}
    refunds = f"/api/operators/payments/{code}"
    made = wait_until(lambda: operator.get(refunds)["refunds"][0], lambda one: one["status"] == "needs_review")
    operator.post(f"/api/operators/refunds/{made['refund']}/resolve", paid_back)

    desk.get_by_role("button", name="Cancel, and give back KES 350.00").click()
    desk.get_by_role("button", name="Cancel, and give back KES 300.00").wait_for()
    assert "you" not in desk.locator("dialog p").all_inner_texts()[0].split()
    assert desk.locator("dialog [name=why]").input_value() == "the van broke down"
    desk.keyboard.press("Escape")
    desk.locator("dialog").wait_for(state="detached")
    assert desk.evaluate("document.activeElement.textContent") == "Cancel…"
    assert operator.get(f"/api/operators/orders/{code}")["order_status"] == "confirmed"


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


def test_what_is_for_sale_changes_and_each_change_is_taken_back(desk: Page, operator: Customer) -> None:
    path = "/api/operators/listings/125"
    before = operator.get(path)
    name = before["product_name"]

    def undone() -> Any:
        desk.get_by_role("button", name="Undo").click()
        told(desk, "Taken back.")
        now = operator.get(path)
        return {key: now[key] for key in ("price", "active", "available")}

    kept = {key: before[key] for key in ("price", "active", "available")}
    look_at(desk, "/desk/catalogue")
    card(desk, name).get_by_role("button", name="Take it off sale").click()
    told(desk, f"{name} is not for sale any more.")
    assert not operator.get(path)["active"]
    assert undone() == kept

    card(desk, name).get_by_role("button", name="Price, picture…").click()
    agree(desk, price="111.00")
    assert operator.get(path)["price"] == "111.00"
    assert undone() == kept

    card(desk, name).get_by_role("button", name="Stock…").click()
    agree(desk, quantity="5")
    assert operator.get(path)["available"] == kept["available"] + 5
    assert undone() == kept


def test_the_free_days_of_a_service_lead_to_their_bookings(desk: Page) -> None:
    look_at(desk, "/desk/catalogue")
    card(desk, "Satyanarayan Puja").get_by_role("button", name="Days").click()
    card(desk, "Satyanarayan Puja").locator(".days a").first.click()
    desk.wait_for_url(re.compile(r"/desk/bookings\?day=\d{4}-\d\d-\d\d"))


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
