"""Schedule: take the outbox's events to the event bus."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from payfirst.api.request import remaining
from payfirst.api.resources import table
from payfirst.domain.clock import Deadline, utc_now
from payfirst.observability import measure, note
from payfirst.settings import settings
from payfirst.usecases.deliver_events import deliver_events, eventbridge


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001 - Lambda's signature
    """One run; answers its report."""
    deadline = Deadline(remaining(context))
    bus, name = eventbridge(), settings().event_bus_name
    report = asdict(deliver_events(table(deadline), bus, name, now=utc_now(), deadline=deadline))
    note("delivery.ran", **report)
    measure(EventsDelivered=report["delivered"], EventsFailed=report["failed"])
    return report
