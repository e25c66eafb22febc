"""`python -m tests.faults short | soak | replay`: the fault machine outside of pytest, with the same code."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import typer
from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local.embedded_aws import TEMPLATE, EmbeddedAws, create_table
from tests.faults import matrix, mutants, storms
from tests.faults.book import Book
from tests.faults.explore import Report, explore, replay
from tests.faults.flows import FLOWS
from tests.faults.invariants import BrokenError
from tests.faults.machine import shop
from tests.faults.real import sampled_on_the_real_client
from tests.faults.scenarios import SCENARIOS

app = typer.Typer(add_completion=False, help="Try faults at every call, races in every order, and guards that are missing.")
CORES: Final = min(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything: seconds and schedules for each scenario, one in so many cases on the real client, and so on."""

    seconds: float
    wired_every: int
    real: int
    notices: int
    examples: int
    seed: int


SHORT: Final = Plan(seconds=2.5, wired_every=matrix.SHORT, real=3, notices=1000, examples=40, seed=1)


@dataclass(slots=True)
class Sum:
    """What was done, and what did not hold."""

    boundaries: int = 0
    faults: int = 0
    covered: int = 0
    total: int = 0
    random: int = 0
    mutants: int = 0
    noticed: int = 0
    broken: list[str] = field(default_factory=list)

    def line(self, seconds: float) -> str:
        return (
            f"boundaries={self.boundaries} faults={self.faults} schedules={self.covered}/{self.total} random={self.random} "
            f"mutants={self.noticed}/{self.mutants} invariants_broken={len(self.broken)} seconds={seconds:.0f}"
        )


Step = Callable[[Sum], Any]


def _matrix_of(number: int) -> tuple[int, int, list[str]]:
    boundaries, faults, broken = set(), 0, []
    for case, world, act in matrix.cases(FLOWS[number]):
        boundaries.add(case.boundary.number)
        try:
            faults += matrix.run(case, world, act)
        except BrokenError as error:
            broken.append(str(error))
    return len(boundaries), faults, broken


def _explored(job: tuple[str, float, int]) -> Report:
    name, seconds, seed = job
    return explore(SCENARIOS[name], seconds=seconds, seed=seed)


def _steps(plan: Plan, aws: EmbeddedAws, pool: Any) -> Iterator[tuple[str, Step]]:
    client: Any = aws.client("dynamodb")

    def table() -> str:
        name = f"payfirst-{uuid4().hex}"
        create_table(client, TEMPLATE, name)
        return name

    def every_boundary(found: Sum) -> None:
        for boundaries, faults, broken in pool.imap_unordered(_matrix_of, range(len(FLOWS))):
            found.boundaries += boundaries
            found.faults += faults
            found.broken += broken

    def races(found: Sum) -> None:
        jobs = [(name, plan.seconds, plan.seed) for name in SCENARIOS]
        for report in pool.imap_unordered(_explored, jobs):
            _take(found, report)

    def on_the_wire(found: Sum) -> None:
        name = table()
        for case, world, act in matrix.sampled(every=plan.wired_every):
            try:
                found.faults += matrix.run_wired(case, world, act, client, name)
            except BrokenError as error:
                found.broken.append(str(error))

    def real_schedules(found: Sum) -> None:
        name = table()
        for scenario in SCENARIOS.values():
            found.broken += sampled_on_the_real_client(scenario, client, name, count=plan.real, seed=plan.seed)
            found.random += plan.real

    def storm(found: Sum) -> None:
        orders = len(Book.of(storms.identical_notices(client, table(), plan.notices).items()).outcomes)
        if orders != 1:
            found.broken.append(f"{plan.notices} identical notices made {orders} orders")
        orders = len(Book.of(storms.buyers_of_the_last(client, table(), 200, 10).items()).outcomes)
        if orders != 10:
            found.broken.append(f"200 buyers of the last 10 made {orders} orders")

    def machine(found: Sum) -> None:
        try:
            run_state_machine_as_test(shop(plan.examples))
        except (AssertionError, BaseExceptionGroup) as error:
            found.broken.append(f"the state machine: {error}")

    def missing_guards(found: Sum) -> None:
        for mutant, killer in mutants.killers(mutants.expected()):
            found.mutants += 1
            found.noticed += killer is not None
            if killer is None:
                found.broken.append(f"nobody notices without: {mutant}")

    yield "every fault at every call", every_boundary
    yield "races in every order", races
    yield "faults on the wire of the real client", on_the_wire
    yield "races with the real client", real_schedules
    yield "storms of threads", storm
    yield "any sequence at all", machine
    yield "missing guards", missing_guards


def _take(found: Sum, report: Report) -> None:
    found.covered += report.covered
    found.total += report.total
    found.random += report.random
    found.broken += report.failures


def _run(plan: Plan) -> None:
    console, began, found = Console(), time.monotonic(), Sum()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        EmbeddedAws() as aws,
        multiprocessing.get_context("fork").Pool(CORES) as pool,
        Progress(*columns, console=console) as bar,
    ):
        steps = list(_steps(plan, aws, pool))
        task = bar.add_task("", total=len(steps))
        for name, step in steps:
            bar.update(task, description=name)
            before = len(found.broken)
            step(found)
            for sentence in found.broken[before:]:
                bar.console.print(sentence, markup=False, highlight=False)
            bar.advance(task)
    print(found.line(time.monotonic() - began))  # noqa: T201 - the one line that this is about
    sys.exit(1 if found.broken else 0)


@app.command()
def short() -> None:
    """The form that CI runs: a few minutes."""
    _run(SHORT)


@app.command()
def soak(minutes: float = 60, seed: int = 2) -> None:
    """As long as told: MINUTES for the races alone, every case on the real client, more of everything."""
    seconds = minutes * 60 / len(SCENARIOS)
    _run(Plan(seconds=seconds, wired_every=1, real=200, notices=1000, examples=2000, seed=seed))


@app.command(name="replay")
def again(scenario: str, schedule: str) -> None:
    """Run one schedule again as a failure printed it."""
    replay(SCENARIOS[scenario], schedule)
    Console().print("It holds.")


@app.command()
def kill() -> None:
    """Let every mutant meet the whole suite, and write down who notices which."""
    killers = dict(mutants.killers(mutants.mutants()))
    mutants.keep({str(mutant): killer for mutant, killer in killers.items()})
    for mutant in sorted(mutant for mutant, killer in killers.items() if killer is None):
        Console().print(str(mutant), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    app()
