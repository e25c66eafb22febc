"""When faults stop: the sweeps run, and then every capture is in exactly one place and nothing is left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ops.reconcile.books import Field
from ops.reconcile.comparison import compare
from payfirst.domain.clock import read_instant
from payfirst.gateways.registry import terms_of
from payfirst.settings import LatePayment
from payfirst.storage import due
from payfirst.storage.dynamodb import due_index, shop_keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.outbox import GIVEN_UP, STATUS, counter
from payfirst.usecases.settlement.decide import CANNOT_SETTLE
from tests.faults.book import UNRESOLVED, Book, theirs
from tests.faults.invariants import ALWAYS, BrokenError, Check, check
from tests.faults.inventory import slot_key
from tests.faults.told import Payment
from tests.faults.world import SWEEPS, World


def settle_down(world: World, *, open_stays: bool = False) -> None:
    """Let the gateways' open payments run out, run the sweeps, and check everything; BrokenError for what is not true."""
    world.seam.active = False
    if not open_stays:
        world.ledger.close()
    begin = max([world.now, *_checks_of_late_sweeps(world)])
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


def _checks_of_late_sweeps(world: World) -> Iterator[datetime]:
    """What a sweep that ran days ahead has planned: the sweeps that follow it are later still."""
    for item in world.items():
        if str(item.get("due_pk", "")).startswith((f"{due_index.SETTLE}#", f"{due_index.REFUND}#")):
            yield read_instant(item["due_sk"])


def _pauses(world: World) -> Iterator[timedelta]:
    """When the sweeps run. A refund that PhonePe refuses or does not know is sent once more, and then asked about."""
    yield from SWEEPS
    number = 0
    while number < 2 * (world.ledger.refuse_refunds + len(world.ledger.refused) + world.ledger.refunds_unknown):
        yield SWEEPS[-1] * (2 + number)
        number += 1


def nothing_waits(world: World, book: Book) -> Iterator[str]:
    for key, session in book.sessions.items():
        on_the_list = book.attempts.get(session.get("captured", ""), {}).get("status") == "needs_review"
        if session["status"] == "pending" or (session["status"] == "paid" and not on_the_list):
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


def nothing_passing_is_a_dead_letter(world: World, _: Book) -> Iterator[str]:
    """Only what fails for a reason of its own stands on the list for a person."""
    for item in world.items():
        what = str(item.get("due_pk", "")).removeprefix(f"{due_index.REVIEW}#")
        if what in due.ALL_KINDS and "dead_since" in item and item["pk"] not in world.poisoned:
            yield f"{item['pk']} {item['sk']} is a dead letter, and nothing is wrong with it"


def each_status_is_counted(world: World, book: Book) -> Iterator[str]:
    """What the funnel says of sessions by status is what a look at every session says."""
    counted: Counter[str] = Counter()
    for item in world.items():
        if item["pk"] == shop_keys.EVENT_COUNTS:
            start = counter(STATUS)
            counted.update({name.removeprefix(start): int(item[name]) for name in item if name.startswith(start)})
    seen = Counter(session["status"] for session in book.sessions.values())
    if +counted != seen or min(counted.values(), default=0) < 0:
        yield f"sessions are counted as {dict(counted)} and are {dict(seen)}"


def letters_were_written(world: World, book: Book) -> Iterator[str]:
    """Where the shop writes letters, each event that wants one has one, or says why not; and no letter is about nothing."""
    ids = {f"{event['session']}-{int(event['sk'].rsplit('#', 1)[1])}": event for event in book.events}
    for name, event in ids.items():
        if "mailed_at" in event and event["mail"] not in ("no_address", "overtaken", GIVEN_UP) and name not in world.post.came:
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


