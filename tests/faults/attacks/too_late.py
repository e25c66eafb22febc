"""What a clock makes wrong: days that no shop takes, hours that are over, and refunds that a customer would give themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from payfirst.domain.booking import Booking, ChangeRules, RefundStep, given_back
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.errors import RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import Customer
from payfirst.gateways.mpesa.terms import MPESA
from payfirst.gateways.phonepe.terms import PHONEPE
from payfirst.usecases.fulfilment.bookings import complete, list_bookings
from payfirst.usecases.operators import review
from tests.faults.attacks.registry import attack, declined, late, one_order
from tests.faults.book import Book
from tests.faults.flows import paid_order
from tests.faults.flows.slots import booked_slot, cart_for_a_slot
from tests.faults.front import AnsweredError
from tests.faults.goods import with_changes
from tests.faults.rest import settle_down
from tests.faults.world import World, at_work

IN_INDIA = ZoneInfo("Asia/Kolkata")
HALF = ChangeRules(refunds=(RefundStep(hours_before=48, percent=100), RefundStep(hours_before=0, percent=50)))


def _refused(status: int, code: str, world: World, path: str, who: Customer, body: Any = None) -> AnsweredError:
    with pytest.raises(AnsweredError) as met:
        world.http("POST", path, who, body)
    assert (met.value.status, met.value.code) == (status, code), str(met.value)
    return met.value


def _move(world: World, booking: Booking, who: Customer, day: str, at: str = "2:00 PM") -> None:
    world.rescheduled.add(booking.code)
    wanted = {"selected_date": day, "selected_time": at}
    world.http("POST", f"/api/booking/bookings/{booking.code}/reschedule/", who, wanted)


def _cancel(world: World, booking: Booking, who: Customer) -> int:
    """What the answer says that goes back, and what is owed, which is the same."""
    world.given_back.update(world.started)
    before = sum(_owed(world))
    _, cancelled = world.http("POST", f"/api/booking/bookings/{booking.code}/cancel/", who, {})
    told = Money.of(cancelled["refund"]["amount"], Currency.INR).minor if cancelled["refund"] else 0
    assert told == sum(_owed(world)) - before
    return told


def _owed(world: World) -> list[int]:
    (ref,) = world.started
    return [int(refund["amount"]) for refund in Book.of(world.items()).refunds.get(ref, [])]


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=IN_INDIA).astimezone(UTC)


@attack
def a_booking_is_moved_after_it_began_and_cancelled(world: World) -> None:
    booking, hers = booked_slot(world, day="2026-03-04")
    world.now = _at(4, 14, 1)
    _move(world, booking, hers, "2026-03-20")
    assert _cancel(world, booking, hers) == 0, "moved as the documents print it, it gives nothing back"


@attack
def a_booking_that_has_begun_stays_where_it_is(world: World) -> None:
    world.past_dates = False
    booking, hers = booked_slot(world, day="2026-03-04")
    wanted = {"selected_date": "2026-03-20", "selected_time": "2:00 PM"}
    path = f"/api/booking/bookings/{booking.code}/reschedule/"
    world.now = _at(4, 14)
    _refused(409, "RESCHEDULE_TOO_LATE", world, path, hers, wanted)
    assert _cancel(world, booking, hers) == 0, "all of it goes back until it begins, nothing from then on"


@attack
def a_better_step_is_not_to_be_had_by_moving(world: World) -> None:
    booking, hers = booked_slot(world, day="2026-03-04")
    with_changes(world.table, ServiceType.PUJA, 1, HALF)
    world.now = _at(3, 14)
    _move(world, booking, hers, "2026-04-20")
    _move(world, booking, hers, "2026-04-21")
    assert _cancel(world, booking, hers) == 25500


@attack
def a_step_that_got_worse_by_moving_counts(world: World) -> None:
    booking, hers = booked_slot(world, day="2026-04-20")
    with_changes(world.table, ServiceType.PUJA, 1, HALF)
    _move(world, booking, hers, "2026-03-03")
    assert _cancel(world, booking, hers) == 25500


@attack
def a_kindness_counts_against_what_the_rule_gives_back(world: World) -> None:
    for kindness, left in ((10000, 15500), (25500, 0), (30000, 0)):
        there = world.fork()
        _kindly_cancelled(there, kindness, left)


def _kindly_cancelled(world: World, kindness: int, left: int) -> None:
    with at_work(world):
        booking, hers = booked_slot(world, day="2026-03-12")
        with_changes(world.table, ServiceType.PUJA, 1, HALF)
        (ref,) = world.started
        world.given_back.add(ref)
        review.refund_payment(world.table, ref, Money(kindness, Currency.INR), world.now, by="anna", why="a kindness")
        world.now += timedelta(minutes=2)
        world.sweep()
        world.now = _at(11, 14)
        world.sweep()
        assert _cancel(world, booking, hers) == left
        settle_down(world)


@attack
def an_order_gives_back_only_what_is_left(world: World) -> None:
    ref = paid_order(world).attempt.ref
    world.deliver_all()
    one_order(world)
    (order,) = Book.of(world.items()).outcomes
    world.given_back.add(ref)
    review.refund_payment(world.table, ref, Money(10000, Currency.KES), world.now, by="anna", why="a kindness")
    world.sweep()
    world.deliver_all()
    path = f"/api/operators/orders/{order['order_number']}/move/"
    _, moved = world.operate("POST", path, {"status": "cancelled", "why": "sold out"})
    assert moved["refund"]["amount"] == "250.00"


@attack
def a_slot_that_has_begun_is_not_paid_for_once_more(world: World) -> None:
    cart, hers = cart_for_a_slot(world, day="2026-03-04")
    world.now = _at(4, 13, 50)
    declined(world, world.process(cart, hers))
    world.now = _at(4, 14)
    before = world.items()
    _refused(400, "SLOT_TOO_SOON", world, "/api/payments/process-cart/", hers, {"cart_id": cart.number})
    assert world.items() == before


@attack
def an_hour_that_is_over_is_not_paid_for_once_more(world: World) -> None:
    world.past_dates = False
    hers = world.customer()
    cart, never_tried = (world.booking_cart(hers, day="2026-03-04") for _ in range(2))
    world.now = _at(4, 13, 50)
    declined(world, world.process(cart, hers))
    world.now = _at(4, 14)
    for each in (cart, never_tried):
        _refused(400, "SLOT_TOO_SOON", world, "/api/payments/process-cart/", hers, {"cart_id": each.number})


@attack
def a_delivery_on_a_day_that_is_over_is_not_paid_for(world: World) -> None:
    world.past_dates = False
    hers = world.customer()
    world.fill_cart(hers)
    world.now = datetime(2026, 3, 4, 23, 50, tzinfo=ZoneInfo("Africa/Nairobi")).astimezone(UTC)
    place = {"county_id": 1, "subcounty_id": 5, "detailed_address": "123 Main Street"}
    delivery = {"full_name": "John Doe", "phone_number": world.phone(), **place, "estimated_delivery_date": "2026-03-04"}
    _, session = world.http("POST", "/api/payments/sessions/", hers, {"delivery_details": delivery})
    path = f"/api/payments/sessions/{session['session_id']}"
    world.http("POST", f"{path}/extend_session/", hers)
    world.now += timedelta(minutes=20)
    _refused(409, "SESSION_CLOSED", world, f"{path}/initiate_payment/", hers)


@attack
def a_cart_of_an_earlier_release_for_a_day_that_no_shop_takes(world: World) -> None:
    for day in ("9999-12-31", "0001-01-01", "1999-12-31", "2027-04-07"):
        hers = world.customer()
        cart = world.booking_cart(hers, day=day)
        refused = _refused(400, _code_for(day), world, "/api/payments/process-cart/", hers, {"cart_id": cart.number})
        assert "2027-04-06" in str(refused.body["details"]), "it names the last possible day"
        _, shown = world.http("GET", f"/api/cart/carts/{cart.number}/", hers)
        assert shown["available"] is False


def _code_for(day: str) -> str:
    return "SLOT_TOO_FAR" if day > "2026" else "SLOT_TOO_SOON"


@attack
def a_day_that_is_over_where_such_days_are_taken(world: World) -> None:
    hers = world.customer()
    started = world.process(world.booking_cart(hers, day="2026-02-01"), hers)
    world.ledger.pay(started.attempt.ref)
    world.deliver_all()
    assert len(Book.of(world.items()).outcomes) == 1


def _paid_late_for_an_hour(world: World) -> int:
    """How many bookings come of money for a service without slots that comes after its hour has begun."""
    hers = world.customer()
    started = world.process(world.booking_cart(hers, day="2026-03-02"), hers)
    ref = declined(world, started)
    world.now = _at(2, 14, 1)
    late(world, ref)
    return len(Book.of(world.items()).outcomes)


@attack
def late_money_for_an_hour_where_days_that_are_over_are_taken(world: World) -> None:
    assert _paid_late_for_an_hour(world) == 1


@attack
def late_money_for_an_hour_that_is_over(world: World) -> None:
    world.past_dates = False
    assert _paid_late_for_an_hour(world) == 0


@attack
def late_money_for_a_delivery_on_a_day_that_is_over(world: World) -> None:
    world.past_dates = False
    hers = world.customer()
    world.fill_cart(hers)
    place = {"county_id": 1, "subcounty_id": 5, "detailed_address": "123 Main Street"}
    delivery = {"full_name": "John Doe", "phone_number": world.phone(), **place, "estimated_delivery_date": "2026-03-04"}
    _, session = world.http("POST", "/api/payments/sessions/", hers, {"delivery_details": delivery})
    world.http("POST", f"/api/payments/sessions/{session['session_id']}/initiate_payment/", hers)
    [ref] = world.ledger.payments
    world.ledger.decline(ref)
    world.deliver_all()
    world.now = datetime(2026, 3, 5, 0, 1, tzinfo=ZoneInfo("Africa/Nairobi")).astimezone(UTC)
    late(world, ref)
    assert not Book.of(world.items()).outcomes


@attack
def a_booking_that_may_not_move(world: World) -> None:
    booking, hers = booked_slot(world, day="2026-03-12")
    path = f"/api/booking/bookings/{booking.code}/reschedule/"
    wanted = {"selected_date": "2026-03-20", "selected_time": "2:00 PM"}
    with_changes(world.table, ServiceType.PUJA, 1, ChangeRules(most_reschedules=0))
    _refused(409, "RESCHEDULE_LIMIT", world, path, hers, wanted)
    with_changes(world.table, ServiceType.PUJA, 1, ChangeRules(reschedule_hours=24))
    world.now = _at(11, 14, 1)
    _refused(409, "RESCHEDULE_TOO_LATE", world, path, hers, wanted)
    world.now = _at(11, 14)
    _move(world, booking, hers, "2026-03-19")
    with pytest.raises(RefusedError) as met:
        complete(_again(world, hers), table=world.table, now=world.now, by="amina")
    assert met.value.stable_code == "BOOKING_NOT_OVER"
    _cancel(world, booking, hers)
    _refused(409, "BOOKING_NOT_CONFIRMED", world, path, hers, wanted)
    world.now = _at(19, 15)
    with pytest.raises(RefusedError) as met:
        complete(_again(world, hers), table=world.table, now=world.now, by="amina")
    assert met.value.stable_code == "BOOKING_NOT_CONFIRMED"


def _again(world: World, who: Customer) -> Booking:
    return list_bookings(who, table=world.table, size=1, position=None).bookings[0]


@attack
def half_a_shilling(world: World) -> None:
    booking, _ = booked_slot(world, day="2026-03-12")
    world.now = _at(11, 14)
    in_shillings = replace(booking, amount=Money(35100, Currency.KES))
    assert given_back(in_shillings, HALF, world.now, MPESA.step) == Money(17600, Currency.KES), (
        "M-Pesa gives back whole shillings"
    )
    assert given_back(booking, HALF, world.now, PHONEPE.step) == Money(25500, Currency.INR)
