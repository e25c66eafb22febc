"""The table's stream, and a schedule behind it: take the outbox's events to the event bus, then write to customers and shop;
tell of payments that fail more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from payfirst.api.request import remaining
from payfirst.api.resources import table
from payfirst.domain.clock import Deadline, utc_now
from payfirst.domain.session import Kind
from payfirst.mail.news import NEWS
from payfirst.mail.post import Post, sesv2
from payfirst.observability import measure, note, observed, warn
from payfirst.settings import settings
from payfirst.usecases.sweeps.deliver_events import Delivery, eventbridge
from payfirst.usecases.sweeps.failing import FAILED, Watch, tell_of_failing
from payfirst.usecases.sweeps.send_mail import due_as_mail, send_mail, send_these
from payfirst.usecases.sweeps.tell_shop import NewsReport, news_for, tell_shop

FOR_MAIL: Final = 0.4
"""What events leave of a run's time for the e-mails, however many are due."""

SCHEDULE: Final = "aws.scheduler"

HEAD_START: Final = timedelta(seconds=10)
"""How young an entry the schedule leaves to the stream, so that the two do not deliver it at the same moment."""

RATES: Final = {
    "SessionsCreated": "session.created",
    "PaymentsInitiated": "payment.initiated",
    "PaymentsReceived": "payment.received",
    "PaymentsFailed": "payment.failed",
    "SessionsExpired": "session.expired",
    "OrdersCreated": "order.created",
    "BookingsCreated": "booking.created",
}
"""Metrics of what happened, by the event that says so; each run gives them all, so that no rate has gaps."""


WATCH: Final = Watch()


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's signature
    """What the table's stream tells of, at once, or a run of the schedule over everything that is due; answers the report."""
    deadline = Deadline(remaining(context))
    post = Post(sesv2(), {Kind.BOOKING: settings().bookings_mail_sender, Kind.ORDER: settings().orders_mail_sender})
    for_mail_s = deadline.remaining() * FOR_MAIL
    events_until = Deadline(lambda: deadline.remaining() - for_mail_s)
    heard, written = news_for(settings().shop_mail, post), due_as_mail(post)
    run = Delivery(table(deadline), eventbridge(), settings().event_bus_name, utc_now(), written, heard)
    if "Records" in event:
        delivery = run.these(keys_in(event["Records"]), events_until)
        news = _tell_shop(run, post, deadline) if delivery.names.keys() & NEWS.keys() else NewsReport()
        mail = send_these(run.table, post, run.due_as_mail, now=utc_now(), deadline=deadline)
    else:
        delivery = run.all_due(events_until, older_than=HEAD_START if event.get("source") == SCHEDULE else timedelta(0))
        news = _tell_shop(run, post, deadline)  # one e-mail, however many others wait
        mail = send_mail(run.table, post, now=utc_now(), deadline=deadline)
        measure(OldestEventSeconds=delivery.oldest_due_s, OldestMailSeconds=mail.oldest_due_s)
    if delivery.names.get(FAILED):
        tell_of_failing(run.table, run.bus, run.bus_name, utc_now(), WATCH)
    report = asdict(delivery) | {"mail": asdict(mail), "news": asdict(news)}
    note("stream.ran" if "Records" in event else "delivery.ran", **report)
    measure(
        EventsDelivered=delivery.delivered,
        EventsFailed=delivery.failed,
        MailSent=mail.sent,
        MailFailed=mail.failed,
        **{metric: delivery.names.get(event, 0) for metric, event in RATES.items()},
    )
    return report


def keys_in(records: Sequence[Any]) -> list[dict[str, str]]:
    """The keys that these records of the stream tell of, in their order.

    A record of another shape is passed over: what it tells of is in the table, where the schedule finds it.
    """
    found = []
    for record in records:
        match record:  # the one place where a key comes in from without, in the form that the stream gives it
            case {"dynamodb": {"Keys": {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}}}}:
                found.append({"pk": pk, "sk": sk})
            case _:
                warn("stream.unread")
    return found


def _tell_shop(run: Delivery, post: Post, deadline: Deadline) -> NewsReport:
    return tell_shop(run.table, post, settings().shop_mail, now=utc_now(), deadline=deadline)
