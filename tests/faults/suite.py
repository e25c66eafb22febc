"""The fast suite that every mutant has to meet: attacks, flows without faults, races, and the faults that writes can meet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Final

from _pytest import outcomes

from tests.faults import attacks, matrix
from tests.faults.explore import Explorer, departing
from tests.faults.flows import FLOWS, Act, Flow
from tests.faults.mutation import Mutant, Seen, guards_seen, without
from tests.faults.scenarios import SCENARIOS
from tests.faults.seam import TRANSACTION, Fault, Killed, Service
from tests.faults.stage import Schedule
from tests.faults.world import World

TELLING: Final = (Fault.KILLED_AFTER, Fault.SENT_AGAIN)
"""The faults under which a write is repeated by somebody, which is when its clauses are needed."""

FEW: Final = 30

_FLOWS: Final = {flow.name: flow for flow in FLOWS}


@cache
def _prepared(name: str) -> tuple[World, Act]:
    return matrix.prepared(_FLOWS[name])


@cache
def _explorer(name: str) -> Explorer:
    return Explorer(SCENARIOS[name])


@cache
def _cases(name: str) -> tuple[matrix.Case, ...]:
    return tuple(case for case, _, _ in matrix.cases(_FLOWS[name]) if _is_telling(case))


def _is_telling(case: matrix.Case) -> bool:
    boundary = case.boundary
    writes = boundary.operation == TRANSACTION and case.fault in TELLING
    pays = boundary.service is Service.GATEWAY and case.fault in (Fault.LOST_REQUEST, Fault.LOST_RESPONSE)
    return (writes or pays) and case.ending == matrix.ENDINGS[1]


@cache
def _schedules(name: str) -> tuple[Schedule, ...]:
    """The default order, and every schedule with one departure; of the long scenarios every other one."""
    explorer = _explorer(name)
    ones = list(departing(explorer.run(Schedule()), ()))
    return (Schedule(), *map(Schedule, ones if len(ones) <= FEW else ones[::2]))


def warm() -> None:
    """Prepare everything while no guard is missing."""
    for name in _FLOWS:
        _cases(name)
    for name in SCENARIOS:
        _schedules(name)


def one(name: str) -> Callable[[], None]:
    """The try of that name, as `tries` names it."""
    kind, _, rest = name.partition(": ")
    if kind == "attack":
        return lambda: attacks.run(rest)
    if kind == "flow":
        world, act = _prepared(rest)
        return lambda: _flow(world, act, _FLOWS[rest])
    what, _, more = rest.partition(" | ")
    if kind == "race":
        return lambda: _race(what, Schedule.read(more))
    case, (world, act) = _cases(what)[int(more)], _prepared(what)
    return lambda: _fault(case, world, act)


def _flow(world: World, act: Act, flow: Flow) -> None:
    matrix.recorded(matrix.watched(world.fork()), act, is_refused=flow.is_refused)


def _race(scenario: str, schedule: Schedule) -> None:
    _explorer(scenario).run(schedule)


def _fault(case: matrix.Case, world: World, act: Act) -> None:
    matrix.run(case, world, act)


def tries() -> Iterator[str]:
    """The names of all tries, the quickest first."""
    yield from (f"attack: {name}" for name in attacks.ATTACKS)
    yield from (f"flow: {name}" for name in _FLOWS)
    for name in SCENARIOS:
        yield from (f"race: {name} | {schedule}" for schedule in _schedules(name))
    for name in _FLOWS:
        yield from (f"fault: {name} | {number}" for number in range(len(_cases(name))))


def noticed(name: str) -> bool:
    """Whether the try of that name fails."""
    try:
        one(name)()
    except (Exception, Killed, outcomes.OutcomeException):  # noqa: BLE001 - whatever it is, it is noticed
        return True
    return False


def killer_of(mutant: Mutant, first: str | None = None) -> str | None:
    """The first try that notices that the guard is missing; `first` is tried before all others."""
    with without(mutant):
        if first is not None and is_known(first) and noticed(first):
            return first
        return next((name for name in tries() if noticed(name)), None)


def is_known(name: str) -> bool:
    """Whether there is a try of that name."""
    kind, _, rest = name.partition(": ")
    what, _, more = rest.partition(" | ")
    names = {"attack": attacks.ATTACKS, "flow": _FLOWS, "race": SCENARIOS, "fault": _FLOWS}
    known: Collection[str] = names[kind]  # type: ignore[assignment]
    return what in known and (kind != "fault" or int(more) < len(_cases(what)))


@cache
def guards() -> Seen:
    """What the package writes while the suite runs without mutants."""
    with guards_seen() as seen:
        for name in attacks.ATTACKS:
            attacks.run(name)
        for flow in FLOWS:
            world, act = matrix.prepared(flow)
            matrix.recorded(world, act, is_refused=flow.is_refused)
        for name in SCENARIOS:
            Explorer(SCENARIOS[name]).run(Schedule())
    return seen
