"""A shop on which faults are tried: the real handlers, gateways in memory, and nothing random but what its seed draws."""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import uuid4

from functions.deliver_events.app import HEAD_START
from payfirst.api.addresses import NoticeAddresses
from payfirst.api.shared_tokens import SharedTokens
from payfirst.api.values import given
from payfirst.domain.attempt import Attempt
from payfirst.domain.cart import BookingCart
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import MisconfiguredError
from payfirst.domain.ids import new_identifier
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import Promo
from payfirst.domain.session import Customer, Session
from payfirst.gateways.base import Gateway
from payfirst.settings import ConfirmWithQuery, LatePayment, Settings
from payfirst.storage import attempts, sessions
from payfirst.storage.carts import booking_cart_to_item
from payfirst.storage.catalogue import add
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item, Put
from payfirst.storage.dynamodb.table import Table, write
from payfirst.storage.queue import Queue
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.context import NoticeContext
from payfirst.usecases.lookup import find_session
from payfirst.usecases.settlement.take_notice import Taken
from payfirst.usecases.sweeps.expire_sessions import ExpiryReport
from payfirst.usecases.sweeps.reconcile import ReconcileReport
from tests.faults import front, goods
from tests.faults.connection import client_of
from tests.faults.gateways import Ledger
from tests.faults.goods import TOMATOES
from tests.faults.model_table import ModelTable, items_of
from tests.faults.process import at_work, met_fault, settings_of
from tests.faults.seam import Seam, SeamClient
from tests.faults.services import BEGIN, FakeBus, FakePost, FakeQueue, KnownTokens, Log
from tests.faults.told import Notice

__all__ = ["TOMATOES", "World", "at_work", "met_fault"]

Read = TypeVar("Read")

NO_ANSWER_AFTER: Final = timedelta(minutes=3)
SWEEPS: Final = (timedelta(minutes=2), timedelta(minutes=20), timedelta(days=5))
"""When the sweeps run after the last fault: soon, past the session's end, past every ladder's end."""

BATCH: Final = 10


