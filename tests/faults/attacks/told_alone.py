"""Ends that only a notice told, and what a gateway says when all is over: asked once more, or put before a person, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from payfirst.domain.moves import RefundStatus
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import captures, checks, refunds
from payfirst.storage.dynamodb import keys
from payfirst.usecases.operators import review
from payfirst.usecases.settlement.take_notice import Taken
from tests.faults.attacks.callbacks import changed, phonepe, phonepe_body, without_amount, without_ids
from tests.faults.attacks.meanwhile import has, kept_back, stopped, to_session, write_of
from tests.faults.attacks.registry import attack, declined, one_order
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus, surplus_booking
from tests.faults.told import Notice, stk_notice
from tests.faults.world import World, at_work

FIRST = timedelta(seconds=10)


def _doubts(world: World) -> Sequence[str]:
    return [str(doubt["reason"]) for doubt in Book.of(world.items()).reviews]


def _is_told(world: World) -> list[str]:
    events = [event for event in Book.of(world.items()).events if event["event"] == "payment.contradicted"]
    return [str(event["facts"]["reason"]) for event in events]


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
        assert len(_doubts(world)) == len(_is_told(world)) == (1 if amount is None else 2)


@attack
def a_success_that_nobody_confirms_is_put_before_a_person(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    world.disputed.add(started.attempt.ref)
    world.ledger.says[started.attempt.ref] = "open"
    for _ in range(8):
        world.now += timedelta(hours=5)
        world.reconcile()
    assert len(_doubts(world)) == 1
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


# Second captures


def _again(world: World, ref: str, change: Callable[[dict[str, Any]], None]) -> Taken:
    """M-Pesa tells of another success of the same attempt."""
    payment = replace(world.ledger.payments[ref], state="paid", receipt="N777777777")
    if not payment.collected:
        payment.collected = payment.amount
    world.ledger.notices.append(stk_notice(payment))
    return world.deliver(changed(world, change))


@attack
def a_second_capture_in_every_status(world: World) -> None:
    for before in ("succeeded", "refund_due", "needs_review"):
        for change in (lambda _: None, without_amount):
            there = world.fork()
            with at_work(there):
                ref = there.initiate(there.session(there.customer())).attempt.ref
                there.ledger.pay(ref, amount=100 if before == "refund_due" else None)
                if before == "needs_review":
                    there.confirm = ConfirmWithQuery.STRICT
                    there.ledger.payments[ref].state = "declined"
                there.deliver_all()
                there.confirm = ConfirmWithQuery.OFF
                assert there.attempt(ref).status == before
                assert _again(there, ref, change) is Taken.SETTLED
                assert there.attempt(ref).status == before
                [reason] = _doubts(there)
                assert "N777777777" in reason
                assert _is_told(there) == [reason]


@attack
def a_second_capture_after_a_review_that_ended_unpaid(world: World) -> None:
    ref = world.initiate(world.session(world.customer())).attempt.ref
    world.confirm = ConfirmWithQuery.STRICT
    world.ledger.pay(ref)
    world.ledger.payments[ref].state = "declined"
    world.deliver_all()
    world.confirm = ConfirmWithQuery.OFF
    review.resolve(world.notice_context(), ref, paid=False, by="anna", why="the statement says so")
    assert world.attempt(ref).status == "failed"
    world.ledger.payments[ref].state = "paid"
    assert _again(world, ref, lambda _: None) is Taken.SETTLED
    world.ledger.payments[ref].receipt = "N777777777"
    one_order(world)


@attack
def what_comes_before_a_contradiction(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    ref, session = started.attempt.ref, world.read(started.session)
    doubt = write_of(world, captures.contradiction, session, ref, "a second receipt", world.now, attempt=1)
    stopped(doubt, to_session(session))
    assert captures.contradiction(world.table, session, ref, "a second receipt", world.now, attempt=1)
    world.disputed.add(ref)
    before = world.items()
    assert not captures.contradiction(world.table, world.read(started.session), ref, "a second receipt", world.now, attempt=1)
    assert world.items() == before, "it is told once"


# PhonePe's notices against its status


@attack
def phonepes_notice_that_its_status_contradicts(world: World) -> None:
    for state, said in (("declined", "COMPLETED"), ("paid", "FAILED")):
        ref = paid_booking(world).attempt.ref
        world.ledger.notices.clear()
        world.ledger.payments[ref].state = state
        world.disputed.add(ref)
        assert phonepe(world, phonepe_body(ref, state=said)) is Taken.SETTLED
        assert world.attempt(ref).status == ("needs_review" if state == "declined" else "succeeded")
        world.ledger.payments[ref].state = "paid" if state == "paid" else "declined"
    assert len(_doubts(world)) == 1
    assert phonepe(world, phonepe_body(ref, state="FAILED", errorCode="X")) is Taken.SETTLED
    assert len(_doubts(world)) == len(_is_told(world)) == 1


@attack
def phonepes_failure_after_the_booking(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    world.deliver_all()
    world.disputed.add(ref)
    assert phonepe(world, phonepe_body(ref, state="FAILED")) is Taken.SETTLED
    assert len(_doubts(world)) == 1
    one_order(world)


@attack
def phonepes_notices_that_agree_with_its_status(world: World) -> None:
    for state, said in (("declined", "FAILED"), ("paid", "COMPLETED"), ("paid", "PENDING"), ("declined", "PENDING")):
        ref = paid_booking(world).attempt.ref
        world.ledger.notices.clear()
        world.ledger.payments[ref].state = state
        assert phonepe(world, phonepe_body(ref, state=said)) is Taken.SETTLED
        assert world.attempt(ref).status == ("failed" if state == "declined" else "succeeded")
    assert not _doubts(world)


@attack
def phonepes_success_for_an_order_that_it_does_not_know_any_more(world: World) -> None:
    customer = world.customer()
    ref = world.process(world.booking_cart(customer), customer).attempt.ref
    forgotten = world.ledger.payments.pop(ref)
    assert phonepe(world, phonepe_body(ref)) is Taken.ASKED
    assert world.attempt(ref).unresolved, "it may not know it yet"
    world.ledger.payments[ref] = forgotten
    declined(world, world.started[ref])
    del world.ledger.payments[ref]
    world.disputed.add(ref)
    assert phonepe(world, phonepe_body(ref, orderId="OMO1")) is Taken.SETTLED
    assert world.attempt(ref).status == "needs_review"
    world.ledger.payments[ref] = forgotten


# Refunds


def _paid_by_hand(world: World, ref: str) -> None:
    review.resolve_refund(world.table, ref, 1, world.now, by="operator:anna", why="at the counter")
    world.by_hand.add(ref)


@attack
def a_reversals_success_after_a_person_paid_by_hand(world: World) -> None:
    ref = surplus(world).attempt.ref
    world.reconcile()
    results, world.ledger.notices = world.ledger.notices, []
    has(keys.refund(ref, 1), status="needs_review", conversation=None)(world)
    _paid_by_hand(world, ref)
    world.disputed.add(ref)
    refused = json.loads(results[0].raw)
    refused["Result"]["ResultCode"] = 2001
    assert world.deliver(replace(results[0], raw=json.dumps(refused).encode())) is Taken.DUPLICATE, "it agrees"
    assert world.deliver(results[0]) is Taken.SETTLED
    assert world.deliver(results[0]) is Taken.DUPLICATE
    assert world.deliver(Notice("result", results[0].token, results[0].raw + b" ")) is Taken.DUPLICATE
    [reason] = _doubts(world)
    assert (f"R{ref}-1" in reason, _is_told(world)) == (True, [reason])


@attack
def a_reversal_that_seemed_not_to_be_sent(world: World) -> None:
    ref = surplus(world).attempt.ref
    world.reconcile()
    results, world.ledger.notices = world.ledger.notices, []
    has(keys.refund(ref, 1), status="due")(world)
    assert world.deliver(results[0]) is Taken.SETTLED
    [refund] = refunds.of_attempt(world.table, ref)
    assert refund.status is RefundStatus.REFUNDED


@attack
def a_refund_of_phonepes_that_a_person_paid_by_hand(world: World) -> None:
    """It is asked about once more, and from then on only where a notice says that it was made."""
    for by_notice in (False, True):
        there = world.fork()
        with at_work(there):
            ref = surplus_booking(there).attempt.ref
            there.reconcile()
            there.ledger.notices.clear()
            has(keys.refund(ref, 1), status="needs_review")(there)
            _paid_by_hand(there, ref)
            there.disputed.add(ref)
            if by_notice:
                made = there.ledger.paid_back.pop(f"R{ref}-1")
                there.now += timedelta(minutes=5)
                there.reconcile()
                assert not _doubts(there)
                there.ledger.paid_back[made.refund] = made
                told = phonepe_body(None, "pg.refund.completed", merchantRefundId=made.refund)
                assert phonepe(there, told) is Taken.ASKED
                assert phonepe(there, told) is Taken.DUPLICATE
            there.now += timedelta(minutes=5)
            there.reconcile()
            [reason] = _doubts(there)
            assert _is_told(there) == [reason]
            before = there.items()
            there.now += timedelta(days=1)
            there.reconcile()
            assert there.items() == before


@attack
def what_comes_before_an_ended_refund_is_asked_about(world: World) -> None:
    started = surplus_booking(world)
    ref = started.attempt.ref
    world.reconcile()
    world.ledger.notices.clear()
    has(keys.refund(ref, 1), status="needs_review")(world)
    _paid_by_hand(world, ref)
    world.disputed.add(ref)
    world.now += timedelta(minutes=5)
    kept = kept_back(world, refunds, "asked_about", lambda there: there.reconcile())
    stopped(kept, {"it is another's by now": has(keys.refund(ref, 1), status="failed")})
    late = write_of(world, refunds.check_now, ref, 1, world.now, refunded=True)
    stopped(
        late,
        {
            "it is open": has(keys.refund(ref, 1), status="due"),
            "it was told before": has(keys.refund(ref, 1), told_at="2026-03-02T08:00:00Z"),
        },
    )
