"""Each step of an order is told to its customer once, and never one that is over."""

from __future__ import annotations

import pytest

from payfirst.domain.clock import Deadline
from payfirst.domain.moves import OrderStatus
from payfirst.domain.session import Customer
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import due_index
from payfirst.usecases.fulfilment.orders import move_order, undo_step
from payfirst.usecases.sweeps.send_mail import send_these
from tests.integration.payments.postman import Postman, code_of, ordered, subjects_after_the_first
from tests.integration.payments.shop import Shop

AMINA = "operator:amina"


def test_each_step_of_an_order_is_told_and_of_those_that_follow_each_other_at_once_the_last(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    started = ordered(shop, customer)
    code = code_of(shop, started)
    move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    assert postman.both().sent == 2
    move_order(shop.table, code, OrderStatus.OUT_FOR_DELIVERY, shop.now, by=AMINA)
    move_order(shop.table, code, OrderStatus.DELIVERED, shop.now, by=AMINA)
    told = postman.both()
    assert (told.sent, told.skipped) == (1, 1)
    subjects = {letter["Subject"] for letter in postman.mail_of(customer)}
    assert subjects == {f"Your order {code} {said}" for said in ("is confirmed", "is packed", "was delivered")}


def test_a_step_that_is_taken_again_is_told_once(shop: Shop, postman: Postman, customer: Customer) -> None:
    code = code_of(shop, ordered(shop, customer))
    postman.both()
    move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    postman.both()
    undo_step(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    assert postman.both().sent == 0, "taking back is told by the order's page alone"
    move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    again = postman.both()
    assert (again.sent, again.skipped) == (0, 1)
    assert subjects_after_the_first(postman, customer) == [f"Your order {code} is packed"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_step_that_was_taken_twice_before_any_e_mail_left_is_told_once(
    shop: Shop, postman: Postman, customer: Customer, *, turned: bool
) -> None:
    code = code_of(shop, ordered(shop, customer))
    postman.both()
    move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    undo_step(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    postman.events()
    waiting = sorted(
        (Entry.of(item) for item in shop.items() if item.get("due_pk", "").startswith(f"{due_index.MAIL}#")),
        key=lambda entry: entry.key["sk"],
        reverse=turned,
    )
    assert len(waiting) == 2

    told = send_these(shop.table, postman.post, waiting, now=shop.now, deadline=Deadline(lambda: 60.0))

    assert (told.sent, told.skipped) == (1, 1)
    assert subjects_after_the_first(postman, customer) == [f"Your order {code} is packed"]


def test_a_step_that_was_taken_back_before_anybody_was_told_is_told_when_it_is_taken(
    shop: Shop, postman: Postman, customer: Customer
) -> None:
    code = code_of(shop, ordered(shop, customer))
    move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    undo_step(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    postman.both()
    assert subjects_after_the_first(postman, customer) == []
    move_order(shop.table, code, OrderStatus.PACKED, shop.now, by=AMINA)
    postman.both()
    assert subjects_after_the_first(postman, customer) == [f"Your order {code} is packed"]
