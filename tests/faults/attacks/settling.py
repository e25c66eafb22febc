"""Settling that meets what somebody else has settled meanwhile, and evidence that says little or contradicts itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from payfirst.domain.attempt import Attempt
from payfirst.domain.errors import InvalidInputError
from payfirst.domain.money import Money
from payfirst.gateways.base import Captured, Declined, NoAnswer, Pending
from payfirst.storage import decisions
from payfirst.storage.decisions import Decision
from payfirst.storage.dynamodb import keys
from payfirst.usecases.settlement.evidence import Disputed, Evidence, Settled
from payfirst.usecases.settlement.settle import prepare, settle
from tests.faults.attacks.meanwhile import gone, has, place_of
from tests.faults.attacks.registry import attack, declined, one_order, unchanged
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.slots import booking_in_a_slot
from tests.faults.seam import Fault, Killed
from tests.faults.world import World

CANCELLED = Declined("cancelled", "Nothing was paid.", retryable=True)
TAKEN_BACK_NOW_AND_THEN = Declined("unrecognised", "Look at your messages.", retryable=False, final=False)


def _settled(world: World, attempt: Attempt, evidence: Evidence | None, **more: Any) -> Settled:
    """Settle by what the gateway says that was asked."""
    world.ledger.asked[attempt.ref] += 1
    return settle(world.notice_context(), attempt, evidence, **more)


def _doubts(world: World) -> Sequence[str]:
    return [str(doubt["reason"]) for doubt in Book.of(world.items()).reviews]


def _transactions(world: World, act: Callable[[], Any]) -> int:
    world.seam.active = True
    world.seam.made.clear()
    act()
    world.seam.active = False
    return sum(call.operation == "TransactWriteItems" for call in world.seam.made)


def _remarked(world: World, ref: str) -> None:
    """Somebody writes something into the session's history."""
    attempt = world.attempt(ref)
    session = world.read(world.started[ref].session)
    decisions.close_doubts(world.table, session, Decision("anna", attempt.ref), world.now)


# What was read is no longer true


@attack
def an_open_attempt_of_which_nobody_knows_anything_stays_open(world: World) -> None:
    ref = world.initiate(world.session(world.customer())).attempt.ref
    unchanged(world, lambda: _is_pending(world, ref))


def _is_pending(world: World, ref: str) -> None:
    assert settle(world.notice_context(), world.attempt(ref), NoAnswer("silence")) is Settled.PENDING


@attack
def an_attempt_that_has_failed_since_it_was_read(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    seen = world.attempt(started.attempt.ref)
    world.ledger.decline(seen.ref)
    world.deliver_all()
    world.ledger.payments[seen.ref].state = "open"
    world.ledger.pay(seen.ref)
    world.ledger.notices.clear()
    paid = world.ledger.payments[seen.ref]
    made = _transactions(world, lambda: _settled(world, seen, Captured(seen.amount, paid.receipt)))
    assert made == 3, "once in vain, late money that is honoured, and its order"
    one_order(world)


@attack
def an_attempt_that_has_succeeded_since_it_was_read(world: World) -> None:
    started = paid_order(world)
    seen = world.attempt(started.attempt.ref)
    world.deliver_all()
    paid = world.ledger.payments[seen.ref]
    assert _settled(world, seen, Captured(seen.amount, paid.receipt)) is Settled.NOTHING_TO_DO
    assert not _doubts(world)
    one_order(world)


@attack
def a_session_that_has_changed_since_it_was_read(world: World) -> None:
    ref = paid_order(world).attempt.ref
    work, attempt = world.notice_context(), world.attempt(ref)
    prepared = prepare(work, attempt)
    _remarked(world, ref)
    captured = Captured(attempt.amount, world.ledger.payments[ref].receipt)
    made = _transactions(world, lambda: _settled(world, attempt, captured, prepared=prepared))
    assert made == 3, "once in vain, the money, and its order"
    one_order(world)
    world.deliver_all()


@attack
def a_session_that_has_changed_since_late_money_was_looked_at(world: World) -> None:
    ref = declined(world, world.initiate(world.session(world.customer())))
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref)
    world.ledger.notices.clear()
    work, attempt = world.notice_context(), world.attempt(ref)
    prepared = prepare(work, attempt)
    _remarked(world, ref)
    made = _transactions(world, lambda: _settled(world, attempt, Captured(attempt.amount, "N1"), prepared=prepared))
    world.ledger.payments[ref].receipt = "N1"
    assert made == 3, "once in vain, the late money, and its order"
    one_order(world)


