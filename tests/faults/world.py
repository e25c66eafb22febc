"""A shop on which faults are tried: the real use cases, gateways in memory, and nothing random but what its seed draws."""

from __future__ import annotations

import copy
import hashlib
import json
import random
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from payfirst import observability
from payfirst.domain.attempt import Attempt
from payfirst.domain.cart import BookingCart, ProduceCart
from payfirst.domain.catalogue import Listing, ServiceType
from payfirst.domain.catalogue import Service as CatalogueService
from payfirst.domain.clock import Deadline
from payfirst.domain.ids import GivenId, new_identifier
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import Promo
from payfirst.domain.session import BookingSnapshot, Customer, Delivery, OrderLine, Session
from payfirst.gateways.base import Gateway, GatewayName, StoredToken
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.settings import ConfirmWithQuery, LatePayment
from payfirst.storage import attempts, keys, sessions
from payfirst.storage.carts import booking_cart_to_item, produce_cart_to_item
from payfirst.storage.catalogue import listing_to_item, promo_to_item, service_to_item
from payfirst.storage.expressions import Item, Put, from_wire
from payfirst.storage.queue import Queue
from payfirst.storage.table import Table, write
from payfirst.usecases import settle, take_notice
from payfirst.usecases.create_session import create_session, extend_session
from payfirst.usecases.deliver_events import deliver_events
from payfirst.usecases.expire_sessions import ExpiryReport, expire_sessions
from payfirst.usecases.initiate_payment import initiate_payment
from payfirst.usecases.process_cart import CartPayment, process_cart
from payfirst.usecases.reconcile import ReconcileReport, look, reconcile
from payfirst.usecases.refund import take_result_notice
from payfirst.usecases.settlement import Settling
from payfirst.usecases.shared_tokens import SharedTokens
from payfirst.usecases.start_attempt import Started, Till
from payfirst.usecases.take_notice import Desk, Taken, take_phonepe_notice, take_stk_notice
from tests.faults.gateways import Ledger, LedgerAdapter, Notice
from tests.faults.model_table import ModelTable
from tests.faults.seam import Fault, Seam, SeamClient, Service, lost_connection, met

BEGIN: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LIFETIME: Final = timedelta(minutes=15)
GRACE: Final = timedelta(seconds=30)
NO_ANSWER_AFTER: Final = timedelta(minutes=3)
SWEEPS: Final = (timedelta(minutes=2), timedelta(minutes=20), timedelta(days=5))
"""When the sweeps run after the last fault: soon, past the session's end, past every ladder's end."""

_MPESA: Final = MpesaCredentials("consumer-key", "consumer-secret", "174379", "the-passkey", None, "initiator", "sealed-word")
_PHONEPE: Final = PhonePeCredentials("client", "client-secret", "1", webhook_username="shop", webhook_password="hook-word")
SECRETS: Final = ("consumer-secret", "the-passkey", "sealed-word", "client-secret", "hook-word", "-token-")
TOMATOES: Final = 123


@dataclass(slots=True)
class FakeQueue:
    """The settle queue: what was sent, in the order of sending."""

    seam: Seam
    sent: list[str] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:  # noqa: N803 - SQS's names
        del QueueUrl
        if not 0 <= DelaySeconds <= 900:
            raise AssertionError("SQS delays no message that long")
        met(self.seam.passes(Service.QUEUE, "SendMessage"), lambda: self.sent.append(MessageBody), lost_connection)


@dataclass(slots=True)
class FakeBus:
    """The event bus: the ids of what came, repetitions included."""

    seam: Seam
    came: list[str] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - EventBridge's name
        def take() -> dict[str, Any]:
            self.came += [json.loads(entry["Detail"])["id"] for entry in Entries]
            return {"Entries": [{"EventId": "1"} for _ in Entries]}

        return met(self.seam.passes(Service.BUS, "PutEvents"), take, lost_connection)


class _KnownTokens:
    """A token store that always has one, so that no schedule is about fetching tokens."""

    def read(self, gateway: GatewayName) -> StoredToken:
        return StoredToken(f"{gateway}-token-known", BEGIN + timedelta(days=900), BEGIN + timedelta(days=899))

    def lease(self, *_: Any, **__: Any) -> bool:
        raise AssertionError("the stored token never runs out")

    write = lease


