"""Every boundary of every use case, with every fault that can befall it, and then the sweeps and the invariants."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

import payfirst.usecases
from payfirst.domain.errors import PayFirstError
from payfirst.storage.dynamodb.failures import ConditionFailedError
from tests.faults.book import Book
from tests.faults.flows import FLOWS, Act, Flow
from tests.faults.invariants import ALWAYS, BrokenError, check
from tests.faults.legal import illegal_moves
from tests.faults.model_table import Change, ModelTable
from tests.faults.rest import settle_down
from tests.faults.seam import Boundary, Fault, Killed
from tests.faults.wire import become, taken, wired
from tests.faults.world import World, at_work, met_fault

MEANT: Final = (PayFirstError, BotoCoreError, Killed)
"""What a use case may answer a fault with: an error from the one tree, the event bus's own, or nothing: it was killed."""


CALLS_NOTHING: Final = {"start_attempt.new_attempt"}
"""Public use cases that reach neither table nor gateway, whatever they are given."""

FROM_A_TERMINAL: Final = {"erase.erase", "erase.preview", "totals.recount"}
"""They read the whole table, which the model of it does not offer. That any step may be broken off is shown elsewhere:
tests/integration/payments/test_erasing.py, tests/faults/test_day_totals.py."""

FROM_POISON: Final = {"retry_later.count_failure"}
"""Only an item that nobody can take further meets it, and such an item comes to no rest: attacks/passing.py shows it."""

SHORT: Final = 23
"""In the short form one case in so many also runs with a real client, ours and botocore's in turn."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at one boundary of one flow. `ending` is what payers do afterwards with payments that are still open."""

    flow: str
    boundary: Boundary
    fault: Fault
    ending: str

    def __str__(self) -> str:
        return f"{self.flow}, call {self.boundary.number} ({self.boundary.name}), {self.fault}, then {self.ending}"


ENDINGS: Final = ("nobody pays", "payers pay", "payers pay and no notice comes")


def prepared(flow: Flow) -> tuple[World, Act]:
    """The shop right before the call."""
    world = World(ModelTable(), seed=sum(flow.name.encode()))
    with at_work(world):
        world.stock()
        act = flow.prepare(world)
    return world, act


def watched(world: World) -> World:
    """`world` with the invariants checked after every write; what broke is kept, for a use case may swallow an error."""

    def watch(changes: Sequence[Change]) -> None:
        world.broken += illegal_moves(changes)
        book = Book.of(world.items())
        world.broken += [sentence for each in ALWAYS for sentence in each(world, book)]

    world.client.watch = watch
    return world


def recorded(world: World, act: Act, *, is_refused: bool = False) -> list[Boundary]:
    """The calls of a run without faults, which has to end well, or to be refused where that is what the flow is about."""
    with at_work(world):
        world.seam.active = True
        if perform(world, act) is is_refused:
            raise BrokenError("a call without faults ended otherwise than it should")
        made = list(world.seam.made)
        settle_down(world)
    return made


def perform(world: World, act: Act) -> bool:
    """Make the call; says whether it was answered. Whatever is raised or logged besides errors that are meant is a bug."""
    try:
        act(world)
    except MEANT:
        return False
    finally:
        world.seam.active = False
        no_bug_was_logged(world)
    return True


def no_bug_was_logged(world: World) -> None:
    """BrokenError where the package has logged an error, instead of raising it, that no lost call explains."""
    meant = (*MEANT, ClientError, ConditionFailedError)
    bugs = [error for error in world.log.raised if not isinstance(error, meant) and not isinstance(error.__cause__, meant)]
    if bugs:
        raise BrokenError(f"{type(bugs[0]).__name__} was logged: {bugs[0]}")


def end(world: World, ending: str) -> None:
    """What payers do, and everything that has to hold afterwards."""
    check(world)
    post_again(world)
    if ending != ENDINGS[0]:
        for ref in world.ledger.payments:
            world.ledger.pay(ref)
    if ending == ENDINGS[2]:
        world.ledger.notices.clear()
    elif ending == ENDINGS[1]:
        world.deliver_all()
    settle_down(world)
    if world.seam.for_good:
        give_back_what_cannot_be_made(world)


