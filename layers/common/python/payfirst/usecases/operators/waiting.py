"""What waits for a person, or too long for a sweep: listed, taken up again, and closed where nothing else is left to do.

What `stuck` calls a thing is what the others take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final

from payfirst.domain.clock import read_instant
from payfirst.domain.errors import ContentionError, NotFoundError, RefusedError
from payfirst.domain.moves import AttemptStatus
from payfirst.storage import due, notices, outbox
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.due_index import Named, Thing
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.schema import NewerItemError
from payfirst.storage.dynamodb.table import MOST_READ, Table, batch_get, get
from payfirst.storage.items import attempt_from_item
from payfirst.usecases.context import NoticeContext, SettlementContext
from payfirst.usecases.settlement.settle import settle, side_by_side
from payfirst.usecases.sweeps.reconcile import settle_entry

OVERDUE: Final = timedelta(minutes=2)
"""How long after its time unfinished work is no longer only the sweep's affair."""

CLOCKS_APART: Final = timedelta(seconds=30)
"""How far the clock of the container that answered with a page's `next` may be ahead of this one's."""

DUE_AGAIN: Final = "due for the next sweep"
CLOSED: Final = "closed"
LONGEST_NAME: Final = 300

_WORK: Final[Mapping[Thing, str]] = {
    Thing.ATTEMPT: due_index.SETTLE,
    Thing.NOTICE: due_index.SETTLE,
    Thing.REFUND: due_index.REFUND,
    Thing.SESSION: due_index.EXPIRE,
    Thing.BOOKING: due_index.COMPLETE,
    Thing.EVENT: due_index.OUTBOX,
}
"""What is left to do; of an event that has left it is the e-mail about it. A doubt is only decided."""


class List(StrEnum):
    """The two lists of what waits: for a person, and too long for a sweep."""

    REVIEW = "review"
    OVERDUE = "overdue"


_PARTITIONS: Final[Mapping[List, tuple[str, ...]]] = {
    List.REVIEW: (*due.shards_of(due_index.REVIEW), *due.DEAD_LETTERS),
    List.OVERDUE: tuple(shard for what in due.ALL_KINDS for shard in due.shards_of(what)),
}


@dataclass(frozen=True, slots=True)
class Stuck:
    """Something that waits for a person, or has waited too long for a sweep: what it waits for, its name, what stands there,
    and since when; `place` is where it stands on its list."""

    what: str
    key: str
    named: Named
    since: datetime
    place: str = ""


@dataclass(frozen=True, slots=True)
class StuckPage:
    """Some of what waits, and the place behind which the next page begins; None where this is the last."""

    found: tuple[Stuck, ...]
    next: str | None


def page(table: Table, now: datetime, of: List | None = None, *, most: int, after: Entry | None = None) -> StuckPage:
    """At most `most` entries of one list, or of both, from behind `after` (`read_place`)."""
    found = tuple(islice(stuck(table, now, of, after=after), most + 1))
    return StuckPage(found[:most], found[most - 1].place if len(found) > most else None)


def stuck(table: Table, now: datetime, of: List | None = None, *, after: Entry | None = None) -> Iterator[Stuck]:
    """Everything under review, then the dead letters, then what is due for longer than two minutes; or one list of the two.

    Partitions are asked side by side, and those of the second list only when the first has ended.
    """
    for each in _lists(of):
        partitions, until = _PARTITIONS[each], _until(each, now)
        if after and after.partition not in partitions:
            continue
        begin = partitions.index(after.partition) if after else 0
        if after and after.at > until and after.partition not in due.DEAD_LETTERS:
            begin, after = begin + 1, None  # by a clock that is ahead: to this one nothing more of its partition is due
        found = due.in_line(table, partitions[begin:], until, after=after, at_once=side_by_side().map)
        for batch in due.batches(found, MOST_READ):
            yield from _described(table, batch)
        after = None


def _until(of: List, now: datetime) -> datetime:
    return now if of is List.REVIEW else now - OVERDUE


def _described(table: Table, batch: list[Entry]) -> Iterator[Stuck]:
    dead = [entry for entry in batch if entry.partition in due.DEAD_LETTERS]
    since = dict(zip((entry.name for entry in dead), _dead_since(table, dead), strict=True))
    for entry in batch:
        kind = due_index.waits_for(entry.place)
        what = "needs review" if kind == due_index.REVIEW else f"overdue: {kind}"
        place = due_index.text_of_place(entry.place)
        yield Stuck(what, entry.name, entry.named, since.get(entry.name, entry.at), place)


