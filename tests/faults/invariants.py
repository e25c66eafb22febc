"""What holds after every step, and what holds when faults have stopped and the sweeps have run.

Each check yields sentences about what is broken; none is what every test wants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from payfirst.storage.expressions import Item
from tests.faults.book import Book
from tests.faults.connection import SECRETS
from tests.faults.world import World

UNRESOLVED: Final = ("created", "sent", "unknown")
LETTERS: Final = frozenset(
    {
        "order.created",
        "order.cancelled",
        "booking.created",
        "booking.rescheduled",
        "booking.cancelled",
        "payment.failed",
        "refund.due",
        "refund.refunded",
    }
)
"""The events that a customer is written to about."""

MOST_TRIES: Final = 5
MOST_SENTENCES: Final = 8
"""A broken shop is soon broken in many ways; the first ones say why."""

Check = Callable[[World, Book], Iterator[str]]


class BrokenError(AssertionError):
    """An invariant does not hold; the message lists the sentences."""


def one_outcome(_: World, book: Book) -> Iterator[str]:
    sessions = Counter((item["pk"], int(item["session_number"])) for item in book.outcomes)
    yield from (f"session {key[1]} has {count} outcomes" for key, count in sessions.items() if count > 1)
    carts: Counter[tuple[str, str, str]] = Counter()
    for item in book.outcomes:
        session = book.sessions.get((item["pk"].removeprefix("U#"), int(item["session_number"])))
        if session is None:
            yield "an outcome's session is not its owner's"
            continue
        carts[item["pk"], session["guard"]["key"], session["guard"]["version"]] += 1
    yield from (f"cart version {key[1]} has {count} outcomes" for key, count in carts.items() if count > 1)


def outcome_is_paid(world: World, book: Book) -> Iterator[str]:
    for item in book.outcomes:
        session = book.sessions[item["pk"].removeprefix("U#"), int(item["session_number"])]
        ref = session.get("captured", "")
        payment, attempt = world.ledger.payments.get(ref), book.attempts.get(ref, {})
        if payment is None or payment.state != "paid":
            yield f"{item['sk']} exists without a gateway's success"
        elif not item["amount"] == session["amount"] == attempt.get("captured"):
            yield f"{item['sk']} is {item['amount']}, its session {session['amount']}, captured {attempt.get('captured')}"
        elif "receipt" in attempt and attempt["captured"] != payment.collected:
            # Without a receipt nobody but M-Pesa's query has spoken, and that states no amount.
            yield f"{item['sk']} is {item['amount']}, captured {attempt.get('captured')}, collected {payment.collected}"
        if item["sk"].startswith("O#"):
            total = sum(line["subtotal"] for line in item["lines"]) - item.get("discount", 0)
            total += item["delivery_fee"] + item["rounding"]
            if item["lines"] != session["snapshot"]["lines"] or total != item["amount"]:
                yield f"{item['sk']} is not what its session froze"
        elif item["content"] != session["snapshot"] and item["book_id"] not in world.rescheduled:
            yield f"{item['sk']} is not what its session froze"
        if session["status"] != "order_created" or session.get("outcome", {}).get("number") != int(item["sk"].split("#")[1]):
            yield f"{item['sk']} is not its session's outcome"


def captured_is_collected(world: World, book: Book) -> Iterator[str]:
    for ref, attempt in book.attempts.items():
        payment = world.ledger.payments.get(ref)
        if "captured" in attempt and (payment is None or payment.state != "paid"):
            yield f"{ref} is captured, and its gateway has collected nothing"


def one_receipt_one_attempt(_: World, book: Book) -> Iterator[str]:
    for ref, attempt in book.attempts.items():
        receipt = attempt.get("receipt")
        if receipt and book.receipts.get((attempt["gateway"], receipt), {}).get("ref") != ref:
            yield f"the receipt of {ref} is not bound to it"


def refunds_within_captures(world: World, book: Book) -> Iterator[str]:
    for ref, refunds in book.refunds.items():
        attempt = book.attempts[ref]
        owed = sum(int(refund["amount"]) for refund in refunds if refund["status"] != "failed")
        if owed > attempt.get("captured", 0) or attempt["refundable"] < 0:
            yield f"{ref} owes {owed} of {attempt.get('captured', 0)}"
        if ref in world.given_back:
            continue  # a person's own will, beside the booking
        if attempt["status"] != "refund_due":
            yield f"{ref} has a refund and is {attempt['status']}"
        if book.session_of(attempt).get("captured") == ref and "outcome" in book.session_of(attempt):
            yield f"{ref} has an outcome and a refund"
    for ref, attempt in book.attempts.items():
        if attempt["status"] == "refund_due" and ref not in book.refunds:
            yield f"{ref} is due a refund that does not exist"
    yield from world.ledger.broken


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
        counted = listing["available"], listing["held"], listing["sold"]
        if min(counted) < 0 or sum(counted) != start or counted[1:] != (held, sold):
            yield f"listing {number}: {start} at the start; left, held, sold: {counted}; by attempts {held}, ordered {sold}"


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


def slot_key(raw: Item) -> tuple[str, str]:
    return f"SLOT#{raw['service_type']}#{int(raw['service_id']):012d}", f"{raw['day']}T{raw['at']}"


def _holds(book: Book, ref: str, attempt: Item, what: str) -> bool:
    session = book.session_of(attempt)
    waits = session.get("captured") == ref and attempt["status"] == "succeeded" and "outcome" not in session
    return what in attempt and (session.get("live_attempt") == ref or waits)


def one_open_attempt(_: World, book: Book) -> Iterator[str]:
    for ref, attempt in book.attempts.items():
        session, guard = book.session_of(attempt), book.guard_of(attempt)
        if attempt["status"] in UNRESOLVED and not session.get("live_attempt") == guard.get("live_attempt") == ref:
            yield f"{ref} is open, and its session or its cart does not wait for it"
    for key, session in book.sessions.items():
        live = session.get("live_attempt")
        waits = session["status"] == "payment_initiated"
        if waits is not (live is not None):
            yield f"session {key[1]} is {session['status']} and waits for {live}"
        if live is not None and book.attempts[live]["status"] not in (*UNRESOLVED, "needs_review"):
            yield f"session {key[1]} waits for {live}, which is {book.attempts[live]['status']}"
        captured = session.get("captured")
        if captured is not None and book.attempts[captured]["status"] not in ("succeeded", "refund_due"):
            yield f"session {key[1]} has the money of {captured}, which is {book.attempts[captured]['status']}"
    for guard in book.guards.values():
        live = guard.get("live_attempt")
        if live is not None and not _waits(book, live):
            yield f"the cart {guard['sk']} is locked by {live}, which is over"


def _waits(book: Book, ref: str) -> bool:
    session = book.session_of(book.attempts[ref])
    return session.get("live_attempt") == ref or (session.get("captured") == ref and session["status"] == "paid")


def one_prompt_a_phone(_: World, book: Book) -> Iterator[str]:
    locked = {item.get("attempt") for item in book.phones}
    for ref, attempt in book.attempts.items():
        if attempt["status"] in UNRESOLVED and "phone" in attempt and ref not in locked:
            yield f"{ref} is open and does not hold its phone"
        if ref in locked and attempt["status"] not in (*UNRESOLVED, "needs_review"):
            yield f"{ref} is {attempt['status']} and holds its phone"


def due_is_unfinished(_: World, book: Book) -> Iterator[str]:
    for key, session in book.sessions.items():
        yield from _due(f"session {key[1]}", session, "expire" if session["status"] == "pending" else None)
    for ref, attempt in book.attempts.items():
        status, session = attempt["status"], book.session_of(attempt)
        if status == "succeeded":
            fulfilled = session.get("captured") == ref and "outcome" in session
            yield from _due(ref, attempt, None if fulfilled else "settle")
        elif status == "failed":
            yield from _due(ref, attempt, "settle" if "next_check_at" in attempt else None)
        else:
            kind = "settle" if status in UNRESOLVED else {"needs_review": "review"}.get(status)
            yield from _due(ref, attempt, kind)
    for refund in (refund for refunds in book.refunds.values() for refund in refunds):
        kinds = dict.fromkeys(("due", "sending", "accepted"), "refund") | {"needs_review": "review"}
        asks = refund["status"] == "needs_review" and str(refund.get("due_pk")).startswith("refund#")
        if not (asks and "told_at" in refund):  # its gateway has told of its end, and the next sweep asks
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
    """First it leaves, then its letter is written, where the shop writes letters; one that is refused too often is parked."""
    if "delivered_at" not in event:
        return "outbox"
    waits = "mailed_at" not in event and event["event"] in LETTERS and "due_pk" in event
    return ("review" if event.get("tries") == MOST_TRIES else "mail") if waits else None


def _due(name: str, item: Item, wanted: str | None) -> Iterator[str]:
    kind = item["due_pk"].split("#")[0] if "due_pk" in item else None
    if kind != wanted or ("due_sk" in item) is not (kind is not None):
        yield f"{name} ({item.get('status')}) is due as {kind}, not as {wanted}"


def owned_by_one(_: World, book: Book) -> Iterator[str]:
    for ref, attempt in book.attempts.items():
        if (attempt["owner"], int(attempt["session_number"])) not in book.sessions:
            yield f"{ref} belongs to somebody else's session"


def nothing_leaks(world: World, _: Book) -> Iterator[str]:
    payments = world.ledger.payments.values()
    words = [*SECRETS, *(payment.token[13:] for payment in payments if payment.token), *(p.phone for p in payments if p.phone)]
    for line in world.log.lines:
        if any(word in line for word in words):
            yield f"a log line tells a secret: {line.split(' ')[0]}"


ALWAYS: Final[tuple[Check, ...]] = (
    owned_by_one,
    one_outcome,
    outcome_is_paid,
    captured_is_collected,
    one_receipt_one_attempt,
    refunds_within_captures,
    stock_agrees,
    promos_agree,
    slots_agree,
    one_open_attempt,
    one_prompt_a_phone,
    due_is_unfinished,
    nothing_leaks,
)
"""What holds after every step."""


def check(world: World, checks: Sequence[Check] = ALWAYS, book: Book | None = None) -> None:
    """BrokenError with every sentence that is not true of `world`."""
    book = book or Book.of(world.items())
    broken = [*world.broken, *(sentence for each in checks for sentence in each(world, book))]
    if broken:
        raise BrokenError("; ".join(dict.fromkeys(broken[:MOST_SENTENCES])))
