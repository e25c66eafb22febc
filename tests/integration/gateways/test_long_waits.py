"""What takes minutes at a gateway, walked with a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from payfirst.api.wire.payments import CheckedOut, payment_status
from payfirst.domain.errors import PaymentInProgressError, TooSoonError
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.session import Session
from payfirst.storage.dynamodb import keys
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer, new_phone

NO_ANSWER = timedelta(minutes=3)
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def troubled(shop: Shop) -> Iterator[Shop]:
    """The shop; no rule of its simulators outlives the test."""
    yield shop
    requests.delete(f"{shop.simulators}/control/script", timeout=10).raise_for_status()


def rule(shop: Shop, **wanted: Any) -> None:
    answer = requests.post(f"{shop.simulators}/control/script", json=wanted, timeout=10)
    assert answer.ok, answer.text


def charges(shop: Shop, *started: Started) -> int:
    """How many of these attempts their gateway has really collected."""
    book = requests.get(f"{shop.simulators}/control/ledger", timeout=10).json()
    refs = {entry["ref"] for entry in book}
    return len(
        refs & {known for one in started for known in (one.attempt.ref, shop.attempt(one).gateway_id, prompt(shop, one))}
    )


def prompt(shop: Shop, started: Started) -> str | None:
    """M-Pesa's own name for the prompt of an attempt, whether or not we were told; found by the address it was given."""
    seen = requests.get(f"{shop.simulators}/control/attempts", timeout=10).json()
    token = started.attempt.ref.removeprefix("MT")
    return next((entry["ref"] for entry in seen if f"/cb/stk/{token}" in (entry["callback_url"] or "")), None)


def sweep(shop: Shop) -> dict[str, int]:
    return reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).settled


def pay(shop: Shop, reference: str | None, gateway: str = "mpesa") -> None:
    answer = requests.post(
        f"{shop.simulators}/control/{gateway}/{reference}", json={"outcome": "pay", "notices": 0}, timeout=10
    )
    assert answer.ok, answer.text


def told(shop: Shop, session: Session) -> Any:
    """What check-booking says at this moment."""
    return CheckedOut.of(shop.read(session), None, shop.now).model_dump(exclude_unset=True)


def test_phonepe_pending_for_ten_minutes_and_then_completed_is_one_booking(troubled: Shop) -> None:
    customer = new_customer()
    cart = troubled.booking_cart(customer)
    started = troubled.process(cart, customer)
    ref = started.attempt.ref
    rule(troubled, gateway="phonepe", call="status", ref=ref, answer="pending")
    pay(troubled, ref, "phonepe")

    looks = 0
    begun = troubled.now
    while (due := troubled.attempt(started).next_check_at) is not None and due < begun + TEN_MINUTES:
        troubled.now = due
        assert set(sweep(troubled)) == {"pending"}
        looks += 1
        answer = told(troubled, started.session)
        assert (answer["payment_status"], answer["message"]) == ("PENDING", "Payment status: Pending")
        again = troubled.process(cart, customer)
        assert (again.attempt.ref, again.is_new) == (ref, False)
    assert looks > 30
    assert troubled.of_kind(customer, keys.BOOKING) == []

    requests.delete(f"{troubled.simulators}/control/script", timeout=10).raise_for_status()
    assert due is not None
    troubled.now = due
    assert sweep(troubled) == {"fulfilled": 1}
    assert payment_status(troubled.read(started.session), troubled.now) == "SUCCESS"
    assert len(troubled.of_kind(customer, keys.BOOKING)) == 1
    assert charges(troubled, started) == 1
    assert troubled.due() == {}


def test_an_order_that_stays_pending_past_its_session_is_still_one_payment(troubled: Shop) -> None:
    customer = new_customer()
    started = troubled.process(troubled.booking_cart(customer), customer)
    troubled.now += timedelta(minutes=20)

    assert told(troubled, started.session)["payment_status"] == "PENDING"  # open attempts keep a session open
    pay(troubled, started.attempt.ref, "phonepe")
    assert sweep(troubled) == {"fulfilled": 1}
    assert len(troubled.of_kind(customer, keys.BOOKING)) == 1


