"""Schedules once more with a real client against the embedded table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.faults.explore import Explorer, faults_of
from tests.faults.invariants import BrokenError
from tests.faults.matrix import modelled
from tests.faults.model_table import ModelTable
from tests.faults.scenarios import Scenario
from tests.faults.stage import Schedule, Stage
from tests.faults.wire import become, taken, wired
from tests.faults.world import at_work


def sampled_on_the_real_client(scenario: Scenario, client: Any, name: str, *, count: int, seed: int = 1) -> Iterator[str]:
    """`count` schedules with a departure and a fault each, on the empty table `name`; answers what failed."""
    explorer, draw = Explorer(scenario), random.Random(seed)  # noqa: S311 - repeatable
    trace = explorer.run(Schedule())
    left = ModelTable()
    for _ in range(count):
        step = draw.randrange(len(trace.steps))
        departures = ((step, draw.choice(trace.steps[step][0])),)
        schedule = Schedule(departures, draw.choice(faults_of(trace)), late=draw.random() < 0.5)
        become(client, name, left, explorer.world.client)
        try:
            left = run_on_the_real_client(explorer, schedule, client, name)
        except BrokenError as error:
            yield f"{scenario.name} [{schedule}]: {error}"
            left = taken(client, name)
    become(client, name, left, ModelTable())


def run_on_the_real_client(explorer: Explorer, schedule: Schedule, client: Any, name: str) -> ModelTable:
    """One schedule on the table `name`, which holds the scenario's items; what it leaves is swept and checked on a model."""
    there = explorer.world.fork(client, name)
    with at_work(there, late=schedule.late), wired(client, there.seam):
        trace = Stage(there, explorer.actors, schedule).play()
        left = taken(client, name)
    after = modelled(there, left)
    with at_work(after):
        explorer.end(after, trace)
    return left
