"""Real races: many threads at once on the embedded table, where nobody decides who goes first."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar
from unittest.mock import patch

from payfirst.domain.errors import PayFirstError
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.settlement import settle
from tests.faults import front
from tests.faults.invariants import BrokenError
from tests.faults.matrix import modelled
from tests.faults.rest import settle_down
from tests.faults.told import Notice
from tests.faults.world import World, at_work

Given = TypeVar("Given")
THREADS = 16


@contextmanager
def _racing(world: World) -> Iterator[None]:
    """`world` with real threads, all of the index' shards, and time enough for a notice on an engine that is slow itself."""
    slow_engine = patch.object(front.MODULES["webhook"], "ANSWER_NOTICES_IN_S", 25.0)
    with at_work(world, shards=keys.SHARDS, racing=True), slow_engine:
        yield


def opened(client: Any, name: str, *, stock: str) -> World:
    """A shop on the real table, whose writers wait a little before they try again, as they do in earnest."""
    world = World(client, name, seed=int(time.time()))
    world.table = Table(client, name, world.table.deadline)
    world.stock(stock)
    return world


def at_once(work: Callable[[Given], Any], each: Iterable[Given]) -> list[str]:
    """`work` for each from 16 threads; the names of the errors that callers were answered with."""

    def answered(given: Given) -> str | None:
        try:
            work(given)
        except PayFirstError as error:
            return str(error.code)
        return None

    with ThreadPoolExecutor(THREADS) as threads:
        return [code for code in threads.map(answered, each) if code is not None]


def settled(world: World) -> World:
    """The shop after the sweeps, on a model of what the table holds; BrokenError for what does not hold."""
    after = modelled(world)
    with at_work(after, shards=keys.SHARDS):
        after.deliver_all()
        settle_down(after)
    return after


def identical_notices(client: Any, name: str, count: int) -> World:
    """One payment, and its notice `count` times at once."""
    world = opened(client, name, stock="10")
    with _racing(world):
        started = world.initiate(world.session(world.customer()))
        world.ledger.pay(started.attempt.ref)
        notice = world.ledger.notices.pop(0)
        refused = at_once(lambda _: world.deliver(notice), range(count))
    if refused:
        raise BrokenError(f"{len(refused)} of {count} notices were answered with {', '.join(sorted(set(refused)))}")
    return settled(world)


def buyers_of_the_last(client: Any, name: str, buyers: int, units: int) -> World:
    """`buyers` who all pay at once for one of `units`."""
    world = opened(client, name, stock=str(buyers))
    with _racing(world):
        sessions = [world.session(world.customer(), quantity="1") for _ in range(buyers)]
        world.stock(str(units))
        at_once(world.initiate, sessions)
        for ref in world.ledger.payments:
            world.ledger.pay(ref)
        notices, world.ledger.notices = world.ledger.notices, []
        at_once(world.deliver, notices)
    return settled(world)


PROCESSES: Final = 4
_shared: list[tuple[World, Notice, Callable[[], Any]]] = []
"""What a process that was just born finds: the shop, the notice, and how to reach the table from here."""


def notices_against_sweeps(connect: Callable[[], Any], name: str, each: int) -> World:
    """One payment, told of `each` times by every process, while two of them run the sweep besides; each has its own client."""
    world = opened(connect(), name, stock="10")
    with _racing(world):
        started = world.initiate(world.session(world.customer()))
        world.ledger.pay(started.attempt.ref)
        notice = world.ledger.notices.pop(0)
    world.now += timedelta(minutes=1)
    _shared[:] = [(world, notice, connect)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        refused = [
            code for codes in pool.map(_tell_and_sweep, [(number, each) for number in range(PROCESSES)]) for code in codes
        ]
    if refused:
        raise BrokenError(f"{len(refused)} were answered with {', '.join(sorted(set(refused)))}")
    return settled(world)


def _tell_and_sweep(job: tuple[int, int]) -> list[str]:
    number, each = job
    ((world, notice, connect),) = _shared
    settle.side_by_side.cache_clear()  # its threads have stayed behind in the process that this one was born from
    own = world.fork(connect(), world.name)
    own.table = Table(own.client, own.name, own.table.deadline)
    refused = []
    with _racing(own):
        for turn in range(each):
            try:
                own.deliver(notice)
                if number % 2 and turn % 5 == 0:
                    own.reconcile()
            except PayFirstError as error:
                refused.append(str(error.code))
    return refused
