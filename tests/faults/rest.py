"""When faults stop: the sweeps run, and then every capture is in exactly one place and nothing is left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.settings import LatePayment
from payfirst.storage import keys
from payfirst.storage.expressions import Item
from payfirst.storage.outbox import STATUS
from tests.faults.book import Book
from tests.faults.gateways import Payment
from tests.faults.invariants import ALWAYS, UNRESOLVED, BrokenError, Check, check, slot_key
from tests.faults.world import SWEEPS, World


def settle_down(world: World, *, open_stays: bool = False) -> None:
    """Let the gateways' open payments run out, run the sweeps, and check everything; BrokenError for what is not true."""
    world.seam.active = False
    if not open_stays:
        world.ledger.close()
    begin = world.now
    for pause in _pauses(world):
        world.now = begin + pause
        report = world.sweep()
        if report.failed or not report.finished:
            raise BrokenError(f"a sweep without faults left {report.failed} of {report.examined} behind: {world.log.lines[-1]}")
        check(world)
    before = world.items()
    world.sweep()
    if world.items() != before:
        raise BrokenError("a sweep after the last one still changed something")
    check(world, (*ALWAYS, *AT_REST), Book.of(before))


def _pauses(world: World) -> Iterator[timedelta]:
    """When the sweeps run. A refund that PhonePe refuses or does not know is sent once more, and then asked about."""
    yield from SWEEPS
    number = 0
    while number < 2 * (world.ledger.refuse_refunds + len(world.ledger.refused) + world.ledger.refunds_unknown):
        yield SWEEPS[-1] * (2 + number)
        number += 1


def nothing_waits(world: World, book: Book) -> Iterator[str]:
    for key, session in book.sessions.items():
        if session["status"] in ("paid", "pending"):
            yield f"session {key[1]} stays {session['status']}"
    for ref, attempt in book.attempts.items():
        if attempt["status"] in UNRESOLVED:
            yield f"{ref} stays {attempt['status']}"
    every = [*book.sessions.values(), *book.attempts.values(), *book.notices, *book.events]
    every += [refund for refunds in book.refunds.values() for refund in refunds]
    for item in every:
        if "due_pk" in item and not item["due_pk"].startswith("review#"):
            yield f"{item['pk']} {item['sk']} is still due: {item['due_pk']}"
    if world.queue.sent:
        yield f"the queue still holds {len(world.queue.sent)} messages"
    told = Counter(f"{event['session']}-{int(event['sk'].rsplit('#', 1)[1])}" for event in book.events)
    if set(told) != set(world.bus.came) or max(told.values(), default=1) > 1:
        yield "the bus has not heard every event under an id of its own"


def each_status_is_counted(world: World, book: Book) -> Iterator[str]:
    """What the funnel says of sessions by status is what a look at every session says."""
    counted: Counter[str] = Counter()
    for item in world.items():
        if item["pk"] == keys.EVENT_COUNTS and f"#{STATUS}" in item["sk"]:
            counted[item["sk"].rpartition("=")[2]] += int(item["n"])
    seen = Counter(session["status"] for session in book.sessions.values())
    if +counted != seen or min(counted.values(), default=0) < 0:
        yield f"sessions are counted as {dict(counted)} and are {dict(seen)}"


def letters_were_written(world: World, book: Book) -> Iterator[str]:
    """Where the shop writes letters, each event that wants one has one, or says why not; and no letter is about nothing."""
    ids = {f"{event['session']}-{int(event['sk'].rsplit('#', 1)[1])}": event for event in book.events}
    for name, event in ids.items():
        if "mailed_at" in event and event["mail"] not in ("no_address", "overtaken") and name not in world.post.came:
            yield f"{event['event']} {name} is called written, and no letter came"
        if world.writes_letters and event["event"] in ("order.created", "booking.created") and "mailed_at" not in event:
            yield f"nobody was written to about {event['event']} {name}"
    if not set(world.post.came) <= set(ids):
        yield "a letter came about nothing"


