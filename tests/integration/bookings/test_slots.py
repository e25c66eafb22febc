"""A slot takes as many bookings as its service's calendar says, whoever races for it, and loses no place."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from threading import Event, Thread
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from payfirst.domain.booking import Booking
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.errors import PayFirstError, PriceChangedError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.session import Customer
from payfirst.domain.times import GivenTime
from payfirst.gateways.base import Captured
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import query
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.fulfilment.bookings import cancel, find_booking, reschedule
from payfirst.usecases.settlement.evidence import Settled
from payfirst.usecases.settlement.settle import settle
from tests.integration.payments.shop import Shop, new_customer

DAY: Final = date(2026, 7, 20)
OTHER: Final = date(2026, 7, 21)
AT: Final = time(10, 30)
EVERY_DAY: Final = dict.fromkeys(range(7), (Opening(time(9), time(12)),))


def by_calendar(capacity: int, *, hold: bool = False) -> Calendar:
    return Calendar(EVERY_DAY, slot_minutes=45, capacity=capacity, hold=hold)


def pay(shop: Shop, customer: Customer, day: date = DAY) -> Started:
    started = shop.process(shop.booking_cart(customer, day=day), customer)
    shop.decide(started)
    shop.tell_phonepe(started)
    return started


def booked(shop: Shop, started: Started) -> Booking:
    outcome = shop.read(started.session).outcome
    assert outcome is not None
    return find_booking(GivenId(outcome.number), customer=started.session.customer, table=shop.table)


def given(at: time = AT) -> GivenTime:
    return GivenTime(at, at.isoformat("minutes"))


def test_a_booking_takes_a_place_and_the_next_customer_is_refused_before_paying(shop: Shop) -> None:
    shop.calendar = by_calendar(1)
    booked(shop, pay(shop, new_customer()))
    assert shop.slot() == (1, 0)
    late = new_customer()
    cart = shop.booking_cart(late)
    with pytest.raises(RefusedError) as refused:
        shop.process(cart, late)
    assert refused.value.stable_code == "SLOT_FULL"


def test_who_pays_for_a_slot_that_was_taken_meanwhile_gets_the_money_back(shop: Shop) -> None:
    shop.calendar = by_calendar(1)
    slow_customer, fast_customer = new_customer(), new_customer()
    slow, fast = (shop.process(shop.booking_cart(each), each) for each in (slow_customer, fast_customer))
    for started in (fast, slow):
        shop.decide(started)
        shop.tell_phonepe(started)
    assert shop.read(fast.session).status is SessionStatus.ORDER_CREATED
    session = shop.read(slow.session)
    assert session.failure is not None
    assert (session.status, session.failure.code) == (SessionStatus.FAILED, "slot_taken")
    assert shop.attempt(slow).status is AttemptStatus.REFUND_DUE
    assert shop.slot() == (1, 0)


@pytest.mark.parametrize("begun", [False, True])
def test_money_that_comes_late_books_a_slot_only_before_it_begins(shop: Shop, *, begun: bool) -> None:
    shop.calendar = by_calendar(1)
    customer = new_customer()
    started = shop.process(shop.booking_cart(customer), customer)
    shop.decide(started, "fail")
    shop.tell_phonepe(started, state="FAILED")
    begins = datetime.combine(DAY, AT, ZoneInfo("Asia/Kolkata"))
    shop.now = (begins if begun else begins - timedelta(minutes=1)).astimezone(UTC)

    settled = settle(shop.notice_context(), shop.attempt(started), Captured(started.attempt.amount, "OMO1"))

    assert settled is (Settled.REFUND_DUE if begun else Settled.FULFILLED)
    assert shop.slot() == ((0, 0) if begun else (1, 0))


def test_a_payment_under_way_holds_the_slot_until_it_ends(shop: Shop) -> None:
    shop.calendar = by_calendar(1, hold=True)
    first, second = new_customer(), new_customer()
    carts = shop.booking_cart(first), shop.booking_cart(second)
    started = shop.process(carts[0], first)
    assert shop.slot() == (1, 1)
    with pytest.raises(RefusedError) as refused:
        shop.process(carts[1], second)
    assert refused.value.stable_code == "SLOT_FULL"

    shop.decide(started, "fail")
    shop.tell_phonepe(started, state="FAILED")
    assert shop.slot() == (0, 0)
    again = shop.process(carts[1], second)
    shop.decide(again)
    shop.tell_phonepe(again)
    assert shop.slot() == (1, 0)
    assert booked(shop, again).content.slot is not None


def test_a_price_that_changed_since_is_reported_and_nothing_is_charged(shop: Shop) -> None:
    customer = new_customer()
    cart = shop.booking_cart(customer)
    shop.offer(price=61000)
    with pytest.raises(PriceChangedError) as refused:
        shop.process(cart, customer)
    assert refused.value.details == {"price_at_addition": "510.00", "current_price": "610.00"}
    assert shop.of_kind(customer, keys.SESSION) == []


def test_a_slot_outside_the_rules_is_never_paid_for(shop: Shop) -> None:
    shop.calendar = by_calendar(1)
    customer = new_customer()
    cart = shop.booking_cart(customer, at=time(8))
    with pytest.raises(RefusedError) as refused:
        shop.process(cart, customer)
    assert refused.value.stable_code == "SLOT_NOT_OFFERED"


def test_a_reschedule_swaps_both_slots_and_a_full_one_leaves_the_old(shop: Shop) -> None:
    shop.calendar = by_calendar(1)
    mine, others = booked(shop, pay(shop, new_customer())), booked(shop, pay(shop, new_customer(), OTHER))
    with pytest.raises(RefusedError) as refused:
        reschedule(mine, OTHER, given(), None, table=shop.table, now=shop.now)
    assert refused.value.stable_code == "SLOT_FULL"
    with pytest.raises(RefusedError) as refused:
        reschedule(mine, OTHER, given(time(8)), None, table=shop.table, now=shop.now)
    assert refused.value.stable_code == "SLOT_NOT_OFFERED"
    assert (shop.slot(DAY), shop.slot(OTHER)) == ((1, 0), (1, 0))

    moved = reschedule(others, OTHER, given(time(9, 45)), None, table=shop.table, now=shop.now)
    assert (shop.slot(OTHER), shop.slot(OTHER, time(9, 45))) == ((0, 0), (1, 0))
    assert reschedule(moved, OTHER, given(time(9, 45)), None, table=shop.table, now=shop.now) == moved


def test_a_booking_that_was_made_before_there_was_a_calendar_moves_into_it(shop: Shop) -> None:
    booking = booked(shop, pay(shop, new_customer()))
    shop.calendar = by_calendar(1)
    shop.offer()
    moved = reschedule(booking, OTHER, given(), None, table=shop.table, now=shop.now)
    assert (shop.slot(DAY), shop.slot(OTHER)) == ((0, 0), (1, 0))
    shop.calendar = None
    shop.offer()
    reschedule(moved, DAY, given(time(23)), None, table=shop.table, now=shop.now)
    assert shop.slot(OTHER) == (0, 0)


CUSTOMERS: Final = 100
CAPACITY: Final = 3


def _live(shop: Shop) -> Counter[tuple[str, str]]:
    items = [item for item in shop.items() if item["pk"].startswith("U#") and item["sk"].startswith("B#") and "content" in item]
    live = [item["content"] for item in items if item["status"] == "CONFIRMED"]
    return Counter((content["day"], content["at"]) for content in live)


def _slots(shop: Shop) -> list[Item]:
    return list(query(shop.table, shop_keys.slot("PUJA", 1, DAY, AT)["pk"], first="0", last="9", limit=100).items)


def _refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except RefusedError as error:
        if error.stable_code not in ("SLOT_FULL", "BOOKING_NOT_CONFIRMED"):
            raise
        return True
    return False


@pytest.mark.parametrize("hold", [False, True])
def test_a_hundred_customers_race_for_three_places_with_reschedules_and_cancellations_among_them(
    shop: Shop, *, hold: bool
) -> None:
    shop.calendar = by_calendar(CAPACITY, hold=hold)
    carts = [(customer, shop.booking_cart(customer)) for customer in (new_customer() for _ in range(CUSTOMERS))]
    draw = random.Random(7)  # noqa: S311 - a race wants no secret
    plans = [(draw.choice(("stay", "move", "cancel")), draw.choice((time(9), time(9, 45), AT, time(11, 15)))) for _ in carts]
    over = Event()
    seen: list[int] = []

    def watch() -> None:
        while not over.is_set():
            # A slot's item is read in one request, and its count can only be what some order of the writes made it.
            seen.extend(int(slot["used"]) for slot in _slots(shop))

    # Where nothing is held, all of them reach PhonePe's page before the first one pays.
    open_payments = {} if hold else {number: shop.process(cart, customer) for number, (customer, cart) in enumerate(carts)}

    def take_part(number: int) -> Started | None:
        customer, cart = carts[number]
        found = [open_payments[number]] if number in open_payments else []
        if not found and _refused(lambda: found.append(shop.process(cart, customer))):
            return None
        [started] = found
        shop.decide(started)
        shop.tell_phonepe(started)
        if shop.read(started.session).outcome is None:
            return started
        what, at = plans[number]
        if what == "move":
            _refused(lambda: reschedule(booked(shop, started), DAY, given(at), None, table=shop.table, now=shop.now))
        elif what == "cancel":
            _refused(lambda: cancel(booked(shop, started), None, table=shop.table, now=shop.now))
        return started

    watcher = Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(10) as pool:
            started = [each for each in pool.map(take_part, range(CUSTOMERS)) if each]
    finally:
        over.set()
        watcher.join()

    assert max(seen) == CAPACITY
    live = _live(shop)
    assert max(live.values()) <= CAPACITY
    for slot in _slots(shop):
        day, _, at = slot["sk"].partition("T")
        assert (int(slot["used"]), int(slot["held"])) == (live[day, at], 0)
    assert len(started) == CUSTOMERS or hold
    for each in started:
        session = shop.read(each.session)
        assert (session.outcome is None) is (session.status is SessionStatus.FAILED)
        assert len(shop.refunds(each)) <= 1
        if session.outcome is None:
            assert len(shop.refunds(each)) == 1

    # No place is lost: what is free can be booked, and not one more.
    for _ in range(CAPACITY - live[DAY.isoformat(), AT.isoformat()]):
        booked(shop, pay(shop, new_customer()))
    customer = new_customer()
    with pytest.raises(PayFirstError):
        shop.process(shop.booking_cart(customer), customer)


def test_lead_time_counts_when_the_payment_begins(shop: Shop) -> None:
    shop.calendar = by_calendar(1)
    customer = new_customer()
    shop.now = shop.now.replace(year=2026, month=7, day=20, hour=5, minute=1)
    cart = shop.booking_cart(customer)
    with pytest.raises(RefusedError) as refused:
        shop.process(cart, customer)
    assert refused.value.stable_code == "SLOT_TOO_SOON"
    shop.now -= timedelta(minutes=2)
    shop.process(cart, customer)
