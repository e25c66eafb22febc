"""What gateways tell: successes and failures, late, doubled, and with another amount."""

from __future__ import annotations

from datetime import timedelta

from payfirst.settings import ConfirmWithQuery
from tests.faults.flows.base import Act, flow, paid_booking, paid_order, told
from tests.faults.world import World


@flow
def mpesa_tells_of_a_success(world: World) -> Act:
    paid_order(world)
    return told(world)


@flow
def mpesa_tells_of_a_success_that_its_query_confirms(world: World) -> Act:
    paid_order(world)
    world.confirm = ConfirmWithQuery.STRICT
    return told(world)


@flow
def mpesa_tells_of_a_failure(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    world.ledger.decline(started.attempt.ref)
    return told(world)


@flow
def mpesa_tells_on_the_guessable_address(world: World) -> Act:
    paid_order(world)
    raw = world.ledger.notices.pop(0).raw
    world.now += timedelta(minutes=1)
    return lambda there: there.http("POST", "/api/payments/transactions/mpesa_callback/", body=raw)


@flow
def phonepe_tells_of_a_success(world: World) -> Act:
    world.promo("SAVE", 5)
    paid_booking(world, promo="SAVE")
    return told(world)


@flow
def phonepe_tells_of_a_failure(world: World) -> Act:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.decline(started.attempt.ref)
    return told(world)


@flow
def money_comes_for_what_is_sold_out(world: World) -> Act:
    world.stock("3")
    first, second = paid_order(world), paid_order(world)
    world.deliver(world.ledger.notices.pop(0))
    del first, second
    return told(world)


@flow
def money_comes_late(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.insisted = [world.ledger.notices[0]]
    return told(world)


@flow
def money_comes_twice(world: World) -> Act:
    first = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[first.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    second = world.initiate(world.read(first.session))
    world.ledger.pay(second.attempt.ref)
    world.deliver_all()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.insisted = [world.ledger.notices[0]]
    return told(world)


@flow
def another_amount_is_paid(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=100)
    world.disputed.add(started.attempt.ref)
    return told(world)


@flow
def mpesa_tells_of_a_failure_that_it_may_take_back(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref, "77777")
    payment.state = "open"
    return told(world)
