"""Refunds, and people who decide while gateways and sweeps do too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from payfirst.settings import ConfirmWithQuery
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.scenarios.base import (
    outcomes,
    paid_is_served,
    scenario,
    sweep,
    telling,
)
from tests.faults.seam import Fault, Killed
from tests.faults.stage import Actor
from tests.faults.world import World


@scenario(outcomes(1))
def refund_against_late_fulfil(world: World) -> Mapping[str, Actor]:
    world.stock("2")
    paid_order(world)
    first = world.ledger.notices.pop(0)
    world.seam.active = True
    world.seam.plan = lambda _: Fault.KILLED_AFTER if _is_money(world) else None
    try:
        world.deliver(first)
    except Killed:
        world.seam.active, world.seam.plan = False, lambda _: None
        world.seam.made.clear()
    paid_order(world)
    world.now += timedelta(minutes=1)
    return {"rival": telling(world.ledger.notices.pop(0)), "twin": telling(first), "sweep": sweep()}


def _is_money(world: World) -> bool:
    return world.seam.made[-1].operation == "TransactWriteItems"


@scenario(outcomes(0))
def two_sweeps_of_one_refund(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.ledger.refuse_refunds = 1
    world.deliver_all()
    world.disputed.add(started.attempt.ref)
    return {"sweep": sweep(), "other": sweep(timedelta(minutes=2))}


@scenario(outcomes(0))
def refund_result_against_sweep(world: World) -> Mapping[str, Actor]:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    world.reconcile()
    return {"result": telling(world.ledger.notices.pop(0)), "sweep": sweep(timedelta(minutes=2))}


@scenario(outcomes(0))
def refund_result_against_its_ladders_end(world: World) -> Mapping[str, Actor]:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    world.reconcile()
    return {"sweep": sweep(timedelta(days=5)), "result": telling(world.ledger.notices.pop(0))}


@scenario(outcomes(0))
def a_refused_refund_is_asked_about_twice(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.ledger.refuse_refunds = 1
    world.deliver_all()
    world.reconcile()

    def twice(there: World) -> None:
        for minutes in (2, 4):
            sweep(timedelta(minutes=minutes)).work(there)

    return {"slow": sweep(timedelta(minutes=2)), "quick": Actor(twice)}


def one_refund(world: World, book: Book) -> Iterator[str]:
    """A part goes back once, however often it is sent."""
    yield from outcomes(1)(world, book)
    if len(world.ledger.paid_back) > 1:
        yield f"it was paid back as {' and '.join(world.ledger.paid_back)}"


@scenario(one_refund)
def a_part_is_sent_slowly_and_asked_about_meanwhile(world: World) -> Mapping[str, Actor]:
    started = paid_booking(world)
    world.deliver_all()
    ref = started.attempt.ref
    world.given_back.add(ref)
    world.operate("POST", f"/api/operators/payments/{ref}/refund/", {"amount": "1.00", "why": "a gesture"})

    def again_and_again(there: World) -> None:
        for minutes in (2, 10, 12):
            sweep(timedelta(minutes=minutes)).work(there)

    return {"slow": sweep(), "quick": Actor(again_and_again)}


@scenario(outcomes(1))
def two_people_give_money_back(world: World) -> Mapping[str, Actor]:
    started = paid_booking(world)
    world.deliver_all()
    ref = started.attempt.ref
    world.given_back.add(ref)

    def give(there: World) -> None:
        there.operate("POST", f"/api/operators/payments/{ref}/refund/", {"why": "a gesture"})

    return {"one": Actor(give), "other": Actor(give)}


@scenario(paid_is_served)
def person_against_gateway(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    payment = world.ledger.payments[started.attempt.ref]
    notice = world.ledger.notices.pop(0)
    world.confirm, payment.state = ConfirmWithQuery.STRICT, "declined"
    world.deliver(notice)
    world.confirm, payment.state = ConfirmWithQuery.OFF, "paid"
    world.disputed.add(payment.ref)

    def resolve(there: World) -> None:
        found = {"found": "paid", "receipt": payment.receipt, "why": "the statement has it"}
        there.operate("POST", f"/api/operators/payments/{payment.ref}/resolve/", found)

    return {"person": Actor(resolve), "colleague": Actor(resolve), "sweep": sweep(timedelta(minutes=2))}
