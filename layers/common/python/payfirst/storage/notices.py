"""The gateways' notices as they came in: stored before anything is done, settled once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant, read_instant
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item, Put, Update, absent, equal
from payfirst.storage.dynamodb.table import Table, batch_get, query, write
from payfirst.storage.items import attempt_from_item

SWEEP_AFTER: Final = timedelta(seconds=30)
"""How long the function that stored a notice has to settle it before a sweep takes over."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice as the table knows it: where it stands, the attempt it speaks of, and whether it is settled."""

    key: Mapping[str, str]
    attempt: Attempt | None
    stored: bool
    settled: bool


def digest(route: str, token: str, raw: bytes) -> str:
    """What makes two notices the same: their route, token and raw body."""
    return hashlib.sha256(b"\0".join((route.encode(), token.encode(), raw))).hexdigest()


def look_up(table: Table, notice: str, ref: str) -> Entry:
    """The stored notice of that digest, if it came before, and the attempt it speaks of, in one request."""
    key = keys.notice(ref, notice)
    entry, attempt = batch_get(table, [key, keys.attempt(ref)])
    return Entry(
        key,
        attempt_from_item(attempt) if attempt else None,
        stored=entry is not None,
        settled=entry is not None and "settled_at" in entry,
    )


def store(table: Table, entry: Entry, route: str, ref: str, raw: bytes, now: datetime) -> None:
    """Keep the notice, due for a sweep in case nobody gets to settle it. ConditionFailedError when it is stored already."""
    write(
        table,
        Put(
            "notice",
            {
                **entry.key,
                **due_index.due(due_index.SETTLE, dict(entry.key), now + SWEEP_AFTER),
                "route": route,
                "ref": ref,
                "raw": raw,
                "received_at": instant(now),
            },
            when=(absent("pk"),),
        ),
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A notice as it came in; `settled_at` is None while it waits."""

    ref: str
    raw: bytes
    received_at: datetime
    settled_at: datetime | None


MOST_READ: Final = 50


def of_attempt(table: Table, ref: str) -> tuple[tuple[Stored, ...], bool]:
    """MOST_READ notices of an attempt at most, and whether there are more; which ones says nothing of when they came.

    Those that earlier releases stored lie elsewhere, and notices of refunds are not stored.
    """
    partition, first, last = keys.beside_attempt(ref, keys.NOTICE)
    page = query(table, partition, first=first, last=last, limit=MOST_READ + 1)
    found = [
        Stored(
            ref,
            bytes(item.get("raw", b"")),
            read_instant(item["received_at"]),
            read_instant(item["settled_at"]) if "settled_at" in item else None,
        )
        for item in page.items[:MOST_READ]
    ]
    more = page.more or len(page.items) > MOST_READ
    return tuple(sorted(found, key=lambda one: one.received_at)), more


def settle_write(key: Mapping[str, str], now: datetime) -> Update:
    """The notice needs no more work; part of the write that settles its attempt."""
    return Update("notice", key, set={"settled_at": instant(now)}, remove=due_index.NOT_DUE)


def close(table: Table, item: Item, now: datetime, *, by: str, why: str) -> None:
    """A person has seen to the notice, and nobody tries it any more. ConditionFailedError when it has moved on."""
    key = keys.key_of(item)
    change = settle_write(key, now)
    seen = (equal("due_sk", item["due_sk"]),)
    write(table, replace(change, when=seen, set={**change.set, "by": by, "why": why}))


def mark_settled(table: Table, key: Mapping[str, str], now: datetime) -> None:
    """The notice needs no more work, where no other write says so."""
    write(table, settle_write(key, now))
