"""Schedule: take the outbox's events to the event bus, then write to customers and shop; tell of payments that fail more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from payfirst.api.request import remaining
from payfirst.api.resources import table
from payfirst.domain.clock import Deadline, utc_now
from payfirst.domain.session import Kind
from payfirst.mail.post import Post, sesv2
from payfirst.observability import measure, note, observed
from payfirst.settings import settings
from payfirst.usecases.sweeps.deliver_events import deliver_events, eventbridge
from payfirst.usecases.sweeps.failing import FAILED, tell_of_failing
from payfirst.usecases.sweeps.send_mail import due_as_mail, send_mail
from payfirst.usecases.sweeps.tell_shop import news_for, tell_shop

FOR_MAIL: Final = 0.4
"""What events leave of a run's time for the e-mails, however many are due."""

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


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001 - Lambda's signature
    """One run; answers its report."""
    deadline = Deadline(remaining(context))
    bus, name = eventbridge(), settings().event_bus_name
    post = Post(sesv2(), {Kind.BOOKING: settings().bookings_mail_sender, Kind.ORDER: settings().orders_mail_sender})
    for_mail_s = deadline.remaining() * FOR_MAIL
    events_until = Deadline(lambda: deadline.remaining() - for_mail_s)
    owner = settings().shop_mail
    delivery = deliver_events(
        table(deadline),
        bus,
        name,
        now=utc_now(),
        deadline=events_until,
        mailed=due_as_mail(post),
        is_news=news_for(owner, post),
    )
    news = tell_shop(table(deadline), post, owner, now=utc_now(), deadline=deadline)  # one e-mail, however many others wait
    mail = send_mail(table(deadline), post, now=utc_now(), deadline=deadline)
    if delivery.names.get(FAILED):
        tell_of_failing(table(deadline), bus, name, utc_now())
    report = asdict(delivery) | {"mail": asdict(mail), "news": asdict(news)}
    note("delivery.ran", **report)
    measure(
        EventsDelivered=delivery.delivered,
        EventsFailed=delivery.failed,
        MailSent=mail.sent,
        MailFailed=mail.failed,
        OldestEventSeconds=delivery.oldest_due_s,
        OldestMailSeconds=mail.oldest_due_s,
        **{metric: delivery.names.get(event, 0) for metric, event in RATES.items()},
    )
    return report
