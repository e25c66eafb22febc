"""Find what a caller names: by integer, UUID or public code, and only among what the caller owns."""

from __future__ import annotations

from payfirst.domain.errors import NotFoundError
from payfirst.domain.ids import GivenId
from payfirst.domain.session import Customer, Session
from payfirst.storage import attempts, sessions
from payfirst.storage.table import Table

NO_SESSION = "Session not found"


def find_session(given: GivenId, *, customer: Customer, table: Table, message: str = NO_SESSION) -> Session:
    """The customer's session; NotFoundError with `message` for an unknown one and for somebody else's alike."""
    number = given.number if given.code is None else _session_of_code(table, given.code, customer)
    session = None if number is None else sessions.read(table, customer.sub, number)
    if session is None or (given.uuid is not None and str(given.uuid) != session.uuid):
        raise NotFoundError(message)
    return session


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
