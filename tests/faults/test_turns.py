"""More is due than one run can do: every kind of work has its share of it all the same, and its true age is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.deliver_events.app import HEAD_START
from payfirst.domain.clock import Deadline, instant
from payfirst.domain.moves import RefundStatus
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import to_wire
from payfirst.usecases.sweeps.reconcile import SPARE_S, ReconcileReport, reconcile
from tests.faults.flows import paid_order
from tests.faults.flows.sweeps import surplus
from tests.faults.model_table import ModelTable
from tests.faults.seam import Boundary, Fault, Killed, Service
from tests.faults.world import NO_ANSWER_AFTER, World, at_work

MANY = 3000
A_CALL_S = 4.0
RUN_S = 60.0


@pytest.fixture
def world() -> Iterator[World]:
    """A shop with thousands of open prompts of which the status check is due."""
    world = World(ModelTable(), seed=3)
    with at_work(world, shards=keys.SHARDS):
        world.stock()
        started = world.initiate(world.session(world.customer()))
        item = next(each for each in world.items() if each["sk"] == "ATT")
        payment = world.ledger.payments[started.attempt.ref]
        for number in range(MANY):
            ref, name = f"MT{number:013x}", f"{payment.gateway_id}-{number}"
            key = keys.attempt(ref)
            check = {**due_index.due(due_index.SETTLE, key, started.attempt.next_check_at or world.now)}
            world.client.load((key["pk"], key["sk"]), to_wire({**item, **key, **check, "gateway_id": name}))
            world.ledger.payments[ref] = replace(payment, ref=ref, gateway_id=name)
        yield world


def run(world: World, seconds: float = RUN_S) -> ReconcileReport:
    """One run, of which each call to a gateway takes its time."""
    left = seconds

    def turn(boundary: Boundary) -> None:
        nonlocal left
        left -= A_CALL_S if boundary.service is Service.GATEWAY else 0

    world.seam.turn, world.seam.active = turn, True
    try:
        return reconcile(replace(world.notice_context(), deadline=Deadline(lambda: left)), no_answer_after=NO_ANSWER_AFTER)
    finally:
        world.seam.active = False


def refunds(world: World) -> list[str]:
    return [item["status"] for item in world.items() if item["sk"].startswith("R#")]


def test_a_refund_is_sent_in_the_first_run_however_many_checks_are_due(world: World) -> None:
    surplus(world)
    world.now += timedelta(minutes=1)

    report = run(world)

    assert not report.finished
    assert refunds(world) == [RefundStatus.ACCEPTED]
    assert report.settled["pending"] > 3


def test_checks_and_stored_notices_have_their_turns_beside_more_refunds_than_a_run_can_send(world: World) -> None:
    for _ in range(20):
        surplus(world)
    paid_order(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.KILLED_AFTER if boundary.operation == "PutItem" else None
    with pytest.raises(Killed):
        world.deliver_all()
    world.seam.active, world.seam.plan = False, lambda _: None
    world.now += timedelta(minutes=1)

    report = run(world)

    assert not report.finished
    assert report.settled["fulfilled"] == 1, "the stored notice has its turn as well"
    assert report.settled["pending"] >= 3
    assert refunds(world).count("accepted") >= 3


def test_a_run_that_comes_to_nothing_tells_the_true_age_of_each_kind_all_the_same(world: World) -> None:
    surplus(world)
    oldest_check = min(item["due_sk"] for item in world.items() if str(item.get("due_pk")).startswith(f"{due_index.SETTLE}#"))
    world.now += timedelta(minutes=30)
    oldest_refund = min(item["due_sk"] for item in world.items() if item["sk"].startswith("R#"))

    report = run(world, SPARE_S - 1)

    assert (report.examined, report.finished) == (0, False)
    ages = {what: instant(world.now - timedelta(seconds=seconds)) for what, seconds in report.oldest_due.items()}
    assert ages == {due_index.SETTLE: oldest_check, due_index.REFUND: oldest_refund}
    assert report.oldest_due_s == max(report.oldest_due.values())


def test_every_sweep_tells_the_age_of_its_oldest_work() -> None:
    world = World(ModelTable(), seed=4)
    with at_work(world):
        world.stock()
        world.session(world.customer())
        world.now += timedelta(hours=1)
        assert world.expire().oldest_due_s == 3600 - 900 - 30
        assert world.deliver_events()["oldest_due_s"] == 3600 + HEAD_START.seconds


def test_secrets_that_are_missing_are_told_once_a_run_and_gateway_and_cost_nobody_else_time(world: World) -> None:
    surplus(world)
    world.now += timedelta(minutes=1)
    world.misconfigured = True
    before = world.items()

    report = run(world)

    assert (report.finished, report.failed, report.dead_letters) == (True, 0, 0)
    assert report.passed_over == report.examined > MANY
    assert len([line for line in world.log.lines if line.startswith("gateway.misconfigured")]) == 1
    assert world.items() == before
