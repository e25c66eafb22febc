"""Money that changes its column, or its day, in the totals: the invariants hold each of these against the table."""

from __future__ import annotations

from datetime import timedelta

from payfirst.domain.moves import RefundStatus
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators import review
from tests.faults.attacks.registry import attack
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus_booking
from tests.faults.world import World

_WHO = {"by": "anna", "why": "seen in the portal"}
_TOMORROW = timedelta(days=1)


def _of_which_nothing_can_be_made(world: World, started: Started) -> str:
    world.seam.for_good = True
    world.deliver_all()
    assert world.attempt(started.attempt.ref).status == "needs_review"
    return started.attempt.ref


@attack
def money_that_waited_for_a_person_goes_back_the_day_after(world: World) -> None:
    ref = _of_which_nothing_can_be_made(world, paid_order(world))
    world.now += _TOMORROW
    assert review.refund_payment(world.table, ref, None, world.now, **_WHO).status is RefundStatus.DUE


@attack
def money_that_waited_for_a_person_becomes_a_booking_the_day_after(world: World) -> None:
    ref = _of_which_nothing_can_be_made(world, paid_booking(world))
    world.seam.for_good = False
    world.now += _TOMORROW
    assert review.resolve(world.notice_context(), ref, paid=True, **_WHO).result == "fulfilled"


@attack
def a_refund_that_is_refused_the_day_after_is_owed_on_that_day(world: World) -> None:
    surplus_booking(world)
    world.ledger.refuse_refunds = 1
    world.reconcile()
    world.ledger.notices.clear()
    world.now += _TOMORROW
    world.reconcile()
    (first, second) = (item["status"] for item in world.items() if item["sk"].startswith("R#"))
    assert (first, second) == ("failed", "due")
