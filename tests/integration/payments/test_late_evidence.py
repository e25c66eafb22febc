"""What a gateway says when all seems over is never dropped: money that moved a second time is on the list of a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from payfirst.domain.moves import AttemptStatus, RefundStatus
from payfirst.gateways.base import Absent, Declined, NoAnswer, Pending, Refunded, RefundStatusAnswer
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import timeline
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators.review import resolve, resolve_refund
from payfirst.usecases.operators.waiting import stuck
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.refunds.take_result import take_result_notice
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer, new_receipt
from tests.integration.payments.test_refunds import owed_by_mpesa, owed_by_phonepe, result_of, reversal_token, reversing
from tests.integration.payments.test_refunds_in_doubt import rule, status_of

__all__ = ["reversing"]

NO_ANSWER = timedelta(minutes=3)
WHO = {"by": "operator:amina", "why": "the statement shows it"}


def sweep(shop: Shop, after: timedelta = timedelta(0)) -> None:
    shop.now += after
    report = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)
    assert report.failed == 0


def listed(shop: Shop) -> list[str]:
    return [entry.key for entry in stuck(shop.table, shop.now) if entry.what == "needs review"]


def told(shop: Shop, started: Started) -> list[str]:
    events = timeline.read(shop.table, shop.read(started.session))
    return [str(event.facts["reason"]) for event in events if event.name == "payment.contradicted"]


def one_entry(shop: Shop, started: Started, *words: str) -> None:
    """The list has one entry about the payment, which the timeline tells, and which a person ends."""
    assert listed(shop) == [started.attempt.ref]
    [reason] = told(shop, started)
    assert [word for word in words if word not in reason] == []
    assert resolve(shop.notice_context(), started.attempt.ref, paid=None, **WHO).doubts_closed == 1
    assert listed(shop) == []


# Money that went back twice


def _paid_by_hand(shop: Shop, started: Started) -> None:
    for _ in range(12):
        if status_of(shop, started) is RefundStatus.NEEDS_REVIEW:
            break
        sweep(shop, timedelta(hours=7))
    resolve_refund(shop.table, started.attempt.ref, 1, shop.now, **WHO)
    assert status_of(shop, started) is RefundStatus.REFUNDED
    assert listed(shop) == []


def test_a_reversals_success_after_a_person_paid_by_hand_is_put_before_a_person(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    rule(reversing, gateway="mpesa", call="reversal", answer="lost", done=True, times=1)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    token = reversal_token(reversing, started)
    _paid_by_hand(reversing, started)
    raw = result_of(reversing, started)

    assert take_result_notice(reversing.notice_context(), token, raw) is Taken.SETTLED
    assert take_result_notice(reversing.notice_context(), token, raw) is Taken.DUPLICATE
    assert take_result_notice(reversing.notice_context(), token, raw + b" ") is Taken.DUPLICATE

    one_entry(reversing, started, f"R{started.attempt.ref}-1", "by hand", "twice")
    assert take_result_notice(reversing.notice_context(), token, raw) is Taken.DUPLICATE
    assert listed(reversing) == [], "it is told once"


def test_another_amount_that_went_back_after_a_person_paid_by_hand_is_put_before_a_person(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    token = reversal_token(reversing, started)
    take_result_notice(reversing.notice_context(), token, result_of(reversing, started, code=2001))
    _paid_by_hand(reversing, started)

    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started, amount=1.0)) is Taken.SETTLED
    one_entry(reversing, started, "twice")


def test_a_refusal_after_a_person_paid_by_hand_is_no_news(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    rule(reversing, gateway="mpesa", call="reversal", answer="lost", done=False, times=1)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    token = reversal_token(reversing, started)
    _paid_by_hand(reversing, started)

    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started, code=2001)) is Taken.DUPLICATE
    assert listed(reversing) == []


def test_a_reversal_that_seemed_not_to_be_sent_and_was_made_is_not_sent_again(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    rule(reversing, gateway="mpesa", call="reversal", answer="spike_arrest", done=True, times=1)
    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.DUE
    token = reversal_token(reversing, started)

    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started, code=2001)) is Taken.DUPLICATE
    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started)) is Taken.SETTLED

    assert status_of(reversing, started) is RefundStatus.REFUNDED
    assert due_index.REFUND not in reversing.due()


class Saying:
    """PhonePe, which says the same of every refund, as long as nothing else is put into `word`."""

    def __init__(self, shop: Shop, word: RefundStatusAnswer) -> None:
        self.gateway, self.word = shop.gateways["PHONEPE"], word
        shop.gateways["PHONEPE"] = self

    def refund_status(self, *_: object, **__: object) -> RefundStatusAnswer:
        return self.word

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)


MADE = Refunded(None, None)
FAILED = Declined("refund_failed", "It failed.", retryable=True)


def _reviewed_by_phonepe(shop: Shop) -> tuple[Started, Saying]:
    """A refund of which PhonePe says nothing final until a person pays it back."""
    phonepe = Saying(shop, Pending())
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    sweep(shop, timedelta(days=4))
    _paid_by_hand(shop, started)
    return started, phonepe


@pytest.mark.parametrize("first", [Pending(), NoAnswer("away"), MADE])
def test_a_refund_of_phonepes_that_a_person_paid_by_hand_is_asked_about_once_more(
    shop: Shop, first: RefundStatusAnswer
) -> None:
    started, phonepe = _reviewed_by_phonepe(shop)
    phonepe.word = first
    sweep(shop, timedelta(minutes=2))
    phonepe.word = MADE
    sweep(shop, timedelta(minutes=10))

    one_entry(shop, started, f"R{started.attempt.ref}-1", "twice")
    assert shop.due() == {}
    assert status_of(shop, started) is RefundStatus.REFUNDED


@pytest.mark.parametrize("answer", [FAILED, Absent()])
def test_a_refund_that_phonepe_did_not_make_is_asked_about_no_more(shop: Shop, answer: RefundStatusAnswer) -> None:
    started, phonepe = _reviewed_by_phonepe(shop)
    phonepe.word = answer
    sweep(shop, timedelta(minutes=2))
    assert (listed(shop), shop.due(), status_of(shop, started)) == ([], {}, RefundStatus.REFUNDED)


def test_phonepes_notice_about_a_refund_that_a_person_paid_by_hand_is_asked_about(shop: Shop) -> None:
    started, phonepe = _reviewed_by_phonepe(shop)
    refund = f"R{started.attempt.ref}-1"
    for _ in range(10):
        sweep(shop, timedelta(days=1))
    assert shop.due() == {}, "it is asked about for three days, and no longer"
    assert shop.tell_phonepe_refund(refund, "FAILED") is Taken.DUPLICATE, "that is no news"

    assert shop.tell_phonepe_refund(refund) is Taken.ASKED
    assert shop.tell_phonepe_refund(refund) is Taken.DUPLICATE
    sweep(shop)
    phonepe.word = MADE
    sweep(shop, timedelta(minutes=10))

    one_entry(shop, started, refund, "twice")
    assert shop.tell_phonepe_refund(refund) is Taken.DUPLICATE
    assert shop.due() == {}


def test_a_persons_word_about_a_refund_that_its_gateway_paid_is_put_before_a_person_once(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.end_refund(f"R{started.attempt.ref}-1")
    sweep(shop, timedelta(minutes=2))
    for _ in range(2):
        said = resolve_refund(shop.table, started.attempt.ref, 1, shop.now, **WHO)
        assert (said.status, said.by_hand) == (RefundStatus.REFUNDED, False)
        assert str(said.detail).endswith("may have gone back twice")
    events = timeline.read(shop.table, shop.read(started.session))
    assert [event.by for event in events if event.name == "payment.contradicted"] == [WHO["by"]]
    one_entry(shop, started, "was paid back by its gateway", "a person says")
    resolve_refund(shop.table, started.attempt.ref, 1, shop.now, **WHO)
    assert listed(shop) == []


def test_a_notice_that_phonepe_itself_does_not_confirm_puts_nothing_on_the_list(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    Saying(shop, FAILED)
    write(shop.table, Update("refund", keys.refund(started.attempt.ref, 1), set={"status": "needs_review"}))
    resolve_refund(shop.table, started.attempt.ref, 1, shop.now, **WHO)
    assert shop.tell_phonepe_refund(f"R{started.attempt.ref}-1") is Taken.ASKED
    sweep(shop)
    assert (listed(shop), shop.due()) == ([], {})


def test_a_refund_that_failed_and_was_made_all_the_same_is_put_before_a_person(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    write(shop.table, Update("refund", keys.refund(started.attempt.ref, 1), set={"status": "failed", "due_pk": None}))
    Saying(shop, MADE)
    assert shop.tell_phonepe_refund(f"R{started.attempt.ref}-1") is Taken.ASKED
    sweep(shop)
    one_entry(shop, started, "had failed", "twice")


def test_a_refund_that_was_made_and_failed_afterwards_is_put_before_a_person(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.end_refund(f"R{started.attempt.ref}-1")
    sweep(shop, timedelta(minutes=2))
    Saying(shop, FAILED)
    assert shop.tell_phonepe_refund(f"R{started.attempt.ref}-1", "FAILED") is Taken.ASKED
    sweep(shop)
    one_entry(shop, started, "afterwards that it was not")


def test_a_refund_that_was_never_sent_is_not_asked_about(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    write(shop.table, Update("refund", keys.refund(started.attempt.ref, 1), set={"amount": 50}))
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW
    resolve_refund(shop.table, started.attempt.ref, 1, shop.now, **WHO)
    assert shop.due() == {}


def test_an_ended_refund_that_is_taken_up_by_hand_asks_nobody(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.end_refund(f"R{started.attempt.ref}-1")
    sweep(shop, timedelta(minutes=2))
    Saying(shop, FAILED)
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.REFUNDED
    assert listed(shop) == []


# Money that was collected twice


def _succeeded(shop: Shop, started: Started) -> None:
    shop.tell(started, shop.notice(started, receipt="NFIRST0001"))
    assert shop.attempt(started).status is AttemptStatus.SUCCEEDED


def _refund_due(shop: Shop, started: Started) -> None:
    shop.stock(listing=123, price=15000, available="1")
    shop.tell(started, shop.notice(started, receipt="NFIRST0001"))
    assert shop.attempt(started).status is AttemptStatus.REFUND_DUE


def _refunded(shop: Shop, started: Started) -> None:
    _refund_due(shop, started)
    _paid_by_hand(shop, started)


def _needs_review(shop: Shop, started: Started) -> None:
    shop.confirm = ConfirmWithQuery.STRICT
    shop.decide(started, "cancel")
    shop.tell(started, shop.notice(started, receipt="NFIRST0001"))
    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW
    shop.confirm = ConfirmWithQuery.OFF


@pytest.mark.parametrize("second", ["receipt", "amount", "receipt without an amount"])
@pytest.mark.parametrize("before", [_succeeded, _refund_due, _refunded, _needs_review])
def test_a_second_capture_of_one_attempt_is_on_the_list_once(
    shop: Shop, before: Callable[[Shop, Started], None], second: str
) -> None:
    started = shop.initiate(shop.session(new_customer()))
    before(shop, started)
    status = shop.attempt(started).status
    raw = shop.notice(
        started,
        receipt="NFIRST0001" if second == "amount" else "NSECOND001",
        amount="100.00" if second == "amount" else "350.00",
    )
    if second == "receipt without an amount":
        raw = _without_amount(raw)

    for body in (raw, raw, raw + b" "):
        shop.tell(started, body)

    assert shop.attempt(started).status is status
    [reason] = told(shop, started)
    assert ("NFIRST0001" if second == "amount" else "NSECOND001") in reason
    again = [started.attempt.ref] * (2 if status is AttemptStatus.NEEDS_REVIEW else 1)
    assert listed(shop) == again, "the doubt is an entry of its own"
    assert resolve(shop.notice_context(), started.attempt.ref, paid=None, **WHO).doubts_closed == 1
    assert listed(shop) == again[1:]


def _without_amount(raw: bytes) -> bytes:
    body = json.loads(raw)
    metadata = body["Body"]["stkCallback"]["CallbackMetadata"]
    metadata["Item"] = [item for item in metadata["Item"] if item["Name"] != "Amount"]
    return json.dumps(body).encode()


def test_two_captures_after_a_failure_are_one_order_and_one_entry(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.tell(started, shop.notice(started, code=1032))
    assert shop.attempt(started).status is AttemptStatus.FAILED

    shop.tell(started, shop.notice(started, receipt="NFIRST0001"))
    shop.tell(started, shop.notice(started, receipt="NSECOND001"))

    assert shop.attempt(started).status is AttemptStatus.SUCCEEDED
    one_entry(shop, started, "NSECOND001")


def test_captures_after_a_review_that_ended_unpaid_are_one_order_and_one_entry(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    _needs_review(shop, started)
    resolve(shop.notice_context(), started.attempt.ref, paid=False, **WHO)
    assert shop.attempt(started).status is AttemptStatus.FAILED

    shop.tell(started, shop.notice(started, receipt="NSECOND001"))
    assert shop.attempt(started).status is AttemptStatus.SUCCEEDED
    shop.tell(started, shop.notice(started, receipt="NTHIRD0001"))

    one_entry(shop, started, "NTHIRD0001")


def test_a_stored_success_without_an_amount_that_the_query_denies_ends_on_the_list_and_not_in_a_circle(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started, "cancel")
    assert shop.tell(started, _without_amount(shop.notice(started, receipt=new_receipt()))) is Taken.ASKED
    for _ in range(8):
        sweep(shop, timedelta(minutes=2))
    assert listed(shop) == [started.attempt.ref]
    assert due_index.SETTLE not in shop.due()


def test_a_stored_success_without_an_amount_that_the_query_confirms_brings_its_receipt(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    receipt = new_receipt()
    assert shop.tell(started, _without_amount(shop.notice(started, receipt=receipt))) is Taken.ASKED
    for _ in range(4):
        sweep(shop, timedelta(minutes=2))
    assert shop.attempt(started).receipt == receipt
    assert shop.due() == {}
