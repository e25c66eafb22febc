"""Queue and schedule: look at attempts that are due, ask their gateways, settle."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from payfirst.api.request import remaining
from payfirst.api.resources import desk
from payfirst.domain.clock import Deadline, utc_now
from payfirst.observability import alarm, measure, note
from payfirst.settings import settings
from payfirst.usecases.reconcile import SPARE_S, look, reconcile


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's signature
    """A batch of the settle queue, or a run of the schedule; answers what failed, or the run's report."""
    deadline = Deadline(remaining(context))
    patience = timedelta(seconds=settings().mpesa_no_answer_seconds)
    if "Records" in event:
        return _take_batch(event["Records"], deadline, patience)
    report = asdict(reconcile(desk(utc_now(), deadline), no_answer_after=patience))
    note("reconcile.ran", **report)
    measure(
        DueExamined=report["examined"],
        ReconcileFailures=report["failed"],
        Parked=report["parked"],
        OldestDueSeconds=report["oldest_due_s"],
    )
    return report


def _take_batch(records: list[dict[str, Any]], deadline: Deadline, patience: timedelta) -> dict[str, Any]:
    failures = []
    for record in records:
        if deadline.remaining() < SPARE_S:
            failures.append({"itemIdentifier": record["messageId"]})  # it comes again, to a function that has time for it
            continue
        try:
            look(desk(utc_now(), deadline), record["body"], no_answer_after=patience)
        except Exception:  # noqa: BLE001 - this message comes again by itself; the others must not wait for it
            alarm("settle.failed", ref=record["body"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
