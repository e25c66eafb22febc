"""Payment sessions: made, read, extended, expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from payfirst.domain.clock import instant
from payfirst.domain.moves import SessionStatus, session_sources
from payfirst.domain.session import MAX_EXTENSIONS, OrderLine, Session, quantities
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import (
    Check,
    Condition,
    Put,
    Update,
    Write,
    above,
    absent,
    at_least,
    at_most,
    equal,
    one_of,
)
from payfirst.storage.dynamodb.table import Table, batch_get, get, transact
from payfirst.storage.items import session_from_item, session_to_item

SESSION = "session"


def read(table: Table, sub: str, number: int) -> Session | None:
    """The customer's session of that number; None when there is none."""
    item = get(table, keys.owned(sub, keys.SESSION, number))
    return session_from_item(item) if item else None


def change_write(session: Session, *when: Condition, to: SessionStatus | None = None, **values: Any) -> Update:
    """A change of `session` as it was read: `to` another status by a legal move, with `values` set (None removes)."""
    moved: Mapping[str, Any] = {} if to is None else {"status": to.value}
    legal = () if to is None else (one_of("status", session_sources(to)),)
    return Update(
        SESSION,
        keys.owned(session.customer.sub, keys.SESSION, session.number),
        when=(equal("sequence", session.sequence), *legal, *when),
        set={**moved, "sequence": session.sequence + 1, **values},
    )


def timeline_entry(
    session: Session,
    event: str,
    now: datetime,
    *,
    offset: int = 1,
    by: str = "customer",
    to: SessionStatus | None = None,
    **facts: Any,
) -> Put:
    """The timeline's entry for the write that makes `session` one sequence older; it is the outbox's entry too.

    `to` is the status that the session has from then on, where the write moves it; offset 0 is the write that makes it.
    """
    key = keys.event(session.customer.sub, session.number, session.sequence + offset)
    moved = {} if to is None else {"to": to.value} if offset == 0 else {"from": session.status.value, "to": to.value}
    return Put(
        f"event{offset}",
        {
            **key,
            **due_index.due(due_index.OUTBOX, key, now),
            "event": event,
            "at": instant(now),
            "by": by,
            "session": session.uuid,
            "kind": session.kind.value,
            "currency": session.amount.currency.value,
            "facts": {name: value for name, value in facts.items() if value is not None},
            **({"moved": moved} if moved else {}),
        },
        when=(absent("pk"),),
    )


def count_write(sub: str, what: str, *, by: int = 1) -> Update:
    """One more (or less) in the customer's list of `what`."""
    return Update("counter", keys.counter(sub, what), add={"n": by})


def create(table: Table, session: Session, lines: Sequence[OrderLine], also: Sequence[Write] = ()) -> None:
    """Store a new pending session, if every listing still has the line's price and enough stock, together with `also`, which
    counts it.

    ConditionFailedError names the session (an id already taken) or `listing:ID` with the listing as it is now.
    """
    key = keys.owned(session.customer.sub, keys.SESSION, session.number)
    item = session_to_item(session) | due_index.due(due_index.EXPIRE, key, session.expires_at)
    transact(
        table,
        [
            Put(SESSION, item, when=(absent("pk"),)),
            timeline_entry(
                session, "session.created", session.created_at, offset=0, to=session.status, amount=session.amount.minor
            ),
            *_still_sold_so(lines),
            *also,
        ],
    )


def _still_sold_so(lines: Sequence[OrderLine]) -> list[Write]:
    prices = {line.listing_id: line.price for line in lines}
    return [
        Check(
            f"listing:{listing}",
            shop_keys.listing(listing),
            (
                equal("price", prices[listing].minor),
                equal("currency", prices[listing].currency),
                absent("withdrawn"),
                at_least("available", quantity),
            ),
        )
        for listing, quantity in quantities(lines).items()
    ]


def extend(table: Table, session: Session, until: datetime, now: datetime) -> None:
    """Move `expires_at` to `until`: only while the session may still be paid and has extensions left."""
    due: dict[str, Any] = {}
    if session.status is SessionStatus.PENDING:
        due = due_index.due(due_index.EXPIRE, keys.owned(session.customer.sub, keys.SESSION, session.number), until)
    transact(
        table,
        [
            change_write(
                session,
                one_of("status", (SessionStatus.PENDING, SessionStatus.FAILED)),
                above("expires_at", instant(now)),
                absent("captured"),
                absent("live_attempt"),
                at_most("extensions", MAX_EXTENSIONS - 1),
                expires_at=instant(until),
                extensions=session.extensions + 1,
                **due,
            ),
            timeline_entry(session, "session.extended", now, expires_at=instant(until)),
        ],
    )


def read_many(table: Table, found: Sequence[Mapping[str, str]]) -> list[Session]:
    """The sessions at the keys that the index suggested (100 at most); those that are gone are left out."""
    items = batch_get(table, [keys.key_of(entry) for entry in found])
    return [session_from_item(item) for item in items if item]


def expire(table: Table, overdue: Sequence[Session], now: datetime, latest: datetime) -> None:
    """Expire all of `overdue` (50 at most) or none: each still pending, at the expiry that was seen, which is over `latest`."""
    writes: list[Write] = []
    for session in overdue:
        change = change_write(
            session,
            equal("expires_at", instant(session.expires_at)),
            at_most("expires_at", instant(latest)),
            to=SessionStatus.EXPIRED,
            due_pk=None,
            due_sk=None,
        )
        writes += [change, timeline_entry(session, "session.expired", now, by="schedule", to=SessionStatus.EXPIRED)]
    transact(table, writes)
