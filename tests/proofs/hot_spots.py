"""How many buyers of one thing a shop serves at once, on a model of DynamoDB's time and conflicts.

    python -m tests.proofs.hot_spots --orders 20

No engine at hand has DynamoDB's conflicts: the embedded one does one request after the other. So the functions run on the fault
machine's table, and on a clock of their own, which goes on only where somebody waits: for the table, for a gateway, before
another try. What the functions compute takes no time there. The model, and what it leaves out, is written on docs/scaling.md.
"""

from __future__ import annotations

import argparse
import heapq
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from functools import partial
from http import HTTPStatus
from itertools import count
from statistics import quantiles
from types import SimpleNamespace
from typing import Any, Final, TypeVar, cast
from unittest.mock import patch

from botocore.exceptions import ClientError

from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.ids import new_identifier
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import Customer
from payfirst.storage import catalogue
from payfirst.storage.carts import booking_cart_to_item
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import write
from tests.faults import front, goods
from tests.faults.book import Book
from tests.faults.front import AnsweredError
from tests.faults.model_table import Key, ModelTable
from tests.faults.rest import settle_down
from tests.faults.seam import TRANSACTION, Seam, Service
from tests.faults.world import World, at_work

REQUEST_S: Final = 0.0075
TRANSACTION_S: Final = 0.025
REFUSED_S: Final = 0.010
"""How long a request, a transaction, and a transaction that meets another take; the first two as measured on AWS by others."""
GATEWAY_S: Final = 0.3
BUYERS: Final = (1, 4, 16, 64)
REQUESTS: Final = ("create session", "initiate", "notice")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Clock:
    """Seconds that pass only while everybody waits; whoever's moment comes first works next, alone."""

    now: float = 0.0
    _waiting: list[tuple[float, int, threading.Semaphore]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _over: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass for whoever calls."""
        mine = self._turn(seconds)
        self._go_on()
        mine.acquire()

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Everybody's work from the same moment on, to the end; what one of them raises is raised."""
        failed: list[BaseException] = []

        def player(turn: threading.Semaphore, work: Callable[[], None]) -> None:
            turn.acquire()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised below, once nobody waits for this one any more
                failed.append(error)
            self._go_on()

        threads = [threading.Thread(target=player, args=(self._turn(0.0), work), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        self._go_on()
        self._over.acquire()
        if failed:
            raise failed[0]

    def _turn(self, seconds: float) -> threading.Semaphore:
        turn = threading.Semaphore(0)
        heapq.heappush(self._waiting, (self.now + seconds, next(self._numbers), turn))
        return turn

    def _go_on(self) -> None:
        if not self._waiting:
            self._over.release()
            return
        self.now, _, turn = heapq.heappop(self._waiting)
        turn.release()


@dataclass(slots=True)
class SlowTable:
    """The client of a table whose requests take time, and whose transactions hold their items until they end.

    What a transaction holds, no other transaction and no write takes: it is refused as DynamoDB refuses it. `met` counts that.
    """

    inner: ModelTable
    clock: Clock
    met: int = 0
    held: set[Key] = field(default_factory=set)

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._after(REQUEST_S, self.inner.get_item, request)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        return self._after(REQUEST_S, self.inner.batch_get_item, request)

    def query(self, **request: Any) -> dict[str, Any]:
        return self._after(REQUEST_S, self.inner.query, request)

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._written(self.inner.put_item, request, "PutItem")

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._written(self.inner.update_item, request, "UpdateItem")

    def delete_item(self, **request: Any) -> dict[str, Any]:
        return self._written(self.inner.delete_item, request, "DeleteItem")

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        keys = [_key(next(iter(action.values()))) for action in request["TransactItems"]]
        taken = [key in self.held for key in keys]
        if any(taken):
            reasons = [{"Code": "TransactionConflict" if one else "None"} for one in taken]
            self._refuse(REFUSED_S, "TransactionCanceledException", TRANSACTION, CancellationReasons=reasons)
        self.held |= set(keys)
        try:
            return self._after(TRANSACTION_S, self.inner.transact_write_items, request)
        finally:
            self.held -= set(keys)

    def _after(self, seconds: float, call: Callable[..., Answer], request: dict[str, Any]) -> Answer:
        self.clock.wait(seconds)
        return call(**request)

    def _written(self, call: Callable[..., Answer], request: dict[str, Any], operation: str) -> Answer:
        self.clock.wait(REQUEST_S)
        if _key(request) in self.held:
            self._refuse(0.0, "TransactionConflictException", operation)
        return call(**request)

    def _refuse(self, seconds: float, code: str, operation: str, **more: Any) -> None:
        self.met += 1
        self.clock.wait(seconds)
        raise ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)  # type: ignore[typeddict-item]


def _key(request: dict[str, Any]) -> Key:
    key = request.get("Item") or request["Key"]
    return key["pk"]["S"], key["sk"]["S"]


@dataclass(slots=True)
class SlowGateways(Seam):
    """Gateways that take their time to answer, and never fail."""

    clock: Clock = field(default_factory=Clock)

    def passes(self, service: Service, operation: str, *, fulfils: bool = False) -> None:
        del operation, fulfils
        if service is Service.GATEWAY:
            self.clock.wait(GATEWAY_S)


LISTINGS: Final = 1000
PROMO: Final = "TEN"
DAY: Final = "2026-07-20"
OPEN_ALL_DAY: Final = {day: (Opening(time(0), time(23)),) for day in range(7)}


def put_goods(world: World, buyers: int) -> None:
    """A listing for all, one for each buyer, a promo code, and a puja whose every hour has places enough."""
    for number in (goods.TOMATOES, *range(LISTINGS, LISTINGS + buyers)):
        world.stock("1000000", listing=number)
    world.promo(PROMO, 10**6, Currency.KES)
    write(world.table, Put("service", goods.puja_offered(51000, Currency.INR)))
    service = catalogue.read_service(world.table, ServiceType.PUJA, 1)
    if service is None:
        raise LookupError("the puja was just offered")
    calendar = Calendar(OPEN_ALL_DAY, slot_minutes=60, capacity=10**6)
    write(world.table, Put("service", catalogue.service_to_item(replace(service, calendar=calendar))))


@dataclass(slots=True)
class Shoppers:
    """Buyers in one shop, and how long each of their requests took, by what it was; `refused` are those answered with 503."""

    world: World
    clock: Clock
    took: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0

    def http(self, what: str, path: str, customer: Customer | None, body: Any, headers: Mapping[str, str] | None = None) -> Any:
        """What the API answers; a refusal for the crowd's sake is asked again after a second, as every client does."""
        began = self.clock.now
        while True:
            try:
                _, made = self.world.http("POST", path, customer, body, headers=headers)
            except AnsweredError as error:
                if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
                self.refused += 1
                self.clock.wait(1.0)
                continue
            self.took.setdefault(what, []).append(self.clock.now - began)
            return made

    def order(self, listing: int, promo: str | None = None) -> None:
        """One order, from its cart to its paid notice."""
        world, who = self.world, self.world.customer()
        version = world.entropy(8).hex()
        cart = goods.produce(who.sub, version, "1", 15000, world.now, hold=False, promo=promo, listing=listing)
        write(world.table, Put("cart", cart))
        place = {"county_id": 1, "subcounty_id": 5, "detailed_address": "123 Main Street"}
        delivery = {"full_name": "John Doe", "phone_number": world.phone(), **place}
        session = self.http("create session", "/api/payments/sessions/", who, {"delivery_details": delivery})["session_id"]
        made = self.http("initiate", f"/api/payments/sessions/{session}/initiate_payment/", who, {})
        refs = (one.ref for one in world.ledger.payments.values() if one.gateway_id == made["checkout_request_id"])
        self.pay(next(refs))

    def booking(self, hour: int) -> None:
        """One booking of the slot that begins at `hour`, from its cart to its paid notice."""
        world, who = self.world, self.world.customer()
        number = new_identifier(world.now, world.entropy)
        cart = goods.puja_cart(number, world.entropy(8).hex(), Money(51000, Currency.INR), None, DAY, world.now)
        content = replace(cart.content, at=time(hour), time_given=f"{hour:02d}:00")
        write(world.table, Put("cart", booking_cart_to_item(who.sub, replace(cart, content=content))))
        made = self.http("initiate", "/api/payments/process-cart/", who, {"cart_id": number.number})
        self.pay(made["merchant_transaction_id"])

    def pay(self, ref: str) -> None:
        """The payer agrees, and the gateway tells us."""
        self.world.ledger.pay(ref)
        notice = self.world.ledger.notices.pop()
        self.http("notice", notice.path, None, notice.raw, notice.headers)


@dataclass(frozen=True, slots=True)
class Found:
    """What so many buyers at once were served; `at_once` without waiting for the queue."""

    sold: int
    at_once: int
    a_second: float
    met: int
    refused: int
    worst: dict[str, float]


def crowd(buyers: int, each: int, buy: Callable[[Shoppers, int], None]) -> Found:
    """`buyers` who `buy` `each` times one after the other; BrokenError if the shop is not in order after them."""
    world, clock = World(ModelTable()), Clock()
    webhooks = patch.object(front.MODULES["webhook"], "time", SimpleNamespace(monotonic=lambda: clock.now))
    with at_work(world, shards=keys.SHARDS), webhooks:
        put_goods(world, buyers)
        plain, draw = world.table, random.Random(1)  # noqa: S311 - it makes a run repeatable
        slow = SlowTable(world.client, clock)
        world.table = replace(plain, client=cast("Any", slow), pause=clock.wait, jitter=draw.random)
        world.seam = SlowGateways(clock=clock)
        shoppers = Shoppers(world, clock)

        def buyer(number: int) -> None:
            for _ in range(each):
                buy(shoppers, number)

        clock.run([partial(buyer, number) for number in range(buyers)])
        world.table, world.seam = plain, Seam()
        at_once = len(Book.of(world.items()).outcomes)
        settle_down(world)
    sold = len(Book.of(world.items()).outcomes)
    worst = {what: quantiles(took, n=20, method="inclusive")[-1] for what, took in shoppers.took.items()}
    return Found(sold, at_once, at_once / clock.now, slow.met, shoppers.refused, worst)


CROWDS: Final[dict[str, Callable[[Shoppers, int], None]]] = {
    "one listing": lambda shop, _: shop.order(goods.TOMATOES),
    "a listing each": lambda shop, number: shop.order(LISTINGS + number),
    "one promo code, a listing each": lambda shop, number: shop.order(LISTINGS + number, PROMO),
    "one slot": lambda shop, _: shop.booking(9),
    "a slot each": lambda shop, number: shop.booking(number % 23),
}
"""What each buyer, by a number of its own, buys."""


HEADS: Final = ("what is bought", "buyers", "a second", "conflicts each", "left to the queue", *REQUESTS)


def main() -> None:
    """Measure, and print the table; of each request the time within which 95 of 100 were answered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=10, help="purchases of each buyer")
    each = parser.parse_args().each
    print(f"| {' | '.join(HEADS)} |\n{'|---' * len(HEADS)}|")
    for name, buy in CROWDS.items():
        for buyers in BUYERS:
            found = crowd(buyers, each, buy)
            worst = [f"{found.worst[what]:.2f} s" if what in found.worst else "" for what in REQUESTS]
            later, conflicts = found.sold - found.at_once, found.met / found.sold
            row = (name, buyers, f"{found.a_second:.1f}", f"{conflicts:.1f}", later, *worst)
            print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
