"""A session's timeline: written with every change, read as a whole."""

from __future__ import annotations

from collections.abc import Collection

from payfirst.domain.clock import read_instant
from payfirst.domain.event import Event
from payfirst.domain.session import Session
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table, query

LONGEST_TIMELINE = 500


def read(table: Table, session: Session) -> tuple[Event, ...]:
    """The session's entries, oldest first."""
    partition, first, last = keys.timeline(session.customer.sub, session.number)
    page = query(table, partition, first=first, last=last, limit=LONGEST_TIMELINE, newest_first=False)
    return tuple(_event(item) for item in page.items)


def is_told_by_another(table: Table, session: Session, name: str, sequence: int, *, silent: Collection[str]) -> bool:
    """Whether an entry `name` beside that at `sequence` tells the customer the same: an older one that became an e-mail, or a
    newer one, which becomes one or is not needed. `silent` are the words of those that became none."""
    partition, first, last = keys.timeline(session.customer.sub, session.number)
    page = query(table, partition, first=first, last=last, limit=LONGEST_TIMELINE, newest_first=False)
    same = [item for item in page.items if item["event"] == name]
    newer = any(keys.sequence_of(item) > sequence for item in same)
    mailed = any(keys.sequence_of(item) < sequence and item.get("mail", "") not in ("", *silent) for item in same)
    return newer or mailed


def _event(item: Item) -> Event:
    return Event(
        sequence=keys.sequence_of(item),
        name=item["event"],
        at=read_instant(item["at"]),
        by=item["by"],
        facts=item["facts"],
        delivered="delivered_at" in item,
    )