@dataclass(slots=True)
class Log:
    """Every line that the package logs, as one text each."""

    lines: list[str] = field(default_factory=list)

    def info(self, event: str, *, extra: dict[str, Any], exc_info: bool = False) -> None:
        self.lines.append(f"{event} {extra} {traceback.format_exc() if exc_info else ''}")

    warning = error = info


@dataclass(slots=True)
class World:
    """One shop. `client` is a model table or boto3's client; `seam` sees its calls, and those to the gateways."""

    client: Any
    name: str = "model"
    seed: int = 0
    seam: Seam = field(default_factory=Seam)
    now: datetime = BEGIN
    late_payment: LatePayment = LatePayment.HONOUR
    confirm: ConfirmWithQuery = ConfirmWithQuery.OFF
    pace: timedelta = timedelta(0)
    fetch_tokens: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    queue: FakeQueue = field(init=False)
    bus: FakeBus = field(init=False)
    table: Table = field(init=False)
    draw: random.Random = field(init=False)
    marks: random.Random = field(init=False)
    drawn: list[bytes] = field(default_factory=list)
    echo: list[bytes] = field(default_factory=list)
    stocked: dict[int, Decimal] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    started: dict[str, Started] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)
    given_back: set[str] = field(default_factory=set)
    by_hand: set[str] = field(default_factory=set)
    rescheduled: set[str] = field(default_factory=set)
    faulted: bool = False
    insisted: list[Notice] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    decoded: dict[tuple[str, str], tuple[Any, Item]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)  # noqa: S311 - it makes runs repeatable
        self.queue, self.bus = FakeQueue(self.seam), FakeBus(self.seam)
        client: Any = SeamClient(self.seam, self.client) if isinstance(self.client, ModelTable) else self.client
        deadline = Deadline(lambda: 25.0)
        # A real table remembers the tokens of other runs, so there each is new; what is decided does not depend on them.
        self.marks = random.Random(self.seed + 1)  # noqa: S311 - likewise
        token = (
            (lambda: self.marks.randbytes(16).hex()) if isinstance(self.client, ModelTable) else (lambda: secrets.token_hex(16))
        )
        self.table = Table(client, self.name, deadline, token, lambda _: None, lambda: 0.5)

    def fork(self, client: Any = None, name: str = "model") -> World:
        """The same shop once more, with a seam of its own, on a copy of its model table or on what `client` holds."""
        seam = Seam()
        client = self.client.fork() if client is None else client
        other = replace(self, client=client, name=name, seam=seam, ledger=copy.deepcopy(self.ledger), log=Log())
        other.draw.setstate(self.draw.getstate())
        other.marks.setstate(self.marks.getstate())
        other.drawn, other.echo = [], []
        other.queue.sent = list(self.queue.sent)
        other.bus.came = list(self.bus.came)
        other.stocked, other.started = dict(self.stocked), dict(self.started)
        other.broken, other.insisted = [], list(self.insisted)
        other.decoded = dict(self.decoded)
        other.disputed, other.given_back = set(self.disputed), set(self.given_back)
        other.by_hand, other.rescheduled = set(self.by_hand), set(self.rescheduled)
        return other

    def entropy(self, size: int) -> bytes:
        """Random bytes; while `echo` holds some, those, so that ids are drawn a second time."""
        self.drawn.append(self.echo.pop(0) if self.echo else self.draw.randbytes(size))
        return self.drawn[-1]

    # The shop's goods and customers

    def stock(self, available: str = "10000", *, price: int = 15000, listing: int = TOMATOES, hold: bool = False) -> None:
        unit_price = Money(price, Currency.KES)
        self.stocked[listing] = Decimal(available)
        item = listing_to_item(Listing(listing, "Tomatoes", "Green Valley", "kg", unit_price, Decimal(available), hold))
        write(self.table, Put("listing", item))

    def promo(self, code: str, most_uses: int) -> None:
        promo = Promo(code, Currency.INR, amount=Money(1000, Currency.INR), most_uses=most_uses)
        write(self.table, Put("promo", promo_to_item(promo)))

    def customer(self) -> Customer:
        return Customer(sub=self.entropy(6).hex(), user_id=1, email="a@example.com")

    def phone(self) -> str:
        return f"07{self.draw.randrange(10**8):08d}"

    def fill_cart(self, customer: Customer, *, quantity: str = "2", price: int = 15000, hold: bool = False) -> None:
        unit, amount = Money(price, Currency.KES), Decimal(quantity)
        subtotal = Money(int(price * amount), Currency.KES)
        line = OrderLine(1, TOMATOES, "Tomatoes", "Green Valley", "kg", amount, unit, subtotal, hold)
        cart = ProduceCart(self.entropy(8).hex(), (line,), 1, self.now)
        write(self.table, Put("cart", produce_cart_to_item(customer.sub, cart)))

    def session(self, customer: Customer, *, quantity: str = "2", fill: bool = True, hold: bool = False) -> Session:
        if fill:
            self.fill_cart(customer, quantity=quantity, hold=hold)
        delivery = Delivery("John Doe", self.phone(), 1, 5, "123 Main Street")
        return create_session(
            delivery, customer=customer, table=self.table, now=self.now, entropy=self.entropy, lifetime=LIFETIME
        )

    def booking_cart(self, customer: Customer, *, price: int = 51000, promo: str | None = None) -> BookingCart:
        identifier = new_identifier(self.now, self.entropy)
        content = BookingSnapshot(
            cart_id=identifier.number,
            cart_uuid=str(identifier.uuid),
            service_type="PUJA",
            service_id=1,
            service_name="Ganesh Puja",
            package_id=None,
            package_name=None,
            day=date(2026, 7, 20),
            at=time(14, 0),
            time_given="2:00 PM",
            zone="Asia/Kolkata",
            price=Money(price, Currency.INR),
            discount=Money(1000 if promo else 0, Currency.INR),
            promo_code=promo,
            address=None,
        )
        service = CatalogueService(ServiceType.PUJA, 1, "Ganesh Puja", "", "Asia/Kolkata", Currency.INR, (), content.price)
        write(self.table, Put("service", service_to_item(service)))
        cart = BookingCart(identifier.number, str(identifier.uuid), content, self.entropy(8).hex(), self.now)
        write(self.table, Put("cart", booking_cart_to_item(customer.sub, cart)))
        return cart

    # What customers do

    def initiate(self, session: Session, phone: str | None = None) -> Started:
        started = initiate_payment(GivenId(session.number), phone, customer=session.customer, till=self.till())
        self.started[started.attempt.ref] = started
        return started

    def process(self, cart: BookingCart, customer: Customer) -> Started:
        wanted = CartPayment(GivenId(cart.number), None, None, None)
        started = process_cart(wanted, customer=customer, till=self.till(), lifetime=LIFETIME)
        self.started[started.attempt.ref] = started
        return started

    def extend(self, session: Session) -> Session:
        number = GivenId(session.number)
        return extend_session(number, customer=session.customer, table=self.table, now=self.now, step=timedelta(minutes=15))

    # What gateways and schedules do

    def deliver(self, notice: Notice) -> Taken:
        """A gateway posts one notice."""
        if notice.route == "stk":
            return take_stk_notice(self.desk(), notice.token, notice.raw)
        if notice.route == "result":
            return take_result_notice(self.desk(), notice.token, notice.raw)
        header = hashlib.sha256(b"shop:hook-word").hexdigest()
        return take_phonepe_notice(self.desk(), header, notice.raw, _PHONEPE)

    def deliver_all(self) -> None:
        """The gateways post everything that they have to say; what is posted is gone."""
        while self.ledger.notices:
            self.deliver(self.ledger.notices.pop(0))

    def expire(self) -> ExpiryReport:
        return expire_sessions(self.table, now=self.now, deadline=Deadline(lambda: 25.0), grace=GRACE)

    def reconcile(self, desk: Desk | None = None) -> ReconcileReport:
        return reconcile(desk or self.desk(), no_answer_after=NO_ANSWER_AFTER)

    def look(self, ref: str) -> None:
        look(self.desk(), ref, no_answer_after=NO_ANSWER_AFTER)

    def work_queue(self) -> None:
        """The queue's consumer takes every message that is there now."""
        waiting, self.queue.sent = self.queue.sent, []
        for ref in waiting:
            self.look(ref)

    def deliver_events(self) -> None:
        deliver_events(self.table, self.bus, "bus", now=self.now, deadline=Deadline(lambda: 25.0))  # type: ignore[arg-type]

    def sweep(self) -> ReconcileReport:
        """One round of everything that runs by itself."""
        self.expire()
        self.work_queue()
        report = self.reconcile()
        self.deliver_all()
        self.deliver_events()
        return report

    # What the package is given

    def gateway(self, name: GatewayName) -> Gateway:
        """A client as a fresh container has it."""

        def adapter() -> LedgerAdapter:
            return LedgerAdapter(self.ledger, self.seam)

        store: Any = SharedTokens(self.table) if self.fetch_tokens else _KnownTokens()
        if name is GatewayName.MPESA:
            return Mpesa(_MPESA, "https://mpesa.example", store, "tests", adapter)
        return PhonePe(_PHONEPE, "https://phonepe.example", "https://phonepe.example/v1/oauth/token", store, "tests", adapter)

    def till(self) -> Till:
        return Till(
            table=self.table,
            queue=self._queue(),
            gateway=self.gateway,
            callback_origin="https://shop.example",
            public_origin="https://shop.example",
            pace=self.pace,
            now=self.now,
            entropy=self.entropy,
            deadline=Deadline(lambda: 25.0),
            longest_call_s=10.0,
        )

    def desk(self) -> Desk:
        settling = Settling(self.table, self.now, self.entropy, self.late_payment)
        deadline = Deadline(lambda: 25.0)
        return Desk(settling, self.gateway, self._queue(), self.confirm, "https://shop.example", deadline)

    def _queue(self) -> Queue:
        return Queue(self.queue, "queue")  # type: ignore[arg-type]

    # What there is

    def read(self, session: Session) -> Session:
        found = sessions.read(self.table, session.customer.sub, session.number)
        if found is None:
            raise LookupError("the session is gone")
        return found

    def attempt(self, ref: str) -> Attempt:
        found = attempts.read(self.table, ref)
        if found is None:
            raise LookupError("the attempt is gone")
        return found

    def items(self) -> list[Item]:
        """Everything that the table holds; an item that has not changed since the last time is the same object."""
        if isinstance(self.client, ModelTable):
            return [self._plain(key, item) for key, item in self.client.items.items()]
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [from_wire(item) for page in pages for item in page["Items"]]

    def _plain(self, key: tuple[str, str], wire: Any) -> Item:
        known = self.decoded.get(key)
        if known is None or known[0] is not wire:
            known = self.decoded[key] = (wire, from_wire(wire))
        return known[1]


