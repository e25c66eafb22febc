"""Unfinished work as the sparse index suggests it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from payfirst.domain.clock import instant
from payfirst.storage import keys
from payfirst.storage.expressions import Item
from payfirst.storage.table import Table, query_due


def pages(table: Table, what: str, until: datetime, size: int) -> Iterator[tuple[Item, ...]]:
    """The entries of one kind of work that fall due at `until` or before, shard by shard, in pages of at most `size`."""
    for shard in range(keys.SHARDS):
        partition = keys.due_partition(what, shard)
        page = query_due(table, partition, until=instant(until), limit=size)
        while page.items:
            yield page.items
            if not page.more:
                break
            page = query_due(table, partition, until=instant(until), limit=size, after=page.items[-1])
