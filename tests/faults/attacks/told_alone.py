"""Ends that only a notice told: asked about once more, or put before a person."""

from __future__ import annotations

from datetime import timedelta

from payfirst.settings import ConfirmWithQuery
from payfirst.storage import checks
from payfirst.storage.dynamodb import keys
from payfirst.usecases.settlement.take_notice import Taken
from tests.faults.attacks.callbacks import changed, phonepe, phonepe_body, without_amount, without_ids
from tests.faults.attacks.meanwhile import has, stopped, write_of
from tests.faults.attacks.registry import attack, contradicted, declined, doubts, one_order
from tests.faults.flows import paid_order
from tests.faults.world import World, at_work

FIRST = timedelta(seconds=10)


# An end that only a notice told


@attack
def a_failure_that_the_query_takes_back(world: World) -> None:
    ref = declined(world, world.initiate(world.session(world.customer())))
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref)
    world.ledger.notices.clear()
    world.now += FIRST
    world.reconcile()
    assert world.ledger.asked[ref] == 1
    one_order(world)


@attack
def a_failure_that_the_query_confirms_is_asked_about_once(world: World) -> None:
    ref = declined(world, world.initiate(world.session(world.customer())))
    for _ in range(3):
        world.now += timedelta(hours=7)
        world.reconcile()
    assert world.ledger.asked[ref] == 1


@attack
def a_failure_that_comes_after_the_last_rung_is_asked_about_all_the_same(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    world.now += timedelta(days=2)
    ref = declined(world, started)
    due = world.attempt(ref).next_check_at
    assert due == world.now + timedelta(minutes=1)
    world.now = due
    world.reconcile()
    assert (world.ledger.asked[ref], world.attempt(ref).next_check_at) == (1, None)


@attack
def a_failure_of_a_push_whose_answer_was_lost_leaves_something_to_ask_by(world: World) -> None:
    for ends in ("declined", "paid"):
        started = world.initiate(world.session(world.customer()))
        ref, checkout = started.attempt.ref, world.ledger.payments[started.attempt.ref].gateway_id
        without_ids(world, started)
        (world.ledger.decline if ends == "declined" else world.ledger.pay)(ref)
        world.deliver_all()
        assert world.attempt(ref).gateway_id == checkout
        world.now += FIRST
        world.reconcile()
        assert world.ledger.asked[ref] == 1


@attack
def a_success_that_the_query_takes_back(world: World) -> None:
    """It stays a success, and a person reads of it once; so it is where the money is on its way back."""
    for amount in (None, 100):
        started = world.initiate(world.session(world.customer()))
        ref = started.attempt.ref
        world.ledger.pay(ref, amount=amount)
        world.deliver_all()
        became = world.attempt(ref).status
        world.disputed.add(ref)
        world.ledger.says[ref] = "declined"
        world.now += FIRST
        world.reconcile()
        assert (world.attempt(ref).status, world.attempt(ref).confirm_at) == (became, None)
        assert len(doubts(world)) == len(contradicted(world)) == (1 if amount is None else 2)


@attack
def a_success_that_nobody_confirms_is_put_before_a_person(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    world.disputed.add(started.attempt.ref)
    world.ledger.says[started.attempt.ref] = "open"
    for _ in range(8):
        world.now += timedelta(hours=5)
        world.reconcile()
    assert len(doubts(world)) == 1
    assert world.attempt(started.attempt.ref).confirm_at is None


@attack
def a_success_that_the_query_confirmed_is_asked_about_no_more(world: World) -> None:
    for confirm in (ConfirmWithQuery.ADVISORY, ConfirmWithQuery.STRICT):
        there = world.fork()
        there.confirm = confirm
        with at_work(there):
            ref = paid_order(there).attempt.ref
            there.deliver_all()
        assert (there.ledger.asked[ref], there.attempt(ref).confirm_at) == (1, None)


@attack
def what_comes_before_a_success_is_confirmed(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    attempt = world.attempt(started.attempt.ref)
    taken = write_of(world, checks.take_confirmation, attempt, (1, world.now + timedelta(minutes=1)))
    stopped(
        taken,
        {
            "somebody else has asked": has(keys.attempt(attempt.ref), confirm_at=None),
            "it is not settled yet": has(keys.attempt(attempt.ref), next_check_at="2026-03-02T08:00:00Z"),
        },
    )
    world.now += timedelta(minutes=2)
    world.reconcile()
    again = world.attempt(attempt.ref)
    stopped(
        write_of(world, checks.take_confirmation, again, None),
        {"somebody else plans it": has(keys.attempt(attempt.ref), confirm_at="2026-03-02T08:00:00Z")},
    )


# Successes without an amount


@attack
def a_stored_success_without_an_amount(world: World) -> None:
    """It is held against the query when a sweep takes it up: confirmed it brings its receipt, denied a person reads of it."""
    for state in ("paid", "declined"):
        started = paid_order(world)
        ref = started.attempt.ref
        assert world.deliver(changed(world, without_amount)) is Taken.ASKED
        world.ledger.payments[ref].state = state
        for _ in range(4):
            world.now += timedelta(minutes=2)
            world.reconcile()
        if state == "paid":
            assert world.attempt(ref).receipt == world.ledger.payments[ref].receipt
        else:
            world.disputed.add(ref)
            assert world.attempt(ref).status == "needs_review"


@attack
def a_success_without_an_amount_brings_a_later_check_forward(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    world.now += timedelta(hours=2)
    ref = declined(world, started)
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref)
    assert world.deliver(changed(world, without_amount)) is Taken.ASKED
    due = world.attempt(ref).next_check_at
    assert due is not None
    assert due <= world.now + timedelta(minutes=1)


@attack
def a_success_without_an_amount_that_the_query_does_not_confirm_yet(world: World) -> None:
    world.confirm = ConfirmWithQuery.ADVISORY
    ref = paid_order(world).attempt.ref
    assert world.deliver(changed(world, without_amount)) is Taken.ASKED
    world.ledger.says[ref] = "open"
    world.now += timedelta(minutes=1)
    world.reconcile()
    assert world.attempt(ref).unresolved
    del world.ledger.says[ref]


@attack
def phonepes_success_after_a_failure_that_its_status_does_not_deny(world: World) -> None:
    customer = world.customer()
    ref = declined(world, world.process(world.booking_cart(customer), customer))
    world.ledger.says[ref] = "open"
    assert phonepe(world, phonepe_body(ref)) is Taken.ASKED
    assert world.attempt(ref).status == "failed"
    world.disputed.add(ref)  # once its status says FAILED again, the notice contradicts it
    del world.ledger.says[ref]
