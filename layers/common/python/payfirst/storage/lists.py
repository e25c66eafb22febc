"""A customer's lists, newest first: one query reads a page and the list's counter, which sorts behind its entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table, get, query

LONGEST_STRETCH: Final = 500


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page starts: behind the entry `after`, towards older entries, or towards newer ones."""

    after: int
    towards_older: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a list, newest first, the list's length, and whether there is more on either side.

    `edges` are the outermost entries of the page, newest and oldest, as cursors name them: behind them its neighbours begin.
    """

    items: tuple[Item, ...]
    count: int
    older: bool
    newer: bool
    edges: tuple[int | str, int | str]


def read_page(table: Table, sub: str, what: str, *, size: int, position: Position | None) -> Slice:
    """A page of the customer's list of `what` (`keys.SESSION` …): the newest entries, or those next to `position`.

    It holds fewer than `size` where they are more than the 1 MB that DynamoDB reads at once.
    """
    towards_older = position is None or position.towards_older
    first, _, last = keys.list_ends(what)
    if position is not None and towards_older:
        last = keys.entry(what, position.after - 1)
    elif position is not None:
        first = keys.entry(what, position.after + 1)
    page = query(table, keys.owner(sub), first=first, last=last, limit=size + 2, newest_first=towards_older)
    counter, entries = _without_counter(page.items)
    shown = entries[:size]
    further = len(entries) > size or (page.more and _goes_on(table, sub, what, entries, towards_older=towards_older))
    newest_first = shown if towards_older else shown[::-1]
    return Slice(
        newest_first,
        _count(table, sub, what) if counter is None else counter,
        older=further if towards_older else True,
        newer=position is not None if towards_older else further,
        edges=_edges(newest_first, position),
    )


def read_stretch(table: Table, sub: str, what: str, *, position: Position | None) -> Slice:
    """A page of as many entries as a filter looks through at once, however few of them it finds: 500 entries or 1 MB."""
    return read_page(table, sub, what, size=LONGEST_STRETCH, position=position)


def _goes_on(table: Table, sub: str, what: str, entries: tuple[Item, ...], *, towards_older: bool) -> bool:
    """Whether entries follow the last one read: where DynamoDB ends a page by its size, only the counter may do."""
    if not entries:
        return False
    last_read = keys.number_of(entries[-1])
    first, before_counter, _ = keys.list_ends(what)
    last = keys.entry(what, last_read - 1)
    if not towards_older:
        first, last = keys.entry(what, last_read + 1), before_counter
    return bool(query(table, keys.owner(sub), first=first, last=last, limit=1).items)


def _edges(shown: tuple[Item, ...], position: Position | None) -> tuple[int, int]:
    if shown:
        return keys.number_of(shown[0]), keys.number_of(shown[-1])
    # Everything there has been deleted: the neighbour begins with the entry from which this page was reached, if that is left.
    here = position.after if position else 0
    return here - 1, here + 1


def _without_counter(items: tuple[Item, ...]) -> tuple[int | None, tuple[Item, ...]]:
    counters = [item for item in items if keys.is_counter(item)]
    return int(counters[0]["n"]) if counters else None, tuple(item for item in items if not keys.is_counter(item))


def _count(table: Table, sub: str, what: str) -> int:
    counter = get(table, keys.counter(sub, what))
    return int(counter["n"]) if counter else 0
