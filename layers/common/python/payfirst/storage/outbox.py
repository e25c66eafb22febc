"""The outbox: entries of timelines that still have to leave, and the e-mails that follow some of them.

An entry that has left for the bus becomes due as mail where its customer is written to, in the same write; so no e-mail is
forgotten, and no e-mail holds an event up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.clock import instant
from payfirst.domain.fair_use import hour_of
from payfirst.domain.ids import made_at
from payfirst.storage import news
from payfirst.storage.due import batches
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item, Update, Write, absent, equal
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import MOST_READ, Table, batch_get, query_all, transact, write

LEASE: Final = timedelta(minutes=2)
"""How long one sender has an e-mail to itself; whoever dies with it is followed by the next one after that."""


GIVEN_UP: Final = "given_up"
"""Why an e-mail has no message id that a person has given up."""

STATUS: Final = "status="
"""What the names of the counters begin with that count sessions by what they are now."""


def mark_delivered(
    table: Table,
    items: Sequence[Item],
    now: datetime,
    *,
    mailed: Callable[[Item], bool],
    is_news: Callable[[Item], bool] = lambda _: False,
) -> list[Item]:
    """These entries (20 at most) have left: each is counted once, due as mail where `mailed` says so, and something that the
    shop is to hear where `is_news` does.

    Those that this caller marked, as they are now; what somebody else has marked meanwhile is not among them.
    """
    waiting = list(items)
    while waiting:
        writes = [_delivery_write(number, item, now, due_as_mail=mailed(item)) for number, item in enumerate(waiting)]
        try:
            heard = [news.entry(number, each, event_id(each), now) for number, each in enumerate(waiting) if is_news(each)]
            transact(table, [*writes, *heard, *_count_writes(waiting)])
        except ConditionFailedError as error:
            waiting = [item for number, item in enumerate(waiting) if f"event{number}" not in error.failed]
        else:
            return [_after(item, change) for item, change in zip(waiting, writes, strict=True)]
    return []


def waits(item: Item) -> bool:
    """Whether this entry of a timeline has still to leave for the bus."""
    return "due_pk" in item and "delivered_at" not in item


def _after(item: Item, change: Update) -> Item:
    return {name: value for name, value in item.items() if name not in change.remove} | dict(change.set)


def _delivery_write(number: int, item: Item, now: datetime, *, due_as_mail: bool) -> Update:
    key = keys.key_of(item)
    return Update(
        f"event{number}",
        key,
        when=(absent("delivered_at"),),
        set={"delivered_at": instant(now), **(keys.due(keys.MAIL, key, now) if due_as_mail else {})},
        remove=(*keys.FAILURES, *(() if due_as_mail else keys.NOT_DUE)),
    )


def _count_writes(items: Sequence[Item]) -> list[Write]:
    # Whoever else delivers at this moment counts in another shard, as a rule: else they would wait for each other.
    shard = keys.shard_of(keys.key_of(items[0])) % keys.COUNT_SHARDS
    counts: defaultdict[tuple[datetime, str, str], Counter[str]] = defaultdict(Counter)
    for item in items:
        made, kind, moved = _session_made(item), item["kind"], item.get("moved", {})
        names = {_counted_as(item): 1}
        if "from" in moved:
            names[f"{STATUS}{moved['from']}"] = -1
        if "to" in moved:
            names[f"{STATUS}{moved['to']}"] = 1
        for name, by in names.items():
            counts[hour_of(made), kind, name].update({"n": by, _minute(made.minute): by})
    changed = {place: {at: by for at, by in added.items() if by} for place, added in counts.items()}
    return [
        Update(f"count{number}", keys.event_count(hour, kind, name, shard), add=added)
        for number, ((hour, kind, name), added) in enumerate(changed.items())
        if added
    ]


def _minute(minute: int) -> str:
    """The attribute of an hour's counter that counts what began in one minute of it."""
    return f"m{minute:02d}"


def event_id(item: Item) -> str:
    """What the event is called outside, for ever: its session and its place in the timeline."""
    return f"{item['session']}-{keys.sequence_of(item)}"


def _session_made(item: Item) -> datetime:
    """Events are counted for the hour in which their session was made: of those sessions, how many came how far."""
    return made_at(keys.named(item).number or 0)


def _counted_as(item: Item) -> str:
    """The event's name; another one for every further try to pay, so that the name counts sessions."""
    return item["event"] if item["facts"].get("ordinal", 1) == 1 else f"{item['event']}.again"


def lease(table: Table, item: Item, now: datetime) -> None:
    """This caller alone writes the e-mail for a while. ConditionFailedError when somebody else is at it or has been."""
    key = keys.key_of(item)
    seen = (absent("mailed_at"), equal("due_sk", item["due_sk"]))
    write(table, Update("mail", key, when=seen, set=keys.due(keys.MAIL, key, now + LEASE)))


def mark_mailed(table: Table, item: Item, now: datetime, *, word: str) -> None:
    """The e-mail of this entry is done with: `word` is its message id, or why there is none."""
    write(
        table,
        Update(
            "mail",
            keys.key_of(item),
            when=(absent("mailed_at"),),
            set={"mailed_at": instant(now), "mail": word},
            remove=(*keys.FAILURES, *keys.NOT_DUE),
        ),
    )


def close(table: Table, item: Item, now: datetime, *, by: str, why: str) -> None:
    """A person has seen to it: the event does not leave, or its e-mail is not written. ConditionFailedError if it moved on."""
    seen, said = equal("due_sk", item["due_sk"]), {"by_hand": by, "why": why}
    if "delivered_at" not in item:
        left = _delivery_write(0, item, now, due_as_mail=False)
        transact(table, [replace(left, when=(*left.when, seen), set={**left.set, **said}), *_count_writes([item])])
        return
    key = keys.key_of(item)
    given_up = {"mailed_at": instant(now), "mail": GIVEN_UP, **said}
    write(table, Update("mail", key, when=(absent("mailed_at"), seen), set=given_up, remove=(*keys.FAILURES, *keys.NOT_DUE)))


def count_of(table: Table, event: str, kinds: Sequence[str], hours: Sequence[datetime]) -> list[int]:
    """How often `event` happened to sessions of these kinds that were made in each of these clock hours."""
    shards = [(kind, shard) for kind in kinds for shard in range(keys.COUNT_SHARDS)]
    every = [keys.event_count(hour, kind, event, shard) for hour in hours for kind, shard in shards]
    found = [item for some in batches(every, MOST_READ) for item in batch_get(table, some)]
    counts = [int(item["n"]) if item else 0 for item in found]
    return [sum(counts[at : at + len(shards)]) for at in range(0, len(counts), len(shards))]


def counts_since(table: Table, since: datetime) -> Counter[tuple[str, str]]:
    """Counters by kind and name, of the sessions made from the minute `since` on; one page a query.

    Of the clock hour that `since` is in, what an earlier release counted without the minute is among them.

    A name is an event, and how often it happened; or `STATUS` and a status, and how many of these sessions have it.
    """
    found: Counter[tuple[str, str]] = Counter()
    edge = instant(hour_of(since))
    before = [_minute(minute) for minute in range(since.minute)]
    for item in query_all(table, keys.EVENT_COUNTS, first=edge):
        hour, kind, event = keys.counted_by(item)
        earlier = sum(int(item.get(minute, 0)) for minute in before) if hour == edge else 0
        found[kind, event] += int(item.get("n", 0)) - earlier
    return found
