"""A gateway that takes every call and answers none costs a sweep two waits, and the other gateway's customers nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from payfirst.domain.clock import Deadline
from payfirst.domain.moves import AttemptStatus, RefundStatus
from payfirst.gateways.base import Gateway
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.wire import Call, Lost, Send
from payfirst.storage.captures import Collected, money
from payfirst.storage.dynamodb import keys
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.operators.review import refund_payment
from payfirst.usecases.sweeps.reconcile import ReconcileReport, reconcile
from tests.integration.payments.shop import Shop, new_customer

NO_ANSWER = timedelta(minutes=3)
RUN_S = 60.0


@dataclass(slots=True)
class Run:
    """One run's time, which passes only while somebody waits; `asked` are PhonePe's addresses that were called meanwhile."""

    left: float = RUN_S
    asked: list[str] = field(default_factory=list)


def hanging(run: Run) -> Send:
    """Takes a request and never answers it."""

    def send(call: Call, timeout_s: float) -> Lost:
        run.asked.append(call.url)
        run.left -= timeout_s
        return Lost("maybe processed: no answer in time", sent=True)

    return send


def refusing(run: Run) -> Send:
    """Nobody listens: the connection is refused at once."""

    def send(call: Call, _: float) -> Lost:
        run.asked.append(call.url)
        return Lost("never sent: ConnectionRefusedError", sent=False)

    return send


def phonepe_through(shop: Shop, run: Run, way: Callable[[Run], Send] = hanging) -> dict[str, Gateway]:
    """The shop's gateways, PhonePe by that `way`."""
    real = shop.gateways["PHONEPE"]
    assert isinstance(real, PhonePe)
    return {**shop.gateways, "PHONEPE": replace(real, send=way(run))}


def sweep(shop: Shop, run: Run, way: Callable[[Run], Send] = hanging) -> ReconcileReport:
    gateways = phonepe_through(shop, run, way)
    context = replace(shop.notice_context(), gateway=gateways.__getitem__, deadline=Deadline(lambda: run.left))
    return reconcile(context, no_answer_after=NO_ANSWER)


def booking(shop: Shop) -> Started:
    """An open payment through PhonePe."""
    customer = new_customer()
    return shop.process(shop.booking_cart(customer), customer)


def surplus_order(shop: Shop) -> Started:
    """A payment through M-Pesa of which the refund is due."""
    started = shop.initiate(shop.session(new_customer()))
    shop.tell(started, shop.notice(started, amount="360.00"))
    return started


def test_a_gateway_that_hangs_holds_up_neither_the_others_looks_nor_the_refunds(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    silent = [booking(shop) for _ in range(6)]
    paid = [shop.initiate(shop.session(new_customer())) for _ in range(2)]
    for started in [*silent, *paid]:
        shop.decide(started)
    owed = surplus_order(shop)
    shop.now += timedelta(seconds=30)
    run = Run()

    report = sweep(shop, run)

    assert (report.finished, report.failed, report.passed_over) == (True, 0, 4)
    assert report.examined == 10, "one of them confirms what only a notice told"
    assert [shop.attempt(started).status for started in paid] == [AttemptStatus.SUCCEEDED] * 2
    [refund] = shop.refunds(owed)
    assert refund["status"] in (RefundStatus.ACCEPTED, RefundStatus.NEEDS_REVIEW)
    assert len(run.asked) == 2
    assert [record.__dict__["gateway"] for record in caplog.records if record.message == "gateway.silent"] == ["PHONEPE"]
    still = [started for started in silent if shop.attempt(started).next_check_at == started.attempt.next_check_at]
    assert len(still) == 4
    assert report.oldest_due_s >= 8

    shop.now += timedelta(minutes=1)
    settled = reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).settled
    assert settled == {"fulfilled": 6, "pending": 1}, "M-Pesa says of the surplus that its prompt is still open"


def test_refunds_through_a_silent_gateway_stay_due_as_they_are(shop: Shop) -> None:
    returned = booking(shop)
    shop.decide(returned)
    shop.tell_phonepe(returned)
    refund_payment(shop.table, returned.attempt.ref, None, shop.now, by="operator:amina", why="it rained")
    before = shop.refunds(returned)
    for _ in range(3):
        booking(shop)
    shop.now += timedelta(seconds=30)

    assert sweep(shop, Run()).passed_over == 2

    assert shop.refunds(returned) == before
    assert reconcile(shop.notice_context(), no_answer_after=NO_ANSWER).settled["refund_accepted"] == 1


def test_money_that_is_recorded_becomes_its_booking_while_its_gateway_is_silent(shop: Shop) -> None:
    open_ones, paid = [booking(shop) for _ in range(3)], [booking(shop) for _ in range(3)]
    for started in paid:
        collected = Collected(started.attempt.amount, None)
        money(shop.table, shop.read(started.session), shop.attempt(started), collected, shop.now)
    shop.now += timedelta(seconds=30)

    report = sweep(shop, Run())

    assert report.settled == {"fulfilled": 3, "pending": 2}
    assert report.passed_over == len(open_ones) - 2


def test_a_connection_that_is_refused_at_once_costs_nobody_time_so_everyone_is_asked(shop: Shop) -> None:
    for _ in range(4):
        booking(shop)
    shop.now += timedelta(seconds=30)
    run = Run()

    report = sweep(shop, run, refusing)

    assert (report.settled, report.passed_over) == ({"pending": 4}, 0)
    assert len(run.asked) >= 4


def test_where_the_time_suffices_for_one_look_a_run_every_shard_has_its_turn(shop: Shop) -> None:
    waiting = [booking(shop) for _ in range(6)]
    for _ in range(keys.SHARDS):
        shop.now += timedelta(minutes=1)
        assert not sweep(shop, Run(left=12.0)).finished

    looked_at = {due_shard(started) for started in waiting if shop.attempt(started).check > started.attempt.check}
    assert looked_at == {due_shard(started) for started in waiting}


def due_shard(started: Started) -> int:
    return keys.shard_of(keys.attempt(started.attempt.ref))