def every_capture_in_one_place(world: World, book: Book) -> Iterator[str]:
    sums: Counter[str] = Counter()
    for ref, payment in world.ledger.payments.items():
        if payment.state != "paid":
            continue
        places = _places(world, book, ref)
        if len(places) != 1:
            yield f"{ref} was collected and is {' and '.join(places) or 'nowhere'} ({book.attempts[ref]['status']})"
        for place in places:
            sums[place] += payment.amount if "receipt" not in book.attempts[ref] else payment.collected
    ordered = sum(int(item["amount"]) for item in book.outcomes)
    if ordered != sums["an outcome"]:
        yield f"outcomes are worth {ordered}, their payments {sums['an outcome']}"


def _places(world: World, book: Book, ref: str) -> list[str]:
    attempt = book.attempts[ref]
    session, refund = book.session_of(attempt), book.last_refund(ref)
    places = []
    if session.get("captured") == ref and "outcome" in session:
        places.append("an outcome")
    if refund is not None and refund["status"] in ("refunded", "needs_review") and ref not in world.given_back:
        places.append("a refund")
    if attempt["status"] == "needs_review":
        places.append("a review")
    return places


def refunds_were_made(world: World, book: Book) -> Iterator[str]:
    for refund in (refund for refunds in book.refunds.values() for refund in refunds):
        made = refund["refund_id"] in world.ledger.paid_back
        if refund["status"] == "refunded" and not made and refund["ref"] not in world.by_hand:
            yield f"{refund['refund_id']} is called refunded, and nothing went back"
        if made and refund["status"] not in ("refunded", "needs_review"):
            yield f"{refund['refund_id']} went back and is {refund['status']}"
    for number, back in world.ledger.paid_back.items():
        if back.original not in book.refunds:
            yield f"{number} went back and is not in the table"


def nothing_was_needless(world: World, book: Book) -> Iterator[str]:
    """A refund has its reason, and a review is only for what nobody can know."""
    for ref, refunds in book.refunds.items():
        attempt, payment = book.attempts[ref], world.ledger.payments[ref]
        if ref not in world.given_back and not _has_reason(world, book, attempt, payment, refunds[0]["reason"]):
            yield f"{ref} is sent back as {refunds[0]['reason']} without need"
    for ref, attempt in book.attempts.items():
        if attempt["status"] == "needs_review" and "gateway_id" in attempt and ref not in world.disputed:
            yield f"{ref} needs a person without need: {attempt['review']}"
    for review in book.reviews:
        if review["ref"] not in world.disputed:
            yield f"a doubt without need: {review['reason']}"


def _has_reason(world: World, book: Book, attempt: Item, payment: Payment, reason: str) -> bool:
    session = book.session_of(attempt)
    if reason == "wrong_amount":
        return payment.collected != payment.amount
    if reason == "out_of_stock":
        lines = session["snapshot"]["lines"]
        return any(book.listings[int(line["listing_id"])]["available"] < line["quantity"] for line in lines)
    if reason == "slot_taken":
        wanted = session["snapshot"]
        return bool(book.slots[slot_key(wanted)]["used"] >= wanted["capacity"])
    if reason == "promo_used_up":
        promo = book.promos[session["snapshot"]["promo_code"]]
        return bool(promo["used"] >= promo["most_uses"])
    rival = any(
        other is not attempt
        and other["owner"] == attempt["owner"]
        and other["guard"]["key"] == attempt["guard"]["key"]
        and ("captured" in other or other["status"] == "needs_review" or other["created_at"] >= attempt["created_at"])
        for other in book.attempts.values()
    )
    changed = book.guard_of(attempt).get("version", attempt["guard"]["version"]) != attempt["guard"]["version"]
    too_late = rival or changed or _has_begun(session, world.now)
    return reason == "surplus" and (too_late or world.late_payment is LatePayment.REFUND)


def _has_begun(session: Item, now: datetime) -> bool:
    wanted = session["snapshot"]
    if wanted.get("capacity") is None:
        return False
    begins = datetime.fromisoformat(f"{wanted['day']}T{wanted['at']}").replace(tzinfo=ZoneInfo(wanted["zone"]))
    return begins <= now


AT_REST: Final[tuple[Check, ...]] = (
    nothing_waits,
    every_capture_in_one_place,
    refunds_were_made,
    nothing_was_needless,
    letters_were_written,
    each_status_is_counted,
)
"""What holds besides when nothing happens any more."""
