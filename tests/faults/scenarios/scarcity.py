"""The last unit, the last use of a promo, and sessions at the end of their time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from payfirst.domain.session import Customer
from tests.faults.book import Book
from tests.faults.flows import paid_order
from tests.faults.flows.slots import booked_slot
from tests.faults.scenarios.base import (
    expiring,
    initiating,
    outcomes,
    paid_is_served,
    payer,
    scenario,
    telling,
)
from tests.faults.stage import Actor
from tests.faults.world import World


@scenario(outcomes(1))
def last_unit(world: World) -> Mapping[str, Actor]:
    world.stock("2")
    paid_order(world)
    paid_order(world)
    one, other = world.ledger.notices
    world.ledger.notices.clear()
    return {"one": telling(one), "other": telling(other)}


@scenario(outcomes(0, 1))
def last_unit_held(world: World) -> Mapping[str, Actor]:
    world.stock("2", hold=True)
    one, other = world.session(world.customer(), hold=True), world.session(world.customer(), hold=True)
    return {"one": initiating(one), "other": initiating(other), "payer": payer()}


@scenario(outcomes(0, 1))
def last_promo_use(world: World) -> Mapping[str, Actor]:
    world.promo("SAVE", 1)
    customers = world.customer(), world.customer()
    carts = [world.booking_cart(customer, promo="SAVE") for customer in customers]
    one = Actor(lambda there: there.process(carts[0], customers[0]))
    other = Actor(lambda there: there.process(carts[1], customers[1]))
    return {"one": one, "other": other, "payer": payer()}


@scenario(outcomes(0, 1))
def extend_against_expire(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    world.now += timedelta(minutes=14)
    extend = Actor(lambda there: there.extend(session))
    return {"extend": extend, "expire": expiring(timedelta(minutes=2)), "initiate": initiating(session)}


@scenario(paid_is_served)
def expiry_against_initiate(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    world.now += timedelta(minutes=14)
    return {"initiate": initiating(session), "expire": expiring(timedelta(minutes=2)), "payer": payer()}


@scenario(paid_is_served)
def expiry_first_against_initiate(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    world.now += timedelta(minutes=14)
    return {"expire": expiring(timedelta(minutes=2)), "initiate": initiating(session), "payer": payer()}


def one_has_the_place(world: World, book: Book) -> Iterator[str]:
    """One booking has moved into the last place beside its neighbour, and the other stays where it was."""
    moved = sum(item["content"]["day"] == "2026-07-21" for item in book.outcomes) - 1
    if not (0 if world.faulted else 1) <= moved <= 1:
        yield f"{moved} bookings have moved into the last place"


@scenario(one_has_the_place)
def reschedule_into_the_last_slot(world: World) -> Mapping[str, Actor]:
    one, hers = booked_slot(world)
    other, theirs = booked_slot(world)
    booked_slot(world, day="2026-07-21")
    world.rescheduled.update((one.code, other.code))
    wanted = {"selected_date": "2026-07-21", "selected_time": "2:00 PM"}

    def moving(code: str, customer: Customer) -> Actor:
        return Actor(lambda there: there.http("POST", f"/api/booking/bookings/{code}/reschedule/", customer, wanted))

    return {"one": moving(one.code, hers), "other": moving(other.code, theirs)}


def as_many_as_may_be(world: World, book: Book) -> Iterator[str]:
    """No more sessions were made than may be open at once."""
    if len(book.sessions) > world.limits["OPEN_SESSIONS_PER_USER"]:
        yield f"{len(book.sessions)} sessions"


def _two_more_sessions(world: World, *, limit: int) -> Mapping[str, Actor]:
    world.limits = {"OPEN_SESSIONS_PER_USER": limit}
    customer = world.customer()
    for _ in range(limit - 1):
        world.session(customer)
    world.fill_cart(customer)
    make = Actor(lambda there: there.session(customer, fill=False))
    return {"tab": make, "other-tab": make}


@scenario(as_many_as_may_be)
def two_first_sessions_where_one_may_be_open(world: World) -> Mapping[str, Actor]:
    return _two_more_sessions(world, limit=1)


@scenario(as_many_as_may_be)
def two_more_sessions_where_one_more_may_be_open(world: World) -> Mapping[str, Actor]:
    return _two_more_sessions(world, limit=2)
