"""Unfinished work as the sparse index suggests it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from payfirst.domain.clock import instant, read_instant
from payfirst.storage import keys
from payfirst.storage.expressions import Item, Update, equal
from payfirst.storage.table import Table, get, query_due, write

PAGE: Final = 500
MOST_TRIES: Final = 5
FIRST_WAIT: Final = timedelta(minutes=1)


def entries(table: Table, what: str, until: datetime, *, first: int = 0) -> Iterator[Item]:
    """The entries of one kind of work that fall due at `until` or before: their keys only, shard by shard, oldest first.

    `first` is the shard to begin with, in any turn.
    """
    for shard in range(first, first + keys.SHARDS):
        partition = keys.due_partition(what, shard % keys.SHARDS)
        page = query_due(table, partition, until=instant(until), limit=PAGE)
        while page.items:
            yield from page.items
            if not page.more:
                break
            page = query_due(table, partition, until=instant(until), limit=PAGE, after=page.items[-1])


def batches(found: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """`found` in lists of `size`, the last one shorter; shards share a batch, so that few requests serve many entries."""
    remaining = iter(found)
    while batch := list(islice(remaining, size)):
        yield batch


def put_off(table: Table, entry: Item, now: datetime) -> bool:
    """Make a failing entry due again after twice as long as the time before; whether it is parked for a person instead.

    An entry that is no longer due is left alone; ConditionFailedError when it moves on at the same moment.
    """
    key = {"pk": entry["pk"], "sk": entry["sk"]}
    item = get(table, key)
    if item is None or "due_pk" not in item:
        return False
    tries = int(item.get("tries", 0)) + 1
    parked = tries >= MOST_TRIES
    kind = str(item["due_pk"]).split("#", maxsplit=1)[0]
    later = max(now + FIRST_WAIT * 2 ** (tries - 1), read_instant(item["due_sk"]))
    due = keys.due(keys.REVIEW, key, now) if parked else keys.due(kind, key, later)
    seen = (equal("due_pk", item["due_pk"]), equal("due_sk", item["due_sk"]))
    write(table, Update("due", key, when=seen, set={"tries": tries, **due}))
    return parked


def again(table: Table, entry: Item, kind: str, moment: datetime) -> None:
    """Make an entry due as `kind` at `moment`, with its failures forgotten. ConditionFailedError when it has moved on."""
    key = {"pk": entry["pk"], "sk": entry["sk"]}
    seen = (equal("due_pk", entry["due_pk"]), equal("due_sk", entry["due_sk"]))
    write(table, Update("due", key, when=seen, set={**keys.due(kind, key, moment), "tries": None}))