def _dead_since(table: Table, dead: list[Entry]) -> list[datetime]:
    """Since when each of these is a dead letter; one that only a newer release can read is on the list all the same."""
    try:
        found = batch_get(table, [entry.key for entry in dead])
    except NewerItemError:
        if len(dead) == 1:
            return [dead[0].at]
        return [since for entry in dead for since in _dead_since(table, [entry])]
    times = [item.get("dead_since") if item else None for item in found]
    return [read_instant(since) if since else entry.at for since, entry in zip(times, dead, strict=True)]


def read_place(text: str, of: List | None, now: datetime) -> Entry:
    """The entry of the index at a page's `next`; ValueError for what is no place on that list."""
    place = Entry.of(due_index.place_in(text))
    partition = place.partition
    latest = next((_until(each, now) + CLOCKS_APART for each in _lists(of) if partition in _PARTITIONS[each]), None)
    could_be = latest is not None and (partition in due.DEAD_LETTERS or place.at <= latest)
    if not (could_be and len(text) <= LONGEST_NAME):
        raise ValueError(f"{text[:LONGEST_NAME]!r} is no place on the list")
    return place


def _lists(of: List | None) -> tuple[List, ...]:
    return tuple(List) if of is None else (of,)


def replay(context: NoticeContext, which: str, *, no_answer_after: timedelta) -> str:
    """Take what `stuck` lists up again, as a sweep would; what came of it.

    A session, a booking or an event is due for the next sweep. Errors as in `take_up`.
    """
    entry = _found(context.table, which)
    if _thing(entry) not in (Thing.ATTEMPT, Thing.NOTICE, Thing.REFUND) or _is_decided_by_people(entry):
        return _taken_up(context, which, entry)
    if "settled_at" in entry:
        return "this notice is settled; there is nothing to do"
    return str(settle_entry(context, keys.key_of(entry), no_answer_after=no_answer_after))


def take_up(context: SettlementContext, which: str) -> str:
    """Make what `stuck` lists due for the next sweep, without asking a gateway; what came of it.

    Money of which nothing could be made is tried at once. NotFoundError where nothing is left to do; RefusedError
    NEEDS_DECISION where only a person's word helps.
    """
    return _taken_up(context, which, _found(context.table, which))


def close(table: Table, which: str, now: datetime, *, by: str, why: str) -> str:
    """Take a notice, an event or an e-mail off the list for good, recorded with who and why: nobody tries it any more.

    NotFoundError; RefusedError NOT_UNDER_REVIEW where it is not on the list, NEEDS_DECISION for what is decided otherwise.
    """
    entry = _found(table, which)
    thing = _thing(entry)
    if thing not in (Thing.NOTICE, Thing.EVENT):
        raise _needs_decision(which)
    if not due_index.is_due_as(entry, due_index.REVIEW):
        raise RefusedError(f"{which} is not on the list: only what needs review is closed.", code="NOT_UNDER_REVIEW")
    try:
        (notices if thing is Thing.NOTICE else outbox).close(table, entry, now, by=by, why=why)
    except ConditionFailedError as error:
        raise _being_worked_on(which) from error
    return CLOSED


def _taken_up(context: SettlementContext, which: str, entry: Item) -> str:
    if _is_decided_by_people(entry):
        attempt = attempt_from_item(entry)
        if attempt.captured is None:
            raise _needs_decision(which)
        return str(settle(context, attempt, None))
    is_listed = due_index.is_due_as(entry, due_index.REVIEW)
    if not due_index.is_due(entry) or (not is_listed and due_index.due_at(entry) > context.now):
        raise NotFoundError(f"{which} needs no work now.")
    kind = due_index.MAIL if "delivered_at" in entry else _WORK[_thing(entry)]
    planned = entry.get("next_check_at")  # the gateway's pace is kept, whoever asks
    moment = max(context.now, read_instant(planned)) if planned else context.now
    try:
        due.again(context.table, entry, kind, moment)
    except ConditionFailedError as error:
        raise _being_worked_on(which) from error
    return DUE_AGAIN


def _is_decided_by_people(entry: Item) -> bool:
    return _thing(entry) is Thing.ATTEMPT and entry["status"] == AttemptStatus.NEEDS_REVIEW


def _needs_decision(which: str) -> RefusedError:
    return RefusedError(f"{which} waits for a decision: resolve, refund or complete it.", code="NEEDS_DECISION")


def _being_worked_on(which: str) -> ContentionError:
    return ContentionError(f"{which} is just being worked on; please look again.")


def _found(table: Table, which: str) -> Item:
    place = due_index.key_named(which) if len(which) <= LONGEST_NAME else None
    entry = get(table, place) if place else None
    if entry is None:
        raise NotFoundError(f"There is nothing under {which[:LONGEST_NAME]}.")
    return entry


def _thing(entry: Item) -> Thing:
    return due_index.named(entry).thing
