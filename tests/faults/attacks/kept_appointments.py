"""Writes about bookings and orders after their payment, each against everything that may have come before it."""

from __future__ import annotations

from datetime import date, time, timedelta

from payfirst.domain.booking import Booking
from payfirst.domain.clock import instant
from payfirst.domain.moves import OrderStatus
from payfirst.domain.times import GivenTime
from payfirst.storage import bookings as stored
from payfirst.storage import orders, slots
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.usecases.fulfilment import bookings
from payfirst.usecases.fulfilment.orders import cancel_order, move_order, undo_step
from tests.faults.attacks.meanwhile import Happening, Kept, has, kept_back, nothing_comes_of, stopped, to_session
from tests.faults.attacks.money import held_booking
from tests.faults.attacks.registry import attack
from tests.faults.book import Book
from tests.faults.flows import paid_order
from tests.faults.world import TOMATOES, World

THREE: GivenTime = GivenTime(time(15), "3:00 PM")


def _booked(world: World) -> Booking:
    started = held_booking(world)
    world.ledger.pay(started.attempt.ref)
    world.deliver_all()
    return bookings.list_bookings(started.session.customer, table=world.table, size=1, position=None).bookings[0]


def _as_seen(write: Kept, booking: Booking) -> dict[str, Happening]:
    place = keys.owned(booking.owner, keys.BOOKING, booking.number)
    return {
        **to_session(write.given[0]),
        "it is cancelled": has(place, status="CANCELLED"),
        "it was moved": has(place, version=booking.version + 1),
    }


@attack
def what_comes_before_a_reschedule(world: World) -> None:
    booking = _booked(world)
    assert booking.content.slot is not None

    def move(there: World) -> None:
        bookings.reschedule(booking, date(2026, 7, 21), THREE, "rain", table=there.table, now=there.now)

    moved = kept_back(world, stored, "store_reschedule", move)
    stopped(
        moved,
        {
            **_as_seen(moved, booking),
            "its new slot is full": has(slots.key(moved.given[2].content.slot), used=1, held=0),
            "its old slot is not used": has(slots.key(booking.content.slot), used=0, held=0),
        },
    )
    most = moved.given[3]
    place = keys.owned(booking.owner, keys.BOOKING, booking.number)
    often = moved.instead(1, version=most).instead(2, version=most + 1).after(has(place, version=most))
    stopped(often, {})
    too_often = moved.instead(1, version=most + 1).instead(2, version=most + 2).after(has(place, version=most + 1))
    nothing_comes_of(too_often)


@attack
def what_comes_before_a_cancellation(world: World) -> None:
    booking = _booked(world)
    world.given_back.update(world.started)
    (ref,) = world.started
    assert booking.content.slot is not None
    cancelled = kept_back(
        world, stored, "store_cancelled", lambda there: bookings.cancel(booking, "ill", table=there.table, now=there.now)
    )
    paid = cancelled.given[3].refund.amount
    key = keys.attempt(ref)
    stopped(
        cancelled,
        {
            **_as_seen(cancelled, booking),
            **to_session(cancelled.given[0], entries=2),
            "its slot is not used": has(slots.key(booking.content.slot), used=0, held=0),
            "its money goes back already": has(key, refundable=paid.minor - 1),
            "its payment has no money": has(key, status="failed"),
            "its payment is being settled": has(key, next_check_at=instant(world.now)),
            "there is such a refund": has(keys.refund(ref, 1)),
        },
    )


@attack
def what_comes_before_a_booking_is_completed(world: World) -> None:
    booking = _booked(world)
    over = booking.starts_at + timedelta(hours=1)
    completed = kept_back(
        world,
        stored,
        "store_completed",
        lambda there: bookings.complete(booking, table=there.table, now=over, by="operator:amina"),
    )
    stopped(completed, _as_seen(completed, booking))


def _ordered(world: World) -> str:
    paid_order(world)
    world.deliver_all()
    (order,) = Book.of(world.items()).outcomes
    return str(order["order_number"])


def _order_as_seen(write: Kept) -> dict[str, Happening]:
    session, order = write.given[0], write.given[1]
    place = keys.owned(order.owner, keys.ORDER, order.number)
    return {**to_session(session), "it has moved on": has(place, status="out_for_delivery")}


@attack
def what_comes_before_a_step_of_an_order(world: World) -> None:
    code = _ordered(world)
    step = kept_back(
        world, orders, "move", lambda there: move_order(there.table, code, OrderStatus.PACKED, there.now, by="amina")
    )
    stopped(step, _order_as_seen(step))


@attack
def what_comes_before_a_step_is_taken_back(world: World) -> None:
    code = _ordered(world)
    move_order(world.table, code, OrderStatus.PACKED, world.now, by="amina")
    back = kept_back(
        world, orders, "undo", lambda there: undo_step(there.table, code, OrderStatus.PACKED, there.now, by="amina")
    )
    order = back.given[1]
    place = keys.owned(order.owner, keys.ORDER, order.number)
    stopped(
        back,
        {
            **_order_as_seen(back),
            "it is cancelled": has(place, status="cancelled"),
            "its money is on its way back": has(place, payment_status="refund_due"),
            "its money went back": has(place, payment_status="refunded"),
        },
    )


@attack
def what_comes_before_an_order_is_cancelled(world: World) -> None:
    code = _ordered(world)
    (ref,) = world.started
    cancel = kept_back(
        world, orders, "cancel", lambda there: cancel_order(there.table, code, there.now, by="amina", why="closed")
    )
    key, paid = keys.attempt(ref), cancel.given[2].amount
    stopped(
        cancel,
        {
            **_order_as_seen(cancel),
            **to_session(cancel.given[0], entries=2),
            "its stock was never sold": has(shop_keys.listing(TOMATOES), sold=1),
            "its money goes back already": has(key, refundable=paid.minor - 1),
            "its payment has no money": has(key, status="failed"),
            "its payment is being settled": has(key, next_check_at=instant(world.now)),
            "there is such a refund": has(keys.refund(ref, 1)),
        },
    )
