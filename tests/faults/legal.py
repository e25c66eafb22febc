"""Which status may follow which, written down here once more, so that a change of the domain's table is not its own proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from payfirst.storage.dynamodb.expressions import from_wire
from tests.faults.model_table import Change

_SESSION: Final = {
    "pending": {"payment_initiated", "expired"},
    "payment_initiated": {"paid", "failed"},
    "paid": {"order_created", "failed"},
    "failed": {"payment_initiated", "paid"},
    "expired": {"paid"},
}
_ATTEMPT: Final = {
    "created": {"sent", "unknown", "succeeded", "failed", "needs_review"},
    "sent": {"succeeded", "failed", "needs_review"},
    "unknown": {"succeeded", "failed", "needs_review"},
    "failed": {"succeeded", "needs_review"},
    "needs_review": {"succeeded", "failed", "refund_due"},
    "succeeded": {"refund_due", "needs_review"},
}
_REFUND: Final = {
    "due": {"sending", "needs_review", "refunded"},
    "sending": {"due", "accepted", "refunded", "failed", "needs_review"},
    "accepted": {"refunded", "failed", "needs_review"},
    "needs_review": {"refunded"},
}
_BOOKING: Final = {"CONFIRMED": {"COMPLETED", "CANCELLED"}}
_ORDER: Final = {
    "confirmed": {"packed", "cancelled"},
    "packed": {"out_for_delivery", "cancelled", "confirmed"},
    "out_for_delivery": {"delivered", "cancelled", "packed"},
    "delivered": {"out_for_delivery"},
}
_BORN: Final = {"S": {"pending", "payment_initiated"}, "ATT": {"created"}, "R": {"due"}, "B": {"CONFIRMED"}, "O": {"confirmed"}}
_MOVES: Final = {"S": _SESSION, "ATT": _ATTEMPT, "R": _REFUND, "B": _BOOKING, "O": _ORDER}


def illegal_moves(changes: Sequence[Change]) -> Iterator[str]:
    """Of one write: statuses that may not follow each other, and items that may never end."""
    for change in changes:
        partition, sort = change.key
        kind = sort.partition("#")[0]
        if kind not in _MOVES or sort.endswith("#~") or partition.startswith("PTR"):
            continue
        if change.after is None:
            yield f"{sort} was deleted"
            continue
        after = from_wire({"status": change.after["status"]})["status"]
        if change.before is None:
            if after not in _BORN[kind]:
                yield f"{sort} begins as {after}"
            continue
        before = change.before["status"]["S"]
        if before != after and after not in _MOVES[kind].get(before, set()):
            yield f"{sort} went from {before} to {after}"
        if kind == "ATT" and "captured" in change.before and after == "failed":
            yield f"{sort} has money and failed"
