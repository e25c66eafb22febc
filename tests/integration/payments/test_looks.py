"""What no notice tells is asked of the gateways, at their pace."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from payfirst.domain.clock import Deadline
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.storage.captures import Collected, money
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.settlement.check_status import check_status
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.reconcile import reconcile
from tests.integration.payments.shop import Shop, new_customer, new_receipt

NO_ANSWER = timedelta(minutes=3)


def test_a_success_that_only_the_query_knows_makes_the_order(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.decide(started)
    shop.now += timedelta(seconds=11)

    report = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)

    assert report.settled == {"fulfilled": 1}
    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    assert shop.attempt(started).receipt is None

    raw = shop.notice(started, receipt="NLATE12345")
    shop.tell(started, raw)
    assert shop.attempt(started).receipt == "NLATE12345"
    assert len(shop.of_kind(customer, keys.ORDER)) == 1


def test_nobody_is_asked_before_a_look_is_due(shop: Shop) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)
    shop.decide(started)

    assert check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER) is Settled.PENDING

    assert shop.read(session).status is SessionStatus.PAYMENT_INITIATED


def test_an_open_prompt_is_looked_at_again_later_and_later(shop: Shop) -> None:
    started = shop.initiate(shop.session(new_customer()))
    planned = []
    for _ in range(4):
        due = shop.attempt(started).next_check_at
        assert due is not None
        shop.now = due
        assert check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER) is Settled.PENDING
        planned.append(int((due - started.attempt.created_at).total_seconds()))

    assert planned == [10, 20, 40, 75]


def test_an_attempt_without_an_answer_in_a_day_is_put_before_a_person(shop: Shop) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)
    for _ in range(30):
        due = shop.attempt(started).next_check_at
        if due is None:
            break
        shop.now = due
        check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER)

    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW
    assert list(shop.due()) == [due_index.REVIEW]


def test_a_declined_payment_that_no_notice_told_fails_the_session(shop: Shop) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)
    shop.decide(started, "insufficient_funds")
    shop.now += timedelta(seconds=11)

    check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER)

    failed = shop.read(session)
    assert failed.status is SessionStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "insufficient_funds"
    assert shop.due() == {}


def test_an_item_that_cannot_be_settled_does_not_stop_the_others(shop: Shop) -> None:
    poisoned, healthy = (shop.initiate(shop.session(new_customer())) for _ in range(2))
    shop.decide(healthy)
    shop.decide(poisoned)
    broken = keys.owned(poisoned.attempt.owner, keys.SESSION, poisoned.attempt.session_number)
    shop.table.client.delete_item(TableName=shop.table.name, Key={name: {"S": value} for name, value in broken.items()})
    shop.now += timedelta(seconds=11)

    report = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)

    assert (report.failed, report.dead_letters) == (1, 0)
    assert report.settled == {"fulfilled": 1}

    for _ in range(4):
        shop.now += timedelta(days=2)
        report = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)
    assert (report.failed, report.dead_letters) == (1, 1)
    assert dict(shop.due()) == {due_index.REVIEW: [f"ATT#{poisoned.attempt.ref}"]}
    assert reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).examined == 0


@pytest.mark.parametrize(("waits", "told"), [(timedelta(seconds=119), False), (timedelta(seconds=121), True)])
def test_money_that_waits_for_more_than_two_minutes_is_told_and_the_oldest_work_is_measured(
    shop: Shop,
    caplog: pytest.LogCaptureFixture,
    waits: timedelta,
    told: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    session = shop.session(new_customer())
    started = shop.initiate(session)
    collected = Collected(session.amount, new_receipt())
    money(shop.table, shop.read(session), shop.attempt(started), collected, shop.now)
    shop.now += waits

    report = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)

    assert report.oldest_due_s == waits.total_seconds()
    assert report.settled == {"fulfilled": 1}
    lines = [record.__dict__["ref"] for record in caplog.records if record.message == "payment.paid_for_long"]
    assert lines == ([started.attempt.ref] if told else [])


def test_a_success_that_nobody_can_confirm_yet_reopens_the_question(shop: Shop) -> None:
    customer = new_customer()
    session = shop.session(customer)
    started = shop.initiate(session)
    shop.tell(started, shop.notice(started, code=1037))
    assert shop.read(session).status is SessionStatus.FAILED
    shop.decide(started)
    told = json.loads(shop.notice(started))
    items = told["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    told["Body"]["stkCallback"]["CallbackMetadata"]["Item"] = [item for item in items if item["Name"] != "Amount"]

    assert shop.tell(started, json.dumps(told).encode()) is Taken.ASKED
    shop.now += timedelta(minutes=2)
    reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)

    assert shop.read(session).status is SessionStatus.ORDER_CREATED
    for _ in range(5):
        shop.now += timedelta(days=1)
        reconcile(shop.notice_context(), no_answer_after=NO_ANSWER)
    assert shop.due() == {}


def test_an_order_that_phonepe_does_not_know_may_be_on_its_way_until_its_function_has_ended(shop: Shop) -> None:
    """The first rung comes after 22 seconds; a function that claims slowly and pushes then has 28."""
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    stands = keys.attempt(started.attempt.ref)
    write(shop.table, Update("attempt", stands, set={"status": "created"}, remove=("payment_url", "gateway_id")))
    requests.post(f"{shop.simulators}/control/reset", timeout=10).raise_for_status()

    for seconds in (22, 25, 28):
        shop.now = started.attempt.created_at + timedelta(seconds=seconds)
        assert check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER) is Settled.PENDING
    shop.now = started.attempt.created_at + timedelta(seconds=31)
    assert check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER) is Settled.FAILED
    failure = shop.read(started.session).failure
    assert failure is not None
    assert (failure.code, "nothing was charged" in failure.message) == ("no_answer", True)


def test_an_order_that_phonepe_has_forgotten_ends_before_a_person(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    requests.post(f"{shop.simulators}/control/reset", timeout=10).raise_for_status()
    for _ in range(200):
        due = shop.attempt(started).next_check_at
        if due is None:
            break
        shop.now = due
        check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER)

    assert shop.attempt(started).status is AttemptStatus.NEEDS_REVIEW


def test_a_notice_whose_gateway_could_not_be_asked_in_time_brings_the_look_forward(shop: Shop) -> None:
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    hasty = replace(shop.notice_context(), deadline=Deadline(lambda: 0.5))

    assert shop.tell_phonepe(started, context=hasty) is Taken.ASKED
    assert check_status(shop.notice_context(), started.attempt.ref, no_answer_after=NO_ANSWER) is Settled.FULFILLED

    assert len(shop.of_kind(customer, keys.BOOKING)) == 1
