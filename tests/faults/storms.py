"""Real races: many threads at once on the embedded table, where nobody decides who goes first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from payfirst import observability
from payfirst.domain.errors import PayFirstError
from payfirst.storage import keys
from payfirst.storage.table import Table
from tests.faults.matrix import modelled
from tests.faults.rest import settle_down
from tests.faults.world import World, at_work

Given = TypeVar("Given")
THREADS = 16


@contextmanager
def _logged(world: World) -> Iterator[None]:
    with patch.object(observability, "logger", lambda: world.log):
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
    with _logged(world):
        started = world.initiate(world.session(world.customer()))
        world.ledger.pay(started.attempt.ref)
        notice = world.ledger.notices.pop(0)
        at_once(lambda _: world.deliver(notice), range(count))
    return settled(world)


def buyers_of_the_last(client: Any, name: str, buyers: int, units: int) -> World:
    """`buyers` who all pay at once for one of `units`."""
    world = opened(client, name, stock=str(buyers))
    with _logged(world):
        sessions = [world.session(world.customer(), quantity="1") for _ in range(buyers)]
        world.stock(str(units))
        at_once(world.initiate, sessions)
        for ref in world.ledger.payments:
            world.ledger.pay(ref)
        notices, world.ledger.notices = world.ledger.notices, []
        at_once(world.deliver, notices)
    return settled(world)
