"""What the shop is still to hear by e-mail: one small item for each event, from when it has left until the shop was written to.

An item names the event and holds nothing of it, so that it holds nothing of a customer's either.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from payfirst.domain.clock import instant
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import MOST_WRITES, Delete, Item, Update, absent, any_of, at_most
from payfirst.storage.dynamodb.table import Page, Table, batch_get, query, transact, write

AT_ONCE: Final = MOST_WRITES
"""How much one e-mail tells at most: what one transaction takes off the list."""


def entry(number: int, item: Item, event_id: str, now: datetime) -> Update:
    """The write that puts the event `item` on the list; a part of the transaction in which it leaves."""
    of = due_index.named(item)
    about = {"owner": of.owner, "session_number": of.number, "sequence": keys.sequence_of(item)}
    return Update(f"news{number}", shop_keys.news(now, event_id), set=about)


def waiting(table: Table) -> Page:
    """What the shop has not heard yet, oldest first."""
    return query(table, shop_keys.NEWS, first="!", last="~", limit=AT_ONCE, newest_first=False)


def events_of(table: Table, items: Sequence[Item]) -> list[tuple[Item | None, Item | None]]:
    """The event that each item names, and its session's item; None for what is gone."""
    events = batch_get(table, [keys.event(item["owner"], int(item["session_number"]), int(item["sequence"])) for item in items])
    named = {(item["owner"], int(item["session_number"])): None for item in items}
    sessions = dict(zip(named, batch_get(table, [keys.owned(sub, keys.SESSION, number) for sub, number in named]), strict=True))
    return [(event, sessions[item["owner"], int(item["session_number"])]) for item, event in zip(items, events, strict=True)]


def take_turn(table: Table, now: datetime, until: datetime) -> None:
    """The next e-mail is this caller's, and nobody writes another before `until`. ConditionFailedError before its time."""
    free = any_of(absent("next_at"), at_most("next_at", instant(now)))
    write(table, Update("turn", shop_keys.news_turn(), when=(free,), set={"next_at": instant(until)}))


def remove(table: Table, items: Sequence[Item]) -> None:
    """The shop has heard of these."""
    transact(table, [Delete(f"news{number}", keys.key_of(item)) for number, item in enumerate(items)])
