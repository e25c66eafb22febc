"""Stock, promos and places of a slot: what is held and what is sold adds up to what the attempts and outcomes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from payfirst.storage.dynamodb.expressions import Item
from tests.faults.book import Book
from tests.faults.world import World


def stock_agrees(world: World, book: Book) -> Iterator[str]:
    for number, start in world.stocked.items():
        listing = book.listings[number]
        sold = sum(
            (
                line["quantity"]
                for item in book.outcomes
                for line in item.get("lines", ())
                if line["listing_id"] == number and item["status"] != "cancelled"
            ),
            Decimal(0),
        )
        holding = [attempt["held_stock"] for ref, attempt in book.attempts.items() if _holds(book, ref, attempt, "held_stock")]
        held = sum((Decimal(each.get(str(number), 0)) for each in holding), Decimal(0))
        edits = int(listing.get("edits", 0))
        if edits > 1 and number in world.restocked:
            yield f"listing {number} was edited {edits} times by one change"
        owned = start + edits * world.restocked.get(number, Decimal(0))
        counted = listing["available"], listing["held"], listing["sold"]
        if min(counted) < 0 or sum(counted) != owned or counted[1:] != (held, sold):
            yield f"listing {number}: {owned} in all; left, held, sold: {counted}; by attempts {held}, ordered {sold}"


def promos_agree(_: World, book: Book) -> Iterator[str]:
    held = Counter(attempt["held_promo"] for ref, attempt in book.attempts.items() if _holds(book, ref, attempt, "held_promo"))
    used = Counter(item.get("content", item).get("promo_code") for item in book.outcomes)
    for code, promo in book.promos.items():
        if promo["used"] != used[code] or promo["taken"] != used[code] + held[code]:
            yield f"{code}: {promo['taken']} taken and {promo['used']} used, for {used[code]} outcomes and {held[code]} holds"
        if promo["taken"] > promo.get("most_uses", promo["taken"]):
            yield f"{code}: {promo['taken']} taken of {promo['most_uses']}"
        mine = [uses for (_, used_code), uses in book.promo_uses.items() if used_code == code]
        if [promo["taken"], promo["used"]] != [sum(uses[name] for uses in mine) for name in ("taken", "used")]:
            yield f"{code}: its customers' uses are not its own"


def slots_agree(_: World, book: Book) -> Iterator[str]:
    holding = [attempt["held_slot"] for ref, attempt in book.attempts.items() if _holds(book, ref, attempt, "held_slot")]
    held = Counter(slot_key(slot) for slot in holding)
    contents = [item["content"] for item in book.outcomes if "content" in item and item["status"] != "CANCELLED"]
    booked = Counter(slot_key(content) for content in contents if "capacity" in content)
    for key, slot in book.slots.items():
        if (slot["used"], slot["held"]) != (booked[key] + held[key], held[key]):
            yield f"{key}: {slot['used']} used, {slot['held']} held, for {booked[key]} bookings and {held[key]} holds"
    capacity = {slot_key(content): content["capacity"] for content in contents if "capacity" in content}
    for key in booked.keys() | held.keys():
        if key not in book.slots or book.slots[key]["used"] > capacity.get(key, book.slots[key]["used"]):
            yield f"{key} has more bookings than places"


def days_agree(_: World, book: Book) -> Iterator[str]:
    """Each booking stands once among those of its day, and nothing else does."""
    listed = {(item["pk"], item["sk"], item["owner"], item["number"]) for item in book.others if item["pk"].startswith("DAY#")}
    meant = {
        (f"DAY#{content['day']}", f"{content['at']}#{item['book_id']}", item["pk"][2:], int(item["sk"].split("#")[1]))
        for item in book.outcomes
        if (content := item.get("content"))
    }
    yield from (f"{entry} is listed" for entry in listed - meant)
    yield from (f"{entry} is not listed" for entry in meant - listed)


def slot_key(raw: Item) -> tuple[str, str]:
    return f"SLOT#{raw['service_type']}#{int(raw['service_id']):012d}", f"{raw['day']}T{raw['at']}"


def _holds(book: Book, ref: str, attempt: Item, what: str) -> bool:
    session = book.session_of(attempt)
    waits = session.get("captured") == ref and attempt["status"] in ("succeeded", "needs_review") and "outcome" not in session
    return what in attempt and (session.get("live_attempt") == ref or waits)