class _AtOnce:
    """Takes the place of the package's threads: one after the other, in the order of asking or as late as possible."""

    def __init__(self, *, late: bool) -> None:
        self._late = late

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Any:
        done: list[Callable[[], Any]] = []

        def result() -> Any:
            if not done:
                try:
                    value = work(*arguments)
                except Exception as error:  # noqa: BLE001 - a future keeps whatever was raised, as these do
                    failure = error
                    done.append(lambda: _raise(failure))
                else:
                    done.append(lambda: value)
            return done[0]()

        if not self._late:
            with _kept():
                result()
        return SimpleNamespace(result=result)


def _raise(error: Exception) -> None:
    raise error


@contextmanager
def _kept() -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 - it is raised again where the result is asked for
        return


@contextmanager
def at_work(world: World, *, late: bool = False, shards: int = 1) -> Iterator[World]:
    """`world` in a process where nothing runs side by side by itself, and whose log lines are kept.

    Its index has one shard, unless told otherwise: eight would be eight calls that are alike.
    """
    threads = _AtOnce(late=late)
    with (
        patch.object(keys, "SHARDS", shards),
        patch.object(settle, "side_by_side", lambda: threads),
        patch.object(take_notice, "side_by_side", lambda: threads),
        patch.object(observability, "logger", lambda: world.log),
    ):
        yield world


def met_fault(world: World, number: int, fault: Fault) -> None:
    """Let the `number`th call of the run meet `fault`, and no other."""
    world.seam.plan = lambda boundary: fault if boundary.number == number else None
