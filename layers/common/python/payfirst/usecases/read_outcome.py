"""What a session became."""

from __future__ import annotations

from payfirst.domain.booking import Booking
from payfirst.domain.session import Kind, Session
from payfirst.storage import bookings
from payfirst.storage.table import Table


def read_booking(session: Session, *, table: Table) -> Booking | None:
    """The booking of a paid session; None before there is one, and for a session of produce."""
    if session.outcome is None or session.kind is not Kind.BOOKING:
        return None
    return bookings.read(table, session.customer.sub, session.outcome.number)