def give_back_what_cannot_be_made(world: World) -> None:
    """A person ends what came before them because no booking and no order could be made of it; then nothing is left of it."""
    waiting = [ref for ref, attempt in Book.of(world.items()).attempts.items() if "captured" in attempt and "review" in attempt]
    for ref in waiting:
        world.operate("POST", f"/api/operators/payments/{ref}/refund/", {"why": "it cannot be made"})
    settle_down(world)
    if any(attempt["status"] == "needs_review" for attempt in map(Book.of(world.items()).attempts.get, waiting) if attempt):
        raise BrokenError("a payment stays before a person who has ended it")


def post_again(world: World) -> None:
    """A gateway posts again what was answered with an error, where its earlier word was final and nothing else will tell."""
    stored = {bytes(item["raw"]) for item in Book.of(world.items()).notices}
    for notice in world.insisted:
        if notice.raw not in stored:
            world.deliver(notice)


def cases(flow: Flow) -> Iterator[tuple[Case, World, Act]]:
    """Every fault at every boundary of a flow, each with a shop of its own."""
    world, act = prepared(flow)
    boundaries = recorded(watched(world.fork()), act, is_refused=flow.is_refused)
    for boundary in boundaries:
        for fault in boundary.faults:
            for ending in ENDINGS:
                yield Case(flow.name, boundary, fault, ending), world, act


def sampled(*, every: int) -> Iterator[tuple[Case, World, Act]]:
    """One in `every` of all cases; over the flows each kind of call meets each fault."""
    every_case = (found for flow in FLOWS for found in cases(flow) if found[0].ending != ENDINGS[2])
    yield from (found for number, found in enumerate(every_case) if number % every == 0)


def run(case: Case, world: World, act: Act, *, late: bool = False) -> bool:
    """One case on the model table; False if its ending is no other than nobody's paying. BrokenError says what broke."""
    there = watched(world.fork())
    with at_work(there, late=late):
        met_fault(there, case.boundary.number, case.fault)
        return _performed(case, there, there, act)


def run_wired(case: Case, world: World, act: Act, client: Any, name: str) -> bool:
    """One case with a real client on the empty table `name`; what it leaves is swept and checked on a model of it."""
    become(client, name, ModelTable(), world.client)
    there = world.fork(client, name)
    with at_work(there), wired(client, there.seam):
        met_fault(there, case.boundary.number, case.fault)
        try:
            return _performed(case, there, None, act)
        finally:
            become(client, name, taken(client, name), ModelTable())


def _performed(case: Case, there: World, after: World | None, act: Act) -> bool:
    try:
        there.seam.active = True
        perform(there, act)
        if case.ending != ENDINGS[0] and not _can_end_otherwise(there):
            return False
        after = after or modelled(there)
        with at_work(after):
            end(after, case.ending)
    except Exception as error:
        raise BrokenError(f"{case}: {type(error).__name__}: {error}") from error
    return True


def _can_end_otherwise(world: World) -> bool:
    return bool(world.ledger.notices) or any(payment.state == "open" for payment in world.ledger.payments.values())


def modelled(there: World, left: ModelTable | None = None) -> World:
    """The shop on a model of what its real table holds, which is `left` where somebody has read it already."""
    return watched(there.fork(left.fork() if left else taken(there.client, there.name)))


def public_use_cases() -> dict[str, Callable[..., Any]]:
    """Every function that a handler could call and that reaches the table, the queue or a gateway."""
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.walk_packages(payfirst.usecases.__path__, "payfirst.usecases."):
        loaded = import_module(module.name)
        for name, function in vars(loaded).items():
            if not inspect.isfunction(function) or function.__module__ != loaded.__name__ or name.startswith("_"):
                continue
            if {"table", "context", "gateway"} & set(inspect.signature(function).parameters):
                found[f"{module.name.rsplit('.', 1)[1]}.{name}"] = function
    return found


def reached() -> set[str]:
    """The use cases through which the flows' calls went."""
    names: set[str] = set()
    for each in FLOWS:
        world, act = prepared(each)
        there = world.fork()
        with at_work(there):
            there.seam.active = True
            perform(there, act)
        names |= there.seam.reached
    return names


def outside() -> set[str]:
    """The use cases that no flow reaches, and that have no reason for it."""
    return set(public_use_cases()) - reached() - CALLS_NOTHING - FROM_A_TERMINAL - FROM_POISON
