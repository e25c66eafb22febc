"""Services with a calendar, and bookings after their payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from ops.bookings import complete_command, index_command
from payfirst.domain.booking import Booking, ChangeRules, RefundStep
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.cart import BookingCart
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.session import Customer
from payfirst.storage import catalogue as shelf
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.fulfilment import bookings
from tests.faults import counter
from tests.faults.flows.base import Act, flow, told
from tests.faults.goods import with_changes
from tests.faults.world import World


def cart_for_a_slot(world: World, *, day: str = "2026-07-20") -> tuple[BookingCart, Customer]:
    """A cart for one of an afternoon's slots of two places, which are held for whoever pays."""
    customer = world.customer()
    cart = world.booking_cart(customer, day=day)
    afternoon = {day: (Opening(time(13), time(18)),) for day in range(7)}
    calendar = Calendar(afternoon, slot_minutes=60, capacity=2, hold=True)
    service = shelf.read_service(world.table, ServiceType.PUJA, 1)
    if service is None:
        raise AssertionError("the cart's service is offered")
    write(world.table, Put("service", shelf.service_to_item(replace(service, calendar=calendar))))
    return cart, customer


def booking_in_a_slot(world: World, *, day: str = "2026-07-20") -> Started:
    """A payment for a slot, which it holds; the payer has agreed, nobody has told us yet."""
    started = world.process(*cart_for_a_slot(world, day=day))
    world.ledger.pay(started.attempt.ref)
    return started


def booked_slot(world: World, *, day: str = "2026-07-20") -> tuple[Booking, Customer]:
    """A booking of a slot, and whose it is."""
    hers = booking_in_a_slot(world, day=day).session.customer
    world.deliver_all()
    return bookings.list_bookings(hers, table=world.table, size=1, position=None).bookings[0], hers


@flow
def a_held_slot_becomes_a_booking(world: World) -> Act:
    booking_in_a_slot(world)
    return told(world)


@flow
def a_booking_moves_to_another_slot(world: World) -> Act:
    booking, hers = booked_slot(world)
    world.rescheduled.add(booking.code)
    wanted = {"selected_date": "2026-07-21", "selected_time": "3:00 PM", "reason": "rain"}
    return lambda there: there.http("POST", f"/api/booking/bookings/{booking.code}/reschedule/", hers, wanted)


@flow
def a_booking_is_cancelled_for_all_of_its_money(world: World) -> Act:
    booking, hers = booked_slot(world)
    world.given_back.update(world.started)
    return lambda there: there.http("POST", f"/api/booking/bookings/{booking.code}/cancel/", hers, {"reason": "ill"})


@flow
def a_booking_took_place(world: World) -> Act:
    booking, _ = booked_slot(world)
    world.now = booking.starts_at + timedelta(hours=1)
    return lambda there: counter.run(there, lambda: complete_command([booking.code], by="amina"))


@flow
def a_sweep_completes_what_took_place(world: World) -> Act:
    booking, _ = booked_slot(world)
    world.now = booking.starts_at + timedelta(hours=1)
    return lambda there: there.expire()


OF_THE_SHOP = "/api/operators/bookings/"


@flow
def the_bookings_of_a_day_are_looked_at(world: World) -> Act:
    booking, _ = booked_slot(world)

    def look(there: World) -> None:
        there.operate("GET", f"{OF_THE_SHOP}{booking.code}/")
        there.operate("GET", OF_THE_SHOP, query=f"day={booking.content.day}&status=confirmed")

    return look


@flow
def the_bookings_of_an_earlier_release_are_listed(world: World) -> Act:
    booked_slot(world)
    return lambda there: counter.run(there, index_command)


@flow
def the_shop_moves_a_booking(world: World) -> Act:
    booking, _ = booked_slot(world)
    world.rescheduled.add(booking.code)
    wanted = {"selected_date": "2026-07-21", "selected_time": "3:00 PM", "why": "the pandit is ill"}
    return lambda there: there.operate("POST", f"{OF_THE_SHOP}{booking.code}/move/", wanted)


@flow
def the_shop_cancels_a_booking_and_gives_all_of_it_back(world: World) -> Act:
    booking, _ = booked_slot(world)
    with_changes(world.table, ServiceType.PUJA, 1, ChangeRules(refunds=(RefundStep(hours_before=0, percent=50),)))
    world.given_back.update(world.started)
    wanted = {"refund": str(booking.amount), "in_full": True, "why": "the pandit is ill"}
    return lambda there: there.operate("POST", f"{OF_THE_SHOP}{booking.code}/cancel/", wanted)


@flow
def free_slots_are_looked_up(world: World) -> Act:
    booking, _ = booked_slot(world)
    query = f"date={booking.content.day}&service_type=PUJA"
    return lambda there: there.http("GET", "/api/services/1/slots/", query=query)


@flow
def free_days_are_looked_up(world: World) -> Act:
    booking, _ = booked_slot(world)
    query = f"month={booking.content.day:%Y-%m}"
    return lambda there: there.http("GET", "/api/services/1/days/", query=query)
