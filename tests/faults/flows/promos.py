"""Promo codes on produce: taken with a session, held by a payment, used up by an order."""

from __future__ import annotations

from tests.faults.flows.base import Act, flow, told
from tests.faults.world import World

CODE = "FRESH"


@flow
def a_session_with_a_promo_code_is_made(world: World) -> Act:
    customer = world.customer()
    world.fill_cart(customer, promo=CODE)
    return lambda there: there.session(customer, fill=False)


@flow
def a_payment_with_a_promo_code_is_initiated(world: World) -> Act:
    session = world.session(world.customer(), promo=CODE)
    return lambda there: there.initiate(session)


@flow
def an_order_with_a_promo_code_is_paid(world: World) -> Act:
    started = world.initiate(world.session(world.customer(), promo=CODE))
    world.ledger.pay(started.attempt.ref)
    return told(world)


@flow
def late_money_finds_a_promo_code_used_up(world: World) -> Act:
    late = world.initiate(world.session(world.customer(), promo=CODE, uses=1))
    payment = world.ledger.payments[late.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    rival = world.initiate(world.session(world.customer(), promo=CODE, uses=1))
    world.ledger.pay(rival.attempt.ref)
    world.deliver_all()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.insisted = [world.ledger.notices[0]]
    return told(world)
