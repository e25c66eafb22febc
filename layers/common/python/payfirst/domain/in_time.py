"""Whether what a session was made for can still take place: it may be over by the time that it is paid."""

from __future__ import annotations

from datetime import datetime

from payfirst.domain.booking import why_not_in_time
from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.days import Days
from payfirst.domain.session import BookingSnapshot, OrderSnapshot


def why_too_late(snapshot: OrderSnapshot | BookingSnapshot, days: Days, now: datetime) -> str | None:
    """What keeps a booking's hour or a delivery's day from being paid for at `now`, as a sentence; None when nothing does."""
    if isinstance(snapshot, BookingSnapshot):
        problem = why_not_in_time(snapshot, days, now)
        return problem.message if problem else None
    day = snapshot.delivery.estimated_delivery_date
    return days.why_not(day, SHOP_ZONE, now) if day else None
