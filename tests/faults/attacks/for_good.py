"""Money of which nothing can be made however often it is tried, and what people decide about it."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from payfirst.domain.errors import InvalidInputError, RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Captured, Declined
from payfirst.storage import attempts, captures, fulfilment, refunds_due
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Key
from payfirst.usecases.operators import review
from payfirst.usecases.settlement.decide import CANNOT_SETTLE, Settlement
from payfirst.usecases.settlement.evidence import Disputed, Scene, Settled
from payfirst.usecases.settlement.settle import settle
from payfirst.usecases.settlement.take_notice import Taken
from tests.faults.attacks.meanwhile import has, kept_back, stopped, to_session
from tests.faults.attacks.registry import attack, one_order, refused
from tests.faults.book import Book
from tests.faults.flows import paid_order
from tests.faults.flows.sweeps import surplus
from tests.faults.seam import Fault
from tests.faults.world import World

UNPAID = Declined("found_unpaid", "Nothing was paid.", retryable=True)
_WHO = {"by": "anna", "why": "seen in the portal"}


def _impossible(world: World) -> str:
    """A captured payment that came before a person because its order is refused for good."""
    ref = paid_order(world).attempt.ref
    world.seam.for_good = True
    world.deliver_all()
    return ref


def _disputed(world: World) -> str:
    ref = paid_order(world).attempt.ref
    world.ledger.notices.clear()
    world.disputed.add(ref)
    assert settle(world.notice_context(), world.attempt(ref), Disputed("another merchant")) is Settled.NEEDS_REVIEW
    return ref


def _doubt(world: World, ref: str) -> Key:
    world.disputed.add(ref)
    session = world.read(world.started[ref].session)
    captures.contradiction(world.table, session, ref, "its gateway took it back", world.now)
    return keys.review(ref, "its gateway took it back")


def _same(world: World, before: list[Item]) -> None:
    assert _without_numbers(world.items()) == _without_numbers(before), "a refusal has changed something"


def _without_numbers(items: list[Item]) -> list[Item]:
    """The day's order numbers may be drawn in vain."""
    return [item for item in items if not item["pk"].startswith("SEQUENCE#")]


