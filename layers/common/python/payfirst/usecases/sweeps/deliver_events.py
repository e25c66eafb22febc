"""Take the outbox's entries to the event bus, at least once each, under an id that stays the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payfirst.clients import client
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import TemporaryError
from payfirst.observability import alarm
from payfirst.storage import due, outbox
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table, batch_get
from payfirst.usecases.sweeps.retry_later import Batches, retry_later

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE: Final = "payfirst"
BATCH: Final = 10
"""What EventBridge takes in one request."""

SPARE_S: Final = 10.0
"""What one batch may take: the bus' time-outs, and DynamoDB's for a read and a write."""

_ABOUT_THE_EVENT: Final = frozenset({"InvalidArgument", "MalformedDetail", "RedactionFailure"})
"""Why the bus does not take an event and never will; for other reasons (a right, a limit, its own trouble) it may later."""


class BusError(TemporaryError):
    """The event bus cannot be reached now; every event stays due."""

    code = "BUS_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One run: events delivered, events the bus did not take (they stay due), and whether it got to the end.

    `names` says how many of each name this run was the one to mark as delivered; `oldest_due_s` for how many seconds the oldest
    event had been due when the run began.
    """

    delivered: int
    failed: int
    finished: bool
    names: Mapping[str, int] = field(default_factory=dict)
    oldest_due_s: int = field(default=0, compare=False)


@cache
def eventbridge() -> EventBridgeClient:
    """This process's client, with short timeouts; what does not leave stays due, and the next run sends it."""
    made: EventBridgeClient = client("events", connect_s=1, read_s=4)
    return made


def no_mail(_: Item) -> bool:
    """Nobody is written to about any event."""
    return False


@dataclass(slots=True)
class Delivery:
    """One run: what it delivers with, and the entries that it was the one to mark as delivered, as they are now.

    Those of which `mailed` says so become due as mail, and those that `is_news` the shop is to hear of.
    """

    table: Table
    bus: EventBridgeClient
    bus_name: str
    now: datetime
    mailed: Callable[[Item], bool] = no_mail
    is_news: Callable[[Item], bool] = no_mail
    marked: list[Item] = field(default_factory=list)

    def all_due(self, deadline: Deadline, *, older_than: timedelta = timedelta(0)) -> DeliveryReport:
        """Deliver every event that has been due for `older_than`; one that the bus refuses stays due and does not stop the
        others.

        One that it will never take fails, as `Batches.each` says. A bus or a table that cannot be reached ends the run.
        """
        found = due.backlog(self.table, due_index.OUTBOX, self.now, older_than=older_than)
        dead = ([entry] for entry in due.dead_letters_due(self.table, due_index.OUTBOX, self.now))  # it would break a batch
        return self._each(chain(due.batches(found.entries, BATCH), dead), deadline, found.oldest_s)

    def these(self, named: Sequence[keys.Key], deadline: Deadline) -> DeliveryReport:
        """Deliver the events of those that are entries of timelines, in this order, as far as they wait in the outbox; those
        that do not leave stay there, as above."""
        once = {keys.place_of(key): key for key in named if keys.is_event(key)}.values()
        return self._each(due.batches((Entry.waiting(key, due_index.OUTBOX, self.now) for key in once), BATCH), deadline)

    @property
    def due_as_mail(self) -> list[Entry]:
        """What became due as mail in this run."""
        return [Entry.of(item) for item in self.marked if due_index.is_due(item)]

    def _each(self, batches: Iterable[list[Entry]], deadline: Deadline, oldest_s: int = 0) -> DeliveryReport:
        run = Batches(self.table, self.now, "event.failed")
        try:
            run.each(batches, lambda entries: self._together(entries, run), until=deadline, spare_s=SPARE_S)
        except BusError:
            alarm("bus.away")
            run.finished = False
        names = Counter(item["event"] for item in self.marked)
        return DeliveryReport(run.done, run.failed, run.finished, dict(names), oldest_s)

    def _together(self, entries: Sequence[Entry], run: Batches) -> Iterator[int]:
        """How many of `entries` leave in one request."""
        found = batch_get(self.table, [entry.key for entry in entries])
        waiting = [item for item in found if item and outbox.waits(item)]
        if not waiting:
            return
        try:
            done, never = _deliver(self.bus, self.bus_name, waiting)
        except BusError:
            run.failed += len(entries)
            raise
        for item in never:
            retry_later(self.table, Entry.of(item), self.now)
        marked = outbox.mark_delivered(self.table, done, self.now, mailed=self.mailed, is_news=self.is_news)
        self.marked += marked
        run.failed += len(waiting) - len(done)
        yield len(done)


def _deliver(bus: EventBridgeClient, bus_name: str, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Which of `items` have left, and which the bus will never take as they are."""
    entries: list[PutEventsRequestEntryTypeDef] = [
        {
            "EventBusName": bus_name,
            "Source": SOURCE,
            "DetailType": item["event"],
            "Time": item["at"],
            "Detail": json.dumps(_detail(item), default=_number),
        }
        for item in items
    ]
    try:
        answer = bus.put_events(Entries=entries)
    except BotoCoreError as exc:
        raise BusError("The event bus did not answer.") from exc
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ValidationException":
            raise  # one of the entries is not as the bus wants it
        raise BusError("The event bus refused the request.") from exc
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    if any(codes):
        alarm("event.refused", count=len(codes) - codes.count(None), codes=sorted({code for code in codes if code}))
    answered = list(zip(items, codes, strict=True))
    return [item for item, code in answered if code is None], [item for item, code in answered if code in _ABOUT_THE_EVENT]


def _detail(item: Item) -> dict[str, Any]:
    """What leaves: the event's stable id, its place in the session's own sequence, and its facts; never the owner's key."""
    sequence = keys.sequence_of(item)
    return {
        "id": outbox.event_id(item),
        "session": item["session"],
        "sequence": sequence,
        "kind": item["kind"],
        "currency": item["currency"],
        "at": item["at"],
        **item["facts"],
    }


def _number(value: object) -> int | str:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    raise TypeError(f"{type(value).__name__} does not belong into an event")
