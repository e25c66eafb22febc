"""Whether what a session has frozen can be made at all: tried, and thrown away, before any money moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.errors import RefusedError
from payfirst.domain.ids import order_number
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.session import BookingSnapshot, Outcome, Session
from payfirst.mail.messages import MESSAGES
from payfirst.mail.occasion import Occasion
from payfirst.observability import alarm
from payfirst.storage.decisions import MOST_DOUBTS
from payfirst.storage.dynamodb.expressions import MOST_WRITES, Put, Write, size_of
from payfirst.storage.fulfilment import CartSeen, booking_writes, order_writes
from payfirst.storage.items import session_to_item

LARGEST_ITEM: Final = 300 * 1024
"""Bytes that an item may have at its beginning; DynamoDB takes 400 KB, and timelines and reschedules are added later."""

BESIDE: Final = MOST_DOUBTS + 3
"""Writes that may come with those that fulfil: a stored notice, the counter of money that waited for a person, and a decision
with the doubts that it closes."""

_REF: Final = "MT0000000000000"


def check_fulfillable(session: Session, now: datetime) -> None:
    """RefusedError CANNOT_BE_PROVIDED where no booking, no order or no e-mail could be made of `session` once it is paid."""
    try:
        problem = _problem(session, now)
    except Exception as error:
        alarm("session.cannot_be_fulfilled", session=session.uuid)
        raise _refused() from error
    if problem is not None:
        alarm("session.cannot_be_fulfilled", session=session.uuid, problem=problem)
        raise _refused()


def _refused() -> RefusedError:
    return RefusedError("This cannot be provided as it is; nothing was charged.", code="CANNOT_BE_PROVIDED")


def _problem(session: Session, now: datetime) -> str | None:
    paid = replace(session, status=SessionStatus.PAID, captured=_REF, live_attempt=None)
    writes = _writes(paid, now)
    items = [write.item for write in writes if isinstance(write, Put)]
    largest = max(size_of(item) for item in (session_to_item(paid), *items))
    if largest > LARGEST_ITEM:
        return f"an item of {largest} bytes"
    return f"{len(writes)} writes" if len(writes) + BESIDE > MOST_WRITES else None


def _writes(session: Session, now: datetime) -> list[Write]:
    """What would make the booking or the order, and that its e-mail can be worded."""
    attempt, snapshot = _paid_attempt(session, now), session.snapshot
    if isinstance(snapshot, BookingSnapshot):
        outcome = Outcome(session.number, "BK-00000000")
        writes = booking_writes(session, snapshot, attempt, outcome, now)
        event, facts = "booking.created", {"book_id": outcome.code}
    else:
        outcome = Outcome(session.number, order_number("20000101", 1))
        cart = CartSeen(session.guard.version)
        writes = order_writes("version", session, snapshot, attempt, outcome, now, cart=cart)
        event, facts = "order.created", {"order_number": outcome.code}
    MESSAGES[event](Occasion(event, now, facts, replace(session, outcome=outcome), snapshot, ""))
    return writes


def _paid_attempt(session: Session, now: datetime) -> Attempt:
    return Attempt(
        ref=_REF,
        number=session.number,
        transaction="TXN0000000000",
        owner=session.customer.sub,
        session_number=session.number,
        kind=session.kind,
        guard=session.guard,
        gateway="",
        amount=session.amount,
        status=AttemptStatus.SUCCEEDED,
        created_at=now,
        captured=session.amount,
        receipt=_REF,
    )
