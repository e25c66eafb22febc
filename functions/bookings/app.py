"""Bookings (document A) and orders (document B) after their payment."""

from __future__ import annotations

from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.paging import page_size, paged, position
from payfirst.api.request import Request
from payfirst.api.resources import cursor_key, customer, public_origin, table
from payfirst.api.values import check_start, given
from payfirst.api.wire.bookings import BookingOut, CancelIn, OwnBookingOut, RescheduledOut, RescheduleIn
from payfirst.api.wire.tracking import CancelOrderIn, OrderListed, OrderOut, OwnOrderOut
from payfirst.domain.booking import Booking
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.money import Money
from payfirst.settings import settings
from payfirst.usecases.fulfilment import bookings, orders


def list_bookings(request: Request) -> Reply:
    """`GET /api/booking/bookings/`"""
    who, size = customer(request), page_size(request)
    found = bookings.list_bookings(who, table=table(request.deadline), size=size, position=position(request, cursor_key))
    results = [BookingOut.of(booking) for booking in found.bookings]
    return Reply(200, paged(request, cursor_key, public_origin(request), found.page, results))


def _booking(request: Request, booking_id: str) -> Booking:
    where = table(request.deadline)
    return bookings.find_booking(given(booking_id, bookings.NO_BOOKING), customer=customer(request), table=where)


def _asks_what_goes_back(request: Request) -> bool:
    asked = request.parameter("cancellation")
    if asked not in (None, "", "true"):
        raise InvalidInputError(FieldProblem("cancellation", "true is expected."))
    return bool(asked)


def get_booking(request: Request, booking_id: str) -> Reply:
    """`GET /api/booking/bookings/{booking_id}/`, with `?cancellation=true`"""
    asked, booking = _asks_what_goes_back(request), _booking(request, booking_id)
    if not asked:
        return Reply(200, OwnBookingOut.of(booking))
    gives = bookings.standing(booking, table=table(request.deadline), now=request.now).gives
    return Reply(200, OwnBookingOut.with_cancellation(booking, gives.by_rule if gives else None))


def reschedule(request: Request, booking_id: str) -> Reply:
    """`POST /api/booking/bookings/{booking_id}/reschedule/`"""
    wanted, booking = request.body(RescheduleIn), _booking(request, booking_id)
    check_start(wanted.selected_date, wanted.selected_time.at, request.now, booking.content.zone)
    moved = bookings.reschedule(
        booking,
        wanted.selected_date,
        wanted.selected_time,
        wanted.reason or None,
        table=table(request.deadline),
        now=request.now,
        days=settings().days,
    )
    return Reply(200, RescheduledOut.of(moved))


def cancel(request: Request, booking_id: str) -> Reply:
    """`POST /api/booking/bookings/{booking_id}/cancel/`"""
    wanted, booking = request.body(CancelIn), _booking(request, booking_id)
    said = None if wanted.refund is None else Money.of(wanted.refund, booking.amount.currency)
    ended = bookings.cancel(booking, wanted.reason or None, table=table(request.deadline), now=request.now, said=said)
    return Reply(200, BookingOut.of(ended))


def list_orders(request: Request) -> Reply:
    """`GET /api/orders/`"""
    who, size = customer(request), page_size(request)
    found = orders.list_orders(who, table=table(request.deadline), size=size, position=position(request, cursor_key))
    results = [OrderListed.of(order) for order in found.orders]
    return Reply(200, paged(request, cursor_key, public_origin(request), found.page, results))


def get_order(request: Request, order_id: str) -> Reply:
    """`GET /api/orders/{order_id}/`, with `?cancellation=true`"""
    asked, where = _asks_what_goes_back(request), table(request.deadline)
    found = orders.find_order(given(order_id, "Order not found"), customer=customer(request), table=where)
    refund = orders.refund_of(found, table=where)
    if not asked:
        return Reply(200, OwnOrderOut.of(found, refund))
    gives = orders.gives_back(found, table=where, allowed=settings().customers_cancel_orders)
    return Reply(200, OwnOrderOut.with_cancellation(found, refund, gives))


def cancel_order(request: Request, order_id: str) -> Reply:
    """`POST /api/orders/{order_id}/cancel/`"""
    wanted, who, where = request.body(CancelOrderIn), customer(request), table(request.deadline)
    which, allowed = given(order_id, "Order not found"), settings().customers_cancel_orders
    ended = orders.cancel_own_order(
        which, wanted.reason or None, customer=who, table=where, now=request.now, allowed=allowed, said=wanted.refund
    )
    return Reply(200, OrderOut.of(ended, orders.refund_of(ended, table=where)))


handler = build_app(
    "bookings",
    {
        "list_bookings": list_bookings,
        "get_booking": get_booking,
        "reschedule_booking": reschedule,
        "cancel_booking": cancel,
        "list_orders": list_orders,
        "get_order": get_order,
        "cancel_order": cancel_order,
    },
)
