"""Find what a caller names, by integer, UUID or public code, and list sessions; only among what the caller owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payfirst.domain.errors import NotFoundError
from payfirst.domain.event import Event
from payfirst.domain.ids import GivenId
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Customer, Session
from payfirst.storage import attempts, sessions, timeline
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.items import session_from_item
from payfirst.storage.lists import Position, Slice, read_page, read_stretch

NO_SESSION = "Session not found"


def find_session(given: GivenId, *, customer: Customer, table: Table, message: str = NO_SESSION) -> Session:
    """The customer's session; NotFoundError with `message` for an unknown one and for somebody else's alike."""
    number = given.number if given.code is None else _session_of_code(table, given.code, customer)
    session = None if number is None else sessions.read(table, customer.sub, number)
    if session is None or (given.uuid is not None and str(given.uuid) != session.uuid):
        raise NotFoundError(message)
    return session


def find_timeline(given: GivenId, *, customer: Customer, table: Table) -> tuple[Session, tuple[Event, ...]]:
    """The customer's session and what has happened to it, oldest first; NotFoundError as in `find_session`."""
    session = find_session(given, customer=customer, table=table)
    return session, timeline.read(table, session)


def _session_of_code(table: Table, code: str, customer: Customer) -> int | None:
    if code.startswith("MT"):
        attempt = attempts.read(table, code)
        return attempt.session_number if attempt and attempt.owner == customer.sub else None
    pointer = attempts.read_pointer(table, code)
    if pointer is None or pointer.get("owner") != customer.sub or "session" not in pointer:
        return None
    return int(pointer["session"])


def number_of_outcome(given: GivenId, what: str, *, customer: Customer, table: Table) -> int | None:
    """The number of the customer's booking or order (`keys.BOOKING`, `keys.ORDER`) that `given` names; None for none.

    They go by their integer and their public code, and have no UUID.
    """
    if given.code is None:
        return None if given.uuid is not None else given.number
    pointer = attempts.read_pointer(table, given.code)
    if pointer is None or pointer.get("owner") != customer.sub or pointer.get("what") != what:
        return None
    return int(pointer["number"])


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions, newest first, and the page that they came on."""

    sessions: tuple[Session, ...]
    page: Slice


def list_sessions(customer: Customer, *, table: Table, size: int, position: Position | None) -> SessionPage:
    """One page of the customer's sessions, newest first."""
    page = read_page(table, customer.sub, keys.SESSION, size=size, position=position)
    return SessionPage(tuple(session_from_item(item) for item in page.items), page)


def sessions_with(
    statuses: Sequence[SessionStatus], customer: Customer, *, table: Table, now: datetime, position: Position | None = None
) -> SessionPage:
    """Those that read one of `statuses` at `now`, newest first, in one stretch of the customer's sessions (`read_stretch`)."""
    stretch = read_stretch(table, customer.sub, keys.SESSION, position=position)
    found = (session_from_item(item) for item in stretch.items)
    return SessionPage(tuple(session for session in found if session.status_at(now) in statuses), stretch)
