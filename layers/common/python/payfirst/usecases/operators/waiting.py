"""What waits for a person, or too long for a sweep: listed, taken up again, and closed where nothing else is left to do.

What `stuck` calls a thing is what the others take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.clock import instant, read_instant
from payfirst.domain.errors import ContentionError, NotFoundError, RefusedError
from payfirst.domain.moves import AttemptStatus
from payfirst.storage import due, notices, outbox
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.keys import Named, Thing
from payfirst.storage.dynamodb.schema import NewerItemError
from payfirst.storage.dynamodb.table import Table, get
from payfirst.storage.items import attempt_from_item
from payfirst.usecases.context import NoticeContext, SettlementContext
from payfirst.usecases.settlement.settle import settle
from payfirst.usecases.sweeps.reconcile import settle_entry

OVERDUE: Final = timedelta(minutes=2)
"""How long after its time unfinished work is no longer only the sweep's affair."""

DUE_AGAIN: Final = "due for the next sweep"
CLOSED: Final = "closed"
LONGEST_NAME: Final = 300

_WORK: Final[Mapping[Thing, str]] = {
    Thing.ATTEMPT: keys.SETTLE,
    Thing.NOTICE: keys.SETTLE,
    Thing.REFUND: keys.REFUND,
    Thing.SESSION: keys.EXPIRE,
    Thing.BOOKING: keys.COMPLETE,
    Thing.EVENT: keys.OUTBOX,
}
"""What is left to do; of an event that has left it is the e-mail about it. A doubt is only decided."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """Something that waits for a person, or has waited too long for a sweep: what it waits for, its name, what stands there,
    and since when."""

    what: str
    key: str
    named: Named
    since: datetime


def stuck(table: Table, now: datetime) -> Iterator[Stuck]:
    """Everything under review, then the dead letters, then what is due for longer than two minutes."""
    for entry in due.entries(table, keys.REVIEW, now):
        yield _stuck("needs review", entry)
    for what in due.ALL_KINDS:
        for entry in due.dead_letters(table, what):
            yield replace(_stuck("needs review", entry), since=_dead_since(table, entry))
    for what in due.ALL_KINDS:
        for entry in due.entries(table, what, now - OVERDUE):
            yield _stuck(f"overdue: {what}", entry)


def _dead_since(table: Table, entry: Entry) -> datetime:
    with suppress(NewerItemError):  # it is on the list all the same
        item = get(table, entry.key)
        if item is not None and "dead_since" in item:
            return read_instant(item["dead_since"])
    return entry.at


def _stuck(what: str, entry: Entry) -> Stuck:
    return Stuck(what, entry.name, entry.named, entry.at)


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
    if not keys.is_due_as(entry, keys.REVIEW):
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
    is_listed = keys.is_due_as(entry, keys.REVIEW)
    if "due_pk" not in entry or (not is_listed and entry["due_sk"] > instant(context.now)):
        raise NotFoundError(f"{which} needs no work now.")
    kind = keys.MAIL if "delivered_at" in entry else _WORK[_thing(entry)]
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
    place = keys.key_named(which) if len(which) <= LONGEST_NAME else None
    entry = get(table, place) if place else None
    if entry is None:
        raise NotFoundError(f"There is nothing under {which[:LONGEST_NAME]}.")
    return entry


def _thing(entry: Item) -> Thing:
    return keys.named(entry).thing