def test_a_reference_that_never_reached_us_frees_the_customer_after_three_minutes(troubled: Shop) -> None:
    customer, phone = new_customer(), new_phone()
    session = troubled.session(customer, phone=phone)
    rule(troubled, gateway="mpesa", call="push", phone=f"254{phone[1:]}", answer="html_502", done=False, times=1)
    lost = troubled.initiate(session)
    assert lost.lost

    troubled.now += NO_ANSWER - timedelta(seconds=5)
    sweep(troubled)
    with pytest.raises(PaymentInProgressError):
        troubled.initiate(session)
    assert troubled.read(session).status is SessionStatus.PAYMENT_INITIATED

    troubled.now += timedelta(seconds=5)
    assert sweep(troubled) == {"failed": 1}
    assert troubled.attempt(lost).next_check_at == lost.attempt.created_at + timedelta(minutes=5)  # the ladder goes on
    failed = troubled.read(session)
    assert failed.status is SessionStatus.FAILED
    assert failed.failure is not None
    assert (failed.failure.code, failed.failure.retryable) == ("no_answer", True)
    assert "look at your M-Pesa messages" in failed.failure.message, "the prompt may have been paid: nobody knows"

    second = troubled.initiate(session)
    troubled.decide(second)
    troubled.tell(second)
    assert troubled.read(session).status is SessionStatus.ORDER_CREATED
    assert len(troubled.of_kind(customer, keys.ORDER)) == 1
    assert charges(troubled, lost, second) == 1
    assert troubled.refunds(second) == []


def test_a_prompt_that_was_open_all_along_is_paid_when_the_customer_tries_again(troubled: Shop) -> None:
    customer, phone = new_customer(), new_phone()
    session = troubled.session(customer, phone=phone)
    rule(troubled, gateway="mpesa", call="push", phone=f"254{phone[1:]}", answer="lost", times=1)
    lost = troubled.initiate(session)
    troubled.now += NO_ANSWER
    sweep(troubled)
    assert troubled.read(session).status is SessionStatus.FAILED

    with pytest.raises(TooSoonError):  # M-Pesa itself says that a prompt is open there
        troubled.initiate(session)
    pay(troubled, prompt(troubled, lost))
    troubled.tell(lost, notice_for(troubled, lost), token=address(troubled, lost))

    assert troubled.read(session).status is SessionStatus.ORDER_CREATED
    assert len(troubled.of_kind(customer, keys.ORDER)) == 1
    assert charges(troubled, lost) == 1
    assert troubled.refunds(lost) == []


def test_two_prompts_that_are_both_paid_end_as_one_order_and_one_refund(troubled: Shop) -> None:
    customer, phone = new_customer(), new_phone()
    session = troubled.session(customer, phone=phone)
    rule(troubled, gateway="mpesa", call="push", phone=f"254{phone[1:]}", answer="lost", times=1)
    lost = troubled.initiate(session)
    troubled.now += NO_ANSWER
    sweep(troubled)
    second = troubled.initiate(session, new_phone())
    pay(troubled, prompt(troubled, lost))
    pay(troubled, prompt(troubled, second))

    troubled.tell(lost, notice_for(troubled, lost), token=address(troubled, lost))
    troubled.tell(second)

    assert troubled.read(session).status is SessionStatus.ORDER_CREATED
    assert len(troubled.of_kind(customer, keys.ORDER)) == 1
    assert charges(troubled, lost, second) == 2
    ends = {troubled.attempt(one).status: len(troubled.refunds(one)) for one in (lost, second)}
    assert ends == {AttemptStatus.REFUND_DUE: 1, AttemptStatus.SUCCEEDED: 0}


def notice_for(shop: Shop, started: Started) -> bytes:
    """M-Pesa's success about a prompt whose ids never reached us."""
    seen = requests.get(f"{shop.simulators}/control/attempts", timeout=10).json()
    found = next(entry for entry in seen if entry["ref"] == prompt(shop, started))
    named = replace(started.attempt, gateway_id=found["ref"], merchant_request_id=found["gateway_id"])
    return shop.notice(replace(started, attempt=named), receipt=found["receipt"])


def address(shop: Shop, started: Started) -> str:
    """The token of the address that M-Pesa was given for a prompt whose ids never reached us."""
    seen = requests.get(f"{shop.simulators}/control/attempts", timeout=10).json()
    found = next(entry for entry in seen if entry["ref"] == prompt(shop, started))
    return str(found["callback_url"]).rsplit("/", 1)[1]


def test_another_attempts_callback_pays_nothing_for_an_attempt_whose_own_ids_never_came(troubled: Shop) -> None:
    buyer, neighbour, phone = new_customer(), new_customer(), new_phone()
    rule(troubled, gateway="mpesa", call="push", phone=f"254{phone[1:]}", answer="lost", times=1)
    lost = troubled.initiate(troubled.session(neighbour, phone=phone))
    paid = troubled.initiate(troubled.session(buyer))
    troubled.decide(paid)
    raw = troubled.notice(paid)

    assert troubled.tell(paid, raw, token=address(troubled, lost)) is Taken.ASKED

    assert troubled.attempt(lost).status is AttemptStatus.UNKNOWN
    assert troubled.of_kind(neighbour, keys.ORDER) == []
    assert troubled.tell(paid, raw) is Taken.SETTLED
    assert len(troubled.of_kind(buyer, keys.ORDER)) == 1
