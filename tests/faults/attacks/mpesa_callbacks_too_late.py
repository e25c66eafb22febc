"""Callbacks in M-Pesa's name when all is over: a failure again, a success without an amount, a failure nobody knows of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from payfirst.usecases.settlement.take_notice import Taken
from tests.faults.attacks.callbacks import changed, failing, found_again, without_amount
from tests.faults.attacks.registry import attack, declined
from tests.faults.seam import Fault
from tests.faults.told import Notice
from tests.faults.world import World


@attack
def a_second_failure(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    ref = started.attempt.ref
    world.ledger.decline(ref)
    raw = world.ledger.notices[0].raw
    world.deliver_all()
    planned = world.attempt(ref).next_check_at
    assert planned == world.now + timedelta(seconds=10), "only a notice has told of its end"
    assert world.deliver(Notice("stk", world.ledger.payments[ref].token, raw + b" ")) is Taken.SETTLED
    assert world.attempt(ref).next_check_at == planned
    world.now = planned
    world.reconcile()
    assert world.deliver(Notice("stk", world.ledger.payments[ref].token, raw + b"  ")) is Taken.SETTLED
    assert world.attempt(ref).next_check_at is None, "its gateway has said so too"


@attack
def a_success_without_an_amount_after_a_failure(world: World) -> None:
    for later in (timedelta(seconds=1), timedelta(minutes=20), timedelta(days=2)):
        begun = world.now
        started = world.initiate(world.session(world.customer()))
        ref = declined(world, started)
        world.now += later
        world.reconcile()  # its gateway confirms the failure
        world.ledger.payments[ref].state = "open"
        world.ledger.pay(ref)
        assert world.deliver(changed(world, without_amount)) is Taken.ASKED
        due = world.attempt(ref).next_check_at
        assert due is not None
        assert world.now < due <= world.now + timedelta(minutes=1), "somebody who knows the token says that money came"
        if later == timedelta(seconds=1):
            assert due == begun + timedelta(seconds=10), "its ladder's own rung comes soon enough"
        world.queue.sent.clear()
        world.deliver_all()
        world.reconcile()


@attack
def a_success_without_an_amount_after_the_money_went_back(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=100)
    notice = world.ledger.notices[0]
    world.deliver_all()
    world.ledger.notices.append(replace(notice, raw=notice.raw + b" "))
    before = world.attempt(started.attempt.ref)
    assert world.deliver(changed(world, without_amount)) is Taken.SETTLED
    assert world.attempt(started.attempt.ref) == before


@attack
def a_failure_of_which_its_gateway_knows_nothing_is_asked_about_no_more(world: World) -> None:
    customer = world.customer()
    cart = world.booking_cart(customer)
    failing(world, Fault.LOST_RESPONSE, "pay")
    ref = world.process(cart, customer).attempt.ref
    found_again(world)
    world.now += timedelta(minutes=4)
    world.reconcile()
    assert world.attempt(ref).status == "failed"
    assert world.attempt(ref).next_check_at is not None
    forgotten = world.ledger.payments.pop(ref)
    world.now += timedelta(minutes=4)
    world.reconcile()
    world.ledger.payments[ref] = forgotten
    assert world.attempt(ref).next_check_at is None
