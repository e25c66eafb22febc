"""What may happen between a read and the write that was decided from it: each such thing, by itself, stops the write.

A use case runs up to one write of `storage`, which is kept back. Then one item of the table changes, as if somebody else had
been faster, and the write is made after all: nothing may come of it. Without anything in between it goes through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any
from unittest.mock import patch

from payfirst.domain.attempt import Attempt
from payfirst.domain.session import Session
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import to_wire
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Key
from tests.faults.world import World, at_work

Happening = Callable[[World], None]


class _KeptBack(BaseException):
    """The use case got as far as it should."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A write that was not made yet: the shop as it was then, and what the write is given besides the table."""

    world: World
    function: Callable[..., Any]
    given: tuple[Any, ...]
    named: Mapping[str, Any]

    def instead(self, place: int, **values: Any) -> Kept:
        """The same write with other fields in the value at `place`."""
        given = list(self.given)
        given[place] = replace(given[place], **values)
        return replace(self, given=tuple(given))

    def after(self, *happenings: Happening) -> Kept:
        """The same write in a shop where something else has happened before the read already."""
        there = self.world.fork()
        for happening in happenings:
            happening(there)
        return replace(self, world=there)


def kept_back(world: World, module: ModuleType, name: str, act: Callable[[World], Any]) -> Kept:
    """The write `name` of `module` that `act` comes to in a fork of `world`, with everything that it would be given."""
    function, found, there = getattr(module, name), [], world.fork()

    def keep(_: object, *given: Any, **named: Any) -> None:
        found.append(Kept(there, function, given, named))
        raise _KeptBack

    with at_work(there), patch.object(module, name, keep), suppress(_KeptBack):
        act(there)
    return found[0]


def write_of(world: World, function: Callable[..., Any], *given: Any, **named: Any) -> Kept:
    """A write that is made by hand."""
    return Kept(world.fork(), function, given, named)


def stopped(write: Kept, happenings: Mapping[str, Happening]) -> None:
    """`write` goes through as things are, and changes nothing after any single one of the `happenings`."""
    assert _changes(write.world.fork(), write), "it does not go through as things are"
    for what, happening in happenings.items():
        there = write.world.fork()
        happening(there)
        assert not _changes(there, write), f"it goes through although {what}"


def nothing_comes_of(write: Kept) -> None:
    """As things are `write` is refused, whatever its caller believes."""
    assert not _changes(write.world.fork(), write), "it goes through"


def _changes(there: World, write: Kept) -> bool:
    before = there.items()
    with suppress(ConditionFailedError):
        write.function(there.table, *write.given, **write.named)
    return there.items() != before


def has(key: Key, **values: Any) -> Happening:
    """The item at `key` (a new one, where there is none) has other `values`; None removes one."""

    def happen(world: World) -> None:
        place = key["pk"], key["sk"]
        item = {**to_wire(key), **world.client.items.get(place, {}), **to_wire(values)}
        removed = {name for name, value in values.items() if value is None}
        world.client.load(place, {name: value for name, value in item.items() if name not in removed})

    return happen


def gone(key: Key) -> Happening:
    """There is no item at `key` any more."""
    return lambda world: world.client.load((key["pk"], key["sk"]), None)


def place_of(session: Session) -> Key:
    return keys.owned(session.customer.sub, keys.SESSION, session.number)


def guard_of(attempt: Attempt) -> Key:
    return keys.guard(attempt.owner, attempt.guard.key)


def to_session(session: Session, *, entries: int = 1) -> dict[str, Happening]:
    """What stops every write that changes a session and adds `entries` to its history."""
    sub, number = session.customer.sub, session.number
    written = {
        f"entry {offset} of its history is written": has(keys.event(sub, number, session.sequence + offset))
        for offset in range(1, entries + 1)
    }
    return {"its session has changed": has(place_of(session), sequence=session.sequence + 7), **written}
