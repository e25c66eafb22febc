"""Whoever meets whom, in whatever order and with whatever fault: each payment has one outcome."""

from __future__ import annotations

from itertools import cycle
from typing import Any, Final

import pytest

from tests.faults.explore import Explorer, explore, replay
from tests.faults.invariants import BrokenError
from tests.faults.real import sampled_on_the_real_client
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.seam import Fault
from tests.faults.stage import Schedule

SECONDS: Final = 1.5
"""For each scenario in the short form; `make soak` takes as long as it is told."""

REAL: Final = 3
"""Schedules of each scenario that also run with a real client in the short form."""


@pytest.mark.short_form
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_each_payment_has_one_outcome_in_every_order(scenario: Scenario) -> None:
    report = explore(scenario, seconds=SECONDS, seed=1)
    assert report.failures == []


@pytest.mark.short_form
def test_the_same_schedules_end_alike_with_each_real_client_in_turn(table_clients: list[Any], table_name: str) -> None:
    failures = [
        failure
        for each, client in zip(SCENARIOS.values(), cycle(table_clients), strict=False)
        for failure in sampled_on_the_real_client(each, client, table_name, count=REAL)
    ]
    assert failures == []


def test_a_schedule_is_played_again_from_its_own_text() -> None:
    schedule = Schedule(((2, "sweep"), (5, "notice")), (4, Fault.LOST_RESPONSE), late=True)
    assert Schedule.read(str(schedule)) == schedule
    explorer = Explorer(SCENARIOS["notice-against-sweep"])
    assert explorer.run(schedule).steps == explorer.run(schedule).steps


def test_a_replay_fails_where_the_schedule_failed() -> None:
    scenario = SCENARIOS["duplicate-notices"]
    pessimist = Scenario("pessimist", scenario.prepare, lambda *_: iter(["nothing is ever good"]))
    failure = explore(pessimist, seconds=0.1, seed=1).failures[0]
    with pytest.raises(BrokenError, match="nothing is ever good"):
        replay(pessimist, failure.split('"')[1])
