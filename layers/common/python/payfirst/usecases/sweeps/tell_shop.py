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
from payfirst.mail.news import FROM_OUR_PEOPLE, NEWS, write_news
from payfirst.mail.occasion import Occasion
from payfirst.mail.post import Post
from payfirst.observability import alarm, note
from payfirst.storage import news
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
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


def news_for(to: str) -> Callable[[Item], bool]:
    """Which events the shop hears of at the address `to`; none where that is empty, nor what its own people have done."""
    return lambda item: bool(to) and item["event"] in NEWS and not str(item["by"]).startswith(FROM_OUR_PEOPLE)


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
    happened = [
        _occasion(post, event, session)
        for event, session in news.events_of(table, page.items)
        if event is not None and session is not None
    ]
    try:
        if happened:
            first = page.items[0]["sk"].partition("#")[2]
            post.tell_shop(to, write_news(happened, more=page.more), first)
    except (ClientError, BotoCoreError):
        alarm("news.failed", events=len(happened))
        return NewsReport(failed=len(happened))
    news.told(table, page.items)
    note("news.sent", events=len(happened))
    return NewsReport(told=len(happened))


def _occasion(post: Post, event: Item, of: Item) -> Occasion:
    session = session_from_item(of)
    at = read_instant(event["at"])
    return Occasion(event["event"], at, event["facts"], session, session.snapshot, post.shop(session.kind) or "PayFirst")
