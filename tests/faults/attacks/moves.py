"""Every way in which a status may follow another, taken."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from payfirst.domain.errors import RefusedError
from payfirst.domain.moves import OrderStatus
from payfirst.storage.dynamodb import keys
from payfirst.usecases.fulfilment.orders import cancel_order, move_order, undo_step
from payfirst.usecases.settlement.evidence import Disputed, Settled
from payfirst.usecases.settlement.settle import settle
from tests.faults.attacks.meanwhile import has, place_of
from tests.faults.attacks.registry import attack, declined, late, one_order
from tests.faults.book import Book
from tests.faults.flows import paid_order
from tests.faults.flows.sweeps import surplus
from tests.faults.seam import Fault, Killed
from tests.faults.world import World, at_work


def _left_created(world: World) -> str:
    """An attempt whose function was killed before it could write down what the gateway has answered."""
    session = world.session(world.customer())
    world.seam.active = True
    world.seam.plan = lambda _: Fault.KILLED_BEFORE if len(world.ledger.payments) > known else None
    known = len(world.ledger.payments)
    with pytest.raises(Killed):
        world.initiate(session)
    world.seam.active, world.seam.plan = False, lambda _: None
    world.seam.made.clear()
    ref = list(world.ledger.payments)[-1]
    assert world.attempt(ref).status == "created"
    return ref


def _left_unknown(world: World) -> str:
    world.ledger.lose_pushes = 1
    ref = world.initiate(world.session(world.customer())).attempt.ref
    assert world.attempt(ref).status == "unknown"
    return ref


@attack
def an_attempt_that_never_got_its_answer_succeeds(world: World) -> None:
    for ref in (_left_created(world), _left_unknown(world)):
        world.ledger.pay(ref)
        world.deliver_all()
        assert world.attempt(ref).status == "succeeded"


@attack
def an_attempt_that_never_got_its_answer_fails(world: World) -> None:
    for ref in (_left_created(world), _left_unknown(world)):
        world.ledger.decline(ref)
        world.deliver_all()
        assert world.attempt(ref).status == "failed"


@attack
def an_attempt_of_any_status_comes_before_a_person(world: World) -> None:
    sent = world.initiate(world.session(world.customer())).attempt.ref
    failed = declined(world, world.initiate(world.session(world.customer())))
    for ref in (_left_created(world), _left_unknown(world), sent, failed):
        work, doubt = world.notice_context(), Disputed("collected for another merchant")
        assert settle(work, world.attempt(ref), doubt) is Settled.NEEDS_REVIEW
        assert world.attempt(ref).status == "needs_review"
        world.disputed.add(ref)


@attack
def a_session_that_expired_takes_late_money(world: World) -> None:
    # No session expires once it was tried to pay it, so this one is made to look as if it had.
    started = world.initiate(world.session(world.customer()))
    ref = declined(world, started)
    session = world.read(started.session)
    has(place_of(session), status="expired")(world)
    told = keys.event(session.customer.sub, session.number, session.sequence)
    has(told, moved={"from": "payment_initiated", "to": "expired"})(world)
    late(world, ref)
    one_order(world)


@attack
def a_reversal_whose_answer_is_lost(world: World) -> None:
    ref = world.initiate(world.session(world.customer())).attempt.ref
    world.ledger.pay(ref, amount=10000)
    world.deliver_all()
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_RESPONSE if boundary.operation == "reverse" else None
    world.reconcile()
    world.seam.active, world.seam.plan = False, lambda _: None
    results, world.ledger.notices = world.ledger.notices, []
    world.now += timedelta(minutes=2)
    world.reconcile()
    assert Book.of(world.items()).refunds[ref][0]["status"] == "sending", "its result may still come by itself"
    world.now += timedelta(minutes=16)
    world.reconcile()
    assert Book.of(world.items()).refunds[ref][0]["status"] == "needs_review"
    world.ledger.notices += results
    world.deliver_all()
    assert Book.of(world.items()).refunds[ref][0]["status"] == "refunded", "nobody may pay it back by hand now"


@attack
def a_reversal_whose_result_comes_although_its_answer_was_lost(world: World) -> None:
    ref = surplus(world).attempt.ref
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_RESPONSE if boundary.operation == "reverse" else None
    world.reconcile()
    world.seam.active, world.seam.plan = False, lambda _: None
    assert Book.of(world.items()).refunds[ref][0]["status"] == "sending"
    world.deliver_all()
    assert Book.of(world.items()).refunds[ref][0]["status"] == "refunded"


@attack
def a_refund_that_phonepe_refuses_after_its_answer_was_lost(world: World) -> None:
    customer = world.customer()
    ref = world.process(world.booking_cart(customer), customer).attempt.ref
    world.ledger.pay(ref, amount=10000)
    world.deliver_all()
    world.ledger.refuse_refunds = 1
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_RESPONSE if boundary.operation == "refund" else None
    world.reconcile()
    world.seam.active, world.seam.plan = False, lambda _: None
    assert [refund["status"] for refund in Book.of(world.items()).refunds[ref]] == ["sending"]
    world.now += timedelta(minutes=2)
    world.reconcile()
    assert Book.of(world.items()).refunds[ref][0]["status"] == "failed"


@attack
def a_refund_that_surely_never_left_is_sent_later(world: World) -> None:
    started = surplus(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.UNSENT if boundary.operation == "reverse" else None
    world.reconcile()
    world.seam.active, world.seam.plan = False, lambda _: None
    assert Book.of(world.items()).refunds[started.attempt.ref][0]["status"] == "due"


def _order_number(world: World) -> str:
    paid_order(world)
    world.deliver_all()
    newest = max(Book.of(world.items()).outcomes, key=lambda item: str(item["order_number"]))
    return str(newest["order_number"])


@attack
def an_order_goes_to_the_door(world: World) -> None:
    code = _order_number(world)
    for step in (OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED):
        assert move_order(world.table, code, step, world.now, by="amina").status is step
        assert _status_of(world, code) == step
    with pytest.raises(RefusedError):
        cancel_order(world.table, code, world.now, by="amina", why="too late")


def _status_of(world: World, code: str) -> str:
    return next(str(item["status"]) for item in Book.of(world.items()).outcomes if item["order_number"] == code)


@attack
def each_step_of_an_order_is_taken_back(world: World) -> None:
    code = _order_number(world)
    steps = (OrderStatus.CONFIRMED, OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY, OrderStatus.DELIVERED)
    for before, step in pairwise(steps):
        move_order(world.table, code, step, world.now, by="amina")
        assert undo_step(world.table, code, step, world.now, by="amina").status is before
        assert _status_of(world, code) == before
        move_order(world.table, code, step, world.now, by="amina")


@attack
def an_order_is_cancelled_on_its_way(world: World) -> None:
    steps = (OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY)
    for done in range(len(steps) + 1):
        with at_work(world.fork()) as there:
            code = _order_number(there)
            for step in steps[:done]:
                move_order(there.table, code, step, there.now, by="amina")
            assert cancel_order(there.table, code, there.now, by="amina", why="closed") is not None
            assert _status_of(there, code) == "cancelled"
