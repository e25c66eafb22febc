"""One flow for each way through each use case: what was there before, and the one call that is made to meet faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final

from payfirst.domain.booking import Booking
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.cart import CartStatus
from payfirst.domain.catalogue import Package, Service, ServiceType
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import SessionStatus
from payfirst.domain.times import GivenTime
from payfirst.gateways.base import Captured, Declined
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import catalogue as shelf
from payfirst.storage import keys
from payfirst.storage.expressions import Put
from payfirst.storage.table import write
from payfirst.usecases import booking_carts, bookings, catalogue, find, list_sessions, operate, orders, produce_cart
from payfirst.usecases.read_outcome import read_booking
from payfirst.usecases.settlement import Settling
from payfirst.usecases.start_attempt import Started
from payfirst.usecases.take_notice import take_untrusted_stk_notice
from tests.faults.seam import Fault, Killed
from tests.faults.world import NO_ANSWER_AFTER, TOMATOES, World

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
        return self.name in ("a payment is refused by its gateway", "a second tab finds the open attempt")


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


def _notice(world: World) -> Act:
    notice = world.ledger.notices.pop(0)
    return lambda there: there.deliver(notice)


# Sessions


@flow
def a_session_is_made(world: World) -> Act:
    customer = world.customer()
    world.fill_cart(customer)
    return lambda there: there.session(customer, fill=False)


@flow
def a_session_is_extended(world: World) -> Act:
    session = world.session(world.customer())
    return lambda there: there.extend(session)


@flow
def overdue_sessions_expire(world: World) -> Act:
    for _ in range(2):
        world.session(world.customer())
    world.now += timedelta(hours=1)
    return lambda there: there.expire()


@flow
def events_are_delivered(world: World) -> Act:
    world.session(world.customer())
    return lambda there: there.deliver_events()


# Attempts


@flow
def a_payment_is_initiated(world: World) -> Act:
    session = world.session(world.customer())
    return lambda there: there.initiate(session)


@flow
def a_payment_is_initiated_with_a_fresh_token(world: World) -> Act:
    world.fetch_tokens = True
    session = world.session(world.customer())
    return lambda there: there.initiate(session)


@flow
def a_payment_is_initiated_again(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    return lambda there: there.initiate(there.read(started.session))


@flow
def a_payment_is_refused_by_its_gateway(world: World) -> Act:
    session = world.session(world.customer())
    world.ledger.reject_pushes = 1
    return lambda there: there.initiate(session)


@flow
def a_cart_is_paid_for(world: World) -> Act:
    customer = world.customer()
    world.promo("SAVE", 5)
    cart = world.booking_cart(customer, promo="SAVE")
    return lambda there: there.process(cart, customer)


@flow
def a_cart_is_paid_for_again(world: World) -> Act:
    customer = world.customer()
    cart = world.booking_cart(customer)
    first = world.process(cart, customer)
    world.ledger.decline(first.attempt.ref)
    world.deliver_all()
    return lambda there: there.process(cart, customer)


@flow
def an_open_attempt_is_found_again(world: World) -> Act:
    customer = world.customer()
    cart = world.booking_cart(customer)
    world.process(cart, customer)
    return lambda there: there.process(cart, customer)


@flow
def a_second_tab_finds_the_open_attempt(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    return lambda there: there.initiate(there.read(started.session))


# Notices


@flow
def mpesa_tells_of_a_success(world: World) -> Act:
    paid_order(world)
    return _notice(world)


@flow
def mpesa_tells_of_a_success_that_its_query_confirms(world: World) -> Act:
    paid_order(world)
    world.confirm = ConfirmWithQuery.STRICT
    return _notice(world)


@flow
def mpesa_tells_of_a_failure(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    world.ledger.decline(started.attempt.ref)
    return _notice(world)


@flow
def mpesa_tells_on_the_guessable_address(world: World) -> Act:
    paid_order(world)
    raw = world.ledger.notices.pop(0).raw
    return lambda there: take_untrusted_stk_notice(there.desk(), raw)


@flow
def phonepe_tells_of_a_success(world: World) -> Act:
    world.promo("SAVE", 5)
    paid_booking(world, promo="SAVE")
    return _notice(world)


@flow
def phonepe_tells_of_a_failure(world: World) -> Act:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.decline(started.attempt.ref)
    return _notice(world)


@flow
def money_comes_for_what_is_sold_out(world: World) -> Act:
    world.stock("3")
    first, second = paid_order(world), paid_order(world)
    world.deliver(world.ledger.notices.pop(0))
    del first, second
    return _notice(world)


@flow
def money_comes_late(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.insisted = [world.ledger.notices[0]]
    return _notice(world)


@flow
def money_comes_twice(world: World) -> Act:
    first = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[first.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    second = world.initiate(world.read(first.session))
    world.ledger.pay(second.attempt.ref)
    world.deliver_all()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.insisted = [world.ledger.notices[0]]
    return _notice(world)


@flow
def another_amount_is_paid(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=100)
    world.disputed.add(started.attempt.ref)
    return _notice(world)


@flow
def mpesa_tells_of_a_failure_that_it_may_take_back(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref, "77777")
    payment.state = "open"
    return _notice(world)


# Sweeps and the queue


@flow
def a_sweep_settles_what_no_notice_told(world: World) -> Act:
    paid_order(world)
    paid_booking(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


@flow
def a_sweep_gives_up_an_attempt_that_never_reached_us(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    payment, ref = world.ledger.payments[started.attempt.ref], started.attempt.ref
    item = dict(world.client.items[f"ATT#{ref}", "ATT"])
    for name in ("gateway_id", "merchant_request_id"):
        del item[name]
    world.client.items[f"ATT#{ref}", "ATT"] = item | {"status": {"S": "unknown"}}
    del payment
    world.now += timedelta(minutes=4)
    return lambda there: there.reconcile()


@flow
def the_queue_settles_an_attempt(world: World) -> Act:
    paid_order(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return lambda there: there.work_queue()


@flow
def a_sweep_settles_a_stored_notice(world: World) -> Act:
    started = paid_order(world)
    world.seam.active = True
    world.seam.plan = lambda boundary: Fault.KILLED_AFTER if boundary.operation == "PutItem" else None
    try:
        world.deliver_all()
    except Killed:
        world.seam.active, world.seam.plan = False, lambda _: None
        world.seam.made.clear()
    del started
    world.now += timedelta(minutes=1)
    return lambda there: there.reconcile()


# Refunds


def _surplus(world: World) -> Started:
    """A payment whose refund is due: another amount was paid."""
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    return started


def _surplus_booking(world: World) -> Started:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    return started


@flow
def mpesa_sends_money_back(world: World) -> Act:
    _surplus(world)
    world.now += timedelta(minutes=1)
    return lambda there: there.reconcile()


@flow
def mpesa_is_asked_about_a_refund(world: World) -> Act:
    _surplus(world)
    world.reconcile()
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


@flow
def mpesa_tells_what_became_of_a_refund(world: World) -> Act:
    _surplus(world)
    world.reconcile()
    return _notice(world)


@flow
def phonepe_sends_money_back(world: World) -> Act:
    _surplus_booking(world)
    world.now += timedelta(minutes=1)
    return lambda there: there.reconcile()


@flow
def phonepe_is_asked_about_a_refund(world: World) -> Act:
    _surplus_booking(world)
    world.reconcile()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


@flow
def phonepe_refuses_a_refund(world: World) -> Act:
    world.ledger.refuse_refunds = 1
    _surplus_booking(world)
    world.reconcile()
    world.now += timedelta(minutes=2)
    return lambda there: there.reconcile()


# Operators


def _reviewed(world: World) -> Started:
    """A payment that M-Pesa contradicts itself about, so that a person has to decide."""
    started = paid_order(world)
    payment = world.ledger.payments[started.attempt.ref]
    world.confirm = ConfirmWithQuery.STRICT
    payment.state = "declined"
    world.deliver_all()
    payment.state = "paid"
    world.disputed.add(payment.ref)
    return started


@flow
def a_person_finds_that_money_came(world: World) -> Act:
    started = _reviewed(world)
    decision = Captured(started.attempt.amount, None)
    ref = started.attempt.ref
    return lambda there: operate.resolve_attempt(_settling(there), ref, decision, by="anna", why="the statement has it")


@flow
def a_person_finds_that_no_money_came(world: World) -> Act:
    started = _reviewed(world)
    ref = started.attempt.ref
    world.ledger.payments[ref].state = "declined"
    decision = Declined("cancelled", "Nothing was paid.", retryable=True)
    return lambda there: operate.resolve_attempt(_settling(there), ref, decision, by="anna", why="not on the statement")


@flow
def a_person_gives_money_back(world: World) -> Act:
    started = paid_booking(world)
    world.deliver_all()
    ref = started.attempt.ref
    world.given_back.add(ref)
    amount = Money(100, Currency.INR)
    return lambda there: operate.refund_payment(there.table, ref, amount, there.now, by="anna", why="a gesture")


@flow
def a_person_records_a_refund_by_hand(world: World) -> Act:
    started = _surplus(world)
    world.now += timedelta(minutes=1)
    world.ledger.refuse_reversals = True
    world.reconcile()
    ref = started.attempt.ref
    world.by_hand.add(ref)
    return lambda there: operate.resolve_refund(there.table, ref, 1, there.now, by="anna", why="paid back in the portal")


@flow
def a_person_takes_an_attempt_up_again(world: World) -> Act:
    started = paid_order(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=1)
    ref = started.attempt.ref
    return lambda there: operate.replay(there.desk(), ref, no_answer_after=NO_ANSWER_AFTER)


@flow
def an_operator_looks_at_what_is_stuck(world: World) -> Act:
    started = _reviewed(world)
    return lambda there: (list(operate.stuck(there.table, there.now)), operate.case(there.table, started.attempt.ref))


def _settling(world: World) -> Settling:
    return replace(world.desk().settling)


# Carts, catalogue, lists: nothing here takes money, and everything here may fail

_NOON: Final = GivenTime(time(12, 0), "12:00")


def _service(world: World) -> Service:
    price = Money(51000, Currency.INR)
    package = Package(1, "Standard", price)
    service = Service(ServiceType.PUJA, 1, "Ganesh Puja", "…", "Asia/Kolkata", Currency.INR, (package,))
    shelf.add(world.table, service)
    world.promo("SAVE", 5)
    return service


_WANTED: Final = booking_carts.WantedCart(ServiceType.PUJA, 1, 1, date(2026, 7, 20), _NOON, None, None, "service", "package")


@flow
def a_cart_is_made(world: World) -> Act:
    customer = world.customer()
    _service(world)

    def make(there: World) -> object:
        service = booking_carts.find_service(_WANTED, table=there.table)
        return booking_carts.create_cart(
            _WANTED, service, customer=customer, table=there.table, now=there.now, entropy=there.entropy
        )

    return make


@flow
def a_cart_is_changed_and_deleted(world: World) -> Act:
    customer = world.customer()
    _service(world)
    given = GivenId(world.booking_cart(customer).number)

    def change(there: World) -> None:
        table, now, entropy = there.table, there.now, there.entropy
        booking_carts.find_cart(given, customer=customer, table=table)
        booking_carts.apply_promo(given, "SAVE", customer=customer, table=table, now=now, entropy=entropy)
        booking_carts.remove_promo(given, customer=customer, table=table, entropy=entropy)
        booking_carts.list_carts(customer, table=table, size=5, position=None)
        booking_carts.carts_with(CartStatus.ACTIVE, customer, table=table)
        booking_carts.delete_cart(given, customer=customer, table=table)

    return change


@flow
def produce_is_put_into_a_cart(world: World) -> Act:
    customer = world.customer()

    def fill(there: World) -> None:
        table, now, entropy = there.table, there.now, there.entropy
        produce_cart.add_item(TOMATOES, Decimal(2), customer=customer, table=table, now=now, entropy=entropy)
        produce_cart.update_quantity(1, Decimal(3), customer=customer, table=table, now=now, entropy=entropy)
        produce_cart.remove_item(1, customer=customer, table=table, now=now, entropy=entropy)
        produce_cart.read_cart(customer=customer, table=table)

    return fill


@flow
def the_catalogue_is_read(world: World) -> Act:
    _service(world)

    def read(there: World) -> None:
        catalogue.list_listings(table=there.table)
        catalogue.find_listing(TOMATOES, table=there.table)
        catalogue.list_services(None, table=there.table)
        catalogue.find_service(1, ServiceType.PUJA, table=there.table)

    return read


@flow
def lists_are_read(world: World) -> Act:
    order, booking = paid_order(world), paid_booking(world)
    world.deliver_all()
    mine, hers = order.session.customer, booking.session.customer

    def read(there: World) -> None:
        table = there.table
        list_sessions.list_sessions(mine, table=table, size=5, position=None)
        list_sessions.sessions_with([SessionStatus.ORDER_CREATED], mine, table=table, now=there.now)
        listed = orders.list_orders(mine, table=table, size=5, position=None)
        orders.find_order(GivenId(code=listed.orders[0].code), customer=mine, table=table)
        found = bookings.list_bookings(hers, table=table, size=5, position=None)
        bookings.find_booking(GivenId(code=found.bookings[0].code), customer=hers, table=table)
        session = find.find_session(GivenId(code=booking.attempt.transaction), customer=hers, table=table)
        read_booking(session, table=table)
        find.number_of_outcome(GivenId(code=found.bookings[0].code), keys.BOOKING, customer=hers, table=table)

    return read


@flow
def a_booking_is_rescheduled(world: World) -> Act:
    started = paid_booking(world)
    world.deliver_all()
    hers = started.session.customer
    booking = bookings.list_bookings(hers, table=world.table, size=1, position=None).bookings[0]
    world.rescheduled.add(booking.code)
    return lambda there: bookings.reschedule(booking, date(2026, 7, 21), _NOON, "rain", table=there.table, now=there.now)


# Services with a calendar


def booking_in_a_slot(world: World) -> Started:
    """A payment for a slot of two places, which it holds; the payer has agreed, nobody has told us yet."""
    customer = world.customer()
    cart = world.booking_cart(customer)
    afternoon = {day: (Opening(time(13), time(18)),) for day in range(7)}
    calendar = Calendar(afternoon, slot_minutes=60, capacity=2, hold=True)
    service = shelf.read_service(world.table, ServiceType.PUJA, 1)
    if service is None:
        raise AssertionError("the cart's service is offered")
    write(world.table, Put("service", shelf.service_to_item(replace(service, calendar=calendar))))
    started = world.process(cart, customer)
    world.ledger.pay(started.attempt.ref)
    return started


def _booked_slot(world: World) -> Booking:
    started = booking_in_a_slot(world)
    world.deliver_all()
    hers = started.session.customer
    return bookings.list_bookings(hers, table=world.table, size=1, position=None).bookings[0]


@flow
def a_held_slot_becomes_a_booking(world: World) -> Act:
    booking_in_a_slot(world)
    return _notice(world)


@flow
def a_booking_moves_to_another_slot(world: World) -> Act:
    booking = _booked_slot(world)
    world.rescheduled.add(booking.code)
    three = GivenTime(time(15), "3:00 PM")
    return lambda there: bookings.reschedule(booking, date(2026, 7, 21), three, "rain", table=there.table, now=there.now)


@flow
def a_booking_is_cancelled_for_all_of_its_money(world: World) -> Act:
    booking = _booked_slot(world)
    world.given_back.update(world.started)
    return lambda there: bookings.cancel(booking, "ill", table=there.table, now=there.now)


@flow
def a_booking_took_place(world: World) -> Act:
    booking = _booked_slot(world)
    world.now = booking.starts_at + timedelta(hours=1)
    return lambda there: bookings.complete(booking, table=there.table, now=there.now, by="operator:amina")


@flow
def free_slots_are_looked_up(world: World) -> Act:
    booking = _booked_slot(world)
    service = shelf.read_service(world.table, ServiceType.PUJA, 1)
    if service is None or service.calendar is None:
        raise AssertionError("the service has its calendar")
    calendar = service.calendar
    return lambda there: catalogue.slots_on(service, calendar, booking.content.day, table=there.table, now=there.now)
