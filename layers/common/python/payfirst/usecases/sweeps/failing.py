"""Whether payments fail more than they did, by the counters that the outbox keeps; an alarm waits for the event that says so.

CloudWatch cannot compare a rate with that of the hours before by itself: its functions over a time (`AVG`, `MAX`) are not to be
used in alarms, which look at more points than they are told to.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from payfirst.domain.fair_use import hour_of
from payfirst.observability import alarm, warn
from payfirst.storage import outbox
from payfirst.storage.dynamodb.table import Table

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE: Final = "payfirst.watch"
"""Not that of what happens to sessions: whoever listens to those alone is not told of this."""

FAILING, FAILED, RECEIVED = "payments.failing", "payment.failed", "payment.received"
HOURS: Final = 24
"""How many clock hours are looked at: the running one and the one before it against the others."""

ENOUGH: Final = 5
"""So many payments have to fail before the rest is looked at, and so many to have ended before for a rate of theirs."""

EACH: Final = timedelta(minutes=1)
"""How often a container looks while enough fail for an alarm: each look reads the counters of every minute of a day."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Payments of sessions that were made in the running clock hour and the one before, and in the hours before those."""

    failed: int
    received: int
    failed_before: int
    received_before: int

    @property
    def failing(self) -> bool:
        """Whether less than half as many of them succeed as before; where too few were made before, less than half of them."""
        ended, ended_before = self.failed + self.received, self.failed_before + self.received_before
        if self.failed < ENOUGH:
            return False
        if ended_before < ENOUGH:
            return 2 * self.received < ended
        return 2 * self.received * ended_before < self.received_before * ended


def rates(table: Table, now: datetime) -> Rates:
    """The rates as they are now; what happened in the last minute may not have left the outbox, and is not counted yet."""
    failed, received = _counted(table, now, HOURS)
    return Rates(sum(failed[:2]), sum(received[:2]), sum(failed[2:]), sum(received[2:]))


def _counted(table: Table, now: datetime, hours: int) -> tuple[list[int], list[int]]:
    """How many payments failed and how many came of sessions of each of the last clock hours, the running one first."""
    found = outbox.counts_by_hour(table, (FAILED, RECEIVED), [hour_of(now) - timedelta(hours=back) for back in range(hours)])
    return found[FAILED], found[RECEIVED]


@dataclass(slots=True)
class Watch:
    """What a container remembers: when it last looked and found that enough had failed for an alarm."""

    looked_at: datetime | None = None


def tell_of_failing(table: Table, bus: EventBridgeClient, bus_name: str, now: datetime, watch: Watch) -> Rates | None:
    """Say on the bus that payments fail more than they did; the rates if they do. A bus that is away is told of in the log.

    Each failure asks. Until enough have failed each is looked at, then those of one minute are looked at once by each `watch`.
    """
    if watch.looked_at is not None and watch.looked_at <= now < watch.looked_at + EACH:
        return None
    if sum(_counted(table, now, 2)[0]) < ENOUGH:
        return None
    watch.looked_at = now
    found = rates(table, now)
    if not found.failing:
        return None
    warn(FAILING, **asdict(found))
    entry: PutEventsRequestEntryTypeDef = {
        "EventBusName": bus_name,
        "Source": SOURCE,
        "DetailType": FAILING,
        "Detail": json.dumps(asdict(found)),
    }
    try:
        refused = bus.put_events(Entries=[entry])["FailedEntryCount"]
    except (BotoCoreError, ClientError):
        alarm("bus.away")
    else:
        if refused:
            alarm("event.refused", count=refused)
    return found
