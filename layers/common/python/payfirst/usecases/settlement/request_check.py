"""A waiting customer's question puts the open attempt on the settle queue; it asks no gateway and writes nothing itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.ids import made_at
from payfirst.domain.session import Session
from payfirst.observability import warn
from payfirst.storage.queue import Queue, send

FIRST_AFTER: Final = timedelta(seconds=10)
"""Before the first check of any gateway's schedule there is nothing to ask."""

EVERY: Final = timedelta(seconds=3)
"""The shortest pause of any check schedule; `next_check_at` keeps the real pace."""

_REMEMBERED: Final = 1000
_asked: dict[str, datetime] = {}


def request_check(queue: Queue, session: Session, now: datetime) -> bool:
    """Whether the session's open attempt was put on the queue; at most every three seconds from one container."""
    ref, latest = session.live_attempt, session.latest
    if ref is None or latest is None or now < made_at(latest.number) + FIRST_AFTER:
        return False
    last = _asked.get(ref)
    if last is not None and now < last + EVERY:
        return False
    if len(_asked) >= _REMEMBERED:
        _asked.clear()
    _asked[ref] = now
    try:
        send(queue, ref, delay_s=0)
    except Exception as error:  # noqa: BLE001 - the customer gets the answer; the check schedule and the sweep ask all the same
        warn("queue.unreachable", ref=ref, error=type(error).__name__)
        return False
    return True
