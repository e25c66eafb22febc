"""The list of attacks, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest

from payfirst.domain.errors import PayFirstError
from payfirst.usecases.checkout.start_attempt import Started
from tests.faults.book import Book
from tests.faults.matrix import no_bug_was_logged, watched
from tests.faults.model_table import ModelTable
from tests.faults.rest import settle_down
from tests.faults.world import World, at_work

Attack = Callable[[World], Any]
ATTACKS: Final[dict[str, Attack]] = {}


def attack(make: Attack) -> Attack:
    ATTACKS[make.__name__.replace("_", " ")] = make
    return make


BRINGS_A_BUG: Final = {
    "money that cannot even be recorded comes before a person",
    "what fails for a reason of its own is a dead letter and comes back when that is mended",
}
"""What is about a bug of ours; everywhere else one that is only logged, and tried once more, is noticed."""


def run(name: str) -> None:
    """One attack on a shop of its own; AssertionError where it changes what it may not change."""
    world = watched(World(ModelTable(), seed=sum(name.encode())))
    with at_work(world):
        world.stock()
        ATTACKS[name](world)
        settle_down(world)
        if name not in BRINGS_A_BUG:
            no_bug_was_logged(world)


def refused(act: Callable[[], Any]) -> None:
    with pytest.raises(PayFirstError):
        act()


def unchanged(world: World, act: Callable[[], Any]) -> None:
    before = world.items()
    act()
    assert world.items() == before, "it changed something"


def one_order(world: World) -> None:
    assert len(Book.of(world.items()).outcomes) == 1


def late(world: World, ref: str, **paid: Any) -> None:
    """The payment that its gateway had called declined succeeds after all."""
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref, **paid)
    world.deliver_all()


def declined(world: World, started: Started) -> str:
    """The gateway calls the payment declined; its reference."""
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    return started.attempt.ref


def doubts(world: World) -> Sequence[str]:
    """Why payments are before a person."""
    return [str(doubt["reason"]) for doubt in Book.of(world.items()).reviews]


def contradicted(world: World) -> list[str]:
    """What a person was told about a gateway that contradicts itself."""
    events = [event for event in Book.of(world.items()).events if event["event"] == "payment.contradicted"]
    return [str(event["facts"]["reason"]) for event in events]
