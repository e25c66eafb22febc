"""The catalogue in pages, in the order of its numbers. What one page costs is bounded, however much there is and however little
of it is looked for: a search that has examined a thousand entries stops there, and its next page goes on behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table, batch_get, query
from payfirst.storage.lists import Slice

MOST_EXAMINED: Final = 1000
DENSE, SPARSE = 101, 500
"""How many entries one request reads where nearly all of them are wanted, and where few are."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page starts: behind the entry with the sort key `after`, or, not `onwards`, before it."""

    after: str
    onwards: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What one list shows: a partition of the catalogue, or the part of it under `prefix`, and its counters."""

    partition: str
    counters: Sequence[str]
    prefix: str = ""


def load_page(
    table: Table, section: Section, *, size: int, place: Place | None, matches: Callable[[Item], bool], is_search: bool
) -> Slice:
    """At most `size` entries that match. Where `is_search`, few may, and only what was found is counted; else all that is on
    sale."""
    onwards = place is None or place.onwards
    first, last = f"{section.prefix}!", f"{section.prefix}~"
    if place is not None and onwards:
        first = f"{place.after}!"
    elif place is not None:
        last = shop_keys.beside_entry(place.after, -1)
    found: list[Item] = []
    examined, edge, more = 0, "", first <= last
    while more and examined < MOST_EXAMINED and len(found) <= size:
        limit = min(SPARSE if is_search else DENSE, MOST_EXAMINED - examined)
        page = query(table, section.partition, first=first, last=last, limit=limit, newest_first=not onwards, consistent=False)
        found += filter(matches, page.items)
        examined, more = examined + len(page.items), page.more
        if page.items:
            edge = keys.sort_key(page.items[-1])
            first, last = (f"{edge}!", last) if onwards else (first, shop_keys.beside_entry(edge, -1))
            more = more and first <= last
    if len(found) > size:
        found, more = found[:size], True
        edge = keys.sort_key(found[-1])
    count = len(found) if is_search else _on_sale(table, section.counters)
    items = tuple(found) if onwards else tuple(reversed(found))
    further = more if onwards else True
    before = more if not onwards else place is not None
    return Slice(items, count, older=further, newer=before, edges=_edges(items, place, edge, onwards=onwards))


def _edges(items: Sequence[Item], place: Place | None, edge: str, *, onwards: bool) -> tuple[str, str]:
    """The sort keys before which the page before ends, and behind which the next one begins."""
    here = place.after if place else ""
    if onwards:
        return (keys.sort_key(items[0]) if items else shop_keys.beside_entry(here, 1), edge or here)
    return (edge or here, keys.sort_key(items[-1]) if items else shop_keys.beside_entry(here, -1))


def _on_sale(table: Table, counters: Sequence[str]) -> int:
    found = batch_get(table, [shop_keys.listing_counter(name) for name in counters])
    return sum(int(counter["n"]) for counter in found if counter)
