"""Take the outbox's entries to the event bus, at least once each, under an id that stays the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import TemporaryError
from payfirst.observability import alarm
from payfirst.storage import due, keys, outbox
from payfirst.storage.expressions import Item
from payfirst.storage.table import Table, batch_get
from payfirst.usecases.put_off import ends_the_run, put_off

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE: Final = "payfirst"
BATCH: Final = 10
"""What EventBridge takes in one request."""

SPARE_S: Final = 5.0


class BusError(TemporaryError):
    """The event bus cannot be reached now; every event stays due."""

    code = "BUS_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One run: events delivered, events the bus did not take (they stay due), and whether it got to the end.

    `names` says how many of each name this run was the one to mark as delivered.
    """

    delivered: int
    failed: int
    finished: bool
    names: Mapping[str, int] = field(default_factory=dict)


@cache
def eventbridge() -> EventBridgeClient:
    """This process's client, with short timeouts."""
    import boto3  # noqa: PLC0415 - the price of the import is paid by the function that uses it
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client("events", config=Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 2}))


def no_mail(_: Item) -> bool:
    """No event is written to customers about."""
    return False


def deliver_events(
    table: Table,
    bus: EventBridgeClient,
    bus_name: str,
    *,
    now: datetime,
    deadline: Deadline,
    mailed: Callable[[Item], bool] = no_mail,
) -> DeliveryReport:
    """Deliver every event that is due; one that the bus refuses stays due and does not stop the others.

    Those of which `mailed` says so become due as mail.
    """
    delivered = failed = 0
    names: Counter[str] = Counter()
    for entries in due.batches(due.entries(table, keys.OUTBOX, now), BATCH):
        if deadline.remaining() < SPARE_S:
            return DeliveryReport(delivered, failed, finished=False, names=dict(names))
        done, broken = _deliver_batch(table, bus, bus_name, entries, now, mailed, names)
        delivered += done
        failed += broken
    return DeliveryReport(delivered, failed, finished=True, names=dict(names))


def _deliver_batch(
    table: Table,
    bus: EventBridgeClient,
    bus_name: str,
    entries: Sequence[Item],
    now: datetime,
    mailed: Callable[[Item], bool],
    names: Counter[str],
) -> tuple[int, int]:
    """How many of `entries` left, and how many did not."""
    try:
        return _deliver_together(table, bus, bus_name, entries, now, mailed, names)
    except Exception as error:  # one of them is broken: each is tried by itself, and the others must not wait
        if ends_the_run(error):
            raise
        if len(entries) == 1:
            alarm("event.failed", item=entries[0]["sk"])
            put_off(table, entries[0], now)
            return 0, 1
    each = [_deliver_batch(table, bus, bus_name, [entry], now, mailed, names) for entry in entries]
    return sum(left for left, _ in each), sum(stayed for _, stayed in each)


def _deliver_together(
    table: Table,
    bus: EventBridgeClient,
    bus_name: str,
    entries: Sequence[Item],
    now: datetime,
    mailed: Callable[[Item], bool],
    names: Counter[str],
) -> tuple[int, int]:
    found = batch_get(table, [{"pk": entry["pk"], "sk": entry["sk"]} for entry in entries])
    waiting = [item for item in found if item and "due_pk" in item]
    if not waiting:
        return 0, 0
    done = _deliver(bus, bus_name, waiting)
    names.update(item["event"] for item in outbox.mark_delivered(table, done, now, mailed=mailed))
    return len(done), len(waiting) - len(done)


def _deliver(bus: EventBridgeClient, bus_name: str, items: Sequence[Item]) -> list[Item]:
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
    refused = [item for item, entry in zip(items, answer["Entries"], strict=True) if "ErrorCode" in entry]
    if refused:
        alarm("event.refused", count=len(refused))
    return [item for item in items if item not in refused]


def _detail(item: Item) -> dict[str, Any]:
    """What leaves: the event's stable id, its place in the session's own sequence, and its facts; never the owner's key."""
    sequence = int(item["sk"].rsplit("#", 1)[1])
    return {
        "id": f"{item['session']}-{sequence}",
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
