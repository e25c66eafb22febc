"""A customer's sessions, page by page, or filtered by status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Customer, Session
from payfirst.storage import keys
from payfirst.storage.items import session_from_item
from payfirst.storage.lists import Position, Slice, read_all, read_page
from payfirst.storage.table import Table


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions, newest first, and the page that they came on."""

    sessions: tuple[Session, ...]
    page: Slice


def list_sessions(customer: Customer, *, table: Table, size: int, position: Position | None) -> SessionPage:
    """One page of the customer's sessions, newest first."""
    page = read_page(table, customer.sub, keys.SESSION, size=size, position=position)
    return SessionPage(tuple(session_from_item(item) for item in page.items), page)


def sessions_with(statuses: Sequence[SessionStatus], customer: Customer, *, table: Table, now: datetime) -> tuple[Session, ...]:
    """All of the customer's sessions that read one of `statuses` at `now`, newest first."""
    found = (session_from_item(item) for item in read_all(table, customer.sub, keys.SESSION))
    return tuple(session for session in found if session.status_at(now) in statuses)
