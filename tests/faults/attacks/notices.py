"""What gateways post, and what others post in their name."""

from __future__ import annotations

import json
from functools import partial

from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.settings import ConfirmWithQuery
from payfirst.usecases.settlement.take_notice import Taken, take_signed_notice
from tests.faults.attacks.registry import attack, one_order, unchanged
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.told import Notice
from tests.faults.world import World


@attack
def a_notice_with_a_token_of_somebody_elses(world: World) -> None:
    started = paid_order(world)
    notice = world.ledger.notices[0]
    token = started.attempt.ref.removeprefix("MT") + "0" * 32
    unchanged(world, lambda: world.deliver(Notice("stk", token, notice.raw)))
    world.deliver_all()
    one_order(world)


@attack
def a_notice_with_the_ids_of_another_push(world: World) -> None:
    paid = paid_order(world)
    payment = world.ledger.payments[paid.attempt.ref]
    open_one = world.initiate(world.session(world.customer()))
    stolen = world.ledger.notices[0].raw
    token = world.ledger.payments[open_one.attempt.ref].token
    assert world.deliver(Notice("stk", token, stolen)) is Taken.ASKED
    only_merchant = json.loads(stolen)
    only_merchant["Body"]["stkCallback"]["CheckoutRequestID"] = world.ledger.payments[open_one.attempt.ref].gateway_id
    assert world.deliver(Notice("stk", token, json.dumps(only_merchant).encode())) is Taken.ASKED
    assert payment.receipt
    assert world.attempt(open_one.attempt.ref).unresolved


@attack
def phonepes_notice_without_its_header(world: World) -> None:
    paid_booking(world)
    raw = world.ledger.notices[0].raw
    credentials = PhonePeCredentials("client", "secret", "1", webhook_username="shop", webhook_password="hook-word")
    for header in (None, "", "0" * 64):
        unchanged(world, partial(take_signed_notice, world.notice_context(), "PHONEPE", header, raw, credentials))


@attack
def phonepes_notice_about_a_payment_that_did_not_end_well(world: World) -> None:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref)
    world.ledger.payments[started.attempt.ref].state = "open"
    world.deliver_all()
    assert not Book.of(world.items()).outcomes
    world.disputed.add(started.attempt.ref)  # it ends as failed, which the notice contradicts


@attack
def a_notice_that_mpesas_query_contradicts(world: World) -> None:
    started = paid_order(world)
    world.confirm = ConfirmWithQuery.ADVISORY
    world.ledger.payments[started.attempt.ref].state = "declined"
    world.disputed.add(started.attempt.ref)
    world.deliver_all()
    world.ledger.payments[started.attempt.ref].state = "paid"
    assert world.attempt(started.attempt.ref).status == "needs_review"


@attack
def a_notice_while_mpesas_query_still_waits(world: World) -> None:
    started = paid_order(world)
    world.confirm = ConfirmWithQuery.STRICT
    world.ledger.payments[started.attempt.ref].state = "open"
    world.deliver_all()
    assert world.attempt(started.attempt.ref).unresolved
    world.ledger.payments[started.attempt.ref].state = "paid"


@attack
def the_same_notice_again(world: World) -> None:
    paid_order(world)
    notice = world.ledger.notices[0]
    world.deliver_all()
    unchanged(world, lambda: world.deliver(notice))


@attack
def something_unreadable(world: World) -> None:
    started = paid_order(world)
    token = world.ledger.payments[started.attempt.ref].token
    for raw in (b"", b"{}", b"x" * 70_000):
        unchanged(world, partial(world.deliver, Notice("stk", token, raw)))


@attack
def a_success_notice_for_what_a_person_decides(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    ref = world.initiate(world.session(world.customer())).attempt.ref
    world.disputed.add(ref)
    world.ledger.pay(ref, receipt="N000000002")
    body = json.loads(world.ledger.notices[0].raw)
    world.deliver_all()
    body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = "N555"
    world.deliver(Notice("stk", world.ledger.payments[ref].token, json.dumps(body).encode()))
    assert world.attempt(ref).status == "needs_review"
