"""Writes about refunds, each against everything that may have come before it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payfirst.domain.errors import RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import RefundStatus
from payfirst.storage import captures, decisions, refunds, refunds_due
from payfirst.storage.decisions import Decision
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Key
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators import review
from tests.faults.attacks.meanwhile import has, kept_back, stopped, to_session, write_of
from tests.faults.attacks.registry import attack
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus, surplus_booking
from tests.faults.seam import Fault
from tests.faults.world import World


def _of(started: Started) -> Key:
    return keys.refund(started.attempt.ref, 1)


@attack
def what_comes_before_a_refund_is_sent(world: World) -> None:
    started = surplus(world)
    start = kept_back(world, refunds, "start_sending", lambda there: there.reconcile())
    stopped(start, {"somebody else sends it": has(_of(started), status="sending")})
    accepted = kept_back(world, refunds, "mark_accepted", lambda there: there.reconcile())
    stopped(accepted, {"its result was faster": has(_of(started), status="refunded")})


@attack
def what_comes_before_a_refund_that_never_left_is_due_again(world: World) -> None:
    started = surplus(world)

    def send(there: World) -> None:
        there.seam.active = True
        there.seam.plan = lambda boundary: Fault.UNSENT if boundary.operation == "reverse" else None
        there.reconcile()

    back = kept_back(world, refunds, "requeue", send)
    stopped(
        back,
        {
            "it was sent": has(_of(started), status="accepted"),
            "somebody else sends it": has(_of(started), token_hash="another"),
        },
    )


@attack
def what_comes_before_a_refund_that_phonepe_does_not_know_is_due_again(world: World) -> None:
    started = surplus_booking(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_REQUEST if boundary.operation == "refund" else None
    world.reconcile()
    world.seam.active, world.seam.plan = False, lambda _: None
    world.now += timedelta(minutes=2)
    back = kept_back(world, refunds, "requeue", lambda there: there.reconcile())
    stopped(
        back,
        {
            "it was taken after all": has(_of(started), status="accepted"),
            "somebody else sends it": has(_of(started), token_hash="another"),
        },
    )


@attack
def what_comes_before_a_refund_is_put_back_on_a_persons_list(world: World) -> None:
    started = surplus_booking(world)
    world.reconcile()
    world.ledger.refuse_status = True
    world.now += timedelta(days=4)
    world.reconcile()
    world.deliver_all()
    back = kept_back(world, refunds, "stays_under_review", lambda there: there.reconcile())
    stopped(back, {"it was paid back by hand": has(_of(started), status="refunded")})
    world.ledger.refuse_status = False


@attack
def what_comes_before_a_refund_is_asked_about(world: World) -> None:
    started = surplus(world)
    world.reconcile()
    results, world.ledger.notices = world.ledger.notices, []
    world.now += timedelta(minutes=2)
    ended = has(_of(started), status="refunded")
    stopped(kept_back(world, refunds, "plan_check", lambda there: there.reconcile()), {"it has ended": ended})
    stopped(kept_back(world, refunds, "expect_answer", lambda there: there.reconcile()), {"it has ended": ended})
    world.ledger.notices += results


@attack
def what_comes_before_the_end_of_a_refund(world: World) -> None:
    started = surplus(world)
    world.reconcile()
    end = kept_back(world, refunds, "end", lambda there: there.deliver_all())
    stopped(
        end,
        {
            **to_session(end.given[0]),
            "a person took it over": has(_of(started), status="needs_review"),
            "somebody else sends it": has(_of(started), token_hash="another"),
        },
    )
    reviewed = end.instead(1, status=RefundStatus.NEEDS_REVIEW).after(has(_of(started), status="needs_review"))
    stopped(reviewed, {"it has ended": has(_of(started), status="refunded")})


@attack
def what_comes_before_the_next_number_of_a_refund(world: World) -> None:
    world.ledger.refuse_refunds = 1
    started = surplus_booking(world)
    world.reconcile()
    world.now += timedelta(minutes=2)
    failed = kept_back(world, refunds, "mark_failed", lambda there: there.reconcile())
    stopped(
        failed,
        {
            **to_session(failed.given[0]),
            "it has ended": has(_of(started), status="refunded"),
            "its next number is there": has(keys.refund(started.attempt.ref, 2)),
        },
    )


@attack
def what_comes_before_a_persons_refund(world: World) -> None:
    started = paid_booking(world)
    world.deliver_all()
    ref, amount = started.attempt.ref, Money(100, Currency.INR)
    key = keys.attempt(ref)

    def give_back(there: World) -> None:
        review.refund_payment(there.table, ref, amount, there.now, by="anna", why="a gesture")

    give = kept_back(world, refunds_due, "give_back", give_back)
    stopped(
        give,
        {
            **to_session(give.given[0]),
            "it has no money": has(key, status="failed"),
            "it is being settled": has(key, next_check_at="2026-03-02T08:00:00Z"),
            "less is left of it": has(key, refundable=99),
            "there is such a refund": has(keys.refund(ref, 1)),
        },
    )


@attack
def what_comes_before_a_remark(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    session = world.read(started.session)
    remark = write_of(world, decisions.close_doubts, session, Decision("anna", "the statement has it"), world.now)
    stopped(remark, to_session(session))


@attack
def a_doubt_that_a_person_closes(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    attempt = world.attempt(started.attempt.ref)
    world.disputed.add(attempt.ref)
    captures.contradiction(world.table, world.read(started.session), attempt.ref, "its gateway took it back", world.now)
    assert _closed(world, attempt.ref) == 1
    with pytest.raises(RefusedError, match="nothing of it is to be resolved"):
        _closed(world, attempt.ref)


def _closed(world: World, ref: str) -> int:
    said = review.resolve(world.notice_context(), ref, paid=None, by="anna", why="a mistake of theirs")
    return said.doubts_closed
