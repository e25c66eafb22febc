"""Unfinished work as the sparse index suggests it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from payfirst.domain.clock import instant
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Clause, Item, Update, absent, equal
from payfirst.storage.dynamodb.table import Page, Table, get, query_due, write

Each = TypeVar("Each")

PAGE: Final = 500
MOST_TRIES: Final = 5
FIRST_WAIT: Final = timedelta(minutes=1)

SLOW_PACE: Final = timedelta(hours=1)
"""How long a dead letter waits for its next try."""

FEW: Final = 20
"""Dead letters that one run takes up again at most."""

ALL_KINDS: Final = tuple(kind for kind in due_index.Due if kind is not due_index.REVIEW)
DEAD_LETTERS: Final = tuple(map(due_index.dead_letters, ALL_KINDS))
_LAST: Final = "~"
"""Sorts behind every instant."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the index: what waits there, at which key; `partition` and `at` are what the index has of it."""

    key: keys.Key
    named: due_index.Named
    partition: str
    at: datetime

    @classmethod
    def of(cls, item: Item) -> Entry:
        """The entry of an item that is due, or as the index has it."""
        key = keys.key_of(item)
        return cls(key, due_index.named(key), due_index.partition_of(item), due_index.due_at(item))

    @classmethod
    def waiting(cls, key: keys.Key, what: str, at: datetime) -> Entry:
        """The entry of an item at `key` that waits for work of kind `what` since `at`."""
        return cls.of({**key, **due_index.due(what, key, at)})

    @property
    def name(self) -> str:
        """What people call it: what `payfirst replay` takes."""
        return due_index.name_of(self.key)

    @property
    def place(self) -> Item:
        """Where it stands in the index."""
        return {**self.key, **due_index.place(self.partition, self.at)}


@dataclass(frozen=True, slots=True)
class Backlog:
    """What was due of one kind when it was read: for how many seconds its oldest entry had been due (0: nothing is), and the
    entries, one of each shard in turn, the oldest of each first."""

    oldest_s: int
    entries: Iterator[Entry]


def backlog(table: Table, what: str, now: datetime, *, first: int = 0, older_than: timedelta = timedelta(0)) -> Backlog:
    """The work of one kind that has been due for `older_than`. `first` is the shard to begin with, in any turn.

    The first page of every shard is read at once, so that the age is true of entries as well that no run ever reaches. Shards
    take turns, since what is settled at the same time moves counters by the same shards (`totals`).
    """
    until = instant(now - older_than)
    shards = [due_index.partition(what, shard % keys.SHARDS) for shard in range(first, first + keys.SHARDS)]
    pages = [(shard, query_due(table, shard, until=until, limit=PAGE)) for shard in shards]
    begins = [due_index.due_at(page.items[0]) for _, page in pages if page.items]
    oldest_s = int((now - min(begins)).total_seconds()) if begins else 0
    return Backlog(oldest_s, in_turns(*(_following(table, shard, page, until) for shard, page in pages)))


def in_turns(*streams: Iterator[Each]) -> Iterator[Each]:
    """One of each stream in turn, until all have ended."""
    waiting = list(streams)
    while waiting:
        for stream in list(waiting):
            try:
                yield next(stream)
            except StopIteration:
                waiting.remove(stream)


def entries(table: Table, what: str, until: datetime) -> Iterator[Entry]:
    """The entries of one kind of work that fall due at `until` or before, shard by shard, oldest first."""
    for shard in shards_of(what):
        yield from _all(table, shard, instant(until))


def shards_of(what: str) -> tuple[str, ...]:
    """The partitions of one kind of work."""
    return tuple(due_index.partition(what, shard) for shard in range(keys.SHARDS))


