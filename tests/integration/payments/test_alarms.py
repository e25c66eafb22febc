"""What only an operator can mend is told as an error, so that somebody is woken; what a customer did is not."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import requests

from payfirst.domain.moves import AttemptStatus
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.result_notices import REFUND_RESULTS
from payfirst.gateways.mpesa.results import STK_RESULTS, Meaning
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.refunds.take_result import take_result_notice
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer
from tests.integration.payments.test_refunds import owed_by_mpesa, owed_by_phonepe, result_of, reversal_token, reversing

__all__ = ["reversing"]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The events that wake somebody."""
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(("code", "meaning"), STK_RESULTS.items(), ids=STK_RESULTS)
def test_each_result_of_a_prompt_ends_it_with_its_sentence_and_wakes_somebody_or_not(
    shop: Shop, caplog: pytest.LogCaptureFixture, code: str, meaning: Meaning
) -> None:
    started = shop.initiate(shop.session(new_customer()))
    raw = shop.notice(started, code=1).replace(b'"ResultCode": 1,', f'"ResultCode": "{code}",'.encode())
    planned = shop.attempt(started).next_check_at
    assert planned is not None

    shop.tell(started, raw)

    attempt = shop.attempt(started)
    # Only a notice told of this end, so the check that was planned is still made.
    assert (attempt.status, attempt.next_check_at) == (AttemptStatus.FAILED, planned)
    assert attempt.failure is not None
    told = (attempt.failure.code, attempt.failure.message, attempt.failure.retryable)
    assert told == (meaning.code, meaning.message, meaning.retryable)
    assert errors(caplog) == (["payment.failed"] if meaning.configuration else [])


def test_the_query_wakes_somebody_for_a_result_that_is_our_configuration(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    started = shop.initiate(shop.session(new_customer()))
    address = f"{shop.simulators}/control/mpesa/{started.attempt.gateway_id}"
    wrong = {"outcome": "fail", "result_code": "2028", "notices": 0}
    requests.post(address, json=wrong, timeout=10).raise_for_status()
    due = shop.attempt(started).next_check_at
    assert due is not None
    shop.now = due

    reconcile(shop.notice_context(), no_answer_after=due - started.attempt.created_at)

    assert shop.attempt(started).status is AttemptStatus.FAILED
    assert errors(caplog) == ["payment.failed"]


@pytest.mark.parametrize("name", ["MPESA", "PHONEPE"])
def test_a_gateway_that_refuses_our_questions_wakes_somebody(shop: Shop, caplog: pytest.LogCaptureFixture, name: str) -> None:
    customer = new_customer()
    started = shop.initiate(shop.session(customer)) if name == "MPESA" else shop.process(shop.booking_cart(customer), customer)
    ours = shop.gateways[name]
    assert isinstance(ours, Mpesa | PhonePe)
    shop.gateways[name] = replace(ours, base_url=f"{shop.simulators}/nothing-is-here")
    due = shop.attempt(started).next_check_at
    assert due is not None
    shop.now = due
    before = len(errors(caplog))

    reconcile(shop.notice_context(), no_answer_after=due - started.attempt.created_at)

    assert shop.attempt(started).status is AttemptStatus.SENT
    assert "gateway.misconfigured" in errors(caplog)[before:]


def test_a_gateway_that_refuses_questions_about_a_refund_wakes_somebody(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    ours = shop.gateways["PHONEPE"]
    assert isinstance(ours, PhonePe)
    shop.gateways["PHONEPE"] = replace(ours, base_url=f"{shop.simulators}/nothing-is-here")

    pursue(shop.notice_context(), started.attempt.ref, 1)

    assert errors(caplog) == ["gateway.misconfigured"]


@pytest.mark.parametrize(("code", "meaning"), REFUND_RESULTS.items(), ids=REFUND_RESULTS)
def test_each_result_of_a_refused_reversal_goes_to_a_person_who_is_woken_if_it_is_ours_to_mend(
    reversing: Shop, caplog: pytest.LogCaptureFixture, code: str, meaning: Meaning
) -> None:
    started = owed_by_mpesa(reversing)
    pursue(reversing.notice_context(), started.attempt.ref, 1)
    token = reversal_token(reversing, started)
    raw = result_of(reversing, started, code=1).replace(b'"ResultCode": 1,', f'"ResultCode": "{code}",'.encode())

    take_result_notice(reversing.notice_context(), token, raw)

    [refund] = reversing.refunds(started)
    assert (refund["status"], meaning.code in refund["detail"]) == ("needs_review", True)
    assert errors(caplog) == (["refund.misconfigured"] if meaning.configuration else [])
