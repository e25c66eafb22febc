"""Write to the shop itself about sales and what needs a person: at once after a pause, in batches when much happens.

An event is on the list from the write in which it leaves until an e-mail has told it: none is lost, one may be told twice.
Whoever writes takes the turn first, and the next turn comes after `PAUSE`, whatever becomes of this one: so many e-mails an
hour leave at most, failing ones too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from payfirst.domain.clock import Deadline, read_instant
from payfirst.mail.details import Line
from payfirst.mail.news import FROM_OUR_PEOPLE, NEWS, write_news
from payfirst.mail.occasion import Occasion
from payfirst.mail.post import Post
from payfirst.observability import alarm, note
from payfirst.storage import news
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.schema import NewerItemError
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.items import session_from_item

PAUSE: Final = timedelta(minutes=5)
"""Between two e-mails to the shop: twelve an hour at most."""

SPARE_S: Final = 15.0
"""What one e-mail may take: DynamoDB's time-outs for three reads, a turn and a record, and SES'."""


@dataclass(frozen=True, slots=True)
class NewsReport:
    """One run: events told to the shop, and events that an e-mail failed to tell, which stay on the list."""

    told: int = 0
    failed: int = 0


def news_for(to: str, post: Post) -> Callable[[Item], bool]:
    """Which events the shop hears of at the address `to`; none where that is empty, nor what its own people have done, nor,
    which is called out, where no sender is set."""

    def is_news(item: Item) -> bool:
        if not to or item["event"] not in NEWS or str(item["by"]).startswith(FROM_OUR_PEOPLE):
            return False
        if not post.has_sender:
            alarm("news.off", mail=item["event"])
        return post.has_sender

    return is_news


def tell_shop(table: Table, post: Post, to: str, *, now: datetime, deadline: Deadline) -> NewsReport:
    """One e-mail to `to` with all that the shop is to hear, if the pause since the last one is over; none if it is empty."""
    if not to or deadline.remaining() < SPARE_S:
        return NewsReport()
    page = news.waiting(table)
    if not page.items:
        return NewsReport()
    if not post.has_sender:
        alarm("news.off", events=len(page.items))
        return NewsReport(failed=len(page.items))
    try:
        news.take_turn(table, now, now + PAUSE)
    except ConditionFailedError:
        return NewsReport()
    try:
        found = [(event, of) for event, of in news.events_of(table, page.items) if event is not None and of is not None]
        happened = [line for event, of in found if (line := _line(post, event, of)) is not None]
    except NewerItemError:  # it was called out; the release that wrote it tells of them
        return NewsReport(failed=len(page.items))
    try:
        if happened:
            post.tell_shop(to, write_news(happened, more=page.more), shop_keys.news_id(page.items[0]))
    except (ClientError, BotoCoreError):
        alarm("news.failed", events=len(happened))
        return NewsReport(failed=len(happened))
    news.remove(table, page.items)
    note("news.sent", events=len(happened))
    return NewsReport(told=len(happened))


def _line(post: Post, event: Item, of: Item) -> tuple[Occasion, Line] | None:
    """What happened and its line; None, and an alarm, where no line can be written, so that it holds up no other."""
    session = session_from_item(of)
    about = Occasion(
        event["event"],
        read_instant(event["at"]),
        event["facts"],
        session,
        session.snapshot,
        post.shop(session.kind) or "PayFirst",
    )
    try:
        return about, NEWS[about.event](about)
    except Exception:  # noqa: BLE001 - whatever it is, the other lines are told
        alarm("news.broken", session=session.uuid, mail=event["event"])
        return None