@attack
def a_session_that_has_changed_since_its_money_was_recorded(world: World) -> None:
    ref = _recorded(world)
    work, attempt = world.notice_context(), world.attempt(ref)
    prepared = prepare(work, attempt)
    _remarked(world, ref)
    assert settle(work, attempt, None, prepared=prepared) is Settled.FULFILLED
    one_order(world)


def _recorded(world: World) -> str:
    """A payment that is recorded, and not fulfilled yet: the function that did it was killed in between."""
    started = paid_order(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.KILLED_AFTER if boundary.operation == "TransactWriteItems" else None
    with pytest.raises(Killed):
        world.deliver(world.ledger.notices.pop(0))
    world.seam.active, world.seam.plan = False, lambda _: None
    world.seam.made.clear()
    return started.attempt.ref


@attack
def money_that_was_recorded_and_left(world: World) -> None:
    ref = _recorded(world)
    assert _settled(world, world.attempt(ref), None) is Settled.FULFILLED
    one_order(world)


@attack
def a_phone_that_is_not_held_any_more(world: World) -> None:
    started = paid_order(world)
    lock = world.attempt(started.attempt.ref).phone_lock
    has(keys.phone(lock or ""), attempt=None)(world)
    # The notice alone is settled: until then the shop's books are not in order, as somebody's mistake has left them.
    world.client.watch = lambda _: None
    world.deliver_all()
    one_order(world)


@attack
def an_attempt_or_a_session_that_is_gone(world: World) -> None:
    started = paid_order(world)
    seen = world.attempt(started.attempt.ref)
    captured = Captured(seen.amount, "N000000001")
    there = world.fork()
    gone(place_of(started.session))(there)
    with pytest.raises(LookupError, match="the session of"):
        _settled(there, seen, captured)
    there = world.fork()
    gone(keys.attempt(seen.ref))(there)
    with pytest.raises(LookupError, match="the attempt"):
        _settled(there, seen, captured)


# Evidence


@attack
def a_receipt_that_two_notices_bring_at_once(world: World) -> None:
    ref = paid_order(world).attempt.ref
    notices, world.ledger.notices = world.ledger.notices, []
    world.now += timedelta(minutes=1)
    world.reconcile()
    seen = world.attempt(ref)
    world.deliver(notices[0])
    captured = Captured(seen.amount, world.ledger.payments[ref].receipt)
    assert _settled(world, seen, captured) is Settled.NOTHING_TO_DO
    assert not _doubts(world), "its own receipt is no other's"


@attack
def the_same_success_in_other_words(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.deliver_all()
    attempt, receipt = world.attempt(ref), world.ledger.payments[ref].receipt
    for evidence in (Captured(attempt.amount, receipt), Captured(None, None), Captured(attempt.amount, None), None, Pending()):
        assert _settled(world, attempt, evidence) is Settled.NOTHING_TO_DO
    assert not _doubts(world)


@attack
def another_amount_than_before(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.deliver_all()
    attempt = world.attempt(ref)
    world.disputed.add(ref)
    other = Captured(Money(attempt.amount.minor + 100, attempt.amount.currency), None)
    assert _settled(world, attempt, other) is Settled.NOTHING_TO_DO
    assert len(_doubts(world)) == 1


@attack
def a_failure_after_the_success(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.deliver_all()
    attempt = world.attempt(ref)
    assert _settled(world, attempt, TAKEN_BACK_NOW_AND_THEN) is Settled.NOTHING_TO_DO
    assert not _doubts(world), "its gateway may take that word back"
    world.disputed.add(ref)
    assert _settled(world, attempt, CANCELLED) is Settled.NOTHING_TO_DO
    assert len(_doubts(world)) == 1
    assert _settled(world, attempt, Disputed("collected for another merchant")) is Settled.NOTHING_TO_DO
    assert world.attempt(ref).status == "succeeded"
    one_order(world)


@attack
def a_dispute_after_the_success(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.deliver_all()
    world.disputed.add(ref)
    assert _settled(world, world.attempt(ref), Disputed("collected for another merchant")) is Settled.NOTHING_TO_DO
    assert len(_doubts(world)) == 1


@attack
def a_success_while_a_person_decides(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    ref = world.initiate(world.session(world.customer())).attempt.ref
    world.disputed.add(ref)
    world.ledger.pay(ref, receipt="N000000002")
    world.deliver_all()
    attempt = world.attempt(ref)
    assert attempt.status == "needs_review"
    assert not _doubts(world), "what was in the way is the reason for its review already"
    assert _settled(world, attempt, Pending()) is Settled.NOTHING_TO_DO
    assert not _doubts(world)
    assert _settled(world, attempt, Captured(attempt.amount, "N555")) is Settled.NOTHING_TO_DO
    assert len(_doubts(world)) == 1
    assert world.attempt(ref).status == "needs_review"


@attack
def a_decision_for_a_receipt_that_serves_another(world: World) -> None:
    other = paid_order(world).attempt.ref
    world.deliver_all()
    ref = _disputed_order(world)
    attempt, decided = world.attempt(ref), replace(world.notice_context(), decision=Decision("anna", "seen"))
    with pytest.raises(InvalidInputError, match=other):
        settle(decided, attempt, Captured(attempt.amount, world.ledger.payments[other].receipt))
    assert world.attempt(ref).status == "needs_review"


@attack
def a_decision_that_says_nothing(world: World) -> None:
    ref = _disputed_order(world)
    attempt, decided = world.attempt(ref), replace(world.notice_context(), decision=Decision("anna", "seen"))
    assert settle(decided, attempt, Pending()) is Settled.NOTHING_TO_DO
    assert world.attempt(ref).status == "needs_review"


@attack
def a_decision_that_nothing_was_paid(world: World) -> None:
    ref = _disputed_order(world)
    world.ledger.payments[ref].state = "declined"
    attempt, decided = world.attempt(ref), replace(world.notice_context(), decision=Decision("anna", "seen"))
    assert settle(decided, attempt, CANCELLED) is Settled.FAILED
    assert world.attempt(ref).status == "failed"


def _disputed_order(world: World) -> str:
    ref = paid_order(world).attempt.ref
    world.ledger.notices.clear()
    world.disputed.add(ref)
    assert _settled(world, world.attempt(ref), Disputed("collected for another merchant")) is Settled.NEEDS_REVIEW
    return ref


# Whether it is looked at again


@attack
def a_failure_that_may_be_taken_back_is_looked_at_again(world: World) -> None:
    refs = [world.initiate(world.session(world.customer())).attempt.ref for _ in range(3)]
    later = (7, world.now + timedelta(minutes=5))
    assert _settled(world, world.attempt(refs[0]), CANCELLED) is Settled.FAILED
    assert world.attempt(refs[0]).next_check_at is None
    assert _settled(world, world.attempt(refs[1]), TAKEN_BACK_NOW_AND_THEN) is Settled.FAILED
    assert world.attempt(refs[1]).next_check_at == world.now + timedelta(seconds=10)
    assert _settled(world, world.attempt(refs[2]), TAKEN_BACK_NOW_AND_THEN, check=later) is Settled.FAILED
    assert world.attempt(refs[2]).next_check_at == later[1]


@attack
def a_failure_after_a_failure(world: World) -> None:
    ref = declined(world, world.initiate(world.session(world.customer())))
    world.now += timedelta(seconds=10)
    world.reconcile()  # its gateway confirms the failure
    attempt = world.attempt(ref)
    for evidence in (CANCELLED, TAKEN_BACK_NOW_AND_THEN, None):
        assert _settled(world, attempt, evidence) is Settled.NOTHING_TO_DO
    assert world.attempt(ref).next_check_at is None


# What the money becomes


@attack
def a_booking_takes_no_number_of_the_day(world: World) -> None:
    paid_booking(world)
    world.deliver_all()
    (booking,) = Book.of(world.items()).outcomes
    assert str(booking["book_id"]).startswith("BK")
    assert not [item for item in world.items() if item["pk"].startswith("SEQUENCE")]


@attack
def money_that_goes_back_takes_no_number_of_the_day(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=100)
    world.deliver_all()
    attempt = world.attempt(started.attempt.ref)
    assert attempt.status == "refund_due"
    before = world.items()
    assert prepare(world.notice_context(), attempt).sequence is None
    assert world.items() == before


@attack
def late_money_for_a_slot_that_is_full(world: World) -> None:
    started = booking_in_a_slot(world)
    world.ledger.notices.clear()
    ref = started.attempt.ref
    world.ledger.payments[ref].state = "open"
    declined(world, started)
    slot = started.attempt.held_slot
    assert slot is not None
    rivals = [booking_in_a_slot(world) for _ in range(2)]
    world.deliver_all()
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref)
    world.deliver_all()
    assert len(Book.of(world.items()).outcomes) == len(rivals)
    assert Book.of(world.items()).refunds[ref][0]["reason"] == "slot_taken"


@attack
def late_money_in_another_amount(world: World) -> None:
    ref = declined(world, world.initiate(world.session(world.customer())))
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref, amount=100)
    world.deliver_all()
    assert not Book.of(world.items()).outcomes
    assert world.attempt(ref).status == "refund_due"
