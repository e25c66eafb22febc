"""What runs by itself: the schedules, the queue, and refunds on their way."""

from __future__ import annotations

from datetime import timedelta

from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators import review
from tests.faults.flows.base import Act, flow, paid_booking, paid_order, told
from tests.faults.seam import Fault, Killed
from tests.faults.world import World


@flow
def a_sweep_settles_what_no_notice_told(world: World) -> Act:
    paid_order(world)
    paid_booking(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


@flow
def a_sweep_succeeds_with_what_failed_before(world: World) -> Act:
    place = f"ATT#{paid_order(world).attempt.ref}", "ATT"
    world.client.items[place] |= {"tries": {"N": "4"}}
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


@flow
def a_sweep_gives_up_an_attempt_that_never_reached_us(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    payment, ref = world.ledger.payments[started.attempt.ref], started.attempt.ref
    item = dict(world.client.items[f"ATT#{ref}", "ATT"])
    for name in ("gateway_id", "merchant_request_id"):
        del item[name]
    world.client.items[f"ATT#{ref}", "ATT"] = item | {"status": {"S": "unknown"}}
    del payment
    world.now += timedelta(minutes=4)
    return lambda there: there.reconcile()


@flow
def the_queue_settles_an_attempt(world: World) -> Act:
    paid_order(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return lambda there: there.work_queue()


@flow
def a_sweep_settles_a_stored_notice(world: World) -> Act:
    started = paid_order(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.KILLED_AFTER if boundary.operation == "PutItem" else None
    try:
        world.deliver_all()
    except Killed:
        world.seam.active, world.seam.plan = False, lambda _: None
        world.seam.made.clear()
    del started
    world.now += timedelta(minutes=1)
    return lambda there: there.reconcile()


# Refunds


def surplus(world: World) -> Started:
    """A payment whose refund is due: another amount was paid."""
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    return started


def surplus_booking(world: World) -> Started:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    return started


@flow
def mpesa_sends_money_back(world: World) -> Act:
    surplus(world)
    world.now += timedelta(minutes=1)
    return lambda there: there.reconcile()


@flow
def mpesa_refuses_a_reversal(world: World) -> Act:
    surplus(world)
    world.ledger.refuse_reversals = True
    world.now += timedelta(minutes=1)
    return lambda there: there.reconcile()


@flow
def phonepe_tells_of_a_refund(world: World) -> Act:
    surplus_booking(world)
    world.reconcile()
    world.now += timedelta(seconds=5)
    return lambda there: there.deliver_all()


@flow
def phonepe_tells_of_a_refund_that_a_person_has(world: World) -> Act:
    surplus_booking(world)
    world.reconcile()
    world.ledger.refuse_status = True
    world.now += timedelta(days=4)
    world.reconcile()
    world.ledger.refuse_status = False

    def tell_and_sweep(there: World) -> None:
        there.deliver_all()
        there.reconcile()

    return tell_and_sweep


@flow
def mpesa_tells_what_became_of_a_refund_that_a_person_has(world: World) -> Act:
    surplus(world)
    world.reconcile()
    world.now += timedelta(days=4)
    results, world.ledger.notices = world.ledger.notices, []
    world.reconcile()
    world.ledger.notices = results
    return told(world)


@flow
def mpesa_tells_that_money_went_back_which_a_person_has_paid_by_hand(world: World) -> Act:
    ref = surplus(world).attempt.ref
    world.reconcile()
    world.now += timedelta(days=4)
    results, world.ledger.notices = world.ledger.notices, []
    world.reconcile()
    review.resolve_refund(world.table, ref, 1, world.now, by="operator:anna", why="at the counter")
    world.by_hand.add(ref)
    world.disputed.add(ref)
    world.ledger.notices = results
    world.insisted = list(results)  # there is nothing else that M-Pesa could be asked by
    return told(world)


@flow
def a_refund_that_phonepe_does_not_know_is_sent_again(world: World) -> Act:
    surplus_booking(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_REQUEST if boundary.operation == "refund" else None
    world.reconcile()
    world.seam.active, world.seam.plan = False, lambda _: None
    world.seam.made.clear()

    def ask_and_send(there: World) -> None:
        for minutes in (2, 10):
            there.now += timedelta(minutes=minutes)
            there.reconcile()

    return ask_and_send


@flow
def mpesa_is_asked_about_a_refund(world: World) -> Act:
    surplus(world)
    world.reconcile()
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


@flow
def mpesa_tells_what_became_of_a_refund(world: World) -> Act:
    surplus(world)
    world.reconcile()
    return told(world)


@flow
def phonepe_sends_money_back(world: World) -> Act:
    surplus_booking(world)
    world.now += timedelta(minutes=1)
    return lambda there: there.reconcile()


@flow
def phonepe_is_asked_about_a_refund(world: World) -> Act:
    surplus_booking(world)
    world.reconcile()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


@flow
def phonepe_refuses_a_refund(world: World) -> Act:
    world.ledger.refuse_refunds = 1
    surplus_booking(world)
    world.reconcile()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


# Letters


def _letters(world: World) -> None:
    """A booking whose event has left and whose letter is due, and an order whose event has not left yet."""
    world.writes_letters = True
    paid_booking(world)
    world.deliver_all()
    world.deliver_events()
    paid_order(world)
    world.deliver_all()


@flow
def letters_are_written(world: World) -> Act:
    _letters(world)
    return lambda there: there.deliver_events()


@flow
def letters_are_written_as_the_stream_tells_of_them(world: World) -> Act:
    world.hears_news = True
    _letters(world)
    return lambda there: there.tell_of_stream()


@flow
def a_letter_is_refused_and_tried_again(world: World) -> Act:
    _letters(world)
    world.post.refuse = 1
    return lambda there: there.deliver_events()


def _sold_much(world: World) -> None:
    """A booking of which the shop is about to hear, and an order that it has not left yet."""
    world.hears_news = True
    _letters(world)


@flow
def the_shop_hears_of_its_sales(world: World) -> Act:
    _sold_much(world)

    def deliver_twice(there: World) -> None:
        there.deliver_events()
        there.now += timedelta(minutes=6)
        there.deliver_events()

    return deliver_twice


@flow
def news_to_the_shop_is_refused_and_told_later(world: World) -> Act:
    world.hears_news = True
    world.writes_letters = True
    paid_booking(world)
    world.deliver_all()
    world.deliver_events()
    paid_order(world)
    world.deliver_all()
    world.now += timedelta(minutes=6)
    world.post.refuse = 2

    def deliver_twice(there: World) -> None:
        there.deliver_events()
        there.now += timedelta(minutes=6)
        there.deliver_events()

    return deliver_twice
