"""Notices that meet their twins, their sweeps, their contradictions and their own push."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

from payfirst.usecases.settlement.evidence import Disputed
from payfirst.usecases.settlement.settle import settle
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.scenarios.base import (
    initiating,
    outcomes,
    payer,
    reader,
    scenario,
    sweep,
    telling,
)
from tests.faults.stage import Actor
from tests.faults.told import Notice
from tests.faults.world import World


def asked_once(world: World, _: Book) -> Iterator[str]:
    """Whoever comes second finds that the look was taken."""
    if world.faulted:
        return
    yield from (f"{ref} was asked about {count} times" for ref, count in world.ledger.asked.items() if count > 1)


def one_doubt(_: World, book: Book) -> Iterator[str]:
    if len(book.reviews) != 1 or len(book.receipts) != 1:
        yield f"{len(book.receipts)} receipts and {len(book.reviews)} doubts"


@scenario(outcomes(1))
def duplicate_notices(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    notice = world.ledger.notices.pop(0)
    return {"notice": telling(notice), "twin": telling(notice), "status": reader(started.session)}


@scenario(outcomes(1))
def notice_against_sweep(world: World) -> Mapping[str, Actor]:
    paid_order(world)
    world.now += timedelta(minutes=2)
    return {"notice": telling(world.ledger.notices.pop(0)), "sweep": sweep()}


@scenario(outcomes(1))
def booking_notice_against_sweep(world: World) -> Mapping[str, Actor]:
    world.promo("SAVE", 1)
    paid_booking(world, promo="SAVE")
    world.now += timedelta(minutes=2)
    return {"notice": telling(world.ledger.notices.pop(0)), "sweep": sweep()}


@scenario(outcomes(0, 1))
def notice_before_response(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    return {"initiate": initiating(session), "payer": payer(), "status": reader(session)}


@scenario(outcomes(0, 1))
def notice_before_a_lost_response(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    world.ledger.lose_pushes = 1
    return {"initiate": initiating(session), "payer": payer()}


@scenario(outcomes(1))
def contradicting_notices(world: World) -> Mapping[str, Actor]:
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref)
    payment.state = "open"
    world.ledger.pay(payment.ref)
    failure, success = world.ledger.notices
    world.ledger.notices.clear()
    world.insisted = [success]
    world.disputed.add(payment.ref)  # a failure told after the success is a doubt beside it
    return {"failure": telling(failure), "success": telling(success)}


@scenario(outcomes(0, 1))
def doubt_against_success(world: World) -> Mapping[str, Actor]:
    ref = paid_order(world).attempt.ref
    notice = world.ledger.notices.pop(0)
    world.disputed.add(ref)

    def doubting(there: World) -> None:
        settle(there.notice_context(), there.attempt(ref), Disputed("M-Pesa contradicts itself"))

    return {"doubt": Actor(doubting), "success": telling(notice)}


@scenario(one_doubt)
def two_receipts_for_one_payment(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    first, world.ledger.notices = world.ledger.notices[0], []
    world.now += timedelta(minutes=1)
    world.reconcile()
    body = json.loads(first.raw)
    body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = "N999"
    second = Notice("stk", first.token, json.dumps(body).encode())
    world.insisted = [first, second]
    world.disputed.add(started.attempt.ref)
    return {"first": telling(first), "second": telling(second)}


@scenario(asked_once)
def two_looks_at_one_attempt(world: World) -> Mapping[str, Actor]:
    ref = paid_order(world).attempt.ref
    world.ledger.notices.clear()
    world.now += timedelta(minutes=1)
    look = Actor(lambda there: there.look(ref))
    return {"queue": look, "queue-again": look, "sweep": sweep()}