def in_line(
    table: Table, partitions: Iterable[str], until: datetime, *, after: Entry | None, at_once: Callable[..., Iterable[Page]]
) -> Iterator[Entry]:
    """The entries of each of `partitions` in turn, oldest first, those behind `after`, which is one of the first partition's.

    The first page of all of them is asked for through `at_once`, a `map` that may ask for several at the same time. Of dead
    letters, which are on the list whenever their next try may be, `at` is the instant of that try.
    """
    ends = {one: _LAST if one in DEAD_LETTERS else instant(until) for one in partitions}

    def first(partition: str) -> Page:
        begins = after.place if after and after.partition == partition else None
        return query_due(table, partition, until=ends[partition], limit=PAGE, after=begins)

    for (partition, end), page in zip(ends.items(), at_once(first, ends), strict=True):
        yield from _following(table, partition, page, end)


def dead_letters_due(table: Table, what: str, until: datetime) -> Iterator[Entry]:
    """The few dead letters of one kind whose next try has come, the longest waiting first."""
    yield from map(Entry.of, query_due(table, due_index.dead_letters(what), until=instant(until), limit=FEW).items)


def _all(table: Table, partition: str, until: str) -> Iterator[Entry]:
    yield from _following(table, partition, query_due(table, partition, until=until, limit=PAGE), until)


def _following(table: Table, partition: str, page: Page, until: str) -> Iterator[Entry]:
    while page.items:
        yield from map(Entry.of, page.items)
        if not page.more:
            break
        page = query_due(table, partition, until=until, limit=PAGE, after=page.items[-1])


def batches(found: Iterable[Each], size: int) -> Iterator[list[Each]]:
    """`found` in lists of `size`, the last one shorter; shards share a batch, so that few requests serve many entries."""
    remaining = iter(found)
    while batch := list(islice(remaining, size)):
        yield batch


def retry_later(table: Table, entry: Entry, now: datetime) -> bool:
    """Make a failing entry due again after twice as long as the time before; whether it is a dead letter from now on.

    A dead letter stands on the list for a person and is tried once an hour all the same. An entry that is no longer due for
    this work is left alone; ConditionFailedError when it moves on at the same moment.
    """
    key = entry.key
    item = get(table, key)
    if item is None or not due_index.is_due(item):
        return False
    kind, planned = due_index.work_in(due_index.partition_of(item)), due_index.due_at(item)
    if kind != due_index.work_in(entry.partition):
        return False
    tries = min(int(item.get("tries", 0)) + 1, MOST_TRIES)
    if tries < MOST_TRIES:
        change = due_index.due(kind, key, max(now + FIRST_WAIT * 2 ** (tries - 1), planned))
    else:
        there = due_index.place(due_index.dead_letters(kind), max(now + SLOW_PACE, planned))
        change = {**there, "dead_since": item.get("dead_since", instant(now))}
    write(table, Update("due", key, when=_seen(item), set={"tries": tries, **change}))
    return tries == MOST_TRIES and "dead_since" not in item


def forget_failures(table: Table, entry: Entry, now: datetime) -> None:
    """The failures of `entry` count no longer, and it leaves the list for a person. ConditionFailedError when it moves on."""
    key = entry.key
    item = get(table, key)
    if item is None or "tries" not in item:
        return
    waits = due_index.partition_of(item) if due_index.is_due(item) else None
    change = due_index.due(due_index.work_in(waits), key, now + FIRST_WAIT) if waits in DEAD_LETTERS else {}
    write(table, Update("due", key, when=_seen(item), remove=due_index.FAILURES, set=change))


def again(table: Table, item: Item, kind: str, moment: datetime) -> None:
    """Make an item due as `kind` at `moment`, with its failures forgotten. ConditionFailedError when it has moved on."""
    key = keys.key_of(item)
    write(table, Update("due", key, when=_seen(item), remove=due_index.FAILURES, set=due_index.due(kind, key, moment)))


def _seen(item: Item) -> tuple[Clause, ...]:
    return tuple(equal(name, item[name]) if name in item else absent(name) for name in due_index.NOT_DUE)
