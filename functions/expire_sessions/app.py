"""Schedule: expire the sessions that nobody paid in time, and complete the bookings that took place. No gateway's secret."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from payfirst.api.request import remaining
from payfirst.api.resources import table
from payfirst.domain.clock import Deadline, utc_now
from payfirst.observability import measure, note, observed
from payfirst.settings import settings
from payfirst.usecases.sweeps.complete_bookings import complete_bookings
from payfirst.usecases.sweeps.expire_sessions import expire_sessions

FOR_BOOKINGS: Final = 0.25
"""What sessions leave of a run's time for the bookings, however many are due."""


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001 - Lambda's signature
    """One run; answers its report: of the sessions, and under `bookings` of the bookings."""
    deadline = Deadline(remaining(context))
    grace = timedelta(seconds=settings().expiry_grace_seconds)
    for_bookings_s = deadline.remaining() * FOR_BOOKINGS
    sessions_until = Deadline(lambda: deadline.remaining() - for_bookings_s)
    report = asdict(expire_sessions(table(deadline), now=utc_now(), deadline=sessions_until, grace=grace))
    note("expiry.ran", **report)
    completed = asdict(complete_bookings(table(deadline), now=utc_now(), deadline=deadline))
    if completed["examined"]:
        note("completion.ran", **completed)
    failures = report["failed"] + completed["failed"]
    measure(
        SessionsExpired=report["expired"],
        ExpiryFailures=failures,
        BookingsCompleted=completed["completed"],
        OldestExpirySeconds=report["oldest_due_s"],
        OldestCompletionSeconds=completed["oldest_due_s"],
    )
    return report | {"bookings": completed}
