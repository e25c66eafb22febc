"""What a person decided about an attempt: recorded, with who and why, in the very write that carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from payfirst.domain.clock import instant
from payfirst.domain.session import Session
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item, Update, Write, equal
from payfirst.storage.dynamodb.table import Table, query, transact
from payfirst.storage.sessions import SESSION, change_write, timeline_entry

MOST_DOUBTS: Final = 20
"""How many doubts one decision closes: a transaction has room for them beside an order of many listings."""

RESOLVED: Final = "operator.resolved"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided and why, and the open doubts, as they were read, that it closes."""

    by: str
    why: str
    doubts: tuple[Item, ...] = ()


def open_doubts(table: Table, ref: str) -> tuple[Item, ...]:
    """The open doubts beside an attempt, `MOST_DOUBTS` at most."""
    partition, first, last = keys.beside_attempt(ref, keys.DOUBT)
    page = query(table, partition, first=first, last=last, limit=500)
    return tuple(item for item in page.items if due_index.is_due(item))[:MOST_DOUBTS]


def decision_writes(session: Session, writes: Sequence[Write], decision: Decision | None, now: datetime) -> list[Write]:
    """`writes` and what records the decision that they carry out: an entry of the timeline, and its doubts closed.

    Conflicts besides theirs: session, and `doubt0` … (closed, or found again, since it was read).
    """
    if decision is None:
        return list(writes)
    moves_session = any(write.name == SESSION for write in writes)
    offset = 2 if moves_session else 1
    both = [
        replace(write, set={**write.set, "sequence": session.sequence + offset})
        if isinstance(write, Update) and write.name == SESSION
        else write
        for write in writes
    ]
    return [
        *both,
        *([] if moves_session else [change_write(session)]),
        timeline_entry(session, RESOLVED, now, offset=offset, by=decision.by, why=decision.why),
        *(_close_write(number, doubt, decision, now) for number, doubt in enumerate(decision.doubts)),
    ]


def close_doubts(table: Table, session: Session, decision: Decision, now: datetime) -> None:
    """Close the decision's doubts and nothing else. ConditionFailedError when one of them, or the session, has changed."""
    transact(table, decision_writes(session, (), decision, now))


def _close_write(number: int, doubt: Item, decision: Decision, now: datetime) -> Update:
    return Update(
        f"doubt{number}",
        keys.key_of(doubt),
        when=(equal("due_sk", doubt["due_sk"]),),
        set={"closed_at": instant(now), "by": decision.by, "why": decision.why},
        remove=due_index.NOT_DUE,
    )
