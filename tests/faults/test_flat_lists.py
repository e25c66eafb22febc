"""What is asked costs by what is asked for: beside fifty thousand bookings and orders what it costs beside fifty."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import pytest

from payfirst.domain.session import Customer
from payfirst.domain.totals import day_of
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.fulfilment.bookings import list_bookings
from payfirst.usecases.fulfilment.orders import list_orders
from payfirst.usecases.operators import appointments, deliveries, totals
from payfirst.usecases.operators.funnel import funnel
from tests.faults.flows import paid_booking, paid_order
from tests.faults.model_table import ModelTable
from tests.faults.process import at_work
from tests.faults.world import World

FEW, MANY = 50, 50_000
OF_THE_DAY: Final = 40
"""So many stand on the day that is asked for; all others on a thousand days after it."""

DAYS: Final = 1000
FOUR_KB: Final = 4096

Wire = Mapping[str, Any]


@dataclass(slots=True)
class Metered:
    """A client that counts what is asked of it: requests, and the units that their answers take."""

    client: ModelTable
    asked: Counter[str]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            answer = getattr(self.client, name)(**request)
            self.asked[name] += 1
            self.asked["units"] += -(-len(json.dumps(answer, default=str)) // FOUR_KB)
            return answer

        return call


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with `count` bookings and orders more than the one of each that were paid for."""

    world: World
    customers: Mapping[str, Customer]
    day: date

    def cost(self, ask: Callable[[Table, Shop], Any]) -> Counter[str]:
        asked: Counter[str] = Counter()
        client: Any = Metered(self.world.client, asked)
        assert ask(replace(self.world.table, client=client), self)
        return asked


def filled(count: int) -> Shop:
    world = World(ModelTable(), seed=5)
    with at_work(world):
        world.stock("100")
        started = {"order": paid_order(world), "booking": paid_booking(world)}
        world.deliver_all()
        world.deliver_events()
    items: dict[tuple[str, str], Wire] = world.client.items
    [booking] = [item for item in items.values() if "book_id" in item]
    [order] = [item for item in items.values() if "order_number" in item]
    first = date.fromisoformat(booking["content"]["M"]["day"]["S"])
    kept = [item for item in items.values() if item["pk"]["S"] in (shop_keys.TOTALS, shop_keys.EVENT_COUNTS)]
    for number in range(count):
        ahead = 0 if number < OF_THE_DAY else 1 + number % DAYS
        _booked(items, booking, first + timedelta(days=ahead), number)
        _ordered(items, order, day_of(world.now) + timedelta(days=ahead), number)
    for ahead in range(1, min(count, DAYS)):
        for item in kept:
            at, _, rest = item["sk"]["S"].partition("#")
            later = (date.fromisoformat(at[:10]) - timedelta(days=31 + ahead)).isoformat() + at[10:]
            items[item["pk"]["S"], f"{later}#{rest}"] = {**item, "sk": {"S": f"{later}#{rest}"}}
    return Shop(world, {name: each.session.customer for name, each in started.items()}, first)


def _booked(items: dict[tuple[str, str], Wire], booking: Wire, day: date, number: int) -> None:
    owner, code = booking["pk"]["S"], f"BK-{number:08d}"
    mine = int(booking["sk"]["S"].split("#")[1]) + 1 + number
    content = {"M": {**booking["content"]["M"], "day": {"S": day.isoformat()}}}
    at = booking["content"]["M"]["at"]["S"]
    sort = keys.entry(keys.BOOKING, mine)
    items[owner, sort] = {**booking, "sk": {"S": sort}, "book_id": {"S": code}, "content": content}
    place = (f"DAY#{day.isoformat()}", f"{at}#{code}")
    entry = {"owner": {"S": owner.removeprefix("U#")}, "number": {"N": str(mine)}}
    items[place] = {"pk": {"S": place[0]}, "sk": {"S": place[1]}, **entry}


def _ordered(items: dict[tuple[str, str], Wire], order: Wire, day: date, number: int) -> None:
    owner, written = order["pk"]["S"], day.strftime("%Y%m%d")
    sequence = shop_keys.order_sequence(written)["pk"]
    drawn = int(items.get((sequence, "SEQUENCE"), {}).get("n", {"N": "0"})["N"]) + 1
    items[sequence, "SEQUENCE"] = {"pk": {"S": sequence}, "sk": {"S": "SEQUENCE"}, "n": {"N": str(drawn)}}
    mine, code = int(order["sk"]["S"].split("#")[1]) + 1 + number, f"ORD-{written}-{drawn:03d}"
    sort = keys.entry(keys.ORDER, mine)
    items[owner, sort] = {**order, "sk": {"S": sort}, "order_number": {"S": code}}
    pointer = keys.pointer(code)["pk"]
    said = {"owner": {"S": owner.removeprefix("U#")}, "what": {"S": keys.ORDER}, "number": {"N": str(mine)}}
    items[pointer, "PTR"] = {"pk": {"S": pointer}, "sk": {"S": "PTR"}, **said}


@pytest.fixture(scope="module")
def shops() -> tuple[Shop, Shop]:
    return filled(FEW), filled(MANY)


ASKED: Final[Mapping[str, Callable[[Table, Shop], Any]]] = {
    "the bookings of a day": lambda table, shop: appointments.of_day(shop.day, table=table, most=200).bookings,
    "a booking": lambda table, shop: appointments.show(table, _a_code(shop), shop.world.now),
    "the orders of a day": lambda table, shop: (
        deliveries.of_days(day_of(shop.world.now), day_of(shop.world.now), table=table, most=200).orders
    ),
    "a customer's own bookings": lambda table, shop: (
        list_bookings(shop.customers["booking"], table=table, size=20, position=None).bookings
    ),
    "a customer's own orders": lambda table, shop: (
        list_orders(shop.customers["order"], table=table, size=20, position=None).orders
    ),
    "the money of a month": lambda table, shop: (
        totals.of_days(table, day_of(shop.world.now) - timedelta(days=30), day_of(shop.world.now)).days
    ),
    "the payments of a day": lambda table, shop: list(totals.payments_of_day(table, day_of(shop.world.now))),
    "the funnel of a day": lambda table, shop: funnel(table, shop.world.now, timedelta(hours=24)).counts,
}


def _a_code(shop: Shop) -> str:
    items: dict[tuple[str, str], Wire] = shop.world.client.items
    return next(pk.removeprefix("PTR#") for pk, _ in items if pk.startswith("PTR#BK-"))


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_costs_the_same_however_much_is_stored(shops: tuple[Shop, Shop], name: str) -> None:
    few, many = (shop.cost(ASKED[name]) for shop in shops)
    assert few == many
    assert 0 < few["units"] <= 30
