"""What a person does about the cases that no rule can settle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import ContentionError, InvalidInputError, RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, RefundStatus, SessionStatus
from payfirst.storage import captures, timeline
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import get, write
from payfirst.usecases.checkout.initiate_payment import initiate_payment
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators.review import refund_payment, resolve, resolve_refund
from payfirst.usecases.operators.waiting import replay, stuck
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.settlement.settle import settle
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer, new_receipt

NO_ANSWER = timedelta(minutes=3)
WHO = {"by": "operator:amina", "why": "the statement shows it"}


def _under_review(shop: Shop) -> Started:
    """A prompt of which M-Pesa never said what became of it."""
    started = shop.initiate(shop.session(new_customer()))
    for _ in range(30):
        due = shop.attempt(started).next_check_at
        if due is None:
            break
        shop.now = due
        reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))
    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW
    return started


def _resolved(shop: Shop, started: Started, *, paid: bool | None, receipt: str | None = None) -> str:
    return resolve(shop.notice_context(), started.attempt.ref, paid=paid, receipt=receipt, **WHO).result


def test_a_case_under_review_is_listed_until_it_is_resolved(shop: Shop) -> None:
    started = _under_review(shop)
    assert [entry.key for entry in stuck(shop.table, shop.now) if entry.what == "needs review"] == [started.attempt.ref]

    assert _resolved(shop, started, paid=False) == "failed"

    assert shop.due() == {}
    assert shop.read(started.session).status is SessionStatus.FAILED


def test_money_that_a_person_found_becomes_the_order_once(shop: Shop) -> None:
    started = _under_review(shop)
    receipt = new_receipt()

    assert _resolved(shop, started, paid=True, receipt=receipt.lower()) == "fulfilled"
    assert shop.attempt(started).receipt == receipt
    with pytest.raises(RefusedError, match="only what needs review"):
        _resolved(shop, started, paid=True, receipt=receipt)

    session = shop.read(started.session)
    assert session.status is SessionStatus.ORDER_CREATED
    assert len(shop.of_kind(session.customer, keys.ORDER)) == 1
    [said] = [event for event in timeline.read(shop.table, session) if event.name == "operator.resolved"]
    assert (said.by, said.facts["why"]) == ("operator:amina", "the statement shows it")


@pytest.mark.parametrize("typed", [str, str.lower, lambda receipt: f" {receipt[:5]} {receipt[5:]} "])
def test_a_receipt_that_serves_another_payment_is_refused_by_name(shop: Shop, typed: Callable[[str], str]) -> None:
    paid = shop.initiate(shop.session(new_customer()))
    receipt = new_receipt()
    shop.tell(paid, shop.notice(paid, receipt=receipt))
    started = _under_review(shop)

    with pytest.raises(InvalidInputError, match=paid.attempt.ref) as refused:
        _resolved(shop, started, paid=True, receipt=typed(receipt))
    assert [problem.field for problem in refused.value.problems] == ["receipt"]
    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW


def test_of_an_attempt_that_is_not_under_review_nothing_is_to_be_resolved(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    with pytest.raises(RefusedError, match="nothing of it is to be resolved") as refused:
        _resolved(shop, started, paid=None)
    assert refused.value.stable_code == "NOT_UNDER_REVIEW"


def test_a_refund_that_was_paid_by_hand_is_recorded_once(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.stock(listing=123, price=15000, available="1")
    shop.tell(started)
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW

    for _ in range(2):
        refund = resolve_refund(shop.table, started.attempt.ref, 1, shop.now, **WHO)
        assert refund.status is RefundStatus.REFUNDED

    shown = shop.read(started.session).refund
    assert shown is not None
    assert shown.status == "refunded"
    assert shop.due() == {}


def test_a_payment_is_given_back_in_parts_up_to_what_was_captured(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    ref = started.attempt.ref

    first = refund_payment(shop.table, ref, Money(10000, Currency.INR), shop.now, **WHO)
    with pytest.raises(RefusedError, match="under way"):
        refund_payment(shop.table, ref, None, shop.now, **WHO)
    pursue(shop.notice_context(), ref, first.number)
    shop.end_refund(first.refund_id)
    shop.now += timedelta(seconds=91)
    pursue(shop.notice_context(), ref, first.number)
    with pytest.raises(RefusedError, match=r"410\.00 INR"):
        refund_payment(shop.table, ref, Money(41001, Currency.INR), shop.now, **WHO)
    rest = refund_payment(shop.table, ref, None, shop.now, **WHO)

    assert (first.amount.minor, rest.amount.minor) == (10000, 41000)
    assert shop.read(started.session).status is SessionStatus.ORDER_CREATED


def test_what_was_captured_bounds_refunds_even_when_two_people_ask_at_once(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    refund_payment(shop.table, started.attempt.ref, None, shop.now, **WHO)

    [refund] = shop.refunds(started)
    assert refund["amount"] == 51000
    [attempt] = [item for item in shop.items() if item["pk"] == f"ATT#{started.attempt.ref}" and item["sk"] == "ATT"]
    assert attempt["refundable"] == 0


def test_a_failed_case_may_be_tried_again(shop: Shop) -> None:
    started = _under_review(shop)
    _resolved(shop, started, paid=False)
    shop.now = started.session.created_at
    shop.decide(started, "cancel")

    again = initiate_payment(
        shop.given(started.session), None, customer=started.session.customer, context=shop.payment_context()
    )

    assert again.is_new


def test_what_is_still_being_settled_is_not_given_back(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    paid = captures.Collected(started.attempt.amount, new_receipt())
    captures.money(shop.table, shop.read(started.session), shop.attempt(started), paid, shop.now)

    with pytest.raises(ContentionError, match="still being settled"):
        refund_payment(shop.table, started.attempt.ref, None, shop.now, **WHO)

    settle(shop.notice_context(), shop.attempt(started), None)
    assert shop.refunds(started) == []
    assert shop.read(started.session).status is SessionStatus.ORDER_CREATED


def _stored_notice(shop: Shop, started: Started) -> str:
    """PhonePe's notice that came while PhonePe could not be asked: it is stored and waits."""
    hasty = replace(shop.notice_context(), deadline=Deadline(lambda: 0.5))
    assert shop.tell_phonepe(started, context=hasty) is Taken.ASKED
    [notice] = [item for item in shop.items() if item["sk"].startswith(keys.NOTICES)]
    return due_index.name_of(notice)


