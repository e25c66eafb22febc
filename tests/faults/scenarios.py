"""Who may meet whom: the races that payments are lost in, each as a shop, its actors and what has to come of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Final

from payfirst.domain.ids import GivenId
from payfirst.domain.session import Session
from payfirst.domain.times import GivenTime
from payfirst.gateways.base import Captured
from payfirst.settings import ConfirmWithQuery
from payfirst.usecases import booking_carts, bookings, operate, produce_cart
from payfirst.usecases.expire_sessions import expire_sessions
from payfirst.usecases.settle import settle
from payfirst.usecases.settlement import Disputed
from payfirst.usecases.start_attempt import Started
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.gateways import Notice
from tests.faults.seam import Fault, Killed, Service
from tests.faults.stage import Actor
from tests.faults.world import GRACE, TOMATOES, World

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
    """Each customer who paid has an outcome, unless it is known why not."""
    served = {item["pk"].removeprefix("U#") for item in book.outcomes}
    for ref, payment in world.ledger.payments.items():
        attempt = book.attempts[ref]
        if payment.state == "paid" and attempt["owner"] not in served and "gateway_id" in attempt:
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
        later = replace(world.desk(), settling=replace(world.desk().settling, now=world.now + after))
        world.reconcile(later)

    return Actor(work)


def reader(session: Session) -> Actor:
    """A customer who asks for the status: what was once a success stays one."""

    def work(world: World) -> None:
        seen = [world.read(session).status for _ in range(3)]
        ends = [status for status in seen if status == "order_created"]
        if ends and seen[-1] != "order_created":
            raise AssertionError(f"a customer saw {seen}")

    return Actor(work)


def initiating(session: Session) -> Actor:
    return Actor(lambda world: world.initiate(world.read(session)))


def expiring(after: timedelta) -> Actor:
    def work(world: World) -> None:
        expire_sessions(world.table, now=world.now + after, deadline=world.table.deadline, grace=GRACE)

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


# The races


@scenario(outcomes(1))
def duplicate_notices(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    notice = world.ledger.notices.pop(0)
    return {"notice": telling(notice), "twin": telling(notice), "status": reader(started.session)}


@scenario(outcomes(1))
def notice_against_sweep(world: World) -> Mapping[str, Actor]:
    paid_order(world)
    world.now += timedelta(minutes=2)
    return {"notice": telling(world.ledger.notices.pop(0)), "sweep": sweep()}


@scenario(outcomes(1))
def booking_notice_against_sweep(world: World) -> Mapping[str, Actor]:
    world.promo("SAVE", 1)
    paid_booking(world, promo="SAVE")
    world.now += timedelta(minutes=2)
    return {"notice": telling(world.ledger.notices.pop(0)), "sweep": sweep()}


@scenario(outcomes(0, 1))
def notice_before_response(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    return {"initiate": initiating(session), "payer": payer(), "status": reader(session)}


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
def two_sessions_of_one_cart(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    return {"one": initiating(one), "other": initiating(other), "payer": payer()}


@scenario(paid_is_served)
def late_success(world: World) -> Mapping[str, Actor]:
    first = given_up(world)
    world.ledger.pay(first.attempt.ref)
    world.insisted = list(world.ledger.notices)
    return {"again": initiating(first.session), "late": telling(world.ledger.notices.pop(0)), "payer": payer()}


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


@scenario(outcomes(1))
def refund_against_late_fulfil(world: World) -> Mapping[str, Actor]:
    world.stock("2")
    paid_order(world)
    first = world.ledger.notices.pop(0)
    world.seam.active = True
    world.seam.plan = lambda _: Fault.KILLED_AFTER if _is_money(world) else None
    try:
        world.deliver(first)
    except Killed:
        world.seam.active, world.seam.plan = False, lambda _: None
        world.seam.made.clear()
    paid_order(world)
    world.now += timedelta(minutes=1)
    return {"rival": telling(world.ledger.notices.pop(0)), "twin": telling(first), "sweep": sweep()}


def _is_money(world: World) -> bool:
    return world.seam.made[-1].operation == "TransactWriteItems"


@scenario(outcomes(0))
def two_sweeps_of_one_refund(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.ledger.refuse_refunds = 1
    world.deliver_all()
    world.disputed.add(started.attempt.ref)
    return {"sweep": sweep(), "other": sweep(timedelta(minutes=2))}


@scenario(outcomes(0))
def refund_result_against_sweep(world: World) -> Mapping[str, Actor]:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    world.reconcile()
    return {"result": telling(world.ledger.notices.pop(0)), "sweep": sweep(timedelta(minutes=2))}


def booked_as_it_stands(world: World, book: Book) -> Iterator[str]:
    """A booking is what its cart says, for the cart cannot change once it is being paid for."""
    yield from paid_is_served(world, book)
    for item in book.outcomes:
        cart = book.guards[item["pk"].removeprefix("U#"), f"C#{int(item['content']['cart_id']):016d}"]
        if cart.get("content") != item["content"]:
            yield "a cart was booked that its customer had changed or deleted"


@scenario(booked_as_it_stands)
def cart_changed_while_it_is_paid_for(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    world.promo("SAVE", 1)
    cart = world.booking_cart(customer)
    given = GivenId(cart.number)

    def discount(there: World) -> None:
        booking_carts.apply_promo(given, "SAVE", customer=customer, table=there.table, now=there.now, entropy=there.entropy)

    def delete(there: World) -> None:
        booking_carts.delete_cart(given, customer=customer, table=there.table)

    pay = Actor(lambda there: there.process(cart, customer))
    return {"pay": pay, "discount": Actor(discount), "delete": Actor(delete), "payer": payer()}


def moved_as_answered(world: World, book: Book) -> Iterator[str]:
    """Every move that a customer was told of has happened, and each is in the history."""
    (booking,) = book.outcomes
    if world.faulted:
        return
    if booking["version"] != len(booking["timeline"]) or booking["version"] != 3:
        yield f"version {booking['version']} with {len(booking['timeline'])} entries"


@scenario(moved_as_answered)
def a_booking_moved_twice(world: World) -> Mapping[str, Actor]:
    hers = paid_booking(world).session.customer
    world.deliver_all()
    booking = bookings.list_bookings(hers, table=world.table, size=1, position=None).bookings[0]
    world.rescheduled.add(booking.code)

    def moving(day: int) -> Actor:
        at = GivenTime(time(9, 0), "09:00")
        return Actor(lambda there: bookings.reschedule(booking, date(2026, 8, day), at, None, table=there.table, now=there.now))

    return {"one": moving(1), "other": moving(2)}


def asked_once(world: World, _: Book) -> Iterator[str]:
    """Whoever comes second finds that the look was taken."""
    if world.faulted:
        return
    yield from (f"{ref} was asked about {count} times" for ref, count in world.ledger.asked.items() if count > 1)


@scenario(asked_once)
def two_looks_at_one_attempt(world: World) -> Mapping[str, Actor]:
    ref = paid_order(world).attempt.ref
    world.ledger.notices.clear()
    world.now += timedelta(minutes=1)
    look = Actor(lambda there: there.look(ref))
    return {"queue": look, "queue-again": look, "sweep": sweep()}


@scenario(outcomes(0, 1))
def notice_before_a_lost_response(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    world.ledger.lose_pushes = 1
    return {"initiate": initiating(session), "payer": payer()}


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


def one_doubt(_: World, book: Book) -> Iterator[str]:
    if len(book.reviews) != 1 or len(book.receipts) != 1:
        yield f"{len(book.receipts)} receipts and {len(book.reviews)} doubts"


@scenario(one_doubt)
def two_receipts_for_one_payment(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    first, world.ledger.notices = world.ledger.notices[0], []
    world.now += timedelta(minutes=1)
    world.reconcile()
    body = json.loads(first.raw)
    body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = "N999"
    second = Notice("stk", first.token, json.dumps(body).encode())
    world.insisted = [first, second]
    world.disputed.add(started.attempt.ref)
    return {"first": telling(first), "second": telling(second)}


@scenario(outcomes(1))
def two_people_give_money_back(world: World) -> Mapping[str, Actor]:
    started = paid_booking(world)
    world.deliver_all()
    ref = started.attempt.ref
    world.given_back.add(ref)

    def give(there: World) -> None:
        operate.refund_payment(there.table, ref, None, there.now, by="anna", why="a gesture")

    return {"one": Actor(give), "other": Actor(give)}


@scenario(outcomes(1))
def cart_filled_while_it_is_ordered(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    customer = started.session.customer

    def fill(there: World) -> None:
        produce_cart.add_item(TOMATOES, Decimal(1), customer=customer, table=there.table, now=there.now, entropy=there.entropy)

    return {"notice": telling(world.ledger.notices.pop(0)), "fill": Actor(fill)}


@scenario(paid_is_served)
def person_against_gateway(world: World) -> Mapping[str, Actor]:
    started = paid_order(world)
    payment = world.ledger.payments[started.attempt.ref]
    notice = world.ledger.notices.pop(0)
    world.confirm, payment.state = ConfirmWithQuery.STRICT, "declined"
    world.deliver(notice)
    world.confirm, payment.state = ConfirmWithQuery.OFF, "paid"
    world.disputed.add(payment.ref)
    decision = Captured(started.attempt.amount, payment.receipt)

    def resolve(there: World) -> None:
        operate.resolve_attempt(there.desk().settling, payment.ref, decision, by="anna", why="the statement has it")

    return {"person": Actor(resolve), "colleague": Actor(resolve), "sweep": sweep(timedelta(minutes=2))}


@scenario(paid_is_served)
def expiry_first_against_initiate(world: World) -> Mapping[str, Actor]:
    session = world.session(world.customer())
    world.now += timedelta(minutes=14)
    return {"expire": expiring(timedelta(minutes=2)), "initiate": initiating(session), "payer": payer()}


@scenario(outcomes(0))
def refund_result_against_its_ladders_end(world: World) -> Mapping[str, Actor]:
    started = world.initiate(world.session(world.customer()))
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.deliver_all()
    world.reconcile()
    return {"sweep": sweep(timedelta(days=5)), "result": telling(world.ledger.notices.pop(0))}


@scenario(outcomes(0))
def a_refused_refund_is_asked_about_twice(world: World) -> Mapping[str, Actor]:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref, amount=10000)
    world.ledger.refuse_refunds = 1
    world.deliver_all()
    world.reconcile()

    def twice(there: World) -> None:
        for minutes in (2, 4):
            sweep(timedelta(minutes=minutes)).work(there)

    return {"slow": sweep(timedelta(minutes=2)), "quick": Actor(twice)}


@scenario(outcomes(1))
def contradicting_notices(world: World) -> Mapping[str, Actor]:
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref)
    payment.state = "open"
    world.ledger.pay(payment.ref)
    failure, success = world.ledger.notices
    world.ledger.notices.clear()
    world.insisted = [success]
    world.disputed.add(payment.ref)  # a failure told after the success is a doubt beside it
    return {"failure": telling(failure), "success": telling(success)}


@scenario(outcomes(0, 1))
def doubt_against_success(world: World) -> Mapping[str, Actor]:
    ref = paid_order(world).attempt.ref
    notice = world.ledger.notices.pop(0)
    world.disputed.add(ref)

    def doubting(there: World) -> None:
        settle(there.desk().settling, there.attempt(ref), Disputed("M-Pesa contradicts itself"))

    return {"doubt": Actor(doubting), "success": telling(notice)}
