"""What a gateway says when all is over, or against itself: put before a person, once, and never believed by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from payfirst.domain.moves import RefundStatus
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import captures, refunds, sessions
from payfirst.storage.dynamodb import keys
from payfirst.usecases.operators import review
from payfirst.usecases.settlement.take_notice import Taken
from tests.faults.attacks.callbacks import changed, phonepe, phonepe_body, without_amount
from tests.faults.attacks.meanwhile import has, kept_back, stopped, to_session, write_of
from tests.faults.attacks.registry import attack, contradicted, declined, doubts, one_order
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus, surplus_booking
from tests.faults.told import Notice, stk_notice
from tests.faults.world import World, at_work

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
                [reason] = doubts(there)
                assert "N777777777" in reason
                assert contradicted(there) == [reason]


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
    assert len(doubts(world)) == 1
    assert phonepe(world, phonepe_body(ref, state="FAILED", errorCode="X")) is Taken.SETTLED
    assert len(doubts(world)) == len(contradicted(world)) == 1


@attack
def phonepes_failure_after_the_booking(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    world.deliver_all()
    world.disputed.add(ref)
    assert phonepe(world, phonepe_body(ref, state="FAILED")) is Taken.SETTLED
    assert len(doubts(world)) == 1
    one_order(world)


@attack
def phonepes_notices_that_agree_with_its_status(world: World) -> None:
    for state, said in (("declined", "FAILED"), ("paid", "COMPLETED"), ("paid", "PENDING"), ("declined", "PENDING")):
        ref = paid_booking(world).attempt.ref
        world.ledger.notices.clear()
        world.ledger.payments[ref].state = state
        assert phonepe(world, phonepe_body(ref, state=said)) is Taken.SETTLED
        assert world.attempt(ref).status == ("failed" if state == "declined" else "succeeded")
    assert not doubts(world)


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


def _put_before_a_person(world: World, ref: str) -> None:
    refund = refunds.read(world.table, ref, 1)
    assert refund is not None
    session = sessions.read(world.table, refund.owner, refund.session_number)
    assert session is not None
    refunds.end(world.table, session, refund, RefundStatus.NEEDS_REVIEW, world.now, by="gateway", by_hand=True)


def _paid_by_hand(world: World, ref: str) -> None:
    review.resolve_refund(world.table, ref, 1, world.now, by="operator:anna", why="at the counter")
    world.by_hand.add(ref)


@attack
def a_reversals_success_after_a_person_paid_by_hand(world: World) -> None:
    ref = surplus(world).attempt.ref
    world.reconcile()
    results, world.ledger.notices = world.ledger.notices, []
    _put_before_a_person(world, ref)
    has(keys.refund(ref, 1), conversation=None)(world)
    _paid_by_hand(world, ref)
    world.disputed.add(ref)
    refused = json.loads(results[0].raw)
    refused["Result"]["ResultCode"] = 2001
    assert world.deliver(replace(results[0], raw=json.dumps(refused).encode())) is Taken.DUPLICATE, "it agrees"
    assert world.deliver(results[0]) is Taken.SETTLED
    assert world.deliver(results[0]) is Taken.DUPLICATE
    assert world.deliver(Notice("result", results[0].token, results[0].raw + b" ")) is Taken.DUPLICATE
    [reason] = doubts(world)
    assert (f"R{ref}-1" in reason, contradicted(world)) == (True, [reason])


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
            _put_before_a_person(there, ref)
            _paid_by_hand(there, ref)
            there.disputed.add(ref)
            if by_notice:
                made = there.ledger.paid_back.pop(f"R{ref}-1")
                there.now += timedelta(minutes=5)
                there.reconcile()
                assert not doubts(there)
                there.ledger.paid_back[made.refund] = made
                told = phonepe_body(None, "pg.refund.completed", merchantRefundId=made.refund)
                assert phonepe(there, told) is Taken.ASKED
                assert phonepe(there, told) is Taken.DUPLICATE
            there.now += timedelta(minutes=5)
            there.reconcile()
            [reason] = doubts(there)
            assert contradicted(there) == [reason]
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
    _put_before_a_person(world, ref)
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
