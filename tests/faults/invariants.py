"""What holds after every step, and what holds when faults have stopped and the sweeps have run.

Each check yields sentences about what is broken; none is what every test wants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from payfirst.storage.dynamodb.expressions import Item
from tests.faults.book import UNRESOLVED, Book
from tests.faults.connection import SECRETS
from tests.faults.day_totals import totals_agree
from tests.faults.due_items import due_is_unfinished
from tests.faults.given_back import a_cancellation_gives_back_its_rule
from tests.faults.inventory import days_agree, promos_agree, slots_agree, stock_agrees
from tests.faults.world import World

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


def payment_status_follows_refunds(_: World, book: Book) -> Iterator[str]:
    """What a session and its order say of the payment is what its refunds come to."""
    for key, session in book.sessions.items():
        refunds = book.refunds.get(session.get("captured", ""), [])
        returned = sum(int(refund["amount"]) for refund in refunds if refund["status"] == "refunded")
        owed = sum(int(refund["amount"]) for refund in refunds if refund["status"] not in ("refunded", "failed"))
        said = session.get("paid_back", {"returned": 0, "owed": 0})
        if (said["returned"], said["owed"]) != (returned, owed):
            yield f"session {key[1]} says {dict(said)}; {returned} went back and {owed} are owed"
        whole = "refunded" if returned >= session["amount"] else "partially_refunded"
        wanted = "refund_due" if owed else whole if returned else "paid"
        for item in book.outcomes:
            if (item["pk"], int(item["session_number"])) != (f"U#{key[0]}", key[1]):
                continue
            if item["status"] != session["outcome"].get("status"):
                yield f"{item['sk']} is {item['status']}, and its session says {session['outcome'].get('status')}"
            if item.get("payment_status", wanted) != wanted:
                yield f"{item['sk']} says {item['payment_status']}, and its refunds make it {wanted}"


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
        if captured is not None and not _has_money(book.attempts[captured]):
            yield f"session {key[1]} has the money of {captured}, which is {book.attempts[captured]['status']}"
    for guard in book.guards.values():
        live = guard.get("live_attempt")
        if live is not None and not _waits(book, live):
            yield f"the cart {guard['sk']} is locked by {live}, which is over"


def _has_money(attempt: Item) -> bool:
    return attempt["status"] in ("succeeded", "refund_due") or (attempt["status"] == "needs_review" and "captured" in attempt)


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


def notices_are_confirmed(world: World, book: Book) -> Iterator[str]:
    """An end that only a notice of M-Pesa's told is one about which M-Pesa was asked, or will be."""
    told = {notice["ref"] for notice in book.notices if notice["route"] == "stk" and "settled_at" in notice}
    for ref in told - world.disputed:
        attempt, asked = book.attempts[ref], world.ledger.asked[ref]
        by_a_person = attempt.get("failure", {}).get("code") == "found_unpaid"
        ended = attempt["status"] in ("failed", "succeeded", "refund_due") and not by_a_person
        if ended and not asked and not {"next_check_at", "confirm_at"} & attempt.keys():
            yield f"{ref} is {attempt['status']} by a notice alone, and nobody asks"


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
    payment_status_follows_refunds,
    totals_agree,
    a_cancellation_gives_back_its_rule,
    stock_agrees,
    promos_agree,
    slots_agree,
    days_agree,
    one_open_attempt,
    one_prompt_a_phone,
    due_is_unfinished,
    notices_are_confirmed,
    nothing_leaks,
)
"""What holds after every step."""


def check(world: World, checks: Sequence[Check] = ALWAYS, book: Book | None = None) -> None:
    """BrokenError with every sentence that is not true of `world`."""
    book = book or Book.of(world.items())
    broken = [*world.broken, *(sentence for each in checks for sentence in each(world, book))]
    if broken:
        raise BrokenError("; ".join(dict.fromkeys(broken[:MOST_SENTENCES])))
