"""Callbacks in M-Pesa's name: who posts them, on which address, of which push, and whether what they say is so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from payfirst.domain.clock import Deadline, instant
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import checks
from payfirst.storage.dynamodb import keys
from payfirst.usecases.refunds.take_result import take_result_notice
from payfirst.usecases.settlement.take_notice import Taken, take_callback, take_untrusted_callback
from tests.faults.attacks.callbacks import calls, changed, without_amount, without_ids
from tests.faults.attacks.meanwhile import gone, has, nothing_comes_of, stopped, write_of
from tests.faults.attacks.registry import attack, one_order
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus
from tests.faults.told import Notice
from tests.faults.world import World, at_work

# M-Pesa: who says it


@attack
def a_token_that_is_none(world: World) -> None:
    paid_order(world)
    raw = world.ledger.notices[0].raw
    for token in ("", "MT", "0" * 44, "g" * 45, "0" * 46):
        assert calls(world, partial(take_callback, world.notice_context(), token, raw)) == 0, (
            "a stranger's guess costs no request"
        )
    assert world.deliver(Notice("stk", "0" * 45, raw)) is Taken.REFUSED


@attack
def a_right_token_from_where_its_gateway_never_calls(world: World) -> None:
    paid_order(world)
    [notice] = world.ledger.notices
    elsewhere = replace(world.notice_context(), sent_by=lambda _: False)
    assert take_callback(elsewhere, notice.token, notice.raw) is Taken.REFUSED
    assert take_untrusted_callback(elsewhere, "MPESA", notice.raw) is Taken.REFUSED
    assert world.deliver(notice) is Taken.SETTLED
    ref = surplus(world).attempt.ref
    world.reconcile()
    [result] = [told for told in world.ledger.notices if told.route == "result"]
    assert take_result_notice(elsewhere, result.token, result.raw) is Taken.REFUSED
    assert world.attempt(ref).gateway == "MPESA"


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
    assert take_untrusted_callback(world.notice_context(), "MPESA", b"{}") is Taken.UNREADABLE
    assert take_untrusted_callback(world.notice_context(), "MPESA", notice.raw + b" " * 70_000) is Taken.UNREADABLE
    assert world.items() == before


# M-Pesa: on the address that anybody can guess

GUESSABLE: Final = "/api/payments/transactions/mpesa_callback/"


@attack
def posts_on_the_guessable_address_ask_for_a_check_where_one_is_due_and_once(world: World) -> None:
    started = paid_order(world)
    raw = world.ledger.notices.pop(0).raw
    forged = raw.replace(started.attempt.gateway_id.encode(), b"ws_CO_forged") if started.attempt.gateway_id else b""
    world.queue.sent.clear()

    def posts(body: bytes) -> tuple[set[str], int]:
        """What three posts are answered, and how many messages come of them."""
        answers = {json.dumps(world.http("POST", GUESSABLE, body=body)) for _ in range(3)}
        messages, world.queue.sent = len(world.queue.sent), []
        return answers, messages

    answers, messages = posts(raw)
    assert messages == 0, "its check is not due yet"
    assert posts(forged) == posts(b"{}") == (answers, 0)
    world.now += timedelta(seconds=12)
    assert posts(raw) == (answers, 1), "however often it is posted"
    world.look(started.attempt.ref)
    one_order(world)
    assert posts(raw) == (answers, 0), "there is nothing to ask any more"
    there = world.fork()
    gone(keys.attempt(started.attempt.ref))(there)
    assert take_untrusted_callback(there.notice_context(), "MPESA", raw) is Taken.NOT_DUE, (
        "what is not there is not told from what is"
    )


@attack
def what_comes_before_a_check_that_is_requested(world: World) -> None:
    started = paid_order(world)
    place, planned = keys.attempt(started.attempt.ref), started.attempt.next_check_at
    assert planned is not None
    requested = write_of(world, checks.request, started.attempt)
    stopped(
        requested,
        {
            "it was requested before": has(place, requested=instant(planned)),
            "the check has been taken": has(place, next_check_at=instant(planned + timedelta(seconds=10))),
        },
    )
    stopped(requested.after(has(place, requested=instant(planned - timedelta(seconds=10)))), {})
    unplanned = replace(started.attempt, next_check_at=None)
    nothing_comes_of(write_of(world, checks.request, unplanned))


# M-Pesa: of which push


@attack
def a_checkout_that_is_not_this_push(world: World) -> None:
    paid_order(world)
    notice = changed(world, lambda result: result.update(CheckoutRequestID="ws_CO_other"))
    assert world.deliver(notice) is Taken.ASKED
    assert not Book.of(world.items()).outcomes


@attack
def a_checkout_of_another_push_for_one_whose_answer_was_lost(world: World) -> None:
    other = world.initiate(world.session(world.customer()))
    started = paid_order(world)
    without_ids(world, started)
    theirs = world.ledger.payments[other.attempt.ref].gateway_id
    notice = world.ledger.notices[0]
    assert world.deliver(changed(world, lambda result: result.update(CheckoutRequestID=theirs))) is Taken.ASKED
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
    assert world.deliver(changed(world, without_amount)) is Taken.ASKED
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
    context = replace(world.notice_context(), deadline=Deadline(lambda: 0.7))
    assert take_callback(context, notice.token, notice.raw) is Taken.SETTLED
    assert world.ledger.asked[started.attempt.ref] == 0
