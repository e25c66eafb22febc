"""Schedules once more with boto3's own client against the embedded table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.faults.explore import Explorer, faults_of
from tests.faults.invariants import BrokenError
from tests.faults.matrix import modelled
from tests.faults.scenarios import Scenario
from tests.faults.stage import Schedule, Stage
from tests.faults.wire import empty, fill, wired
from tests.faults.world import at_work


def sampled_on_the_real_client(scenario: Scenario, client: Any, name: str, *, count: int, seed: int = 1) -> Iterator[str]:
    """`count` schedules with a departure and a fault each, on the empty table `name`; answers what failed."""
    explorer, draw = Explorer(scenario), random.Random(seed)  # noqa: S311 - repeatable
    trace = explorer.run(Schedule())
    for _ in range(count):
        step = draw.randrange(len(trace.steps))
        departures = ((step, draw.choice(trace.steps[step][0])),)
        schedule = Schedule(departures, draw.choice(faults_of(trace)), late=draw.random() < 0.5)
        try:
            run_on_the_real_client(explorer, schedule, client, name)
        except BrokenError as error:
            yield f"{scenario.name} [{schedule}]: {error}"


def run_on_the_real_client(explorer: Explorer, schedule: Schedule, client: Any, name: str) -> None:
    """One schedule; what it leaves in the table `name` is swept and checked on a model of it, and the table is emptied."""
    fill(client, name, explorer.world.client)
    there = explorer.world.fork(client, name)
    try:
        with at_work(there, late=schedule.late), wired(client, there.seam):
            trace = Stage(there, explorer.actors, schedule).play()
            after = modelled(there)
        with at_work(after):
            explorer.end(after, trace)
    finally:
        empty(client, name)
