"""A customer's sessions, page by page, or filtered by status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Customer, Session
from payfirst.storage import keys
from payfirst.storage.items import session_from_item
from payfirst.storage.lists import Position, Slice, read_page, read_stretch
from payfirst.storage.table import Table


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions, newest first, and the page that they came on."""

    sessions: tuple[Session, ...]
    page: Slice


@dataclass(frozen=True, slots=True)
class Found:
    """Sessions that passed a filter, and where older ones begin, if there are any to look through."""

    sessions: tuple[Session, ...]
    more_before: int | None


def list_sessions(customer: Customer, *, table: Table, size: int, position: Position | None) -> SessionPage:
    """One page of the customer's sessions, newest first."""
    page = read_page(table, customer.sub, keys.SESSION, size=size, position=position)
    return SessionPage(tuple(session_from_item(item) for item in page.items), page)


def sessions_with(
    statuses: Sequence[SessionStatus], customer: Customer, *, table: Table, now: datetime, before: int | None = None
) -> Found:
    """Those that read one of `statuses` at `now`, newest first, in one stretch of the customer's sessions (`read_stretch`)."""
    stretch = read_stretch(table, customer.sub, keys.SESSION, before=before)
    found = (session_from_item(item) for item in stretch.items)
    return Found(tuple(session for session in found if session.status_at(now) in statuses), stretch.more_before)
