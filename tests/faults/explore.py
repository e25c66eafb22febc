"""Run schedules: all with few departures, with one fault, then random ones until the time is used up."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.faults.book import Book
from tests.faults.invariants import BrokenError
from tests.faults.matrix import give_back_what_cannot_be_made, post_again, watched
from tests.faults.model_table import ModelTable
from tests.faults.rest import settle_down
from tests.faults.scenarios import Scenario
from tests.faults.seam import Fault
from tests.faults.stage import Actor, Choice, Departures, Schedule, Stage, Trace
from tests.faults.world import World, at_work

MOST_DEPARTURES: Final = 2
MOST_FAILURES: Final = 5
"""Failing schedules of one scenario that are kept; the first ones are the shortest."""


@dataclass(slots=True)
class Report:
    """What was run of one scenario.

    `total` counts all schedules with at most two departures, and all with at most one departure and one fault.
    """

    scenario: str
    covered: int = 0
    total: int = 0
    random: int = 0
    failures: list[str] = field(default_factory=list)

    def failed(self, text: str, error: Exception) -> None:
        if len(self.failures) < MOST_FAILURES:
            again = f'python -m tests.faults replay {self.scenario} -- "{text}"'
            self.failures.append(f"{self.scenario} [{text}]: {error}\n    again: {again}")


@dataclass(slots=True)
class Explorer:
    """One scenario's shop, prepared once."""

    scenario: Scenario
    world: World = field(init=False)
    actors: Mapping[str, Actor] = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(ModelTable(), seed=sum(self.scenario.name.encode()))
        with at_work(self.world):
            self.world.stock()
            self.actors = self.scenario.prepare(self.world)

    def run(self, schedule: Schedule, draw: random.Random | None = None) -> Trace:
        """Play one schedule (with `draw`, a random order) and check everything; BrokenError for what does not hold."""
        there = watched(self.world.fork())
        with at_work(there, late=schedule.late):
            stage = Stage(there, self.actors, schedule)
            trace = stage.play(None if draw is None else _drawing(draw))
            self.end(there, trace)
        return trace

    def end(self, there: World, trace: Trace) -> None:
        """What has to hold after the last actor."""
        if trace.errors:
            raise BrokenError("; ".join(trace.errors))
        post_again(there)
        there.deliver_all()
        settle_down(there)
        if there.seam.for_good:  # nothing can be made of any payment, so a person ends them; a scenario expects other things
            give_back_what_cannot_be_made(there)
            return
        broken = list(self.scenario.expect(there, Book.of(there.items())))
        if broken:
            raise BrokenError("; ".join(broken))


def _drawing(draw: random.Random) -> Choice:
    def choose(_: int, enabled: Sequence[str], default: str | None) -> str | None:
        return default if draw.random() < 0.5 else draw.choice(enabled)

    return choose


def departing(trace: Trace, departures: Departures) -> Iterator[Departures]:
    """Every schedule that departs once more than `departures`, later than its last departure."""
    last = departures[-1][0] if departures else -1
    for step, (enabled, chosen) in enumerate(trace.steps):
        if step > last:
            yield from ((*departures, (step, other)) for other in enabled if other != chosen)


def explore(scenario: Scenario, *, seconds: float, seed: int) -> Report:
    """Schedules of `scenario` for about `seconds`: those with one departure first, then one fault, then both and more."""
    report, explorer, draw = Report(scenario.name), Explorer(scenario), random.Random(seed)  # noqa: S311 - repeatable
    ends = time.monotonic() + seconds
    base = _tried(explorer, Schedule(), report)
    ones = list(departing(base, ()))
    traces = {departures: _tried(explorer, Schedule(departures), report) for departures in ones}
    twos = [two for departures, trace in traces.items() for two in departing(trace, departures)]
    plain = faults_of(base)
    with_fault = [(one, fault) for one, trace in traces.items() for fault in faults_of(trace)]
    report.total = 1 + len(ones) + len(twos) + len(plain) + len(with_fault)
    for fault in plain:
        _tried(explorer, Schedule(fault=fault), report)
    draw.shuffle(twos)
    draw.shuffle(with_fault)
    waiting = [Schedule(two) for two in twos] + [Schedule(one, fault) for one, fault in with_fault]
    draw.shuffle(waiting)
    while waiting and time.monotonic() < ends - seconds / 5:
        _tried(explorer, waiting.pop(), report)
    while time.monotonic() < ends:
        _one_random(explorer, report, draw.randrange(2**32))
    return report


def faults_of(trace: Trace) -> list[tuple[int, Fault]]:
    """Every fault at every call of a run."""
    return [(call.number, fault) for call in trace.calls for fault in call.faults]


def _tried(explorer: Explorer, schedule: Schedule, report: Report) -> Trace:
    report.covered += 1
    try:
        return explorer.run(schedule)
    except BrokenError as error:
        report.failed(str(schedule), error)
        return Trace()


def _one_random(explorer: Explorer, report: Report, seed: int) -> None:
    report.random += 1
    try:
        run_random(explorer, seed)
    except BrokenError as error:
        report.failed(f"random/{seed}", error)


def run_random(explorer: Explorer, seed: int) -> None:
    """The random schedule of that seed: a random order, often a fault somewhere, side work at once or late."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    base = explorer.run(Schedule())
    faults = faults_of(base)
    schedule = Schedule(fault=draw.choice(faults) if draw.random() < 0.7 else None, late=draw.random() < 0.5)
    explorer.run(schedule, draw)


def replay(scenario: Scenario, text: str) -> None:
    """Run again what a failure printed; BrokenError if it still fails."""
    explorer = Explorer(scenario)
    if text.startswith("random/"):
        run_random(explorer, int(text.removeprefix("random/")))
    else:
        explorer.run(Schedule.read(text))
