"""Refunds whose sending nobody is sure of: the money goes back once, and nobody pays by hand what has gone back already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from payfirst.domain.errors import InvalidInputError
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import RefundStatus
from payfirst.gateways.base import Gateway, PayBack, PushAnswer, Rejected, StoredToken
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.storage import refunds
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.failures import StorageError
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators.review import refund_payment
from payfirst.usecases.refunds.send_refund import pursue
from payfirst.usecases.refunds.take_result import take_result_notice
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer
from tests.integration.payments.test_refunds import owed_by_mpesa, owed_by_phonepe, result_of, reversal_token, reversing

__all__ = ["reversing"]

WHO = {"by": "operator:amina", "why": "two tomatoes were green"}


def rule(shop: Shop, **said: Any) -> None:
    requests.post(f"{shop.simulators}/control/script", json=said, timeout=10).raise_for_status()


def sent_back(shop: Shop, started: Started) -> list[str]:
    """The refunds of a payment as its gateway has them."""
    ledger = requests.get(f"{shop.simulators}/control/ledger", timeout=10).json()
    known = (started.attempt.ref, started.attempt.gateway_id)
    [captured] = [entry for entry in ledger if entry["ref"] in known]
    return [str(refund["ref"]) for refund in captured["refunds"]]


def sweep(shop: Shop, after: timedelta = timedelta(0)) -> dict[str, int]:
    shop.now += after
    return reconcile(shop.notice_context(), no_answer_after=timedelta(minutes=3)).settled


def status_of(shop: Shop, started: Started, number: int = 1) -> RefundStatus:
    refund = refunds.read(shop.table, started.attempt.ref, number)
    assert refund is not None
    return refund.status


def booked(shop: Shop) -> Started:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    return started


@dataclass(slots=True)
class Slow:
    """A gateway, before whose first refund goes out others have time to act."""

    gateway: Gateway
    meanwhile: list[Callable[[], object]] = field(default_factory=list)

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:
        while self.meanwhile:
            self.meanwhile.pop(0)()
        return self.gateway.refund(wanted, now=now, timeout_s=timeout_s)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)


@dataclass(slots=True)
class Refusing:
    """A gateway that refuses every refund for what is in it."""

    gateway: Gateway

    def refund(self, *_: object, **__: object) -> PushAnswer:
        return Rejected("bad_request", "Sorry.", "400 BAD_REQUEST", retryable=False, configuration=True)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)


def test_a_refund_that_is_asked_about_while_it_is_sent_goes_back_once(shop: Shop) -> None:
    started = booked(shop)
    ref = refund_payment(shop.table, started.attempt.ref, Money(100, Currency.INR), shop.now, **WHO).ref
    slow = Slow(shop.gateways["PHONEPE"])
    shop.gateways["PHONEPE"] = slow
    slow.meanwhile = [lambda: pursue(shop.notice_context(), ref, 1), lambda: sweep(shop, timedelta(minutes=10))]

    pursue(shop.notice_context(), ref, 1)

    assert sent_back(shop, started) == [f"R{ref}-1"]
    shop.end_refund(f"R{ref}-1")
    sweep(shop, timedelta(minutes=2))
    assert status_of(shop, started) is RefundStatus.REFUNDED
    assert len(shop.refunds(started)) == 1
    assert sent_back(shop, started) == [f"R{ref}-1"]
    assert shop.due() == {}


def test_a_refund_that_phonepe_does_not_know_is_sent_again_under_its_own_number(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    rule(shop, gateway="phonepe", call="refund", answer="lost", done=False, times=1)
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.SENDING

    assert sweep(shop, timedelta(seconds=91)) == {"refund_due": 1}
    assert sweep(shop, timedelta(minutes=5)) == {"refund_accepted": 1}

    assert sent_back(shop, started) == [f"R{started.attempt.ref}-1"]
    assert len(shop.refunds(started)) == 1


def test_a_refund_that_never_arrives_goes_to_a_person_after_three_days(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    rule(shop, gateway="phonepe", call="refund", answer="lost", done=False, times=1000)

    seen: set[str] = set()
    begun = shop.now
    while shop.due().get(due_index.REFUND):
        seen |= set(sweep(shop, timedelta(hours=5)))
    requests.delete(f"{shop.simulators}/control/script", timeout=10).raise_for_status()

    assert seen == {"refund_sending", "refund_due", "refund_needs_review"}
    assert timedelta(days=3) <= shop.now - begun < timedelta(days=4)
    assert len(shop.refunds(started)) == 1


def test_nobody_asks_about_a_refund_while_its_run_may_still_be_sending_it(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    assert sweep(shop, timedelta(seconds=60)) == {}
    assert sweep(shop, timedelta(seconds=31)) == {"refund_accepted": 1}


def test_a_refusal_of_a_repeated_refund_is_not_believed_before_phonepe_was_asked(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    ref = started.attempt.ref
    pursue(shop.notice_context(), ref, 1)
    write(shop.table, Update("refund", keys.refund(ref, 1), set={"status": "due"}))
    shop.gateways["PHONEPE"] = Refusing(shop.gateways["PHONEPE"])

    assert pursue(shop.notice_context(), ref, 1) is RefundStatus.SENDING

    shop.end_refund(f"R{ref}-1")
    assert sweep(shop, timedelta(seconds=91)) == {"refund_refunded": 1}


def test_a_refund_that_phonepe_will_not_take_goes_to_a_person_at_once(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    shop.gateways["PHONEPE"] = Refusing(shop.gateways["PHONEPE"])
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW
    assert "BAD_REQUEST" in shop.refunds(started)[0]["detail"]


def _lost_reversal(shop: Shop) -> Started:
    started = owed_by_mpesa(shop)
    rule(shop, gateway="mpesa", call="reversal", answer="lost", done=True, times=1)
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.SENDING
    shop.now += timedelta(minutes=16)
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.NEEDS_REVIEW
    return started


def test_a_reversals_success_takes_the_refund_off_the_persons_list(reversing: Shop) -> None:
    started = _lost_reversal(reversing)
    token = reversal_token(reversing, started)

    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started)) is Taken.SETTLED

    assert status_of(reversing, started) is RefundStatus.REFUNDED
    shown = reversing.read(started.session).refund
    assert shown is not None
    assert shown.status == "refunded"
    assert reversing.due() == {}
    assert take_result_notice(reversing.notice_context(), token, result_of(reversing, started)) is Taken.DUPLICATE


@pytest.mark.parametrize("wrong", ["amount", "receipt", "code", "token"])
def test_only_a_success_of_this_very_reversal_takes_it_off_the_list(reversing: Shop, wrong: str) -> None:
    started = _lost_reversal(reversing)
    token = reversal_token(reversing, started)
    raw = result_of(reversing, started, amount=1.0 if wrong == "amount" else 350.0, code=2001 if wrong == "code" else 0)
    if wrong == "receipt":
        raw = raw.replace(reversing.refunds(started)[0]["receipt"].encode(), b"NOTHER0000")
    if wrong == "token":
        token = token[:-1] + ("0" if token[-1] != "0" else "1")

    take_result_notice(reversing.notice_context(), token, raw)

    assert status_of(reversing, started) is RefundStatus.NEEDS_REVIEW
    assert list(reversing.due()) == [due_index.REVIEW]


def _reviewed_by_phonepe(shop: Shop) -> Started:
    """A refund of which PhonePe says nothing final for three days."""
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    assert sweep(shop, timedelta(days=4)) == {"refund_needs_review": 1}
    return started


def test_phonepes_notice_makes_the_sweep_ask_once_more_about_a_refund_that_a_person_has(shop: Shop) -> None:
    started = _reviewed_by_phonepe(shop)
    refund_id = f"R{started.attempt.ref}-1"
    shop.end_refund(refund_id)

    assert shop.tell_phonepe_refund(refund_id) is Taken.ASKED
    assert sweep(shop) == {"refund_refunded": 1}

    assert shop.due() == {}


def test_a_notice_that_phonepe_itself_does_not_confirm_leaves_the_refund_on_the_list(shop: Shop) -> None:
    started = _reviewed_by_phonepe(shop)
    refund_id = f"R{started.attempt.ref}-1"

    assert shop.tell_phonepe_refund(refund_id) is Taken.ASKED
    assert sweep(shop) == {"refund_needs_review": 1}

    assert list(shop.due()) == [due_index.REVIEW]
    assert shop.tell_phonepe_refund(refund_id) is Taken.DUPLICATE


def test_a_refund_that_ended_while_no_sweep_ran_is_asked_about_before_a_person_is(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    pursue(shop.notice_context(), started.attempt.ref, 1)
    shop.end_refund(f"R{started.attempt.ref}-1")
    assert sweep(shop, timedelta(days=4)) == {"refund_refunded": 1}


@pytest.mark.parametrize("answer", ["spike_arrest", "quota", "token_dead"])
def test_a_reversal_that_was_turned_away_is_sent_later(reversing: Shop, answer: str) -> None:
    started = owed_by_mpesa(reversing)
    rule(reversing, gateway="mpesa", call="reversal", answer=answer, done=False, times=2)
    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.DUE
    requests.delete(f"{reversing.simulators}/control/script", timeout=10).raise_for_status()

    assert sweep(reversing, timedelta(seconds=91)) == {"refund_accepted": 1}
    assert len(sent_back(reversing, started)) == 1


def test_refunds_that_phonepe_turns_away_for_load_use_up_no_number(shop: Shop) -> None:
    started = owed_by_phonepe(shop)
    rule(shop, gateway="phonepe", call="refund", answer="rate_limit", done=False, times=4)
    for _ in range(4):
        assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.DUE
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.ACCEPTED
    assert sent_back(shop, started) == [f"R{started.attempt.ref}-1"]


def test_refused_keys_wake_somebody_and_the_refund_leaves_when_they_are_mended(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    started = owed_by_phonepe(shop)
    ours = shop.gateways["PHONEPE"]
    assert isinstance(ours, PhonePe)
    shop.gateways["PHONEPE"] = replace(ours, token_url=f"{shop.simulators}/phonepe/nothing-is-here")
    assert pursue(shop.notice_context(), started.attempt.ref, 1) is RefundStatus.DUE
    assert "refund.misconfigured" in [record.message for record in caplog.records]

    shop.gateways["PHONEPE"] = ours
    assert sweep(shop, timedelta(seconds=91)) == {"refund_accepted": 1}


class _Away:
    """A store of tokens whose table does not answer."""

    def read(self, gateway: str) -> StoredToken | None:
        raise StorageError(f"The table did not answer about {gateway}.")

    def lease(self, *_: object, **__: object) -> bool:
        raise AssertionError("nobody gets as far as this")

    def write(self, *_: object, **__: object) -> None:
        raise AssertionError("nobody gets as far as this")


def test_a_reversal_for_which_no_token_could_be_read_is_sent_later(reversing: Shop) -> None:
    started = owed_by_mpesa(reversing)
    ours = reversing.gateways["MPESA"]
    assert isinstance(ours, Mpesa)
    reversing.gateways["MPESA"] = replace(ours, token_store=_Away())
    assert pursue(reversing.notice_context(), started.attempt.ref, 1) is RefundStatus.DUE

    reversing.gateways["MPESA"] = ours
    assert sweep(reversing, timedelta(seconds=91)) == {"refund_accepted": 1}


def test_an_operator_cannot_give_back_a_part_that_no_gateway_pays_back(shop: Shop) -> None:
    by_mpesa = shop.initiate(shop.session(new_customer()))
    shop.decide(by_mpesa)
    shop.stock(listing=123, price=15000, available="100")
    shop.tell(by_mpesa)
    with pytest.raises(InvalidInputError, match=r"amount: M-Pesa pays back whole shillings, not 150\.50\."):
        refund_payment(shop.table, by_mpesa.attempt.ref, Money(15050, Currency.KES), shop.now, **WHO)
    by_phonepe = booked(shop)
    with pytest.raises(InvalidInputError, match=r"1\.00 rupee and more, not 0\.99"):
        refund_payment(shop.table, by_phonepe.attempt.ref, Money(99, Currency.INR), shop.now, **WHO)
    assert shop.refunds(by_mpesa) == shop.refunds(by_phonepe) == []


def test_a_rest_that_no_gateway_pays_back_is_a_persons(shop: Shop) -> None:
    started = booked(shop)
    ref = started.attempt.ref
    refund_payment(shop.table, ref, Money(50950, Currency.INR), shop.now, **WHO)
    pursue(shop.notice_context(), ref, 1)
    shop.end_refund(f"R{ref}-1")
    sweep(shop, timedelta(seconds=91))

    rest = refund_payment(shop.table, ref, None, shop.now, **WHO)

    assert rest.amount == Money(50, Currency.INR)
    assert pursue(shop.notice_context(), ref, 2) is RefundStatus.NEEDS_REVIEW
    assert "PhonePe pays back 1.00 rupee and more, not 0.50" in shop.refunds(started)[1]["detail"]
    waiting = refunds.read(shop.table, ref, 2)
    assert waiting is not None
    assert (waiting.to_do or "").startswith("Pay back 0.50 INR for receipt ")


def test_a_wrong_amount_with_cents_is_paid_back_by_a_person_and_nothing_is_sent(reversing: Shop) -> None:
    started = reversing.initiate(reversing.session(new_customer()))
    reversing.decide(started)
    reversing.tell(started, reversing.notice(started, amount="150.50"))

    assert sweep(reversing) == {"refund_needs_review": 1}

    assert "M-Pesa pays back whole shillings, not 150.50" in reversing.refunds(started)[0]["detail"]
    assert sent_back(reversing, started) == []
