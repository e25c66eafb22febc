"""Write to customers about what happened, after its event has left; nothing waits for an e-mail.

An e-mail leaves at least once, and at most once while nobody is killed in between: one sender leases it, sends it, records it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payfirst.domain.clock import Deadline, read_instant
from payfirst.domain.errors import TemporaryError
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import RefundStatus, SessionStatus
from payfirst.domain.refund import BOOKING_CANCELLED, ORDER_CANCELLED, parts_of_refund_id
from payfirst.domain.session import BookingSnapshot, Kind, OrderSnapshot, Session
from payfirst.gateways.registry import why_not_paid_back
from payfirst.mail.messages import MESSAGES, write_message
from payfirst.mail.occasion import Occasion
from payfirst.mail.post import Post
from payfirst.observability import alarm, note, warn
from payfirst.storage import attempts, due, outbox, refunds, sessions, timeline
from payfirst.storage.bookings import booking_from_item
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb import due_index, keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.schema import NewerItemError
from payfirst.storage.dynamodb.table import Table, get
from payfirst.usecases.sweeps.retry_later import ends_the_run, is_passing, retry_later

SPARE_S: Final = 15.0
"""What one e-mail may take: DynamoDB's time-outs for a read, a lease and a record, and SES'."""

ENOUGH: Final = 2
"""After so many e-mails in a row that SES did not take for a reason of its own, it is asked no more in this run."""

NO_ADDRESS, OVERTAKEN = "no_address", "overtaken"
_BOUGHT: Final = frozenset({"order.created", "booking.created"})
_TOLD_ANYWAY: Final = frozenset({ORDER_CANCELLED, BOOKING_CANCELLED})
"""Refunds of which the e-mail about the cancellation has told already."""


@dataclass(frozen=True, slots=True)
class MailReport:
    """One run: e-mails sent, e-mails that nobody needs any more or that have no address, e-mails that failed and stay due.

    `oldest_due_s`: for how many seconds the oldest had been due when the run began.
    """

    sent: int
    skipped: int
    failed: int
    finished: bool
    oldest_due_s: int = field(default=0, compare=False)


def due_as_mail(post: Post) -> Callable[[Item], bool]:
    """Which events a customer is written to about; an event whose shop has no sender is called out, not passed over."""

    def mailed(item: Item) -> bool:
        if not _about_something_new(item):
            return False
        if post.writes_for(Kind(item["kind"])):
            return True
        alarm("mail.off", mail=item["event"], kind=item["kind"], session=item["session"])
        return False

    return mailed


def _about_something_new(item: Item) -> bool:
    if item["event"] not in MESSAGES:
        return False
    if item["event"] == "refund.due":
        # A gateway that refused a refund has it owed again; its customer knows of it.
        return item["by"] != "gateway" and item["facts"].get("reason") not in _TOLD_ANYWAY
    # Of an amount that no gateway pays back, the e-mail that it is owed has said that the shop does it by hand.
    amount = Money(int(item["facts"].get("amount", 0)), Currency(item["currency"]))
    return item["event"] != "refund.needs_review" or why_not_paid_back(amount) is None


def send_mail(table: Table, post: Post, *, now: datetime, deadline: Deadline) -> MailReport:
    """Send every e-mail that is due; one that cannot be sent stays due and does not stop the others.

    One that SES refuses or that cannot be written is tried later and later, then it is a dead letter, which a person sees. SES
    itself being away, throttled or misconfigured is told once and ends the run; so does a table that cannot be reached.
    """
    found = due.backlog(table, due_index.MAIL, now)
    every = chain(found.entries, due.dead_letters_due(table, due_index.MAIL, now))
    return send_these(table, post, every, now=now, deadline=deadline, oldest_s=found.oldest_s)


def send_these(
    table: Table, post: Post, entries: Iterable[Entry], *, now: datetime, deadline: Deadline, oldest_s: int = 0
) -> MailReport:
    """Send the e-mails of these entries alone, as far as they are still due; else as `send_mail` does."""
    words: Counter[str] = Counter()
    away, finished = 0, True
    for entry in entries:
        if deadline.remaining() < SPARE_S or away >= ENOUGH:
            finished = False
            break
        word = _one(table, post, entry, now)
        words[word] += 1
        away = away + 1 if word == "away" else 0
    if words["away"]:
        alarm("mail.away", mails=words["away"])
    return MailReport(words["sent"], words["skipped"], words["failed"] + words["away"], finished, oldest_s)


def _one(table: Table, post: Post, entry: Entry, now: datetime) -> str:
    try:
        item = get(table, entry.key)
    except NewerItemError:
        return "failed"  # it stays due for the release that understands it; the others must not wait
    if item is None or not due_index.is_due(item) or "mailed_at" in item or due_index.due_at(item) != entry.at:
        return "moved_on"
    try:
        outbox.lease(table, item, now)
    except ConditionFailedError:
        return "moved_on"
    try:
        return _written(table, post, item, now)
    except (ClientError, BotoCoreError) as error:
        note("mail.refused", mail=item["event"], session=item["session"], error=_code(error))
        if is_passing(error):
            return "away"  # the lease runs out, and a later run sends it
    except TemporaryError as error:
        if ends_the_run(error):
            raise
        warn("mail.busy", mail=item["event"], session=item["session"], error=error.code)
        return "failed"
    except Exception:  # noqa: BLE001 - an e-mail that cannot be written must not hold up the others
        alarm("mail.broken", mail=item["event"], session=item["session"])
    retry_later(table, entry, now)
    return "failed"


def _code(error: ClientError | BotoCoreError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _written(table: Table, post: Post, item: Item, now: datetime) -> str:
    of = due_index.named(item)
    session = sessions.read(table, of.owner or "", of.number or 0)
    if session is None:
        raise LookupError(f"session {item['session']} is gone")
    to, why = session.customer.email, None
    if to is None:
        why = NO_ADDRESS
    elif item["event"] in OVERTAKEN_BY and OVERTAKEN_BY[item["event"]](table, session, item):
        why = OVERTAKEN
    if to is None or why is not None:
        outbox.mark_mailed(table, item, now, word=why or NO_ADDRESS)
        note("mail.skipped", mail=item["event"], session=session.uuid, why=why)
        return "skipped"
    kind = session.kind
    about = Occasion(
        event=item["event"],
        at=read_instant(item["at"]),
        facts=_facts(item),
        session=session,
        content=_content(table, session),
        shop=post.shop(kind),
        receipt=_receipt(table, session) if item["event"] in _BOUGHT else None,
    )
    message = post.send(kind, to, write_message(about), outbox.event_id(item))
    outbox.mark_mailed(table, item, now, word=message)
    note("mail.sent", mail=item["event"], session=session.uuid)
    return "sent"


def _facts(item: Item) -> Mapping[str, Any]:
    """The event's facts; an amount that no gateway can pay back is paid back by hand, whatever was known then."""
    facts: Mapping[str, Any] = item["facts"]
    amount = facts.get("amount")
    if amount is None or why_not_paid_back(Money(int(amount), Currency(item["currency"]))) is None:
        return facts
    return {**facts, "by_hand": True}


