"""What a scenario is: a shop, its actors, and what has to come of them; and the actors that many scenarios share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from payfirst.domain.session import Session
from payfirst.usecases.checkout.start_attempt import Started
from tests.faults import front
from tests.faults.book import Book
from tests.faults.seam import Fault, Service
from tests.faults.stage import Actor
from tests.faults.told import Notice
from tests.faults.world import World

Expect = Callable[[World, Book], Iterator[str]]
Prepare = Callable[[World], Mapping[str, Actor]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` opens the shop and answers the actors in the default order; `expect` says what is wrong at the end."""

    name: str
    prepare: Prepare
    expect: Expect


SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(expect: Expect) -> Callable[[Prepare], Prepare]:
    def add(prepare: Prepare) -> Prepare:
        name = prepare.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(name, prepare, expect)
        return prepare

    return add


# What has to come of it


def outcomes(least: int, most: int | None = None) -> Expect:
    """From `least` to `most` orders and bookings, whatever happens."""

    def expect(_: World, book: Book) -> Iterator[str]:
        if not least <= len(book.outcomes) <= (least if most is None else most):
            yield f"{len(book.outcomes)} outcomes"

    return expect


def paid_is_served(world: World, book: Book) -> Iterator[str]:
    """Each customer who paid has an outcome, unless a payment of theirs whose push got no answer stood in its way."""
    served = {item["pk"].removeprefix("U#") for item in book.outcomes}
    unheard = {attempt["owner"] for attempt in book.attempts.values() if "gateway_id" not in attempt}
    for ref, payment in world.ledger.payments.items():
        attempt = book.attempts[ref]
        if payment.state == "paid" and attempt["owner"] not in served | unheard:
            yield f"{ref} was paid, and its customer has nothing"


# Actors


def telling(notice: Notice) -> Actor:
    return Actor(lambda world: world.deliver(notice))


def payer(ref: str | None = None, *, tells: bool = True) -> Actor:
    """Pays the first open payment, or the one of `ref`, as soon as it is there; its gateway tells at once."""

    def work(world: World) -> None:
        world.seam.passes(Service.CLOCK, "pay")
        for each in [ref] if ref else list(world.ledger.payments):
            if world.ledger.pay(each):
                break
        if tells and world.ledger.notices:
            world.deliver(world.ledger.notices.pop(0))

    return Actor(work, lambda world: any(payment.state == "open" for payment in world.ledger.payments.values()))


def sweep(after: timedelta = timedelta(0)) -> Actor:
    def work(world: World) -> None:
        with front.later(after):
            world.reconcile()

    return Actor(work)


def reader(session: Session) -> Actor:
    """A customer who asks for the status: what was once a success stays one."""
    path = f"/api/payments/sessions/{session.number}/status/"

    def work(world: World) -> None:
        seen = [world.http("GET", path, session.customer)[1]["session_status"] for _ in range(3)]
        if "order_created" in seen and seen[-1] != "order_created":
            raise AssertionError(f"a customer saw {seen}")

    return Actor(work)


def initiating(session: Session) -> Actor:
    return Actor(lambda world: world.initiate(world.read(session)))


def expiring(after: timedelta) -> Actor:
    def work(world: World) -> None:
        with front.later(after):
            world.expire()

    return Actor(work)


def given_up(world: World) -> Started:
    """An attempt whose answer was lost, and which was failed for that after three minutes; its prompt is still open."""
    session = world.session(world.customer())
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.LOST_RESPONSE if boundary.operation == "push" else None
    started = world.initiate(session)
    world.seam.active, world.seam.plan = False, lambda _: None
    world.seam.made.clear()
    world.now += timedelta(minutes=4)
    world.reconcile()
    return started
