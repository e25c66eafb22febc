"""Schedule: expire the sessions that nobody paid in time, and complete the bookings that took place. No gateway's secret."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from payfirst.api.request import remaining
from payfirst.api.resources import table
from payfirst.domain.clock import Deadline, utc_now
from payfirst.observability import measure, note
from payfirst.settings import settings
from payfirst.usecases.complete_bookings import complete_bookings
from payfirst.usecases.expire_sessions import expire_sessions


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001 - Lambda's signature
    """One run; answers its report: of the sessions, and under `bookings` of the bookings."""
    deadline = Deadline(remaining(context))
    grace = timedelta(seconds=settings().expiry_grace_seconds)
    report = asdict(expire_sessions(table(deadline), now=utc_now(), deadline=deadline, grace=grace))
    note("expiry.ran", **report)
    completed = asdict(complete_bookings(table(deadline), now=utc_now(), deadline=deadline))
    if completed["examined"]:
        note("completion.ran", **completed)
    failures = report["failed"] + completed["failed"]
    measure(SessionsExpired=report["expired"], ExpiryFailures=failures, BookingsCompleted=completed["completed"])
    return report | {"bookings": completed}
