"""Fires the template's schedules, with the events that EventBridge sends."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from local.host.application import Schedule
from local.host.config import ACCOUNT, Json
from local.host.tell import tell
from local.host.workers import WorkerPool

LONGEST_PAUSE_SECONDS: Final = 300.0


async def fire_for_ever(schedule: Schedule, pool: WorkerPool, region: str) -> None:
    """Call the function each time its interval has passed; after failures wait twice as long each time, up to 5 minutes."""
    failures = 0
    while True:
        await asyncio.sleep(pause_seconds(schedule.seconds, failures))
        outcome = await pool.invoke(json.dumps(schedule_event(schedule, region, datetime.now(UTC))).encode())
        if outcome.failure is None:
            failures = 0
            continue
        failures += 1
        again = pause_seconds(schedule.seconds, failures)
        tell("problem", text=f"{pool.function.name} failed on its schedule, again in {again:.0f} s: {outcome.reason}")


def pause_seconds(interval: float, failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return max(interval, min(interval * 2.0 ** min(failures, 16), LONGEST_PAUSE_SECONDS))


def schedule_event(schedule: Schedule, region: str, now: datetime) -> Json:
    """What the function receives: the template's `Input`, else the event of an EventBridge rule or of EventBridge Scheduler."""
    if schedule.payload is not None:
        return json.loads(schedule.payload)
    common = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "account": ACCOUNT,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
    }
    if schedule.scheduler:
        arn = f"arn:aws:scheduler:{region}:{ACCOUNT}:schedule/default/{schedule.name}"
        return common | {"source": "aws.scheduler", "resources": [arn], "detail": "{}"}
    arn = f"arn:aws:events:{region}:{ACCOUNT}:rule/{schedule.name}"
    return common | {"source": "aws.events", "resources": [arn], "detail": {}}
