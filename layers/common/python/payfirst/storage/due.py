"""Unfinished work as the sparse index suggests it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from payfirst.domain.clock import instant
from payfirst.storage import keys
from payfirst.storage.expressions import Item
from payfirst.storage.table import Table, query_due

PAGE: Final = 500


def entries(table: Table, what: str, until: datetime) -> Iterator[Item]:
    """The entries of one kind of work that fall due at `until` or before: their keys only, shard by shard, oldest first."""
    for shard in range(keys.SHARDS):
        partition = keys.due_partition(what, shard)
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
