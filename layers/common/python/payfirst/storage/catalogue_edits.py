"""The catalogue as an operator keeps it: many entries at once, never the counters that payments keep; or one entry by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from payfirst.domain.catalogue import Listing, Service
from payfirst.domain.clock import instant
from payfirst.domain.promo import Promo
from payfirst.storage.catalogue import (
    count_writes,
    counters_of,
    listing_from_item,
    listing_to_item,
    promo_from_item,
    promo_to_item,
    service_from_item,
    service_to_item,
)
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import (
    Condition,
    Item,
    Put,
    Update,
    Write,
    absent,
    at_least,
    equal,
    present,
)
from payfirst.storage.dynamodb.table import Table, batch_get, scan, transact

Entry = Listing | Service | Promo

AT_ONCE: Final = 97
"""What one transaction takes, beside a counter for each kind of list."""

_COUNTERS: Final = frozenset({"available", "held", "sold", "taken", "used", "edits", "edited_by", "edited_at"})


def _item(entry: Entry) -> Item:
    match entry:
        case Listing():
            return listing_to_item(entry)
        case Service():
            return service_to_item(entry)
        case Promo():
            return promo_to_item(entry)


def _entry(item: Item) -> Entry:
    if shop_keys.is_listing(item):
        return listing_from_item(item)
    return service_from_item(item) if shop_keys.is_service(item) else promo_from_item(item)


def content(entry: Entry) -> Item:
    """What an entry says, without what payments count."""
    return {name: value for name, value in _item(entry).items() if name not in _COUNTERS}


def read_same(table: Table, entries: Sequence[Entry]) -> list[Entry | None]:
    """What the table holds in the places of `entries` (100 at most); None where it holds nothing."""
    found = batch_get(table, [keys.key_of(_item(entry)) for entry in entries])
    return [_entry(item) if item else None for item in found]


def with_stock(listing: Listing, available: Decimal) -> Listing:
    """The listing with another stock."""
    return replace(listing, available=available)


def store(table: Table, changes: Sequence[tuple[Entry, Entry | None]]) -> None:
    """Write each entry in place of what was seen there (None: nothing), `AT_ONCE` at most, all of them or none.

    What payments count stays; the lists' own counters follow. Conflicts: the entries' keys.
    """
    on_sale: Counter[str] = Counter()
    for wanted, seen in changes:
        on_sale.update(counters_of(wanted))
        on_sale.subtract(counters_of(seen))
    transact(table, [*(_change(wanted, seen) for wanted, seen in changes), *count_writes(on_sale)])


_BY_A_FILE: Final[Item] = {"edited_by": None, "edited_at": None}
"""Who was the last to edit by hand is so no more once a file was imported."""


def _change(wanted: Entry, seen: Entry | None) -> Write:
    item = _item(wanted)
    name = keys.in_line(item)
    if seen is None:
        return Put(name, item, when=(absent("pk"),))
    changed = _changed(wanted, seen)
    before = content(seen)
    unchanged = (absent(each) if before.get(each) is None else equal(each, before[each]) for each in sorted(changed))
    return Update(name, keys.key_of(item), when=(present("pk"), *unchanged), set=changed | _BY_A_FILE, add={"edits": 1})


def _changed(wanted: Entry, seen: Entry) -> Item:
    before, after = content(seen), content(wanted)
    return {each: after.get(each) for each in before.keys() | after.keys() if before.get(each) != after.get(each)}


@dataclass(frozen=True, slots=True)
class Stock:
    """What becomes of a listing's stock: `to` takes the place of what was seen, or `by` is added to what is there now."""

    to: Decimal | None = None
    by: Decimal = Decimal(0)


AS_IT_IS: Final = Stock()


def edit(
    table: Table, wanted: Listing | Service, seen: Listing | Service, stock: Stock = AS_IT_IS, *, by: str, now: datetime
) -> None:
    """Write what `wanted` says otherwise than `seen`, and the stock, as one more edit of the entry, all or nothing.

    ConditionFailedError on `entry` where somebody has edited it since it was seen; where `stock.to` is given and some was
    bought, held or given back since; and where less is there than `stock.by` takes away.
    """
    unedited = equal("edits", seen.edits.count) if seen.edits.count else absent("edits")
    counted_as: tuple[Condition, ...] = ()
    changed, added = _changed(wanted, seen), {"edits": Decimal(1)}
    if stock.to is not None and isinstance(seen, Listing):
        counted_as = (equal("available", seen.available),)
        changed["available"] = stock.to
    elif stock.by:
        counted_as = (at_least("available", -stock.by),)
        added["available"] = stock.by
    on_sale = Counter(counters_of(wanted))
    on_sale.subtract(counters_of(seen))
    said = {**changed, "edited_by": by, "edited_at": instant(now)}
    change = Update("entry", keys.key_of(_item(seen)), when=(present("pk"), unedited, *counted_as), set=said, add=added)
    transact(table, [change, *count_writes(on_sale)])


def all_promos(table: Table) -> tuple[Promo, ...]:
    """Every promo, by code; looks through the whole table, which takes long in a large one."""
    found = scan(table, "begins_with(pk, :promo)", {":promo": shop_keys.PROMOS})
    return tuple(sorted(map(promo_from_item, found), key=lambda promo: promo.code))
