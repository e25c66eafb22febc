"""Take a customer out of the table on their request; the books stay as they are.

Refused while anything of theirs is under way: money, goods and letters need to know whose they are until they have arrived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from payfirst.domain.clock import instant, read_instant
from payfirst.domain.errors import ContentionError, RefusedError
from payfirst.domain.moves import BookingStatus, OrderStatus
from payfirst.observability import note
from payfirst.storage import erasing, keys
from payfirst.storage.erasing import Holdings
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.table import Table

_DELIVERED: Final = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED})
_OVER: Final = frozenset({BookingStatus.COMPLETED, BookingStatus.CANCELLED})
_WAITS: Final[Mapping[str, str]] = {
    keys.SETTLE: "the payment {ref} is open until its gateway has answered",
    keys.REFUND: "the refund of {ref} is under way",
    keys.REVIEW: "{ref} waits for a person: payfirst stuck",
    keys.EXPIRE: "a session can still be paid, until {until}",
    keys.OUTBOX: "an event has not left yet; try again in a minute",
    keys.MAIL: "a letter has not left yet; try again in a minute",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What there is about a customer: `open` says what stands in the way, `steps` would take the person out, by kind of item;
    `kept` counts what stays for the books."""

    sub: str
    open: tuple[str, ...]
    steps: tuple[erasing.Change, ...]
    kept: Mapping[str, int]

    @property
    def by_kind(self) -> Counter[str]:
        """How many items of each kind are erased."""
        return Counter(step.kind for step in self.steps)


def look(table: Table, sub: str) -> Found:
    """What erasing the customer `sub` would do; changes nothing."""
    held = erasing.gather(table, sub)
    kept = {
        "payments": sum(item["sk"] == "ATT" and "captured" in item for item in held.attempts),
        "refunds": sum(item["sk"].startswith("R#") for item in held.attempts),
        "orders": len(held.of(keys.ORDER)),
        "bookings": len(held.of(keys.BOOKING)),
    }
    return Found(sub, tuple(sorted(set(_open(held)))), tuple(erasing.changes(held)), kept)


def _open(held: Holdings) -> Iterator[str]:
    for item in held:
        if "due_pk" in item:
            yield _waits(item)
    for session in held.of(keys.SESSION):
        if "live_attempt" in session:
            yield f"the payment {session['live_attempt']} is open until its gateway has answered"
    for order in held.of(keys.ORDER):
        if OrderStatus(order["status"]) not in _DELIVERED:
            yield f"{order['order_number']} is {order['status']}: deliver or cancel it first"
    for booking in held.of(keys.BOOKING):
        if BookingStatus(booking["status"]) not in _OVER:
            yield f"{booking['book_id']} is {booking['status']}: complete or cancel it first"


def _waits(item: Item) -> str:
    kind = str(item["due_pk"]).split("#", maxsplit=1)[0]
    ref = str(item.get("ref") or item["pk"].removeprefix("ATT#"))
    return _WAITS[kind].format(ref=ref, until=instant(read_instant(item["due_sk"])))


def erase(table: Table, sub: str, now: datetime, *, by: str, why: str) -> Found:
    """Take the customer `sub` out of the table, recorded with who and why; what was found and done. Safe to repeat.

    RefusedError CUSTOMER_HAS_OPEN_BUSINESS with all that stands in the way; ContentionError when something changes at the
    same moment: what was done stays done, and the next run does the rest.
    """
    found = look(table, sub)
    if found.open:
        raise RefusedError(f"This customer cannot be erased yet: {'; '.join(found.open)}.", code="CUSTOMER_HAS_OPEN_BUSINESS")
    if not found.steps:
        return found
    erasing.record(table, sub, now, found.by_kind, by=by, why=why)
    for step in found.steps:
        try:
            erasing.apply(table, step)
        except ConditionFailedError as error:
            raise ContentionError("The customer did something at this moment; erase once more.") from error
    note("customer.erased", items=len(found.steps))
    return found
