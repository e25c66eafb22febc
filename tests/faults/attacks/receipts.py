"""Receipts that come late, come twice, or serve another payment; money in another amount or currency than was asked for."""

from __future__ import annotations

import json
from datetime import timedelta

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Captured
from payfirst.usecases.settlement.settle import settle
from tests.faults.attacks.registry import attack, declined, late, one_order
from tests.faults.book import Book
from tests.faults.flows import paid_order
from tests.faults.told import Notice
from tests.faults.world import World


@attack
def a_receipt_that_serves_another_payment(world: World) -> None:
    first, second = world.initiate(world.session(world.customer())), world.initiate(world.session(world.customer()))
    world.ledger.pay(first.attempt.ref, receipt="N777")
    world.deliver_all()
    world.ledger.pay(second.attempt.ref, receipt="N777")
    world.disputed.add(second.attempt.ref)
    world.deliver_all()
    assert world.attempt(second.attempt.ref).status == "needs_review"


@attack
def a_second_receipt_for_one_payment(world: World) -> None:
    started = paid_order(world)
    world.disputed.add(started.attempt.ref)
    body = json.loads(world.ledger.notices[0].raw)
    world.deliver_all()
    body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = "N999"
    world.deliver(Notice("stk", world.ledger.payments[started.attempt.ref].token, json.dumps(body).encode()))
    assert len(Book.of(world.items()).reviews) == 1


@attack
def a_receipt_that_comes_after_the_query(world: World) -> None:
    started = paid_order(world)
    world.now += timedelta(minutes=1)
    notices, world.ledger.notices = world.ledger.notices, []
    world.reconcile()
    assert world.attempt(started.attempt.ref).receipt is None
    world.deliver(notices[0])
    assert world.attempt(started.attempt.ref).receipt is not None


@attack
def a_receipt_that_comes_after_the_query_and_serves_another(world: World) -> None:
    first = paid_order(world)
    world.deliver_all()
    second = world.initiate(world.session(world.customer()))
    world.ledger.pay(second.attempt.ref, receipt=world.attempt(first.attempt.ref).receipt)
    notices, world.ledger.notices = world.ledger.notices, []
    world.now += timedelta(minutes=1)
    world.reconcile()
    world.disputed.add(second.attempt.ref)
    world.deliver(notices[0])
    assert len(Book.of(world.items()).reviews) == 1


@attack
def late_money_with_a_receipt_that_serves_another(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    ref = declined(world, world.initiate(world.session(world.customer())))
    world.disputed.add(ref)
    late(world, ref, receipt="N000000002")
    assert world.attempt(ref).status == "needs_review"
    one_order(world)


@attack
def another_amount_with_a_receipt_that_serves_another(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    ref = world.initiate(world.session(world.customer())).attempt.ref
    world.disputed.add(ref)
    world.ledger.pay(ref, receipt="N000000002", amount=100)
    world.deliver_all()
    assert world.attempt(ref).status == "needs_review"


@attack
def a_refund_whose_receipt_never_comes(world: World) -> None:
    world.stock("2")
    first, second = paid_order(world), paid_order(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=1)
    world.reconcile()
    one_order(world)
    assert len(Book.of(world.items()).refunds) == 1, (first.attempt.ref, second.attempt.ref)


@attack
def money_in_another_currency(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    ref = started.attempt.ref
    world.ledger.payments[ref].state = "paid"
    world.disputed.add(ref)
    amount = Money(started.attempt.amount.minor, Currency.INR)
    settle(world.notice_context(), world.attempt(ref), Captured(amount, "N888"))
    assert world.attempt(ref).status == "needs_review"
