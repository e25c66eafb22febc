"""Trouble that passes, for as long as it likes: what waits for its end is no dead letter, and is taken up afterwards."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from botocore.exceptions import ClientError

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import read_instant
from payfirst.domain.errors import TemporaryError
from payfirst.storage import due
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.usecases.context import SettlementContext
from payfirst.usecases.settlement import check_status
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.settle import settle
from tests.faults.attacks.meanwhile import has
from tests.faults.attacks.registry import attack
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus, surplus_booking
from tests.faults.seam import Boundary, Fault, Killed, Service
from tests.faults.world import World

Trouble = Callable[[Boundary], Fault | None]

ROUNDS: Final = (*(timedelta(minutes=1),) * 20, *(timedelta(minutes=10),) * 5, *(timedelta(hours=2),) * 20)
"""Twenty minutes of sweeps, an hour, most of two days: longer than five tries take, and than any schedule of status checks."""


def shop_full_of_work(world: World) -> None:
    """Something due of every kind: payments through both gateways, refunds, a stored notice, a session, events, letters."""
    world.writes_letters = True
    surplus(world)
    surplus_booking(world)
    with suppress(Killed):
        paid_order(world)
        world.seam.active = True
        world.seam.plan = lambda boundary: Fault.KILLED_AFTER if boundary.operation == "PutItem" else None
        world.deliver_all()
    world.seam.active, world.seam.plan = False, lambda _: None
    paid_order(world)
    paid_booking(world)
    world.ledger.notices.clear()
    world.session(world.customer())


def dead(world: World) -> list[Item]:
    return [item for item in world.items() if str(item.get("due_pk")).removeprefix(f"{due_index.REVIEW}#") in due.ALL_KINDS]


def endures(world: World, trouble: Trouble) -> None:
    """Sweeps and queue run through all of `trouble`; nothing is given up meanwhile."""
    world.seam.active = True
    world.seam.plan = trouble
    for pause in ROUNDS:
        world.now += pause
        for run in (world.expire, world.work_queue, world.reconcile, world.deliver_events):
            with suppress(TemporaryError, ClientError):
                run()
        assert not dead(world), f"given up: {[(item['pk'], item['sk']) for item in dead(world)]}"
    assert not world.queue.sent or trouble is queue_is_away, "messages go round and round"
    world.seam.active, world.seam.plan, world.misconfigured = False, lambda _: None, False
    world.ledger.notices.clear()
    world.now += timedelta(days=1)  # a refund that was turned away for a day is tried again within another
    world.sweep()


def of(service: Service, fault: Fault) -> Trouble:
    return lambda boundary: fault if boundary.service is service else None


def every_other_write(boundary: Boundary) -> Fault | None:
    busy = boundary.operation == "TransactWriteItems" and boundary.number % 2 == 0
    return Fault.CONFLICT if busy else None


queue_is_away = of(Service.QUEUE, Fault.LOST_REQUEST)


@attack
def the_secrets_are_missing_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    world.misconfigured = True
    endures(world, lambda _: None)


@attack
def both_gateways_refuse_connections_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    endures(world, of(Service.GATEWAY, Fault.UNSENT))


@attack
def both_gateways_answer_503_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    endures(world, of(Service.GATEWAY, Fault.EMPTY))


@attack
def the_bus_is_away_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    endures(world, of(Service.BUS, Fault.LOST_REQUEST))


@attack
def no_letter_leaves_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    endures(world, of(Service.POST, Fault.LOST_REQUEST))


@attack
def the_queue_is_away_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    endures(world, queue_is_away)


@attack
def the_table_is_away_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    endures(world, of(Service.TABLE, Fault.LOST_REQUEST))


@attack
def writes_are_in_each_others_way_for_most_of_two_days(world: World) -> None:
    shop_full_of_work(world)
    endures(world, every_other_write)


@attack
def what_fails_for_a_reason_of_its_own_is_a_dead_letter_and_comes_back_when_that_is_mended(world: World) -> None:
    shop_full_of_work(world)
    poison = keys.attempt(paid_order(world).attempt.ref)
    world.ledger.notices.clear()
    tried = []

    def settled(work: SettlementContext, attempt: Attempt, *given: Any, **named: Any) -> Settled:
        if keys.attempt(attempt.ref) == poison:
            tried.append(work.now)
            raise ValueError("this attempt is poison")
        return settle(work, attempt, *given, **named)

    with patch.object(check_status, "settle", settled):
        for pause in ROUNDS:
            world.now += pause
            world.reconcile()
            world.deliver_all()
    assert [item["pk"] for item in dead(world)] == [poison["pk"]]
    first = tried[due.MOST_TRIES - 1]
    hours = (world.now - first) // due.SLOW_PACE
    assert len([moment for moment in tried if moment > first]) <= hours, "it is tried more often than once an hour"
    item = next(item for item in world.items() if item["pk"] == poison["pk"] and item["sk"] == "ATT")
    world.now = max(world.now, read_instant(item["due_sk"]))
    world.reconcile()
    assert not dead(world)
    item = next(item for item in world.items() if item["pk"] == poison["pk"] and item["sk"] == "ATT")
    assert {"tries", "dead_since", "due_pk"} & set(item) == set(), item


@attack
def a_success_in_between_forgets_the_failures_before_it(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    place = keys.attempt(started.attempt.ref)
    has(place, tries=due.MOST_TRIES - 1)(world)
    world.now += timedelta(minutes=1)
    world.reconcile()
    item = next(item for item in world.items() if item["pk"] == place["pk"])
    assert ("tries" in item, item["due_pk"].split("#")[0]) == (False, due_index.SETTLE)
