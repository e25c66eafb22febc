"""A customer's lists, newest first: one query reads a page and the list's counter, which sorts behind its entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from payfirst.storage import keys
from payfirst.storage.expressions import Item
from payfirst.storage.table import Table, get, query

LONGEST_STRETCH: Final = 500
_FIRST: Final = ""
_LAST: Final = "~"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page starts: behind the entry `after`, towards older entries, or towards newer ones."""

    after: int
    towards_older: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a list, newest first, the list's length, and whether there is more on either side."""

    items: tuple[Item, ...]
    count: int
    older: bool
    newer: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of a list, newest first, and the number of the last of them where older ones follow."""

    items: tuple[Item, ...]
    more_before: int | None


def read_page(table: Table, sub: str, what: str, *, size: int, position: Position | None) -> Slice:
    """A page of the customer's list of `what` (`keys.SESSION` …): the newest entries, or those next to `position`."""
    partition = keys.owner(sub)
    if position is None:
        page = query(table, partition, first=f"{what}#{_FIRST}", last=f"{what}#{_LAST}", limit=size + 2)
        counter, entries = _without_counter(page.items)
        return Slice(entries[:size], counter, older=len(entries) > size or page.more, newer=False)
    if position.towards_older:
        last = keys.entry(what, position.after - 1)
        page = query(table, partition, first=f"{what}#{_FIRST}", last=last, limit=size + 1)
        return Slice(page.items[:size], _count(table, sub, what), older=len(page.items) > size or page.more, newer=True)
    first = keys.entry(what, position.after + 1)
    page = query(table, partition, first=first, last=f"{what}#{_LAST}", limit=size + 2, newest_first=False)
    counter, entries = _without_counter(page.items)
    nearest = tuple(reversed(entries[:size]))
    # The counter is the last key of the range: where the page stopped before it, there are newer entries.
    newer = len(entries) > size
    return Slice(nearest, counter if counter else _count(table, sub, what), older=True, newer=newer)


def read_stretch(table: Table, sub: str, what: str, *, before: int | None) -> Stretch:
    """The customer's newest entries of `what`, or the newest of those older than `before`, for a filter to look through.

    One query, however long the list is: 500 entries or 1 MB, whatever is reached first.
    """
    last = f"{what}#{_LAST}" if before is None else keys.entry(what, before - 1)
    page = query(table, keys.owner(sub), first=f"{what}#{_FIRST}", last=last, limit=LONGEST_STRETCH)
    entries = _without_counter(page.items)[1]
    return Stretch(entries, int(entries[-1]["sk"].split("#")[1]) if page.more and entries else None)


def _without_counter(items: tuple[Item, ...]) -> tuple[int, tuple[Item, ...]]:
    counters = [item for item in items if item["sk"].endswith("#~")]
    return int(counters[0]["n"]) if counters else 0, tuple(item for item in items if not item["sk"].endswith("#~"))


def _count(table: Table, sub: str, what: str) -> int:
    counter = get(table, keys.counter(sub, what))
    return int(counter["n"]) if counter else 0
