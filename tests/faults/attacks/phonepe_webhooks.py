"""Webhooks in PhonePe's name: what is about nothing of ours, about refunds, repeated, or another merchant's."""

from __future__ import annotations

from datetime import timedelta

from payfirst.domain.refund import refund_id
from payfirst.usecases.settlement.take_notice import Taken, take_signed_notice
from tests.faults.attacks.callbacks import HOOK, OUR_SHOP, calls, failing, found_again, phonepe, phonepe_body
from tests.faults.attacks.registry import attack
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus_booking
from tests.faults.seam import Fault
from tests.faults.world import World


@attack
def phonepes_notices_about_nothing_of_ours(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    theirs = paid_order(world).attempt.ref
    before = world.items()
    assert phonepe(world, phonepe_body(ref) + b" " * 70_000) is Taken.REFUSED
    assert take_signed_notice(world.notice_context(), "PHONEPE", "0" * 64, phonepe_body(ref), HOOK) is Taken.REFUSED
    assert phonepe(world, b"{}") is Taken.UNREADABLE
    assert phonepe(world, phonepe_body(None)) is Taken.UNKNOWN
    assert calls(world, lambda: phonepe(world, phonepe_body(None))) == 0, "there is nothing to look up"
    assert phonepe(world, phonepe_body(ref, "pg.refund.completed")) is Taken.UNKNOWN
    assert phonepe(world, phonepe_body("MT0000000000000")) is Taken.UNKNOWN
    assert phonepe(world, phonepe_body(theirs)) is Taken.UNKNOWN
    assert world.items() == before


@attack
def phonepes_notices_about_refunds(world: World) -> None:
    """They make the next sweep ask, once for each refund that is under way, and nothing else of them counts."""
    refund = refund_id(surplus_booking(world).attempt.ref, 1)

    def told(state: str = "COMPLETED", number: str = refund) -> Taken:
        return phonepe(world, phonepe_body(None, f"pg.refund.{state.lower()}", merchantRefundId=number, state=state))

    assert told() is Taken.DUPLICATE, "it was not sent yet"
    world.reconcile()
    assert told("CONFIRMED") is Taken.UNKNOWN, "it is no end"
    assert told(number="ABC-1") is Taken.UNKNOWN
    assert told(number="RMT0000000000000-1") is Taken.DUPLICATE, "it is nothing of this shop"
    world.now += timedelta(seconds=5)
    assert told("FAILED") is Taken.ASKED
    assert calls(world, told) == 1, "the condition of its one write has failed"
    before = world.items()
    assert told() is Taken.DUPLICATE
    assert world.items() == before
    world.reconcile()
    [ended] = [item for item in world.items() if item.get("refund_id") == refund]
    assert ended["status"] == "refunded", "PhonePe was believed when it was asked, not when it told"
    before = world.items()
    assert told() is Taken.DUPLICATE
    assert world.items() == before


@attack
def phonepes_notice_again(world: World) -> None:
    paid_booking(world)
    notice = world.ledger.notices[0]
    world.deliver_all()
    before = world.items()
    assert world.deliver(notice) is Taken.DUPLICATE
    assert world.items() == before


@attack
def phonepes_notice_for_another_merchant(world: World) -> None:
    for credentials, merchant in ((OUR_SHOP, "OURSHOP"), (OUR_SHOP, None), (HOOK, "ANYBODY")):
        ref = paid_booking(world).attempt.ref
        facts = {} if merchant is None else {"merchantId": merchant}
        assert phonepe(world, phonepe_body(ref, **facts), credentials) is Taken.SETTLED
        assert world.attempt(ref).status == "succeeded"
    customer = world.customer()
    ref = world.process(world.booking_cart(customer), customer).attempt.ref
    assert phonepe(world, phonepe_body(ref, merchantId="THEIRS"), OUR_SHOP) is Taken.ASKED
    assert world.attempt(ref).unresolved, "nothing was collected for anybody"
    world.disputed.add(ref)  # it ends as failed, which that notice contradicts
    world.ledger.merchant = "OURSHOP"
    ref = paid_booking(world).attempt.ref
    assert phonepe(world, phonepe_body(ref, merchantId="THEIRS"), OUR_SHOP) is Taken.SETTLED
    assert world.attempt(ref).status == "succeeded", "PhonePe itself names this shop"
    world.ledger.merchant = None
    ref = paid_booking(world).attempt.ref
    world.disputed.add(ref)
    assert phonepe(world, phonepe_body(ref, merchantId="THEIRS"), OUR_SHOP) is Taken.SETTLED
    assert world.attempt(ref).status == "needs_review"
    world.ledger.notices.clear()


@attack
def phonepes_notice_while_phonepe_cannot_be_asked(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    failing(world, Fault.LOST_REQUEST, "order")
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.ASKED
    found_again(world)
    assert world.attempt(ref).next_check_at == world.now, "PhonePe itself has told of an end"


@attack
def phonepes_notice_while_phonepe_still_waits(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    planned = world.attempt(ref).next_check_at
    world.ledger.payments[ref].state = "open"
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.ASKED
    world.ledger.payments[ref].state = "paid"
    assert world.attempt(ref).next_check_at == planned, "it was asked just now"
