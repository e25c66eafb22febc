"""Write to customers about what happened, after its event has left; nothing waits for a letter.

A letter leaves at least once, and at most once while nobody is killed in between: one sender leases it, sends it, records it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from payfirst.domain.clock import Deadline, read_instant
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import BookingSnapshot, Kind, OrderSnapshot, Session
from payfirst.mail.letters import LETTERS, Occasion, write_letter
from payfirst.mail.post import Post
from payfirst.observability import alarm, note
from payfirst.storage import due, keys, outbox, sessions
from payfirst.storage.bookings import booking_from_item
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.schema import NewerItemError
from payfirst.storage.table import Table, get
from payfirst.usecases.put_off import put_off

SPARE_S: Final = 8.0
"""What one letter may take: a lease, SES' time-out, a record."""

NO_ADDRESS, OVERTAKEN = "no_address", "overtaken"
_TOLD_ANYWAY: Final = frozenset({"order_cancelled", "booking_cancelled"})
"""Refunds of which the letter about the cancellation has told already."""


@dataclass(frozen=True, slots=True)
class MailReport:
    """One run: letters sent, letters that nobody needs any more or that have no address, letters that failed and stay due."""

    sent: int
    skipped: int
    failed: int
    finished: bool


def due_as_mail(post: Post) -> Callable[[Item], bool]:
    """Which events a customer is written to about; an event whose shop has no sender is called out, not passed over."""

    def mailed(item: Item) -> bool:
        if not _about_something_new(item):
            return False
        if post.writes_for(Kind(item["kind"])):
            return True
        alarm("mail.off", letter=item["event"], kind=item["kind"], session=item["session"])
        return False

    return mailed


def _about_something_new(item: Item) -> bool:
    if item["event"] not in LETTERS:
        return False
    # A gateway that refused a refund has it owed again; its customer knows of it.
    repeated = item["by"] == "gateway" or item["facts"].get("reason") in _TOLD_ANYWAY
    return not (item["event"] == "refund.due" and repeated)


def send_mail(table: Table, post: Post, *, now: datetime, deadline: Deadline) -> MailReport:
    """Send every letter that is due; one that cannot be sent stays due and does not stop the others."""
    sent = skipped = failed = 0
    for entry in due.entries(table, keys.MAIL, now):
        if deadline.remaining() < SPARE_S:
            return MailReport(sent, skipped, failed, finished=False)
        word = _one(table, post, entry, now)
        sent += word == "sent"
        skipped += word == "skipped"
        failed += word == "failed"
    return MailReport(sent, skipped, failed, finished=True)


def _one(table: Table, post: Post, entry: Item, now: datetime) -> str:
    try:
        item = get(table, {"pk": entry["pk"], "sk": entry["sk"]})
    except NewerItemError:
        return "failed"  # it stays due for the release that understands it; the others must not wait
    if item is None or "due_pk" not in item or "mailed_at" in item or item["due_sk"] != entry["due_sk"]:
        return "moved_on"
    try:
        outbox.lease(table, item, now)
    except ConditionFailedError:
        return "moved_on"
    try:
        return _written(table, post, item, now)
    except (ClientError, BotoCoreError) as error:
        note("mail.refused", letter=item["event"], session=item["session"], error=type(error).__name__)
    except Exception:  # noqa: BLE001 - a letter that cannot be written must not hold up the others
        alarm("mail.broken", letter=item["event"], session=item["session"])
    put_off(table, entry, now)
    return "failed"


def _written(table: Table, post: Post, item: Item, now: datetime) -> str:
    session = sessions.read(table, item["pk"].removeprefix("U#"), int(item["sk"].split("#")[1]))
    if session is None:
        raise LookupError(f"session {item['session']} is gone")
    to, why = session.customer.email, None
    if to is None:
        why = NO_ADDRESS
    elif item["event"] == "payment.failed" and _was_overtaken(session, item):
        why = OVERTAKEN
    if to is None or why is not None:
        outbox.mark_mailed(table, item, now, word=why or NO_ADDRESS)
        note("mail.skipped", letter=item["event"], session=session.uuid, why=why)
        return "skipped"
    kind = session.kind
    about = Occasion(
        event=item["event"],
        at=read_instant(item["at"]),
        facts=item["facts"],
        session=session,
        content=_content(table, session),
        shop=post.shop(kind),
    )
    message = post.send(kind, to, write_letter(about), _event_id(item))
    outbox.mark_mailed(table, item, now, word=message)
    note("mail.sent", letter=item["event"], session=session.uuid)
    return "sent"


def _was_overtaken(session: Session, item: Item) -> bool:
    """Whether its customer has tried again since this payment failed, or has paid after all."""
    later = session.latest is not None and session.latest.number != int(item["facts"]["attempt"])
    return later or session.captured is not None or session.status is not SessionStatus.FAILED


def _content(table: Table, session: Session) -> OrderSnapshot | BookingSnapshot:
    """What was bought, as it stands now."""
    if session.kind is Kind.ORDER or session.outcome is None:
        return session.snapshot
    item = get(table, keys.owned(session.customer.sub, keys.BOOKING, session.outcome.number))
    return booking_from_item(item).content if item else session.snapshot


def _event_id(item: Item) -> str:
    return f"{item['session']}-{int(item['sk'].rsplit('#', 1)[1])}"
