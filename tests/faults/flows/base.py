"""What a flow is, and payments that many of them begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from payfirst.usecases.checkout.start_attempt import Started
from tests.faults.world import World

Act = Callable[[World], Any]
Prepare = Callable[[World], Act]


@dataclass(frozen=True, slots=True)
class Flow:
    """`prepare` brings a shop to where the call is made, and answers the call."""

    name: str
    prepare: Prepare

    @property
    def is_refused(self) -> bool:
        """Whether the call is meant to end in an error, even without a fault."""
        return self.name.startswith("one more ") or self.name in (
            "a payment is refused by its gateway",
            "a second tab finds the open attempt",
        )


FLOWS: Final[list[Flow]] = []


def flow(prepare: Prepare) -> Prepare:
    FLOWS.append(Flow(prepare.__name__.replace("_", " "), prepare))
    return prepare


def paid_order(world: World, *, quantity: str = "2") -> Started:
    """An order's session whose prompt was answered with the PIN; nobody has told us yet."""
    started = world.initiate(world.session(world.customer(), quantity=quantity))
    world.ledger.pay(started.attempt.ref)
    return started


def paid_booking(world: World, *, promo: str | None = None) -> Started:
    customer = world.customer()
    started = world.process(world.booking_cart(customer, promo=promo), customer)
    world.ledger.pay(started.attempt.ref)
    return started


def told(world: World) -> Act:
    notice = world.ledger.notices.pop(0)
    return lambda there: there.deliver(notice)
