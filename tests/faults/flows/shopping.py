"""Carts, catalogue and lists: nothing here takes money, and everything here may fail."""

from __future__ import annotations

from payfirst.domain.catalogue import Package, Service, ServiceType
from payfirst.domain.money import Currency, Money
from payfirst.storage import catalogue as shelf
from payfirst.usecases.fulfilment import bookings
from tests.faults.flows.base import Act, flow, paid_booking, paid_order
from tests.faults.world import TOMATOES, World


def _offer_a_puja(world: World) -> None:
    price = Money(51000, Currency.INR)
    package = Package(1, "Standard", price)
    shelf.add(world.table, Service(ServiceType.PUJA, 1, "Ganesh Puja", "…", "Asia/Kolkata", Currency.INR, (package,)))
    world.promo("SAVE", 5)


@flow
def a_cart_is_made(world: World) -> Act:
    customer = world.customer()
    _offer_a_puja(world)
    wanted = {"service_type": "PUJA", "puja_service": 1, "package_id": 1}
    wanted |= {"selected_date": "2026-07-20", "selected_time": "12:00"}
    return lambda there: there.http("POST", "/api/cart/carts/", customer, wanted)


@flow
def a_cart_is_changed_and_deleted(world: World) -> Act:
    customer = world.customer()
    _offer_a_puja(world)
    cart = f"/api/cart/carts/{world.booking_cart(customer).number}/"

    def change(there: World) -> None:
        there.http("GET", cart, customer)
        there.http("POST", f"{cart}apply_promo/", customer, {"promo_code": "SAVE"})
        there.http("POST", f"{cart}remove_promo/", customer)
        there.http("GET", "/api/cart/carts/", customer, query="page_size=5")
        there.http("GET", "/api/cart/carts/active/", customer)
        there.http("DELETE", cart, customer)

    return change


@flow
def produce_is_put_into_a_cart(world: World) -> Act:
    customer = world.customer()
    world.promo("FRESH", 5, Currency.KES)

    def fill(there: World) -> None:
        there.http("POST", "/api/carts/add_item/", customer, {"listing_id": TOMATOES, "quantity": 2})
        there.http("POST", "/api/carts/update_quantity/", customer, {"cart_item_id": 1, "quantity": 3})
        there.http("POST", "/api/carts/apply_promo/", customer, {"promo_code": "FRESH"})
        there.http("POST", "/api/carts/remove_promo/", customer)
        there.http("POST", "/api/carts/remove_item/", customer, {"cart_item_id": 1})
        there.http("GET", "/api/carts/my_cart/", customer)

    return fill


@flow
def the_catalogue_is_read(world: World) -> Act:
    _offer_a_puja(world)

    def read(there: World) -> None:
        for path in ("/api/listings/", f"/api/listings/{TOMATOES}/", "/api/services/", "/api/services/1/"):
            there.http("GET", path)
        there.http("GET", "/api/services/", query="search=puja")

    return read


@flow
def lists_are_read(world: World) -> Act:
    order, booking = paid_order(world), paid_booking(world)
    world.deliver_all()
    mine, hers = order.session.customer, booking.session.customer

    def read(there: World) -> None:
        there.http("GET", "/api/payments/sessions/", mine, query="page_size=5")
        there.http("GET", "/api/payments/sessions/", mine, query="session_status=order_created")
        there.http("GET", f"/api/payments/sessions/{order.session.uuid}/events/", mine)
        _, orders = there.http("GET", "/api/orders/", mine, query="page_size=5")
        there.http("GET", f"/api/orders/{orders['results'][0]['order_number']}/", mine)
        _, found = there.http("GET", "/api/booking/bookings/", hers, query="page_size=5")
        there.http("GET", f"/api/booking/bookings/{found['results'][0]['book_id']}/", hers)
        there.http("GET", f"/api/payments/{booking.attempt.transaction}/check-booking/", hers)

    return read


@flow
def a_booking_is_rescheduled(world: World) -> Act:
    started = paid_booking(world)
    world.deliver_all()
    hers = started.session.customer
    booking = bookings.list_bookings(hers, table=world.table, size=1, position=None).bookings[0]
    world.rescheduled.add(booking.code)
    wanted = {"selected_date": "2026-07-21", "selected_time": "12:00", "reason": "rain"}
    return lambda there: there.http("POST", f"/api/booking/bookings/{booking.code}/reschedule/", hers, wanted)
