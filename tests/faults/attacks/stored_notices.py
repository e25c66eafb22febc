"""What is kept of a notice before anything is done with it, and what is not."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from payfirst.usecases.settlement.take_notice import Taken
from tests.faults.attacks.callbacks import failing, found_again
from tests.faults.attacks.registry import attack
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.front import AnsweredError
from tests.faults.seam import Fault
from tests.faults.world import World


@attack
def a_notice_is_kept_before_it_is_settled(world: World) -> None:
    paid_order(world)
    raw = world.ledger.notices[0].raw
    world.deliver_all()
    (kept,) = Book.of(world.items()).notices
    assert bytes(kept["raw"]) == raw


@attack
def a_notice_that_can_be_neither_kept_nor_settled(world: World) -> None:
    for start in (paid_order, paid_booking):
        start(world)
        failing(world, Fault.LOST_REQUEST, "PutItem", "TransactWriteItems")
        with pytest.raises(AnsweredError) as answered:
            world.deliver(world.ledger.notices[0])
        assert answered.value.status == HTTPStatus.SERVICE_UNAVAILABLE, "the gateway has to send it again"
        found_again(world)
        world.deliver_all()


@attack
def a_notice_that_is_kept_and_cannot_be_settled(world: World) -> None:
    paid_order(world)
    failing(world, Fault.LOST_REQUEST, "TransactWriteItems")
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.STORED
    found_again(world)
