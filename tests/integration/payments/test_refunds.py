"""Money that cannot stay goes back once, by the gateway or by a person."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
import requests

from payfirst.domain.moves import RefundStatus
from payfirst.gateways.base import GatewayName
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.storage import keys, refunds
from payfirst.storage.expressions import Update
from payfirst.storage.table import write
from payfirst.usecases.reconcile import reconcile
from payfirst.usecases.refund import pursue, take_result_notice
from payfirst.usecases.start_attempt import Started
from payfirst.usecases.take_notice import Taken
from tests.integration.payments.shop import PASSKEY, Shop, new_customer, new_receipt


def _owed_by_phonepe(shop: Shop) -> Started:
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


def _owed_by_mpesa(shop: Shop) -> Started:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    seen = requests.get(f"{shop.simulators}/control/attempts", timeout=10).json()
    receipt = next(entry["receipt"] for entry in seen if entry["ref"] == started.attempt.gateway_id)
    shop.stock(listing=123, price=15000, available="1")
    shop.tell(started, shop.notice(started, receipt=receipt))
    assert [refund["status"] for refund in shop.refunds(started)] == ["due"]
    return started


def _status(shop: Shop, started: Started, number: int = 1) -> RefundStatus:
    refund = refunds.read(shop.table, started.attempt.ref, number)
    assert refund is not None
    return refund.status


def test_phonepe_pays_back_once(shop: Shop) -> None:
    started = _owed_by_phonepe(shop)

    assert pursue(shop.desk(), started.attempt.ref, 1) is RefundStatus.ACCEPTED
    shop.end_refund(f"R{started.attempt.ref}-1")
    shop.now += timedelta(seconds=31)
    report = reconcile(shop.desk(), no_answer_after=timedelta(minutes=3))

    assert report.settled == {"refund_refunded": 1}
    shown = shop.read(started.session).refund
    assert shown is not None
    assert shown.status == "refunded"
    assert shop.due() == {}


def test_a_refund_that_phonepe_refused_is_tried_under_the_next_number(shop: Shop) -> None:
    started = _owed_by_phonepe(shop)
    pursue(shop.desk(), started.attempt.ref, 1)
    shop.end_refund(f"R{started.attempt.ref}-1", "fail")
    shop.now += timedelta(seconds=31)

    pursue(shop.desk(), started.attempt.ref, 1)

    assert _status(shop, started, 1) is RefundStatus.FAILED
    assert _status(shop, started, 2) is RefundStatus.DUE
    shown = shop.read(started.session).refund
    assert shown is not None
    assert shown.status == "due"


def test_two_workers_send_one_refund(shop: Shop) -> None:
    started = _owed_by_phonepe(shop)
    refund = refunds.read(shop.table, started.attempt.ref, 1)
    assert refund is not None

    pursue(shop.desk(), started.attempt.ref, 1)
    pursue(shop.desk(), started.attempt.ref, 1)

    ledger = requests.get(f"{shop.simulators}/control/ledger", timeout=10).json()
    [captured] = [entry for entry in ledger if entry["ref"] == started.attempt.ref]
    assert len(captured["refunds"]) == 1


def test_mpesa_without_an_initiator_goes_to_a_person_with_the_steps(shop: Shop) -> None:
    started = _owed_by_mpesa(shop)

    assert pursue(shop.desk(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW

    [refund] = shop.refunds(started)
    assert refund["receipt"] in refund["detail"]
    assert f"payfirst resolve R{started.attempt.ref}-1" in refund["detail"]
    assert list(shop.due()) == [keys.REVIEW]


def test_a_reversal_waits_for_its_receipt(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    shop.decide(started)
    shop.stock(listing=123, price=15000, available="1")
    shop.now += timedelta(seconds=11)
    reconcile(shop.desk(), no_answer_after=timedelta(minutes=3))

    assert pursue(shop.desk(), started.attempt.ref, 1) is RefundStatus.DUE

    receipt = new_receipt()
    shop.tell(started, shop.notice(started, receipt=receipt))
    assert pursue(shop.desk(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW
    [refund] = shop.refunds(started)
    assert receipt in refund["detail"]


@pytest.fixture
def reversing(shop: Shop) -> Shop:
    """A shop whose M-Pesa account may reverse."""
    credentials = MpesaCredentials("key", "secret", "174379", PASSKEY, initiator_name="testapi", security_credential="c2VjcmV0")
    shop.gateways[GatewayName.MPESA] = Mpesa(credentials, f"{shop.simulators}/mpesa", None, "tests")
    return shop


def _result(shop: Shop, started: Started, *, amount: float = 350.0, code: int = 0) -> bytes:
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


def _reversal_token(shop: Shop, started: Started) -> str:
    """A word that the refund accepts: its own is known only to M-Pesa, so the test gives it another."""
    token = f"{started.attempt.ref.removeprefix('MT')}01{'ab' * 16}"
    refund = refunds.read(shop.table, started.attempt.ref, 1)
    assert refund is not None
    hashed = hashlib.sha256(token.encode()).hexdigest()
    write(shop.table, Update("refund", keys.refund(refund.ref, 1), set={"token_hash": hashed}))
    return token


def test_a_reversal_ends_by_its_result(reversing: Shop) -> None:
    started = _owed_by_mpesa(reversing)
    assert pursue(reversing.desk(), started.attempt.ref, 1) is RefundStatus.ACCEPTED
    token = _reversal_token(reversing, started)

    assert take_result_notice(reversing.desk(), token, _result(reversing, started)) is Taken.SETTLED
    assert take_result_notice(reversing.desk(), token, _result(reversing, started)) is Taken.DUPLICATE

    assert _status(reversing, started) is RefundStatus.REFUNDED
    assert reversing.due() == {}


def test_a_result_with_a_wrong_word_or_another_amount_ends_nothing_as_refunded(reversing: Shop) -> None:
    started = _owed_by_mpesa(reversing)
    pursue(reversing.desk(), started.attempt.ref, 1)
    token = _reversal_token(reversing, started)
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")

    assert take_result_notice(reversing.desk(), wrong, _result(reversing, started)) is Taken.REFUSED
    assert _status(reversing, started) is RefundStatus.ACCEPTED

    take_result_notice(reversing.desk(), token, _result(reversing, started, amount=1.0))
    assert _status(reversing, started) is RefundStatus.NEEDS_REVIEW


def test_a_refused_reversal_goes_to_a_person_and_is_never_sent_again(reversing: Shop) -> None:
    started = _owed_by_mpesa(reversing)
    pursue(reversing.desk(), started.attempt.ref, 1)
    token = _reversal_token(reversing, started)

    take_result_notice(reversing.desk(), token, _result(reversing, started, code=2001))

    assert _status(reversing, started) is RefundStatus.NEEDS_REVIEW
    assert len(reversing.refunds(started)) == 1


def test_an_answer_that_states_no_status_ends_nothing(reversing: Shop) -> None:
    started = _owed_by_mpesa(reversing)
    pursue(reversing.desk(), started.attempt.ref, 1)
    refund = refunds.read(reversing.table, started.attempt.ref, 1)
    assert refund is not None
    token = f"{started.attempt.ref.removeprefix('MT')}01{'cd' * 16}"
    refunds.expect_answer(reversing.table, refund, hashlib.sha256(token.encode()).hexdigest())

    assert take_result_notice(reversing.desk(), token, _result(reversing, started)) is Taken.UNREADABLE

    assert _status(reversing, started) is RefundStatus.ACCEPTED


def test_the_reversals_own_result_still_counts_after_a_question_was_asked(reversing: Shop) -> None:
    started = _owed_by_mpesa(reversing)
    pursue(reversing.desk(), started.attempt.ref, 1)
    token = _reversal_token(reversing, started)
    reversing.now += timedelta(seconds=31)
    pursue(reversing.desk(), started.attempt.ref, 1)

    assert take_result_notice(reversing.desk(), token, _result(reversing, started)) is Taken.SETTLED

    assert _status(reversing, started) is RefundStatus.REFUNDED
