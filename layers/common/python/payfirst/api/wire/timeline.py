"""A session's timeline as it is answered."""

from __future__ import annotations

from collections.abc import Iterable

from payfirst.api.wire.fields import Out
from payfirst.domain.clock import instant
from payfirst.domain.event import Event
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import Session


class EventOut(Out):
    """One entry of a session's timeline as its customer sees it."""

    sequence: int
    event: str
    at: str
    amount: str | None = None

    @classmethod
    def of(cls, event: Event, currency: Currency) -> EventOut:
        amount = event.facts.get("amount")
        shown = {} if amount is None else {"amount": str(Money(int(amount), currency))}
        return cls(sequence=event.sequence, event=event.name, at=instant(event.at), **shown)


class TimelineOut(Out):
    """A session's timeline, oldest first."""

    session_id: str
    events: list[EventOut]

    @classmethod
    def of(cls, session: Session, events: Iterable[Event]) -> TimelineOut:
        shown = [EventOut.of(event, session.amount.currency) for event in events]
        return cls(session_id=session.uuid, events=shown)
