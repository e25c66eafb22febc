"""Which sessions go by a phone number, its last digits or an address: one item each, in a partition of their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from payfirst.domain.clock import instant
from payfirst.domain.searching import By, keyed
from payfirst.domain.session import Session
from payfirst.storage import fair_use
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Put, Write
from payfirst.storage.dynamodb.table import Table, batch_get, query, transact
from payfirst.storage.items import session_from_item


def found_by(session: Session, names: Collection[tuple[By, str]], key: bytes) -> list[Write]:
    """`session` is found by each of `names`, in the write that begins its payment."""
    theirs, words = {"owner": session.customer.sub}, sorted(keyed(key, by, name) for by, name in names)
    # The same item whoever writes it: its key holds the session's number.
    return [Put("found", {**keys.finding(word, session.number), **theirs}) for word in words]  # nosemgrep: unconditional-put


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Sessions, newest first; `before` is where the next page begins, None where there is none."""

    sessions: tuple[Session, ...]
    before: int | None


def page(table: Table, word: str, *, size: int, before: int | None) -> FoundPage:
    """The sessions, `size` (100 at most) of them, that go by the keyed `word`: the newest, or those older than `before`."""
    partition, first, last = keys.findings(word, before)
    found = query(table, partition, first=first, last=last, limit=size)
    items = batch_get(table, [keys.owned(item["owner"], keys.SESSION, keys.found_session(item)) for item in found.items])
    further = keys.found_session(found.items[-1]) if found.more else None
    return FoundPage(tuple(session_from_item(item) for item in items if item), further)


def record(table: Table, limit: int, what: str, now: datetime, *, by: str, token: str) -> None:
    """Keep who searched, when, and for what kind of name; ConditionFailedError where they did so `limit` times this hour."""
    kept = {**keys.searched(now.date(), now, token), "by": by, "what": what, "at": instant(now)}
    transact(table, [*fair_use.search_writes(limit, by, now), Put("searched", kept)])  # nosemgrep: unconditional-put
