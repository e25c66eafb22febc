"""The fault machine's steps, how much of each, and what they find: `make faults` is the short form, `make soak` a long one."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from typing import Any, Final
from uuid import uuid4

from hypothesis.stateful import run_state_machine_as_test

from local.embedded_aws import TEMPLATE, AwsEndpoint, EmbeddedAws
from local.resources import create_table
from tests.clients import CLIENTS, table_client
from tests.faults import matrix, mutants, storms, suite
from tests.faults.book import Book
from tests.faults.explore import Report, explore
from tests.faults.flows import FLOWS
from tests.faults.invariants import BrokenError
from tests.faults.machine import shop
from tests.faults.mutation import Mutant
from tests.faults.real import sampled_on_the_real_client
from tests.faults.scenarios import SCENARIOS

CORES: Final = min(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything: seconds and schedules for each scenario, one in so many cases on a real client, and so on.

    What asks a real table is done by `clients` in turn.
    """

    seconds: float
    wired_every: int
    real: int
    notices: int
    examples: int
    seed: int
    clients: tuple[str, ...] = CLIENTS


SHORT: Final = Plan(seconds=2.5, wired_every=matrix.SHORT, real=80, notices=1000, examples=40, seed=1)


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

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """What breaks inside the block is kept, and the next one is tried."""
        try:
            yield
        except (AssertionError, BaseExceptionGroup) as error:
            self.broken.append(str(error) or type(error).__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One of the machine's steps: `run` yields after each of its `total` parts."""

    name: str
    total: int
    run: Callable[[Sum], Iterable[Any]]


def steps(plan: Plan, aws: EmbeddedAws, pool: Any) -> Iterator[Step]:
    """All steps, the ones that find most first; the mutants need processes that were born after the suite was warmed."""
    yield Step("every use case is reached", 1, _reached)
    yield Step("every fault at every call", len(FLOWS), lambda found: _matrix(found, pool))
    yield Step("races in every order", len(SCENARIOS), lambda found: _races(found, plan, pool))
    yield Step("faults on the wire of the real clients", 1, lambda found: _wire(found, plan, aws))
    yield Step("races with the real clients", len(SCENARIOS), lambda found: _real_races(found, plan, aws, pool))
    yield Step("storms of threads and processes", 3, lambda found: _storms(found, plan, aws))
    yield Step("any sequence at all", 1, lambda found: _machine(found, plan))
    every = mutants.mutants()
    yield Step("missing guards", len(every), lambda found: _guards(found, every))


@contextmanager
def workshop() -> Iterator[tuple[EmbeddedAws, Any]]:
    """An embedded AWS and the processes that work side by side."""
    with EmbeddedAws() as aws, multiprocessing.get_context("fork").Pool(CORES) as pool:
        yield aws, pool


def _table(client: Any) -> str:
    name = f"payfirst-{uuid4().hex}"
    create_table(client, TEMPLATE, name, expires=False)
    return name


def _reached(found: Sum) -> Iterator[None]:
    found.broken += [f"no flow reaches the use case {name}" for name in sorted(matrix.outside())]
    yield


def _matrix_of(number: int) -> tuple[int, int, list[str]]:
    boundaries, faults, broken = set(), 0, []
    for case, world, act in matrix.cases(FLOWS[number]):
        boundaries.add(case.boundary.number)
        try:
            faults += matrix.run(case, world, act)
        except BrokenError as error:
            broken.append(str(error))
    return len(boundaries), faults, broken


def _matrix(found: Sum, pool: Any) -> Iterator[None]:
    for boundaries, faults, broken in pool.imap_unordered(_matrix_of, range(len(FLOWS))):
        found.boundaries += boundaries
        found.faults += faults
        found.broken += broken
        yield


def _explored(job: tuple[str, float, int]) -> Report:
    name, seconds, seed = job
    return explore(SCENARIOS[name], seconds=seconds, seed=seed)


def _races(found: Sum, plan: Plan, pool: Any) -> Iterator[None]:
    for report in pool.imap_unordered(_explored, [(name, plan.seconds, plan.seed) for name in SCENARIOS]):
        found.covered += report.covered
        found.total += report.total
        found.random += report.random
        found.broken += report.failures
        yield


def _wire(found: Sum, plan: Plan, aws: EmbeddedAws) -> Iterator[None]:
    clients = [table_client(aws, client) for client in plan.clients]
    name = _table(clients[0])
    for client, (case, world, act) in zip(cycle(clients), matrix.sampled(every=plan.wired_every), strict=False):
        with found.keeping():
            found.faults += matrix.run_wired(case, world, act, client, name)
    yield


@cache
def _own_table(port: int, client: str) -> tuple[Any, str]:
    """This process's client of that kind of the embedded AWS at `port`, and a table that nobody else uses."""
    made = table_client(AwsEndpoint(port), client)
    return made, _table(made)


def _raced_for_real(job: tuple[int, str, str, int, int]) -> list[str]:
    port, client, scenario, count, seed = job
    return list(sampled_on_the_real_client(SCENARIOS[scenario], *_own_table(port, client), count=count, seed=seed))


def _real_races(found: Sum, plan: Plan, aws: EmbeddedAws, pool: Any) -> Iterator[None]:
    jobs = [
        (aws.port, client, name, plan.real, plan.seed) for name, client in zip(SCENARIOS, cycle(plan.clients), strict=False)
    ]
    for broken in pool.imap_unordered(_raced_for_real, jobs):
        found.broken += broken
        found.random += plan.real
        yield


def _storms(found: Sum, plan: Plan, aws: EmbeddedAws) -> Iterator[None]:
    first, last = plan.clients[0], plan.clients[-1]
    client = table_client(aws, first)
    with found.keeping():
        orders = len(Book.of(storms.identical_notices(client, _table(client), plan.notices).items()).outcomes)
        if orders != 1:
            found.broken.append(f"{plan.notices} identical notices made {orders} orders")
    yield
    client = table_client(aws, last)
    with found.keeping():
        orders = len(Book.of(storms.buyers_of_the_last(client, _table(client), 200, 10).items()).outcomes)
        if orders != 10:
            found.broken.append(f"200 buyers of the last 10 made {orders} orders")
    yield
    with found.keeping():
        orders = len(
            Book.of(storms.notices_against_sweeps(lambda: table_client(aws, first), _table(client), 25).items()).outcomes
        )
        if orders != 1:
            found.broken.append(f"four processes that tell of one payment made {orders} orders")
    yield


def _machine(found: Sum, plan: Plan) -> Iterator[None]:
    with found.keeping():
        run_state_machine_as_test(shop(plan.examples))
    yield


def _guards(found: Sum, every: list[Mutant]) -> Iterator[None]:
    known = mutants.known_killers()
    suite.warm()
    found.broken += [f"a guard is gone: {name}" for name in mutants.gone(every)]
    for first in sorted({known[str(mutant)] for mutant in every if str(mutant) in known}):
        if suite.is_known(first) and suite.noticed(first):
            found.broken.append(f"it fails although no guard is missing: {first}")
    for mutant, killer in mutants.killers(every):
        found.mutants += 1
        found.noticed += killer is not None
        if killer is None:
            found.broken.append(f"nobody notices without: {mutant}")
        yield