@attack
def an_order_that_is_refused_for_good_is_tried_twice_and_then_a_persons(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.seam.active, world.seam.for_good = True, True
    world.deliver_all()
    world.seam.active = False
    attempt = world.attempt(ref)
    assert attempt.status == "needs_review"
    assert attempt.captured == attempt.amount
    assert CANNOT_SETTLE in (attempt.review or "")
    tried = [line for line in world.log.lines if line.startswith("settle.broken")]
    assert len(tried) == 1, "it is tried once more, with everything read anew"


@attack
def trouble_that_passes_brings_no_money_before_a_person(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_REQUEST if boundary.fulfils else None
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.STORED
    world.seam.active, world.seam.plan = False, lambda _: None
    assert world.attempt(ref).status == "succeeded"
    assert settle(world.notice_context(), world.attempt(ref), None) is Settled.FULFILLED
    one_order(world)


@attack
def an_error_without_money_brings_nothing_before_a_person(world: World) -> None:
    ref = world.initiate(world.session(world.customer())).attempt.ref
    before = world.items()
    with patch.object(attempts, "fail", side_effect=OverflowError("a bug")), pytest.raises(OverflowError):
        settle(world.notice_context(), world.attempt(ref), UNPAID)
    _same(world, before)


@attack
def money_that_cannot_even_be_recorded_comes_before_a_person(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.ledger.notices.clear()
    world.disputed.add(ref)
    attempt = world.attempt(ref)
    with patch.object(captures, "money", side_effect=OverflowError("a bug")):
        assert settle(world.notice_context(), attempt, Captured(attempt.amount, None)) is Settled.NEEDS_REVIEW
        with pytest.raises(RefusedError, match="OverflowError"):
            review.resolve(world.notice_context(), ref, paid=True, **_WHO)
    found = world.attempt(ref)
    assert (found.status, found.captured) == ("needs_review", None)


@attack
def recorded_money_of_which_nothing_can_be_made(world: World) -> None:
    ref = _impossible(world)
    work = world.notice_context()
    before = world.items()
    assert settle(work, world.attempt(ref), None) is Settled.NEEDS_REVIEW
    _same(world, before)
    world.seam.for_good = False
    known = Captured(world.attempt(ref).amount, world.ledger.payments[ref].receipt)
    assert settle(work, world.attempt(ref), known) is Settled.NOTHING_TO_DO
    _same(world, before)
    assert settle(work, world.attempt(ref), None) is Settled.FULFILLED
    one_order(world)


@attack
def money_that_is_on_its_way_back_is_not_settled_again(world: World) -> None:
    ref = surplus(world).attempt.ref
    before = world.items()
    assert settle(world.notice_context(), world.attempt(ref), None) is Settled.NOTHING_TO_DO
    _same(world, before)


@attack
def an_open_attempt_of_which_nothing_is_said(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    work, scene = world.notice_context(), Scene(world.read(started.session), None)
    before = world.items()
    assert Settlement(work, world.attempt(started.attempt.ref), scene, None, None, None).run() is Settled.NOTHING_TO_DO
    _same(world, before)


@attack
def a_decision_about_what_nobody_asked_about(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.deliver_all()
    _doubt(world, ref)
    before = world.items()
    for paid in (True, False):
        with pytest.raises(RefusedError, match="only what needs review"):
            review.resolve(world.notice_context(), ref, paid=paid, **_WHO)
    _same(world, before)


@attack
def a_decision_against_money_that_is_here(world: World) -> None:
    ref = _impossible(world)
    _doubt(world, ref)
    work = world.notice_context()
    before = world.items()
    with pytest.raises(RefusedError, match="refund"):
        review.resolve(work, ref, paid=False, **_WHO)
    with pytest.raises(RefusedError, match="Refund it instead"):
        review.resolve(work, ref, paid=True, **_WHO)
    with pytest.raises(InvalidInputError, match="receipt"):
        review.resolve(work, ref, paid=True, receipt="N999", **_WHO)
    refused(lambda: review.refund_payment(world.table, ref, Money(100, Currency.KES), world.now, **_WHO))
    _same(world, before)


@attack
def what_comes_before_a_decision(world: World) -> None:
    ref = _disputed(world)
    doubt, session = _doubt(world, ref), world.read(world.started[ref].session)
    again = {**to_session(session, entries=2), "its doubt was found again": has(doubt, due_sk="2026-03-09T08:00:00Z")}

    def resolve(there: World, *, paid: bool | None) -> None:
        review.resolve(there.notice_context(), ref, paid=paid, **_WHO)

    stopped(kept_back(world, captures, "money", lambda there: resolve(there, paid=True)), again)
    stopped(kept_back(world, attempts, "fail", lambda there: resolve(there, paid=False)), again)
    alone = {name: happening for name, happening in again.items() if "entry 2" not in name}
    stopped(kept_back(world, review, "close_doubts", lambda there: resolve(there, paid=None)), alone)
    resolve(world, paid=True)
    assert not [one for one in Book.of(world.items()).reviews if "due_pk" in one]


@attack
def what_comes_before_an_order_of_money_under_review(world: World) -> None:
    ref = _impossible(world)
    world.seam.for_good = False
    doubt, session = _doubt(world, ref), world.read(world.started[ref].session)
    attempt = keys.attempt(ref)
    before = {
        **to_session(session, entries=2),
        "its doubt was found again": has(doubt, due_sk="2026-03-09T08:00:00Z"),
        "it went back meanwhile": has(attempt, status="refund_due"),
    }
    work = world.notice_context()

    def order(there: World) -> None:
        review.resolve(there.notice_context(), ref, paid=True, **_WHO)

    def give_back(there: World) -> None:
        review.refund_payment(there.table, ref, None, there.now, **_WHO)

    stopped(kept_back(world, fulfilment, "fulfil_order", order), before)
    give = kept_back(world, refunds_due, "refund_due", give_back)
    stopped(give, {**to_session(session, entries=2), "it was fulfilled": has(attempt, status="failed")})
    assert review.resolve(work, ref, paid=True, **_WHO).result == "fulfilled"


@attack
def what_comes_before_recorded_money_is_put_before_a_person(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.seam.for_good = True

    def tell(there: World) -> None:
        there.deliver_all()

    review = kept_back(world, attempts, "review", tell)
    session = review.given[0]
    stopped(review, {**to_session(session), "it goes back": has(keys.attempt(ref), status="refund_due")})
    world.deliver_all()


@attack
def a_parked_payment_is_a_persons_to_decide(world: World) -> None:
    """Each parked form of an attempt: open, failed, and with its money recorded."""
    for paid, ends in ((True, "succeeded"), (False, "failed")):
        started = world.initiate(world.session(world.customer()))
        ref = started.attempt.ref
        world.client.watch, watch = lambda _: None, world.client.watch
        has(keys.attempt(ref), **due_index.due(due_index.REVIEW, keys.attempt(ref), world.now), tries=5)(world)
        if paid:
            world.ledger.pay(ref)
            world.ledger.notices.clear()
        receipt = world.ledger.payments[ref].receipt if paid else None
        review.resolve(world.notice_context(), ref, paid=paid, receipt=receipt, **_WHO)
        assert world.attempt(ref).status == ends
        if not paid:
            has(keys.attempt(ref), **due_index.due(due_index.REVIEW, keys.attempt(ref), world.now), tries=5)(world)
            review.resolve(world.notice_context(), ref, paid=False, **_WHO)
            assert world.attempt(ref).next_check_at is None
        world.client.watch = watch
