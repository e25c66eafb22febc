"""Queue and schedule: check attempts that are due, ask their gateways, settle."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from payfirst.api.request import remaining
from payfirst.api.resources import notice_context
from payfirst.domain.clock import Deadline, utc_now
from payfirst.gateways.circuit_breaker import CircuitBreaker
from payfirst.gateways.registry import no_answer_after
from payfirst.observability import alarm, measure, note, observed, warn
from payfirst.usecases.sweeps.reconcile import SPARE_S, Run, reconcile
from payfirst.usecases.sweeps.workers import Crew

CREW = Crew(size=48)
"""More than one gateway takes at once, so that one that is slow leaves workers to the others; the rest wait at no cost."""


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's signature
    """A batch of the settle queue, or a run of the schedule; answers what failed, or the run's report."""
    deadline = Deadline(remaining(context))
    patience = no_answer_after()
    if "Records" in event:
        return _take_batch(event["Records"], deadline, patience)
    report = asdict(reconcile(notice_context(utc_now(), deadline), no_answer_after=patience, crew=CREW))
    note("reconcile.ran", **report)
    measure(
        DueExamined=report["examined"],
        ReconcileFailures=report["failed"],
        DeadLetters=report["dead_letters"],
        OldestDueSeconds=report["oldest_due"]["settle"],
        OldestRefundSeconds=report["oldest_due"]["refund"],
    )
    return report


def _take_batch(records: list[dict[str, Any]], deadline: Deadline, patience: timedelta) -> dict[str, Any]:
    failures = []
    breaker = CircuitBreaker(deadline, CREW.clock, CREW.pause)
    for number, record in enumerate(records):
        if deadline.remaining() < SPARE_S:
            # Gateways that are slow are no fault of these attempts, which stay due: the next sweep asks.
            warn("settle.left_to_sweep", count=len(records) - number)
            break
        try:
            Run(notice_context(utc_now(), deadline), patience, breaker).take_message(record["body"])
        except Exception:  # noqa: BLE001 - this message comes again by itself; the others must not wait for it
            alarm("settle.failed", ref=record["body"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
