"""Take a customer out of the table on their request; the books stay as they are.

Refused while anything of theirs is under way: money, goods and e-mails need to know whose they are until they have arrived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

from payfirst.domain.clock import instant
from payfirst.domain.errors import ContentionError, RefusedError
from payfirst.domain.moves import BookingStatus, OrderStatus
from payfirst.observability import note
from payfirst.storage import erasing
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.erasing import Holdings

_DELIVERED: Final = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED})
_OVER: Final = frozenset({BookingStatus.COMPLETED, BookingStatus.CANCELLED})


class Why(StrEnum):
    """What of a customer's is still under way, so that they cannot be erased."""

    BOOKING = "booking"
    E_MAIL = "e-mail"
    EVENT = "event"
    ORDER = "order"
    PAYMENT = "payment"
    REFUND = "refund"
    REVIEW = "review"
    SESSION = "session"


@dataclass(frozen=True, slots=True, order=True)
class UnderWay:
    """One thing that is under way: `name` is its code or reference where it has one, `state` its status where it has one, and
    of a session the instant until which it can be paid."""

    why: Why
    name: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is about a customer: `open` is what forbids it, `steps` would take the person out, by kind of item;
    `kept` counts what stays for the books."""

    sub: str
    open: tuple[UnderWay, ...]
    steps: tuple[erasing.Change, ...]
    kept: Mapping[str, int]

    @property
    def by_kind(self) -> Counter[str]:
        """How many items of each kind are erased."""
        return Counter(step.kind for step in self.steps)


def preview(table: Table, sub: str) -> Found:
    """What erasing the customer `sub` would do; changes nothing."""
    held = erasing.gather(table, sub)
    kept = {
        "payments": sum(keys.is_attempt(item) and "captured" in item for item in held.attempts),
        "refunds": sum(keys.is_refund(item) for item in held.attempts),
        "orders": len(held.of(keys.ORDER)),
        "bookings": len(held.of(keys.BOOKING)),
    }
    return Found(sub, tuple(sorted(set(_open(held)))), tuple(erasing.changes(held)), kept)


def _open(held: Holdings) -> Iterator[UnderWay]:
    for item in held:
        if due_index.is_due(item):
            yield _waits(item)
    for session in held.of(keys.SESSION):
        if "live_attempt" in session:
            yield UnderWay(Why.PAYMENT, session["live_attempt"])
    for order in held.of(keys.ORDER):
        if OrderStatus(order["status"]) not in _DELIVERED:
            yield UnderWay(Why.ORDER, order["order_number"], order["status"])
    for booking in held.of(keys.BOOKING):
        if BookingStatus(booking["status"]) not in _OVER:
            yield _coming(booking)


def _waits(item: Item) -> UnderWay:
    ref = str(item.get("ref") or due_index.named(item).ref)
    match due_index.waits_for(item):
        case due_index.Due.SETTLE:
            return UnderWay(Why.PAYMENT, ref)
        case due_index.Due.REFUND:
            return UnderWay(Why.REFUND, ref)
        case due_index.Due.REVIEW:
            return UnderWay(Why.REVIEW, ref)
        case due_index.Due.EXPIRE:
            return UnderWay(Why.SESSION, state=instant(due_index.due_at(item)))
        case due_index.Due.COMPLETE:
            return _coming(item)
        case due_index.Due.OUTBOX:
            return UnderWay(Why.EVENT)
        case due_index.Due.MAIL:
            return UnderWay(Why.E_MAIL)
        case _ as unknown:
            assert_never(unknown)


def _coming(booking: Item) -> UnderWay:
    return UnderWay(Why.BOOKING, booking["book_id"], booking["status"])


def erase(table: Table, sub: str, now: datetime, *, by: str, why: str) -> Found:
    """Take the customer `sub` out of the table, recorded with who and why; what was found and done. Safe to repeat.

    RefusedError CUSTOMER_HAS_OPEN_BUSINESS with all that forbids it as `details["open"]`; ContentionError when
    something changes at the same moment: what was done stays done, and the next run does the rest.
    """
    found = preview(table, sub)
    if found.open:
        details = {"open": found.open}
        raise RefusedError("Something of this customer's is under way.", code="CUSTOMER_HAS_OPEN_BUSINESS", details=details)
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
