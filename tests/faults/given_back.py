"""What a cancellation gives back, reckoned once more from the history that a customer sees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from payfirst.domain.booking import AS_USUAL, ChangeRules
from payfirst.domain.catalogue import ServiceType
from payfirst.storage.catalogue import service_from_item
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Item
from tests.faults.book import Book
from tests.faults.world import World

BY_CANCELLING = ("booking_cancelled", "order_cancelled")


def a_cancellation_gives_back_its_rule(_: World, book: Book) -> Iterator[str]:
    """The rule at its worst step of all moves, less what had gone back before, and never less than nothing."""
    for item in book.outcomes:
        if item["status"] not in ("CANCELLED", "cancelled"):
            continue
        session = book.sessions[item["pk"].removeprefix("U#"), int(item["session_number"])]
        ended = next(step["at"] for step in item["timeline"] if step["status"] == item["status"])
        refunds = [refund for refund in book.refunds.get(session["captured"], []) if refund["status"] != "failed"]
        owed = sum(int(refund["amount"]) for refund in refunds if refund["reason"] in BY_CANCELLING)
        first = min((int(refund["number"]) for refund in refunds if refund["reason"] in BY_CANCELLING), default=None)
        before = sum(
            int(refund["amount"])
            for refund in refunds
            if refund["reason"] not in BY_CANCELLING
            and (refund["created_at"] <= ended if first is None else int(refund["number"]) < first)
        )
        all_of_it = item["sk"].startswith("O#") or item.get("in_full", False)
        rule = int(item["amount"]) if all_of_it else _by_rule(book, item, ended)
        if owed != max(0, rule - before):
            yield f"{item['sk']} gives back {owed}: by its rule {rule}, of which {before} had gone back"


def _by_rule(book: Book, booking: Item, ended: str) -> int:
    content, rules = booking["content"], _rules(book, booking["content"])
    moves = [(step["from"], step["at"]) for step in booking["timeline"] if "from" in step]
    percent = min(_percent(rules, slot, content["zone"], at) for slot, at in (*moves, (content, ended)))
    minor = int((Decimal(booking["amount"]) * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return minor + (-minor % 100 if booking["currency"] == "KES" else 0)


def _percent(rules: ChangeRules, slot: Item, zone: str, at: str) -> int:
    starts = datetime.fromisoformat(f"{slot['day']}T{slot['at']}").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    left = starts - datetime.fromisoformat(at)
    fits = [step.percent for step in rules.refunds if left > timedelta(0) and left >= timedelta(hours=step.hours_before)]
    return max(fits, default=0)


def _rules(book: Book, content: Item) -> ChangeRules:
    key = shop_keys.service(ServiceType(content["service_type"]), int(content["service_id"]))
    found = [item for item in book.others if (item["pk"], item["sk"]) == (key["pk"], key["sk"])]
    return service_from_item(found[0]).changes if found else AS_USUAL
