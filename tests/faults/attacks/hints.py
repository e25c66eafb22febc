"""Notices that are not what they seem, gateways that cannot be asked: what is believed, asked about, kept, thrown away."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

import pytest

from payfirst.domain.clock import Deadline
from payfirst.domain.refund import refund_id
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import keys
from payfirst.usecases.start_attempt import Started
from payfirst.usecases.take_notice import Taken, take_phonepe_notice, take_stk_notice, take_untrusted_stk_notice
from tests.faults.attacks.meanwhile import has
from tests.faults.attacks.registry import attack, declined, one_order
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus_booking
from tests.faults.front import AnsweredError
from tests.faults.gateways import Notice
from tests.faults.seam import Fault
from tests.faults.world import World, at_work

HEADER: Final = sha256(b"shop:hook-word").hexdigest()
HOOK: Final = PhonePeCredentials("client", "client-secret", "1", webhook_username="shop", webhook_password="hook-word")
OUR_SHOP: Final = replace(HOOK, merchant_id="OURSHOP")


def _told(world: World, change: Callable[[dict[str, Any]], None]) -> Notice:
    """The next notice of M-Pesa's, with its result changed; it is not posted as it was."""
    notice = world.ledger.notices.pop(0)
    body = json.loads(notice.raw)
    change(body["Body"]["stkCallback"])
    return replace(notice, raw=json.dumps(body).encode())


def _without_amount(result: dict[str, Any]) -> None:
    result["CallbackMetadata"]["Item"] = [item for item in result["CallbackMetadata"]["Item"] if item["Name"] != "Amount"]


def _calls(world: World, act: Callable[[], Any]) -> int:
    world.seam.active = True
    world.seam.made.clear()
    act()
    world.seam.active = False
    return len(world.seam.made)


# M-Pesa: who says it


@attack
def a_token_that_is_none(world: World) -> None:
    paid_order(world)
    raw = world.ledger.notices[0].raw
    for token in ("", "MT", "0" * 44, "g" * 45, "0" * 46):
        assert _calls(world, partial(take_stk_notice, world.desk(), token, raw)) == 0, "a stranger's guess costs no request"
    assert world.deliver(Notice("stk", "0" * 45, raw)) is Taken.REFUSED


@attack
def a_token_for_an_attempt_of_phonepes(world: World) -> None:
    started = paid_booking(world)
    token = started.attempt.ref.removeprefix("MT") + "0" * 32
    assert world.deliver(Notice("stk", token, b"{}")) is Taken.REFUSED


@attack
def a_body_that_is_far_too_long(world: World) -> None:
    paid_order(world)
    notice = world.ledger.notices[0]
    before = world.items()
    assert world.deliver(replace(notice, raw=notice.raw + b" " * 70_000)) is Taken.REFUSED
    assert world.deliver(replace(notice, raw=b"{}")) is Taken.UNREADABLE
    assert take_untrusted_stk_notice(world.desk(), b"{}") is Taken.UNREADABLE
    assert take_untrusted_stk_notice(world.desk(), notice.raw + b" " * 70_000) is Taken.UNREADABLE
    assert world.items() == before


# M-Pesa: of which push


@attack
def a_checkout_that_is_not_this_push(world: World) -> None:
    paid_order(world)
    notice = _told(world, lambda result: result.update(CheckoutRequestID="ws_CO_other"))
    assert world.deliver(notice) is Taken.ASKED
    assert not Book.of(world.items()).outcomes


def _without_ids(world: World, started: Started) -> None:
    """The answer to the push never came."""
    has(keys.attempt(started.attempt.ref), gateway_id=None, merchant_request_id=None, status="unknown")(world)


@attack
def a_checkout_of_another_push_for_one_whose_answer_was_lost(world: World) -> None:
    other = world.initiate(world.session(world.customer()))
    started = paid_order(world)
    _without_ids(world, started)
    theirs = world.ledger.payments[other.attempt.ref].gateway_id
    notice = world.ledger.notices[0]
    assert world.deliver(_told(world, lambda result: result.update(CheckoutRequestID=theirs))) is Taken.ASKED
    assert not Book.of(world.items()).outcomes
    assert world.deliver(notice) is Taken.SETTLED, "its own checkout, which the answer has brought at the same moment"
    one_order(world)


@attack
def a_checkout_that_nobody_knows_yet(world: World) -> None:
    world.ledger.lose_pushes = 1
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref)
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.SETTLED
    one_order(world)


@attack
def a_checkout_that_the_gateway_has_given_twice(world: World) -> None:
    started = paid_order(world)
    checkout = world.ledger.payments[started.attempt.ref].gateway_id
    has(keys.pointer(keys.hashed(checkout)), ref="MT0000000000000")(world)
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.SETTLED
    one_order(world)


# M-Pesa: whether it is so


