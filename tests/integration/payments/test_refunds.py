"""Money that cannot stay goes back once, by the gateway or by a person."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import requests

from local.ports import free_port
from payfirst.domain.moves import RefundStatus
from payfirst.gateways.base import StoredToken
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import refunds
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.refunds.take_result import take_result_notice
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import PASSKEY, Shop, new_customer, new_receipt
from tests.unit.gateways.shared_tokens import MemoryTokenStore


def owed_by_phonepe(shop: Shop) -> Started:
    """A puja that was paid although its promo code had been used up meanwhile."""
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    write(
        shop.table,
        Update("attempt", keys.attempt(started.attempt.ref), set={"amount": started.attempt.amount.minor + 100}),
    )
    shop.tell_phonepe(started)
    assert [refund["status"] for refund in shop.refunds(started)] == ["due"]
    return started


def owed_by_mpesa(shop: Shop) -> Started:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    seen = requests.get(f"{shop.simulators}/control/attempts", timeout=10).json()
    receipt = next(entry["receipt"] for entry in seen if entry["ref"] == started.attempt.gateway_id)
    shop.stock(listing=123, price=15000, available="1")
    shop.confirm = ConfirmWithQuery.ADVISORY
    shop.tell(started, shop.notice(started, receipt=receipt))
    shop.confirm = ConfirmWithQuery.OFF
    assert [refund["status"] for refund in shop.refunds(started)] == ["due"]
    return started


def _status(shop: Shop, started: Started, number: int = 1) -> RefundStatus:
    refund = refunds.read(shop.table, started.attempt.ref, number)
    assert refund is not None
    return refund.status


def test_phonepe_pays_back_once(shop: Shop) -> None:
    started = owed_by_phonepe(shop)

    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.ACCEPTED
    shop.end_refund(f"R{started.attempt.ref}-1")
    shop.now += timedelta(seconds=91)
    report = reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))

    assert report.settled == {"refund_refunded": 1}
    shown = shop.read(started.session).refund
    assert shown is not None
    assert shown.status == "refunded"
    assert shop.due() == {}


def test_phonepes_notice_of_a_refund_lets_the_next_sweep_ask_and_proves_nothing_itself(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    refund_id = f"R{started.attempt.ref}-1"
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.now += timedelta(hours=2)
    reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))
    assert _status(shop, started) is RefundStatus.ACCEPTED, "it is open at PhonePe, and the next rung is hours away"

    assert shop.tell_phonepe_refund(refund_id) is Taken.ASKED
    assert shop.tell_phonepe_refund(refund_id) is Taken.DUPLICATE
    reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))
    assert _status(shop, started) is RefundStatus.ACCEPTED, "PhonePe itself does not say so"


def test_a_refund_that_ends_after_hours_is_shown_with_the_sweep_after_its_notice(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    refund_id = f"R{started.attempt.ref}-1"
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.now += timedelta(hours=2)
    reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))
    shop.end_refund(refund_id)

    assert shop.tell_phonepe_refund(refund_id) is Taken.ASKED
    reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))
    assert _status(shop, started) is RefundStatus.REFUNDED
    assert shop.tell_phonepe_refund(refund_id) is Taken.DUPLICATE
    assert shop.due() == {}


def test_a_refund_that_phonepe_refused_is_tried_under_the_next_number(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.end_refund(f"R{started.attempt.ref}-1", "fail")
    shop.now += timedelta(seconds=91)

    pursue(shop.notice_context(), started.attempt.ref, 1)

    assert _status(shop, started, 1) is RefundStatus.FAILED
    assert _status(shop, started, 2) is RefundStatus.DUE
    shown = shop.read(started.session).refund
    assert shown is not None
    assert shown.status == "due"


def test_two_workers_send_one_refund(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    refund = refunds.read(shop.table, started.attempt.ref, 1)
    assert refund is not None

    pursue(shop.notice_context(), started.attempt.ref, 1)
    pursue(shop.notice_context(), started.attempt.ref, 1)

    ledger = requests.get(f"{shop.simulators}/control/ledger", timeout=10).json()
    [captured] = [entry for entry in ledger if entry["ref"] == started.attempt.ref]
    assert len(captured["refunds"]) == 1


def test_mpesa_without_an_initiator_goes_to_a_person_with_the_steps(shop: Shop) -> None:
    started = owed_by_mpesa(shop)

    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW

    [refund] = shop.refunds(started)
    assert "initiator" in refund["detail"]
    assert "payfirst" not in refund["detail"]
    read = refunds.read(shop.table, started.attempt.ref, 1)
    assert read is not None
    assert read.to_do == f"Pay back {read.amount} KES for receipt {refund['receipt']} in the gateway's own portal"
    assert list(shop.due()) == [due_index.REVIEW]


def test_a_reversal_waits_for_its_receipt(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    shop.stock(listing=123, price=15000, available="1")
    shop.now += timedelta(seconds=11)
    reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3))

    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.DUE

    receipt = new_receipt()
    shop.tell(started, shop.notice(started, receipt=receipt))
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW
    [refund] = shop.refunds(started)
    assert refund["receipt"] == receipt


@pytest.fixture
def reversing(shop: Shop) -> Shop:
    """A shop whose M-Pesa account may reverse."""
    credentials = MpesaCredentials("key", "secret", "174379", PASSKEY, initiator_name="testapi", security_credential="c2VjcmV0")
    shop.gateways["MPESA"] = Mpesa(credentials, f"{shop.simulators}/mpesa", None, "tests")
    return shop


def _reversals(shop: Shop, started: Started) -> int:
    """How many reversals of this payment M-Pesa has been asked for."""
    ledger = requests.get(f"{shop.simulators}/control/ledger", timeout=10).json()
    [captured] = [entry for entry in ledger if entry["ref"] == started.attempt.gateway_id]
    return len(captured["refunds"])


def _unreachable(credentials: MpesaCredentials, now: datetime, *, token: bool) -> Mpesa:
    """M-Pesa behind a port on which nothing listens; with `token` another container has shared one."""
    store = MemoryTokenStore()
    if token:
        store.tokens["MPESA"] = StoredToken("shared", now + timedelta(hours=1), now + timedelta(hours=1))
    return Mpesa(credentials, f"http://127.0.0.1:{free_port()}/mpesa", store, "tests")


@pytest.mark.parametrize("token", [True, False], ids=["refused connection", "no access token"])
def test_a_reversal_that_surely_never_left_is_sent_when_mpesa_is_back(reversing: Shop, *, token: bool) -> None:
    started = owed_by_mpesa(reversing)
    working = reversing.gateways["MPESA"]
    assert isinstance(working, Mpesa)
    reversing.gateways["MPESA"] = _unreachable(working.credentials, reversing.now, token=token)

    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.DUE
    assert _reversals(reversing, started) == 0
    assert list(reversing.due()) == [due_index.REFUND]

    early = reconcile(reversing.notice_context(), no_answer_after=timedelta(minutes=3))
    assert early.examined == 0
    reversing.gateways["MPESA"] = working
    reversing.now += timedelta(seconds=91)
    report = reconcile(reversing.notice_context(), no_answer_after=timedelta(minutes=3))

    assert report.settled == {"refund_accepted": 1}
    assert _reversals(reversing, started) == 1
    assert len(reversing.refunds(started)) == 1
    assert (
        take_result_notice(reversing.notice_context(), reversal_token(reversing, started), result_of(reversing, started))
        is Taken.SETTLED
    )
    assert _status(reversing, started) is RefundStatus.REFUNDED


def test_a_reversal_that_may_have_left_is_never_sent_again(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    rule = {"gateway": "mpesa", "call": "reversal", "answer": "lost", "done": True, "times": 1}
    requests.post(f"{reversing.simulators}/control/script", json=rule, timeout=10).raise_for_status()

    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.SENDING
    reversing.now += timedelta(seconds=91)
    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.SENDING, "its result may still come"
    reversing.now += timedelta(minutes=15)
    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW

    assert _reversals(reversing, started) == 1


def test_a_reversal_that_cannot_be_sent_for_days_goes_to_a_person(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    working = reversing.gateways["MPESA"]
    assert isinstance(working, Mpesa)
    reversing.gateways["MPESA"] = _unreachable(working.credentials, reversing.now, token=False)

    seen = []
    while reversing.due().get(due_index.REFUND):
        seen.append(pursue(reversing.notice_context(), started.attempt.ref, 1))
        reversing.now += timedelta(hours=12)

    assert set(seen[:-1]) == {RefundStatus.DUE}
    assert seen[-1] is RefundStatus.NEEDS_REVIEW
    assert _reversals(reversing, started) == 0


def test_a_late_repetition_of_putting_back_releases_no_other_sending(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    due = refunds.read(shop.table, started.attempt.ref, 1)
    assert due is not None
    soon = (0, shop.now + timedelta(seconds=30))
    refunds.start_sending(shop.table, due, "first", shop.now, soon)
    first = replace(due, status=RefundStatus.SENDING, token_hash="first")
    refunds.requeue(shop.table, first, soon)
    refunds.start_sending(shop.table, due, "second", shop.now, soon)

    with pytest.raises(ConditionFailedError):
        refunds.requeue(shop.table, first, soon)

    assert _status(shop, started) is RefundStatus.SENDING


def result_of(shop: Shop, started: Started, *, amount: float = 350.0, code: int = 0) -> bytes:
    refund = refunds.read(shop.table, started.attempt.ref, 1)
    assert refund is not None
    result = {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": "The service request is processed successfully.",
        "OriginatorConversationID": refund.conversation,
        "ConversationID": "AG_20260302_1",
        "TransactionID": new_receipt(),
        "ResultParameters": {
            "ResultParameter": [
                {"Key": "Amount", "Value": amount},
                {"Key": "OriginalTransactionID", "Value": refund.receipt},
            ]
        },
    }
    return json.dumps({"Result": result}).encode()


def reversal_token(shop: Shop, started: Started) -> str:
    """A word that the refund accepts: its own is known only to M-Pesa, so the test gives it another."""
    token = f"{started.attempt.ref.removeprefix('MT')}01{'ab' * 16}"
    refund = refunds.read(shop.table, started.attempt.ref, 1)
    assert refund is not None
    hashed = hashlib.sha256(token.encode()).hexdigest()
    write(shop.table, Update("refund", keys.refund(refund.ref, 1), set={"token_hash": hashed}))
    return token


def test_a_reversal_ends_by_its_result(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.ACCEPTED
    token = reversal_token(reversing, started)

    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started)) is Taken.SETTLED
    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started)) is Taken.DUPLICATE

    assert _status(reversing, started) is RefundStatus.REFUNDED
    assert reversing.due() == {}


def test_a_result_with_a_wrong_word_or_another_amount_ends_nothing_as_refunded(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    token = reversal_token(reversing, started)
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")

    assert take_result_notice(reversing.notice_context(), wrong, result_of(reversing, started)) is Taken.REFUSED
    assert _status(reversing, started) is RefundStatus.ACCEPTED

    take_result_notice(reversing.notice_context(), token, result_of(reversing, started, amount=1.0))
    assert _status(reversing, started) is RefundStatus.NEEDS_REVIEW


def test_a_refused_reversal_goes_to_a_person_and_is_never_sent_again(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    token = reversal_token(reversing, started)

    take_result_notice(reversing.notice_context(), token, result_of(reversing, started, code=2001))

    assert _status(reversing, started) is RefundStatus.NEEDS_REVIEW
    assert len(reversing.refunds(started)) == 1


def test_an_answer_that_states_no_status_ends_nothing(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    refund = refunds.read(reversing.table, started.attempt.ref, 1)
    assert refund is not None
    token = f"{started.attempt.ref.removeprefix('MT')}01{'cd' * 16}"
    refunds.expect_answer(reversing.table, refund, hashlib.sha256(token.encode()).hexdigest())

    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started)) is Taken.UNREADABLE

    assert _status(reversing, started) is RefundStatus.ACCEPTED


def test_the_reversals_own_result_still_counts_after_a_question_was_asked(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    token = reversal_token(reversing, started)
    reversing.now += timedelta(seconds=91)
    pursue(reversing.notice_context(), started.attempt.ref, 1)

    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started)) is Taken.SETTLED

    assert _status(reversing, started) is RefundStatus.REFUNDED
