"""Customers in two tabs, late payers, and carts that change while they are paid for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from payfirst.usecases.fulfilment import bookings
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.scenarios.base import (
    given_up,
    initiating,
    outcomes,
    paid_is_served,
    payer,
    reader,
    scenario,
    sweep,
    telling,
)
from tests.faults.stage import Actor
from tests.faults.world import TOMATOES, World


def booked_as_it_stands(world: World, book: Book) -> Iterator[str]:
    """A booking is what its cart says, for the cart cannot change once it is being paid for."""
    yield from paid_is_served(world, book)
    for item in book.outcomes:
        cart = book.guards[item["pk"].removeprefix("U#"), f"C#{int(item['content']['cart_id']):016d}"]
        if cart.get("content") != item["content"]:
            yield "a cart was booked that its customer had changed or deleted"


def moved_as_answered(world: World, book: Book) -> Iterator[str]:
    """Every move that a customer was told of has happened, and each is in the history."""
    (booking,) = book.outcomes
    if world.faulted:
        return
    if booking["version"] != len(booking["timeline"]) or booking["version"] != 3:
        yield f"version {booking['version']} with {len(booking['timeline'])} entries"


@scenario(paid_is_served)
def two_tabs(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    return {"tab": initiating(session), "other-tab": initiating(session), "payer": payer()}


@scenario(paid_is_served)
def two_tabs_of_a_booking(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    cart = world.booking_cart(customer)
    pay = Actor(lambda there: there.process(cart, customer))
    return {"tab": pay, "other-tab": pay, "payer": payer()}


@scenario(paid_is_served)
def two_sessions_of_one_cart(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    return {"one": initiating(one), "other": initiating(other), "payer": payer()}


@scenario(outcomes(1))
def two_attempts_paid(world: World) -> Mapping[str, Actor]:
    first = given_up(world)
    second = world.initiate(world.read(first.session))
    world.ledger.pay(first.attempt.ref)
    world.ledger.pay(second.attempt.ref)
    one, other = world.ledger.notices
    world.ledger.notices.clear()
    world.insisted = [one]
    return {"first": telling(one), "second": telling(other)}


@scenario(paid_is_served)
def late_success(world: World) -> Mapping[str, Actor]:
    first = given_up(world)
    world.ledger.pay(first.attempt.ref)
    world.insisted = list(world.ledger.notices)
    return {"again": initiating(first.session), "late": telling(world.ledger.notices.pop(0)), "payer": payer()}


@scenario(outcomes(1))
def late_success_against_sweep(world: World) -> Mapping[str, Actor]:
    started = given_up(world)
    world.ledger.pay(started.attempt.ref)
    world.insisted = list(world.ledger.notices)
    return {"sweep": sweep(timedelta(minutes=10)), "late": telling(world.ledger.notices.pop(0))}


@scenario(paid_is_served)
def late_success_against_another_session(world: World) -> Mapping[str, Actor]:
    first = given_up(world)
    other = world.session(first.session.customer, fill=False)
    world.ledger.pay(first.attempt.ref)
    world.insisted = list(world.ledger.notices)
    return {"other": initiating(other), "late": telling(world.ledger.notices.pop(0)), "payer": payer()}


@scenario(outcomes(0, 1))
def failure_of_b_after_success_of_a(world: World) -> Mapping[str, Actor]:
    first = given_up(world)
    second = world.initiate(world.read(first.session))
    world.ledger.pay(first.attempt.ref)
    world.ledger.decline(second.attempt.ref)
    success, failure = world.ledger.notices
    world.ledger.notices.clear()
    world.insisted = [success]
    return {"success": telling(success), "failure": telling(failure), "status": reader(first.session)}


@scenario(booked_as_it_stands)
def cart_changed_while_it_is_paid_for(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    world.promo("SAVE", 1)
    cart = world.booking_cart(customer)
    path = f"/api/cart/carts/{cart.number}/"

    def discount(there: World) -> None:
        there.http("POST", f"{path}apply_promo/", customer, {"promo_code": "SAVE"})

    def delete(there: World) -> None:
        there.http("DELETE", path, customer)

    pay = Actor(lambda there: there.process(cart, customer))
    return {"pay": pay, "discount": Actor(discount), "delete": Actor(delete), "payer": payer()}


@scenario(outcomes(1))
def cart_filled_while_it_is_ordered(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    customer = started.session.customer

    def fill(there: World) -> None:
        there.http("POST", "/api/carts/add_item/", customer, {"listing_id": TOMATOES, "quantity": 1})

    return {"notice": telling(world.ledger.notices.pop(0)), "fill": Actor(fill)}


@scenario(moved_as_answered)
def a_booking_moved_twice(world: World) -> Mapping[str, Actor]:
    hers = paid_booking(world).session.customer
    world.deliver_all()
    booking = bookings.list_bookings(hers, table=world.table, size=1, position=None).bookings[0]
    world.rescheduled.add(booking.code)

    path = f"/api/booking/bookings/{booking.code}/reschedule/"

    def moving(day: int) -> Actor:
        wanted = {"selected_date": f"2026-08-0{day}", "selected_time": "09:00"}
        return Actor(lambda there: there.http("POST", path, hers, wanted))

    return {"one": moving(1), "other": moving(2)}


def through_both_gateways(world: World, book: Book) -> Iterator[str]:
    """Each gateway's money became what was bought with it, though both gave it the same number."""
    yield from paid_is_served(world, book)
    kinds = sorted(item["sk"][0] for item in book.outcomes)
    if kinds != ["B", "O"]:
        yield f"one customer's order and booking became {kinds}"


@scenario(through_both_gateways)
def two_gateways(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    order = world.initiate(world.session(customer))
    booking = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(order.attempt.ref, receipt="T100")
    world.ledger.pay(booking.attempt.ref, receipt="T100")
    mpesa, phonepe = world.ledger.notices
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return {"mpesa": telling(mpesa), "phonepe": telling(phonepe), "sweep": sweep(), "status": reader(order.session)}
