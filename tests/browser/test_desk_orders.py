"""The desk's orders, as the shop's own people move and cancel them on a telephone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.desk import agree, card, look_at, told
from tests.conftest import RunningStack
from tests.contract.test_operators import an_order
from tests.contract.walk import Customer, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page


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