@attack
def a_success_without_an_amount(world: World) -> None:
    started = paid_order(world)
    assert world.deliver(_told(world, _without_amount)) is Taken.ASKED
    assert world.attempt(started.attempt.ref).unresolved
    assert world.queue.sent[-1] == started.attempt.ref


@attack
def a_success_that_nobody_has_to_confirm(world: World) -> None:
    started = paid_order(world)
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.SETTLED
    assert world.ledger.asked[started.attempt.ref] == 0


@attack
def a_success_that_the_query_confirms(world: World) -> None:
    for confirm, state in (("strict", "paid"), ("advisory", "paid"), ("advisory", "open")):
        there = world.fork()
        there.confirm = ConfirmWithQuery(confirm)
        with at_work(there):
            ref = paid_order(there).attempt.ref
            there.ledger.payments[ref].state = state
            assert there.deliver(there.ledger.notices.pop(0)) is Taken.SETTLED
        assert there.ledger.asked[ref] == 1


@attack
def a_success_of_which_the_query_knows_nothing_final(world: World) -> None:
    world.confirm = ConfirmWithQuery.STRICT
    started = paid_order(world)
    payment = world.ledger.payments[started.attempt.ref]
    payment.state, payment.code = "declined", "77777"
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.ASKED
    assert world.attempt(payment.ref).unresolved
    payment.state = "paid"


@attack
def a_notice_that_leaves_no_time_to_ask(world: World) -> None:
    world.confirm = ConfirmWithQuery.ADVISORY
    started = paid_order(world)
    notice = world.ledger.notices.pop(0)
    desk = replace(world.desk(), deadline=Deadline(lambda: 0.7))
    assert take_stk_notice(desk, notice.token, notice.raw) is Taken.SETTLED
    assert world.ledger.asked[started.attempt.ref] == 0


# M-Pesa: when all is over