@dataclass(slots=True)
class World:
    """One shop. `client` is a model table or a real client; `seam` sees its calls, and those to the gateways."""

    client: Any
    name: str = "model"
    seed: int = 0
    seam: Seam = field(default_factory=Seam)
    now: datetime = BEGIN
    late_payment: LatePayment = LatePayment.HONOUR
    confirm: ConfirmWithQuery = ConfirmWithQuery.OFF
    writes_letters: bool = False
    hears_news: bool = False
    limits: dict[str, int] = field(default_factory=dict)
    pace: timedelta = timedelta(0)
    past_dates: bool = True
    fetch_tokens: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    queue: FakeQueue = field(init=False)
    bus: FakeBus = field(init=False)
    post: FakePost = field(init=False)
    table: Table = field(init=False)
    draw: random.Random = field(init=False)
    marks: random.Random = field(init=False)
    drawn: list[bytes] = field(default_factory=list)
    echo: list[bytes] = field(default_factory=list)
    stocked: dict[int, Decimal] = field(default_factory=dict)
    restocked: dict[int, Decimal] = field(default_factory=dict)
    """By how much one edit of a listing moves its stock; no other edits one here, and none twice."""
    log: Log = field(default_factory=Log)
    started: dict[str, Started] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)
    given_back: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)
    rescheduled: set[str] = field(default_factory=set)
    misconfigured: bool = False
    poisoned: set[str] = field(default_factory=set)
    faulted: bool = False
    insisted: list[Notice] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    decoded: dict[tuple[str, str], tuple[Any, Item]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)  # noqa: S311 - it makes runs repeatable
        self.queue, self.bus, self.post = FakeQueue(self.seam), FakeBus(self.seam), FakePost(self.seam)
        client: Any = SeamClient(self.seam, self.client) if isinstance(self.client, ModelTable) else self.client
        deadline = Deadline(lambda: 25.0)
        # A real table remembers the tokens of other runs, so there each is new; what is decided does not depend on them.
        self.marks = random.Random(self.seed + 1)  # noqa: S311 - likewise
        token = (lambda: self.marks.randbytes(16).hex()) if isinstance(self.client, ModelTable) else (lambda: uuid4().hex)
        self.table = Table(client, self.name, deadline, token, lambda _: None, lambda: 0.5)

    def fork(self, client: Any = None, name: str = "model") -> World:
        """The same shop once more, with a seam of its own, on a copy of its model table or on what `client` holds."""
        seam = Seam(for_good=self.seam.for_good)
        client = self.client.fork() if client is None else client
        other = replace(self, client=client, name=name, seam=seam, ledger=copy.deepcopy(self.ledger), log=Log())
        other.draw.setstate(self.draw.getstate())
        other.marks.setstate(self.marks.getstate())
        other.queue.sent, other.bus.came = list(self.queue.sent), list(self.bus.came)
        other.post.came, other.post.refuse = list(self.post.came), self.post.refuse
        other.stocked, other.started = dict(self.stocked), dict(self.started)
        other.restocked = dict(self.restocked)
        other.drawn, other.echo, other.broken = [], [], []
        other.insisted, other.decoded = list(self.insisted), dict(self.decoded)
        other.disputed, other.given_back = set(self.disputed), set(self.given_back)
        other.by_hand, other.rescheduled = set(self.by_hand), set(self.rescheduled)
        return other

    def entropy(self, size: int) -> bytes:
        """Random bytes; while `echo` holds some, those, so that ids are drawn a second time."""
        self.drawn.append(self.echo.pop(0) if self.echo else self.draw.randbytes(size))
        return self.drawn[-1]

    # The shop's goods and customers

    def stock(self, available: str = "10000", *, price: int = 15000, listing: int = TOMATOES, hold: bool = False) -> None:
        self.stocked[listing] = Decimal(available)
        write(self.table, Put("listing", goods.listing(listing, available, price, hold=hold)))

    def promo(self, code: str, most_uses: int, currency: Currency = Currency.INR) -> None:
        """A code that takes 10.00 off; one that is there already stays."""
        add(self.table, Promo(code, currency, amount=Money(1000, currency), most_uses=most_uses))

    def customer(self) -> Customer:
        return Customer(sub=self.entropy(6).hex(), user_id=1, email="a@example.com")

    def phone(self) -> str:
        return f"07{self.draw.randrange(10**8):08d}"

    def fill_cart(
        self,
        customer: Customer,
        *,
        quantity: str = "2",
        price: int = 15000,
        hold: bool = False,
        promo: str | None = None,
        uses: int = 5,
    ) -> None:
        version = self.entropy(8).hex()
        if promo is not None:
            self.promo(promo, uses, Currency.KES)
        cart = goods.produce(customer.sub, version, quantity, price, self.now, hold=hold, promo=promo)
        write(self.table, Put("cart", cart))

    def session(
        self,
        customer: Customer,
        *,
        quantity: str = "2",
        fill: bool = True,
        hold: bool = False,
        promo: str | None = None,
        uses: int = 5,
    ) -> Session:
        if fill:
            self.fill_cart(customer, quantity=quantity, hold=hold, promo=promo, uses=uses)
        place = {"county_id": 1, "subcounty_id": 5, "detailed_address": "123 Main Street"}
        delivery = {"full_name": "John Doe", "phone_number": self.phone(), **place}
        _, made = self.http("POST", "/api/payments/sessions/", customer, {"delivery_details": delivery})
        return self._quietly(lambda: find_session(given(made["session_id"]), customer=customer, table=self.table))

    def booking_cart(
        self,
        customer: Customer,
        *,
        price: int = 51000,
        promo: str | None = None,
        day: str = "2026-07-20",
        currency: Currency = Currency.INR,
    ) -> BookingCart:
        identifier = new_identifier(self.now, self.entropy)
        write(self.table, Put("service", goods.puja_offered(price, currency)))
        cart = goods.puja_cart(identifier, self.entropy(8).hex(), Money(price, currency), promo, day, self.now)
        write(self.table, Put("cart", booking_cart_to_item(customer.sub, cart)))
        return cart

    # What customers do

    def http(self, method: str, path: str, customer: Customer | None = None, body: Any = None, **more: Any) -> tuple[int, Any]:
        """What the API answers, status and body; AnsweredError from 400 on."""
        return front.http(method, path, self.now, customer=customer, body=body, **more)

    def operate(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """The same for one of the shop's operators."""
        return self.http(method, path, Customer(sub="anna", email="anna@shop.example"), body, groups=("operators",), **more)

    def initiate(self, session: Session, phone: str | None = None) -> Started:
        path = f"/api/payments/sessions/{session.number}/initiate_payment/"
        status, _ = self.http("POST", path, session.customer, {} if phone is None else {"phone_number": phone})
        return self._quietly(lambda: self._started(session.customer, session.number, status))

    def process(self, cart: BookingCart, customer: Customer, **more: str) -> Started:
        status, made = self.http("POST", "/api/payments/process-cart/", customer, {"cart_id": cart.number, **more})
        return self._quietly(lambda: self._started(customer, int(made["payment_id"]), status))

    def extend(self, session: Session) -> Session:
        self.http("POST", f"/api/payments/sessions/{session.number}/extend_session/", session.customer)
        return self._quietly(lambda: self.read(session))

    # What gateways and schedules do

    def deliver(self, notice: Notice) -> Taken:
        """A gateway posts one notice; what became of it, by the log, for the gateways are all told the same."""
        self.log.taken.pop(threading.get_ident(), None)
        self.http("POST", notice.path, body=notice.raw, headers=notice.headers)
        return self.log.taken[threading.get_ident()]

    def deliver_all(self) -> None:
        """The gateways post everything that they have to say; what is posted is gone."""
        while self.ledger.notices:
            self.deliver(self.ledger.notices.pop(0))

    def expire(self) -> ExpiryReport:
        report = front.schedule("expire_sessions")
        if report.pop("bookings")["failed"]:
            self.broken.append("a sweep left a booking behind")
        return ExpiryReport(**report)

    def reconcile(self) -> ReconcileReport:
        return ReconcileReport(**front.schedule("reconcile_payments"))

    def look(self, ref: str) -> None:
        """The queue's consumer takes one message."""
        again = front.queue_batch([ref])
        self.queue.sent.extend(again)

    def work_queue(self) -> None:
        """The queue's consumer takes every message that is there now; those that fail come again."""
        waiting, self.queue.sent = self.queue.sent, []
        for start in range(0, len(waiting), BATCH):
            again = front.queue_batch(waiting[start : start + BATCH])
            self.queue.sent.extend(again)

    def deliver_events(self) -> dict[str, Any]:
        """The schedule's run, after the time that it leaves to the stream."""
        with front.later(front.ahead.get() + HEAD_START):
            return front.schedule("deliver_events")

    def tell_of_stream(self) -> dict[str, Any]:
        """The table's stream tells of every entry of a timeline, in their order: of what was delivered too."""
        told = self._quietly(lambda: [item for item in self.items() if keys.is_event(item)])
        return front.stream(told)

    def sweep(self) -> ReconcileReport:
        """One round of everything that runs by itself."""
        self.expire()
        self.work_queue()
        report = self.reconcile()
        self.deliver_all()
        self.deliver_events()
        return report

    # What the package is given

    def gateway(self, name: str) -> Gateway:
        """A client as a fresh container has it; MisconfiguredError while the shop's secrets are missing."""
        if self.misconfigured:
            raise MisconfiguredError("A secret of the shop cannot be read.")
        store: Any = SharedTokens(self.table) if self.fetch_tokens else KnownTokens()
        return client_of(name, self.ledger, self.seam, store)

    def settings(self) -> Settings:
        """What the functions' environment would hold."""
        return settings_of(self)

    def notice_context(self) -> NoticeContext:
        return NoticeContext(
            table=self.table,
            now=self.now,
            entropy=self.entropy,
            late_payment=self.late_payment,
            days=self.settings().days,
            gateway=self.gateway,
            queue=Queue(lambda: self.queue, "queue"),  # type: ignore[arg-type, return-value]
            confirm=lambda _: self.confirm,
            sent_by=lambda _: True,
            addresses=NoticeAddresses("https://shop.example"),
            deadline=Deadline(lambda: 25.0),
        )

    # What there is

    def read(self, session: Session) -> Session:
        found = sessions.read(self.table, session.customer.sub, session.number)
        if found is None:
            raise LookupError("the session is gone")
        return found

    def _started(self, customer: Customer, number: int, status: int) -> Started:
        session = sessions.read(self.table, customer.sub, number)
        if session is None or session.latest is None:
            raise LookupError("a payment was answered that is not there")
        attempt = self.attempt(session.live_attempt or session.latest.ref)
        self.started[attempt.ref] = Started(session, attempt, status == HTTPStatus.CREATED, attempt.payment_url is None)
        return self.started[attempt.ref]

    def _quietly(self, read: Callable[[], Read]) -> Read:
        """What `read` finds; the seam does not see it, for it is the test that asks."""
        before, self.seam.active = self.seam.active, False
        try:
            return read()
        finally:
            self.seam.active = before

    def attempt(self, ref: str) -> Attempt:
        found = attempts.read(self.table, ref)
        if found is None:
            raise LookupError("the attempt is gone")
        return found

    def items(self) -> list[Item]:
        """Everything that the table holds; an item that has not changed since the last time is the same object."""
        return items_of(self.client, self.name, self.decoded)
