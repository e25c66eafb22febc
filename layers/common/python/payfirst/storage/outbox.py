"""The outbox: entries of timelines that still have to leave, and the e-mails that follow some of them.

An entry that has left for the bus becomes due as mail where its customer is written to, in the same write; so no e-mail is
forgotten, and no e-mail holds an event up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.clock import instant
from payfirst.domain.fair_use import hour_of
from payfirst.domain.ids import made_at
from payfirst.storage import news
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item, Update, Write, absent, equal
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table, query_all, transact, write

LEASE: Final = timedelta(minutes=2)
"""How long one sender has an e-mail to itself; whoever dies with it is followed by the next one after that."""


_HOUR: Final = len("2026-03-02T08")
"""So much of an instant is its clock hour."""

GIVEN_UP: Final = "given_up"
"""Why an e-mail has no message id that a person has given up."""

STATUS: Final = "status="
"""What the names of the counters begin with that count sessions by what they are now."""


def counter(name: str) -> str:
    """The attribute that counts `name`, an event or `STATUS` and a status."""
    return f"n_{name.replace('.', '_').replace('=', '_')}"


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
    return due_index.is_due(item) and "delivered_at" not in item


def _after(item: Item, change: Update) -> Item:
    return {name: value for name, value in item.items() if name not in change.remove} | dict(change.set)


def _delivery_write(number: int, item: Item, now: datetime, *, due_as_mail: bool) -> Update:
    key = keys.key_of(item)
    return Update(
        f"event{number}",
        key,
        when=(absent("delivered_at"),),
        set={"delivered_at": instant(now), **(due_index.due(due_index.MAIL, key, now) if due_as_mail else {})},
        remove=(*due_index.FAILURES, *(() if due_as_mail else due_index.NOT_DUE)),
    )


def _count_writes(items: Sequence[Item]) -> list[Write]:
    # Whoever else delivers at this moment counts in another shard, as a rule: else they would wait for each other.
    shard = keys.shard_of(keys.key_of(items[0]))
    counts: defaultdict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
    for item in items:
        added, moved = counts[_session_made(item), item["kind"]], item.get("moved", {})
        added[counter(_counted_as(item))] += 1
        if "from" in moved:
            added[counter(f"{STATUS}{moved['from']}")] -= 1
        if "to" in moved:
            added[counter(f"{STATUS}{moved['to']}")] += 1
    return [
        Update(
            f"count{number}", shop_keys.event_counts(minute, kind, shard), add={name: by for name, by in added.items() if by}
        )
        for number, ((minute, kind), added) in enumerate(counts.items())
    ]


def event_id(item: Item) -> str:
    """What the event is called outside, for ever: its session and its place in the timeline."""
    return f"{item['session']}-{keys.sequence_of(item)}"


def _session_made(item: Item) -> datetime:
    """Events are counted for the minute in which their session was made: of those sessions, how many came how far."""
    return made_at(due_index.named(item).number or 0).replace(second=0, microsecond=0)


def _counted_as(item: Item) -> str:
    """The event's name; another one for every further try to pay, so that the name counts sessions."""
    return item["event"] if item["facts"].get("ordinal", 1) == 1 else f"{item['event']}.again"


def lease(table: Table, item: Item, now: datetime) -> None:
    """This caller alone writes the e-mail for a while. ConditionFailedError when somebody else is at it or has been."""
    key = keys.key_of(item)
    seen = (absent("mailed_at"), equal("due_sk", item["due_sk"]))
    write(table, Update("mail", key, when=seen, set=due_index.due(due_index.MAIL, key, now + LEASE)))


def mark_mailed(table: Table, item: Item, now: datetime, *, word: str) -> None:
    """The e-mail of this entry is done with: `word` is its message id, or why there is none."""
    write(
        table,
        Update(
            "mail",
            keys.key_of(item),
            when=(absent("mailed_at"),),
            set={"mailed_at": instant(now), "mail": word},
            remove=(*due_index.FAILURES, *due_index.NOT_DUE),
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
    write(
        table,
        Update("mail", key, when=(absent("mailed_at"), seen), set=given_up, remove=(*due_index.FAILURES, *due_index.NOT_DUE)),
    )


def counts_by_hour(table: Table, events: Sequence[str], hours: Sequence[datetime]) -> dict[str, list[int]]:
    """How often each of `events` happened to sessions made in each of these clock hours, the last of which is the earliest."""
    found: Counter[tuple[str, str]] = Counter()
    for at, _, name, number in _counts(table, hours[-1]):
        found[name, at[:_HOUR]] += number
    return {event: [found[counter(event), instant(hour)[:_HOUR]] for hour in hours] for event in events}


def counts_since(table: Table, since: datetime) -> Counter[tuple[str, str]]:
    """By kind and `counter`, of the sessions made from the minute `since` on: how often an event happened, or how many of these
    sessions have a status. One page a query.

    Of the clock hour that `since` is in, what an earlier release counted without the minute is among them.
    """
    found: Counter[tuple[str, str]] = Counter()
    for _, kind, name, number in _counts(table, since):
        found[kind, name] += number
    return found


def _counts(table: Table, since: datetime) -> Iterator[tuple[str, str, str, int]]:
    """From when on, of which kind, by which `counter` and how often, of the sessions made from the minute `since` on."""
    hour, edge = instant(hour_of(since)), instant(since)
    for item in query_all(table, shop_keys.EVENT_COUNTS, first=hour):
        at, kind, event = shop_keys.counted_by(item)
        if event:  # an hour's, of an earlier release, with a part for each minute
            before = range(since.minute if at == hour else 0)
            earlier = sum(int(item.get(f"m{minute:02d}", 0)) for minute in before)
            yield at, kind, counter(event), int(item.get("n", 0)) - earlier
        elif at >= edge:
            yield from ((at, kind, name, int(number)) for name, number in item.items() if name.startswith("n_"))