@attack
def a_second_failure(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    ref = started.attempt.ref
    world.ledger.decline(ref)
    raw = world.ledger.notices[0].raw
    world.deliver_all()
    assert world.deliver(Notice("stk", world.ledger.payments[ref].token, raw + b" ")) is Taken.SETTLED
    assert world.attempt(ref).next_check_at is None


@attack
def a_success_without_an_amount_after_a_failure(world: World) -> None:
    for later in (timedelta(seconds=1), timedelta(minutes=20), timedelta(days=2)):
        begun = world.now
        started = world.initiate(world.session(world.customer()))
        ref = declined(world, started)
        world.now += later
        world.ledger.payments[ref].state = "open"
        world.ledger.pay(ref)
        assert world.deliver(_told(world, _without_amount)) is Taken.ASKED
        due = world.attempt(ref).next_check_at
        assert due is not None
        assert world.now < due <= world.now + timedelta(minutes=1), "somebody who knows the token says that money came"
        if later == timedelta(seconds=1):
            assert due == begun + timedelta(seconds=10), "its ladder's own rung comes soon enough"
        world.queue.sent.clear()
        world.deliver_all()
        world.reconcile()


@attack
def a_success_without_an_amount_after_the_money_went_back(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=100)
    notice = world.ledger.notices[0]
    world.deliver_all()
    world.ledger.notices.append(replace(notice, raw=notice.raw + b" "))
    before = world.attempt(started.attempt.ref)
    assert world.deliver(_told(world, _without_amount)) is Taken.SETTLED
    assert world.attempt(started.attempt.ref) == before


@attack
def a_failure_of_which_its_gateway_knows_nothing_is_asked_about_no_more(world: World) -> None:
    customer = world.customer()
    cart = world.booking_cart(customer)
    _failing(world, Fault.LOST_RESPONSE, "pay")
    ref = world.process(cart, customer).attempt.ref
    _found_again(world)
    world.now += timedelta(minutes=4)
    world.reconcile()
    assert world.attempt(ref).status == "failed"
    assert world.attempt(ref).next_check_at is not None
    forgotten = world.ledger.payments.pop(ref)
    world.now += timedelta(minutes=4)
    world.reconcile()
    world.ledger.payments[ref] = forgotten
    assert world.attempt(ref).next_check_at is None


# What is kept


@attack
def a_notice_is_kept_before_it_is_settled(world: World) -> None:
    paid_order(world)
    raw = world.ledger.notices[0].raw
    world.deliver_all()
    (kept,) = Book.of(world.items()).notices
    assert bytes(kept["raw"]) == raw


def _failing(world: World, fault: Fault, *operations: str) -> None:
    world.seam.active = True
    world.seam.plan = lambda boundary: fault if boundary.operation in operations else None


def _found_again(world: World) -> None:
    world.seam.active, world.seam.plan = False, lambda _: None
    world.seam.made.clear()


@attack
def a_notice_that_can_be_neither_kept_nor_settled(world: World) -> None:
    for start in (paid_order, paid_booking):
        start(world)
        _failing(world, Fault.LOST_REQUEST, "PutItem", "TransactWriteItems")
        with pytest.raises(AnsweredError) as answered:
            world.deliver(world.ledger.notices[0])
        assert answered.value.status == HTTPStatus.SERVICE_UNAVAILABLE, "the gateway has to send it again"
        _found_again(world)
        world.deliver_all()


@attack
def a_notice_that_is_kept_and_cannot_be_settled(world: World) -> None:
    paid_order(world)
    _failing(world, Fault.LOST_REQUEST, "TransactWriteItems")
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.STORED
    _found_again(world)


# PhonePe


def _phonepe(world: World, raw: bytes, credentials: PhonePeCredentials = HOOK) -> Taken:
    return take_phonepe_notice(world.desk(), HEADER, raw, credentials)


def _phonepe_body(ref: str | None, event: str = "checkout.order.completed", **facts: str) -> bytes:
    payload = {"state": "COMPLETED", "amount": 51000} | facts | ({} if ref is None else {"merchantOrderId": ref})
    return json.dumps({"event": event, "payload": payload}).encode()


@attack
def phonepes_notices_about_nothing_of_ours(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    theirs = paid_order(world).attempt.ref
    before = world.items()
    assert _phonepe(world, _phonepe_body(ref) + b" " * 70_000) is Taken.REFUSED
    assert take_phonepe_notice(world.desk(), "0" * 64, _phonepe_body(ref), HOOK) is Taken.REFUSED
    assert _phonepe(world, b"{}") is Taken.UNREADABLE
    assert _phonepe(world, _phonepe_body(None)) is Taken.UNKNOWN
    assert _calls(world, lambda: _phonepe(world, _phonepe_body(None))) == 0, "there is nothing to look up"
    assert _phonepe(world, _phonepe_body(ref, "pg.refund.completed")) is Taken.UNKNOWN
    assert _phonepe(world, _phonepe_body("MT0000000000000")) is Taken.UNKNOWN
    assert _phonepe(world, _phonepe_body(theirs)) is Taken.UNKNOWN
    assert world.items() == before


@attack
def phonepes_notices_about_refunds(world: World) -> None:
    """They make the next sweep ask, once for each refund that is under way, and nothing else of them counts."""
    refund = refund_id(surplus_booking(world).attempt.ref, 1)

    def told(state: str = "COMPLETED", number: str = refund) -> Taken:
        return _phonepe(world, _phonepe_body(None, f"pg.refund.{state.lower()}", merchantRefundId=number, state=state))

    assert told() is Taken.DUPLICATE, "it was not sent yet"
    world.reconcile()
    assert told("CONFIRMED") is Taken.UNKNOWN, "it is no end"
    assert told(number="ABC-1") is Taken.UNKNOWN
    assert told(number="RMT0000000000000-1") is Taken.DUPLICATE, "it is nothing of this shop"
    world.now += timedelta(seconds=5)
    assert told("FAILED") is Taken.ASKED
    assert _calls(world, told) == 1, "the condition of its one write has failed"
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
        assert _phonepe(world, _phonepe_body(ref, **facts), credentials) is Taken.SETTLED
        assert world.attempt(ref).status == "succeeded"
    customer = world.customer()
    ref = world.process(world.booking_cart(customer), customer).attempt.ref
    assert _phonepe(world, _phonepe_body(ref, merchantId="THEIRS"), OUR_SHOP) is Taken.ASKED
    assert world.attempt(ref).unresolved, "nothing was collected for anybody"
    world.ledger.merchant = "OURSHOP"
    ref = paid_booking(world).attempt.ref
    assert _phonepe(world, _phonepe_body(ref, merchantId="THEIRS"), OUR_SHOP) is Taken.SETTLED
    assert world.attempt(ref).status == "succeeded", "PhonePe itself names this shop"
    world.ledger.merchant = None
    ref = paid_booking(world).attempt.ref
    world.disputed.add(ref)
    assert _phonepe(world, _phonepe_body(ref, merchantId="THEIRS"), OUR_SHOP) is Taken.SETTLED
    assert world.attempt(ref).status == "needs_review"
    world.ledger.notices.clear()


@attack
def phonepes_notice_while_phonepe_cannot_be_asked(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    _failing(world, Fault.LOST_REQUEST, "order")
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.ASKED
    _found_again(world)
    assert world.attempt(ref).next_check_at == world.now, "PhonePe itself has told of an end"


@attack
def phonepes_notice_while_phonepe_still_waits(world: World) -> None:
    ref = paid_booking(world).attempt.ref
    planned = world.attempt(ref).next_check_at
    world.ledger.payments[ref].state = "open"
    assert world.deliver(world.ledger.notices.pop(0)) is Taken.ASKED
    world.ledger.payments[ref].state = "paid"
    assert world.attempt(ref).next_check_at == planned, "it was asked just now"
