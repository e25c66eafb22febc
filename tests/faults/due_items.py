"""What is due for a sweep is unfinished, and what is unfinished is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from payfirst.storage.dynamodb import due_index
from payfirst.storage.dynamodb.expressions import Item
from tests.faults.book import UNRESOLVED, Book
from tests.faults.world import World

MESSAGES: Final = frozenset(
    {
        "order.created",
        "order.cancelled",
        "booking.created",
        "booking.rescheduled",
        "booking.cancelled",
        "payment.failed",
        "refund.due",
        "refund.needs_review",
        "refund.refunded",
    }
)
"""The events that a customer is written to about."""


def due_is_unfinished(_: World, book: Book) -> Iterator[str]:
    for key, session in book.sessions.items():
        yield from _due(f"session {key[1]}", session, "expire" if session["status"] == "pending" else None)
    for ref, attempt in book.attempts.items():
        status, session = attempt["status"], book.session_of(attempt)
        if status == "succeeded":
            fulfilled = session.get("captured") == ref and "outcome" in session
            yield from _due(ref, attempt, "settle" if "confirm_at" in attempt or not fulfilled else None)
        elif status == "failed":
            yield from _due(ref, attempt, "settle" if "next_check_at" in attempt else None)
        else:
            asks = status in UNRESOLVED or (status == "refund_due" and "confirm_at" in attempt)
            yield from _due(ref, attempt, "settle" if asks else {"needs_review": "review"}.get(status))
    for refund in (refund for refunds in book.refunds.values() for refund in refunds):
        kinds = dict.fromkeys(("due", "sending", "accepted"), "refund") | {"needs_review": "review"}
        asks = refund["status"] == "needs_review" and str(refund.get("due_pk")).startswith("refund#")
        asks_after = refund["status"] in ("refunded", "failed") and ("told_at" in refund or refund["ended_by"] != "gateway")
        # Its gateway has told of its end, or a person has ended it: a sweep asks, and then no more.
        if not (asks and "told_at" in refund) and not (asks_after and refund.get("due_pk", "refund#").startswith("refund#")):
            yield from _due(refund["refund_id"], refund, kinds.get(refund["status"]))
    for notice in book.notices:
        yield from _due("a notice", notice, None if "settled_at" in notice else "settle")
    for event in book.events:
        yield from _due(event["sk"], event, _event_is_due(event))
    for review in book.reviews:
        yield from _due("a review", review, None if "closed_at" in review else "review")
    for item in book.outcomes:
        waits = item["sk"].startswith("B#") and item["status"] == "CONFIRMED"
        yield from _due(item["sk"], item, "complete" if waits else None)
    for item in (*book.others, *book.guards.values(), *book.phones, *book.receipts.values()):
        yield from _due(item["pk"], item, None)


def _event_is_due(event: Item) -> str | None:
    """First it leaves, then its letter is written, where the shop writes letters."""
    if "delivered_at" not in event:
        return "outbox"
    waits = "mailed_at" not in event and event["event"] in MESSAGES and "due_pk" in event
    return "mail" if waits else None


def _due(name: str, item: Item, wanted: str | None) -> Iterator[str]:
    kind = due_index.work_in(item["due_pk"]) if "due_pk" in item else None  # a dead letter still needs the same work
    if kind != wanted or ("due_sk" in item) is not (kind is not None):
        yield f"{name} ({item.get('status')}) is due as {kind}, not as {wanted}"
