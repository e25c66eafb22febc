"""A shop in which everything has happened once, as its two ledgers, so that either can be made wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from ops.reconcile.books import Capture, Difference, Ledger, Returned
from ops.reconcile.comparison import compare
from payfirst.storage.dynamodb.expressions import Item
from payfirst.usecases.checkout.start_attempt import Started
from tests.faults.book import theirs
from tests.faults.flows import paid_booking, paid_order
from tests.faults.flows.sweeps import surplus, surplus_booking
from tests.faults.model_table import ModelTable
from tests.faults.world import World, at_work


@dataclass
class Two:
    """Both ledgers of a shop in which everything has happened once: `refs` are the payments by what became of them."""

    ledger: Ledger
    items: list[Item]
    refs: Mapping[str, str]

    def differences(self) -> list[Difference]:
        return compare(self.ledger, self.items).differences

    def item(self, which: str, sort: str = "ATT") -> Item:
        """The attempt of a payment, or its refund `R#001`."""
        return next(item for item in self.items if item["pk"] == f"ATT#{self.refs[which]}" and item["sk"] == sort)

    def owned(self, which: str, letter: str) -> Item:
        """The payment's session (`S`), booking (`B`) or order (`O`)."""
        attempt = self.item(which)
        mine = [item for item in self.items if item["pk"] == f"U#{attempt['owner']}" and item["sk"].startswith(f"{letter}#")]
        number = int(attempt["session_number"])
        return next(item for item in mine if item.get("session_number") == number or item["sk"] == f"S#{number:016d}")

    def collected(self, which: str, **changes: Any) -> None:
        """The gateway says something else of the capture."""
        self.ledger = replace(
            self.ledger,
            captures=tuple(replace(c, **changes) if c.ref == self.refs[which] else c for c in self.ledger.captures),
        )

    def returned(self, which: str, *amounts: int) -> None:
        """The gateway says that these amounts went back, and nothing else."""
        others = tuple(back for back in self.ledger.refunds if back.ref != self.refs[which])
        mine = next(back for back in self.ledger.refunds if back.ref == self.refs[which])
        self.ledger = replace(self.ledger, refunds=(*others, *(replace(mine, amount=amount) for amount in amounts)))

    def more(self, which: str | None, amount: int, currency: str = "KES") -> None:
        """The gateway says that some money more went back."""
        back = Returned("mpesa", None if which is None else self.refs[which], "QWERTY", amount, currency)
        self.ledger = replace(self.ledger, refunds=(*self.ledger.refunds, back))

    def listed(self, captures: Sequence[Capture]) -> None:
        """The gateway lists these captures."""
        self.ledger = replace(self.ledger, captures=tuple(captures))

    def captures_of(self, which: str) -> list[Capture]:
        return [capture for capture in self.ledger.captures if capture.ref == self.refs[which]]

    def amount(self, which: str) -> int:
        """What went back by the gateway, as it says."""
        return sum(back.amount for back in self.ledger.refunds if back.ref == self.refs[which])


def _cancelled_booking(world: World) -> Started:
    started = paid_booking(world)
    world.deliver_all()
    customer = started.session.customer
    _, listed = world.http("GET", "/api/booking/bookings/", customer)
    world.http("POST", f"/api/booking/bookings/{listed['results'][0]['book_id']}/cancel/", customer, {"reason": "ill"})
    return started


def _cancelled_order(world: World) -> Started:
    started = paid_order(world)
    world.deliver_all()
    _, listed = world.http("GET", "/api/orders/", started.session.customer)
    order = listed["results"][0]["order_number"]
    world.operate("POST", f"/api/operators/orders/{order}/move/", {"status": "cancelled", "why": "rotten"})
    return started


def _by_hand(world: World) -> Started:
    started = surplus(world)
    world.now += timedelta(minutes=1)
    world.ledger.refuse_reversals = True
    world.reconcile()
    world.ledger.refuse_reversals = False
    world.operate("POST", f"/api/operators/refunds/R{started.attempt.ref}-1/resolve/", {"why": "in coins"})
    return started


def _goodwill(world: World) -> Started:
    started = paid_booking(world)
    world.deliver_all()
    path = f"/api/operators/payments/{started.attempt.ref}/refund/"
    world.operate("POST", path, {"amount": "2.00", "why": "a gesture"})
    return started


def _not_fulfilled(world: World) -> Started:
    """Money of which nothing can be made: a person has it."""
    started = paid_order(world)
    world.seam.for_good = True
    world.deliver_all()
    world.seam.for_good = False
    return started


def _told(world: World, started: Started) -> Started:
    world.deliver_all()
    return started


def _under_way(world: World) -> Started:
    started = surplus_booking(world)
    world.ledger.refuse_status = True
    return started


def everything_once() -> Two:
    """A shop in which each of these has happened, and what two sweeps made of it."""
    world = World(ModelTable(), seed=7)
    with at_work(world):
        world.stock("100")
        refs = {
            "by hand": _by_hand(world),
            "reversed": surplus(world),
            "refunded": surplus_booking(world),
            "cancelled booking": _cancelled_booking(world),
            "cancelled order": _cancelled_order(world),
            "goodwill": _goodwill(world),
            "order": _told(world, paid_order(world)),
            "booking": _told(world, paid_booking(world)),
        }
        for pause in (1, 10, 60):
            world.now += timedelta(minutes=pause)
            world.sweep()
        refs["not fulfilled"] = _not_fulfilled(world)
        refs["under way"] = _under_way(world)
        world.now += timedelta(minutes=1)
        world.reconcile()
        refs["not told"] = paid_order(world)
        return Two(theirs(world.ledger), world.items(), {name: started.attempt.ref for name, started in refs.items()})


# One refund, wrong on either side


def put(item: Item, name: str, value: Any) -> None:
    item[name] = value


def drop(two: Two, item: Item) -> None:
    two.items.remove(item)


def _doubled(two: Two, which: str) -> None:
    two.items.append(two.item(which, "R#001") | {"sk": "R#002", "number": 2, "refund_id": "R#002"})


REFUND_WRONGS: Final[Mapping[str, Callable[[Two, str], Any]]] = {
    "dropped by us": lambda two, which: drop(two, two.item(which, "R#001")),
    "doubled by us": _doubled,
    "halved by us": lambda two, which: put(two.item(which, "R#001"), "amount", two.item(which, "R#001")["amount"] // 2),
    "dropped by the gateway": lambda two, which: two.returned(which),
    "doubled by the gateway": lambda two, which: two.returned(which, two.amount(which), two.amount(which)),
    "halved by the gateway": lambda two, which: two.returned(which, two.amount(which) // 2),
}
"""What can be wrong about the first refund of a payment."""


def refunded_once(ledger: Ledger, items: list[Item], among: Set[str] | None = None) -> Two:
    """A copy of both ledgers with a payment (`among` these), `refunded`, whose one refund its gateway has made."""
    made = {back.ref for back in ledger.refunds if among is None or back.ref in among}
    ours = [item for item in items if item["sk"] == "R#001" and item["status"] == "refunded" and item["ref"] in made]
    return Two(ledger, copy.deepcopy(items), {"refunded": ours[0]["ref"]})
