"""The schedule that delivers events and letters, and the post of the embedded SES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from local.embedded_aws import EmbeddedAws
from payfirst.domain.clock import Deadline
from payfirst.domain.session import Customer, Kind
from payfirst.mail.post import Post
from payfirst.storage.dynamodb.keys import Key
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.sweeps.deliver_events import Delivery, DeliveryReport
from payfirst.usecases.sweeps.send_mail import MailReport, due_as_mail, send_mail, send_these
from payfirst.usecases.sweeps.tell_shop import NewsReport, news_for, tell_shop
from tests.integration.payments.shop import Shop

BUS = "payfirst-mail-tests"
BOOKINGS = "Puja Bookings <bookings@shop.example>"
ORDERS = "Green Valley Produce <orders@shop.example>"


class Postman:
    """Delivers the shop's events and letters, and reads the customers' mail."""

    def __init__(self, aws: EmbeddedAws, shop: Shop, senders: Mapping[Kind, str], owner: str = "") -> None:
        self._owner = owner
        self._aws, self._shop = aws, shop
        self.client: Any = aws.client("sesv2")
        self.post = Post(self.client, senders)
        self._bus: Any = aws.client("events")
        if BUS not in {each["Name"] for each in self._bus.list_event_buses()["EventBuses"]}:
            self._bus.create_event_bus(Name=BUS)

    def events(self) -> DeliveryReport:
        mailed, is_news = due_as_mail(self.post), news_for(self._owner, self.post)
        return Delivery(self._shop.table, self._bus, BUS, self._shop.now, mailed, is_news).all_due(Deadline(lambda: 60.0))

    def at_once(self, key: Key) -> tuple[DeliveryReport, MailReport]:
        """The stream tells of one entry of a timeline."""
        deadline, now = Deadline(lambda: 60.0), self._shop.now
        run = Delivery(self._shop.table, self._bus, BUS, now, due_as_mail(self.post), news_for(self._owner, self.post))
        return run.these([key], deadline), send_these(self._shop.table, self.post, run.due_as_mail, now=now, deadline=deadline)

    def letters(self) -> MailReport:
        return send_mail(self._shop.table, self.post, now=self._shop.now, deadline=Deadline(lambda: 60.0))

    def both(self) -> MailReport:
        self.events()
        return self.letters()

    def news(self) -> NewsReport:
        self.events()
        return tell_shop(self._shop.table, self.post, self._owner, now=self._shop.now, deadline=Deadline(lambda: 60.0))

    def mail_of(self, customer: Customer) -> list[dict[str, Any]]:
        return self.mail_at(customer.email)

    def mail_at(self, address: str | None) -> list[dict[str, Any]]:
        told = requests.get(f"{self._aws.endpoint}/_ministack/ses/messages", timeout=10).json()["messages"]
        return [letter for account in told.values() for letter in account if letter["To"] == [address]]


def ordered(shop: Shop, customer: Customer) -> Started:
    """An order that is paid for."""
    started = shop.initiate(shop.session(customer))
    shop.decide(started)
    shop.tell(started)
    return started


def booked(shop: Shop, customer: Customer) -> Started:
    """A booking that is paid for."""
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    return started


def code_of(shop: Shop, started: Started) -> str:
    """The code of the order or booking that was paid for."""
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    return outcome.code


def subjects_after_the_first(postman: Postman, customer: Customer) -> list[str]:
    """The subjects of what came after the confirmation."""
    return [letter["Subject"] for letter in postman.mail_of(customer)[1:]]