def _tried_again(_: Table, session: Session, item: Item) -> bool:
    """Whether its customer has tried again since this payment failed, or has paid after all."""
    later = session.latest is not None and session.latest.number != int(item["facts"]["attempt"])
    return later or session.captured is not None or session.status is not SessionStatus.FAILED


def _gone_further(table: Table, session: Session, item: Item) -> bool:
    """Whether the order is no longer where this event brought it, or another entry tells its customer of that step."""
    if session.outcome is None or f"order.{session.outcome.status}" != item["event"]:
        return True
    sequence, silent = keys.sequence_of(item), (NO_ADDRESS, OVERTAKEN, outbox.GIVEN_UP)
    if "again" not in item["facts"] and session.sequence <= sequence:
        return False  # nothing has happened since
    return timeline.is_told_by_another(table, session, item["event"], sequence, silent=silent)


def _receipt(table: Table, session: Session) -> str | None:
    """The gateway's receipt of what paid for it."""
    attempt = attempts.read(table, session.captured) if session.captured else None
    return attempt.receipt if attempt else None


def _paid_back_since(table: Table, _: Session, item: Item) -> bool:
    """Whether the refund that needed a person has gone back by now: the e-mail about that says all there is to say."""
    named = parts_of_refund_id(item["facts"]["refund"])
    refund = refunds.read(table, *named) if named else None
    return refund is None or refund.status is not RefundStatus.NEEDS_REVIEW


OVERTAKEN_BY: Final[Mapping[str, Callable[[Table, Session, Item], bool]]] = {
    "payment.failed": _tried_again,
    "order.packed": _gone_further,
    "order.out_for_delivery": _gone_further,
    "order.delivered": _gone_further,
    "refund.needs_review": _paid_back_since,
}
"""E-mails that would not be true any more where these say so."""


def _content(table: Table, session: Session) -> OrderSnapshot | BookingSnapshot:
    """What was bought, as it stands now."""
    if session.kind is Kind.ORDER or session.outcome is None:
        return session.snapshot
    item = get(table, keys.owned(session.customer.sub, keys.BOOKING, session.outcome.number))
    return booking_from_item(item).content if item else session.snapshot
