"""One readable line per thing that the simulators do; callers mask phone numbers and name no token."""

from __future__ import annotations

import sys
from datetime import UTC, datetime


def say(who: str, what: str) -> None:
    """Print `what` with the time of day in UTC and who did it."""
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {who}: {what}\n")
    sys.stdout.flush()