def both_ledgers_are_equal(world: World, book: Book) -> Iterator[str]:
    """The gateways' ledger and the table are equal, payment by payment and in both directions."""
    said = theirs(world.ledger)
    # Where nobody but M-Pesa's query has spoken there is no receipt, and no amount was ever stated.
    unstated = {ref: attempt.get("captured") for ref, attempt in book.attempts.items() if "receipt" not in attempt}
    captures = tuple(replace(one, amount=int(unstated.get(one.ref or "") or one.amount)) for one in said.captures)
    told = Counter(review["ref"] for review in book.reviews if review["reason"].endswith("may have gone back twice"))
    for difference in compare(replace(said, captures=captures), world.items()).differences:
        twice = difference.field is Field.REFUNDED and told[difference.attempt]  # a person reads of it already
        if not twice and (difference.field is not Field.RECEIPT or difference.attempt not in world.disputed):
            yield str(difference)


def contradictions_are_told(world: World, book: Book) -> Iterator[str]:
    """What a gateway says otherwise than the table, of a success or of a refund that a person made, is on the list once."""
    reasons = Counter((review["ref"], review["reason"]) for review in book.reviews)
    told = Counter(event["facts"]["reason"] for event in book.events if event["event"] == "payment.contradicted")
    for (ref, reason), count in reasons.items():
        if count > 1 or not told[reason]:
            yield f"the list has {reason} of {ref} {count} times, its timeline {told[reason]} times"
    for ref, said in world.ledger.says.items():
        attempt = book.attempts[ref]
        recorded = attempt["status"] in ("succeeded", "refund_due")
        if said == "declined" and recorded and ref not in {review["ref"] for review in book.reviews}:
            yield f"{ref} is {attempt['status']}, its gateway says {said}, and nobody is told"
    for refund in (refund for refunds in book.refunds.values() for refund in refunds):
        number = refund["refund_id"]
        twice = number in world.ledger.paid_back and refund["status"] == "refunded" and refund["ended_by"] != "gateway"
        untold = any(notice.route == "result" for notice in world.ledger.notices)
        asked = terms_of(refund["gateway"]).knows_refunds or not untold
        if twice and asked and not any(number in reason for _, reason in reasons):
            yield f"{number} went back twice, and nobody is told"


def nothing_was_needless(world: World, book: Book) -> Iterator[str]:
    """A refund has its reason, and a review is only for what nobody can know."""
    for ref, refunds in book.refunds.items():
        attempt, payment = book.attempts[ref], world.ledger.payments[ref]
        if ref not in world.given_back and not _has_reason(world, book, attempt, payment, refunds[0]["reason"]):
            yield f"{ref} is sent back as {refunds[0]['reason']} without need"
    for ref, attempt in book.attempts.items():
        broken = world.seam.for_good and "captured" in attempt and CANNOT_SETTLE in attempt.get("review", "")
        if attempt["status"] == "needs_review" and "gateway_id" in attempt and ref not in world.disputed and not broken:
            yield f"{ref} needs a person without need: {attempt['review']}"
    for review in book.reviews:
        if review["ref"] not in world.disputed:
            yield f"a doubt without need: {review['reason']}"


def _has_reason(world: World, book: Book, attempt: Item, payment: Payment, reason: str) -> bool:
    session = book.session_of(attempt)
    if reason == "not_fulfilled":
        return world.seam.for_good
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
    too_late = rival or changed or _is_over(session, world)
    return reason == "surplus" and (too_late or world.late_payment is LatePayment.REFUND)


def _is_over(session: Item, world: World) -> bool:
    """Whether its hour or its day of delivery is over; without slots only where nothing that is over is taken."""
    wanted = session["snapshot"]
    if "day" not in wanted:
        day = wanted["delivery"].get("estimated_delivery_date")
        return bool(day) and not world.past_dates and day < world.now.astimezone(ZoneInfo("Africa/Nairobi")).date().isoformat()
    if wanted.get("capacity") is None and world.past_dates:
        return False
    begins = datetime.fromisoformat(f"{wanted['day']}T{wanted['at']}").replace(tzinfo=ZoneInfo(wanted["zone"]))
    return begins <= world.now


AT_REST: Final[tuple[Check, ...]] = (
    nothing_waits,
    every_capture_in_one_place,
    refunds_were_made,
    both_ledgers_are_equal,
    contradictions_are_told,
    nothing_was_needless,
    letters_were_written,
    nothing_passing_is_a_dead_letter,
    each_status_is_counted,
)
"""What holds besides when nothing happens any more."""
