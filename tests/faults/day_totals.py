"""The counters of the shop's money, held against what payments and refunds themselves say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tests.faults.book import Book
from tests.faults.world import World

COLUMNS: Final = ("captured", "refunded", "on_its_way_back", "waiting_for_a_person")
_OPEN: Final = ("due", "sending", "accepted")


def totals_agree(_: World, book: Book) -> Iterator[str]:
    """Each column of each day is what payments and refunds come to, to the minor unit; nothing else is counted or entered."""
    meant, entries = _meant(book)
    counted: Counter[tuple[str, ...]] = Counter()
    for item in book.others:
        if item["pk"] == "TOTALS":
            day, gateway, currency, _ = item["sk"].split("#")
            counted.update({(day, gateway, currency, column): int(item.get(column, 0)) for column in COLUMNS})
    for place in counted.keys() | meant.keys():
        if counted[place] != meant[place]:
            yield f"the totals say {counted[place]} for {' '.join(place)}, and it is {meant[place]}"
    entered = {(item["pk"], item["sk"]) for item in book.others if item["pk"].startswith("MONEY#")}
    yield from (f"{entry} is not money that moved" for entry in entered - entries)
    yield from (f"{entry} is not entered" for entry in entries - entered)


def _meant(book: Book) -> tuple[Counter[tuple[str, ...]], set[tuple[str, str]]]:
    sums: Counter[tuple[str, ...]] = Counter()
    entries: set[tuple[str, str]] = set()
    for ref, attempt in book.attempts.items():
        if "captured" not in attempt:
            continue
        at, whose = attempt["captured_at"], (attempt["gateway"], attempt["currency"])
        sums[_day(at), *whose, "captured"] += int(attempt["captured"])
        entries.add((f"MONEY#captured#{_day(at)}", f"{at}#{ref}"))
        if attempt["status"] == "needs_review":
            sums[_day(at), *whose, "waiting_for_a_person"] += int(attempt["captured"])
    for refund in (refund for refunds in book.refunds.values() for refund in refunds):
        status, amount, whose = refund["status"], int(refund["amount"]), (refund["gateway"], refund["currency"])
        if status == "refunded":
            sums[_day(refund["ended_at"]), *whose, "refunded"] += amount
            entries.add((f"MONEY#refunded#{_day(refund['ended_at'])}", f"{refund['ended_at']}#{refund['refund_id']}"))
        elif status in _OPEN:
            sums[_day(refund["created_at"]), *whose, "on_its_way_back"] += amount
        elif status == "needs_review":
            sums[_day(refund["created_at"]), *whose, "waiting_for_a_person"] += amount
    return sums, entries


def _day(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(ZoneInfo("Africa/Nairobi")).date().isoformat()