def test_a_notice_that_is_taken_up_again_and_stays_pending_is_due_after_its_attempts_look(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    notice = _stored_notice(shop, started)
    place = due_index.key_named(notice) or {}
    write(shop.table, Update("notice", place, set={**due_index.due(due_index.REVIEW, place, shop.now), "tries": 5}))

    assert replay(shop.notice_context(), notice, no_answer_after=NO_ANSWER) == "pending"

    kept = get(shop.table, place)
    assert kept is not None
    assert kept["due_pk"].startswith(due_index.SETTLE)
    assert "tries" not in kept


def test_a_notice_that_is_settled_is_left_alone_and_said_to_be(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    notice = _stored_notice(shop, started)
    shop.decide(started)

    assert replay(shop.notice_context(), notice, no_answer_after=NO_ANSWER) == "fulfilled"
    before = shop.items()
    assert replay(shop.notice_context(), notice, no_answer_after=NO_ANSWER) == "this notice is settled; there is nothing to do"
    assert shop.items() == before


def test_a_success_told_during_a_review_stands_beside_it_until_a_person_closes_it(shop: Shop) -> None:
    started = _under_review(shop)
    shop.tell(started, shop.notice(started, receipt="NLATE54321"))
    assert sorted(shop.due()) == [due_index.REVIEW]
    assert len(shop.due()[due_index.REVIEW]) == 2

    assert resolve(shop.notice_context(), started.attempt.ref, paid=None, **WHO).doubts_closed == 1
    with pytest.raises(InvalidInputError, match="No doubt is open"):
        resolve(shop.notice_context(), started.attempt.ref, paid=None, **WHO)

    assert len(shop.due()[due_index.REVIEW]) == 1
