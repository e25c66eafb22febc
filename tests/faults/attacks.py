"""What has to be refused, or to change nothing: forgeries, limits, and requests that come too late or twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, time, timedelta
from functools import partial
from typing import Any, Final

import pytest

from payfirst.domain.booking import MAX_RESCHEDULES
from payfirst.domain.errors import NotFoundError, PayFirstError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import MAX_EXTENSIONS, Customer
from payfirst.domain.times import GivenTime
from payfirst.gateways.base import Captured
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.settings import ConfirmWithQuery, LatePayment
from payfirst.usecases import bookings, find
from payfirst.usecases.booking_carts import apply_promo
from payfirst.usecases.create_session import extend_session
from payfirst.usecases.produce_cart import read_cart
from payfirst.usecases.settle import settle
from payfirst.usecases.start_attempt import Started
from payfirst.usecases.take_notice import Taken, take_phonepe_notice
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.gateways import Notice
from tests.faults.matrix import watched
from tests.faults.model_table import ModelTable
from tests.faults.rest import settle_down
from tests.faults.world import World, at_work

Attack = Callable[[World], Any]
ATTACKS: Final[dict[str, Attack]] = {}


def attack(make: Attack) -> Attack:
    ATTACKS[make.__name__.replace("_", " ")] = make
    return make


def run(name: str) -> None:
    """One attack on a shop of its own; AssertionError where it changes what it may not change."""
    world = watched(World(ModelTable(), seed=sum(name.encode())))
    with at_work(world):
        world.stock()
        ATTACKS[name](world)
        settle_down(world)


def _refused(act: Callable[[], Any]) -> None:
    with pytest.raises(PayFirstError):
        act()


def _unchanged(world: World, act: Callable[[], Any]) -> None:
    before = world.items()
    act()
    assert world.items() == before, "it changed something"


def _one_order(world: World) -> None:
    assert len(Book.of(world.items()).outcomes) == 1


@attack
def a_notice_with_a_token_of_somebody_elses(world: World) -> None:
    started = paid_order(world)
    notice = world.ledger.notices[0]
    token = started.attempt.ref.removeprefix("MT") + "0" * 32
    _unchanged(world, lambda: world.deliver(Notice("stk", token, notice.raw)))
    world.deliver_all()
    _one_order(world)


@attack
def a_notice_with_the_ids_of_another_push(world: World) -> None:
    paid = paid_order(world)
    payment = world.ledger.payments[paid.attempt.ref]
    open_one = world.initiate(world.session(world.customer()))
    stolen = world.ledger.notices[0].raw
    token = world.ledger.payments[open_one.attempt.ref].token
    assert world.deliver(Notice("stk", token, stolen)) is Taken.ASKED
    only_merchant = json.loads(stolen)
    only_merchant["Body"]["stkCallback"]["CheckoutRequestID"] = world.ledger.payments[open_one.attempt.ref].gateway_id
    assert world.deliver(Notice("stk", token, json.dumps(only_merchant).encode())) is Taken.ASKED
    assert payment.receipt
    assert world.attempt(open_one.attempt.ref).unresolved


@attack
def a_receipt_that_serves_another_payment(world: World) -> None:
    first, second = world.initiate(world.session(world.customer())), world.initiate(world.session(world.customer()))
    world.ledger.pay(first.attempt.ref, receipt="N777")
    world.deliver_all()
    world.ledger.pay(second.attempt.ref, receipt="N777")
    world.disputed.add(second.attempt.ref)
    world.deliver_all()
    assert world.attempt(second.attempt.ref).status == "needs_review"


@attack
def a_second_receipt_for_one_payment(world: World) -> None:
    started = paid_order(world)
    world.disputed.add(started.attempt.ref)
    body = json.loads(world.ledger.notices[0].raw)
    world.deliver_all()
    body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = "N999"
    world.deliver(Notice("stk", world.ledger.payments[started.attempt.ref].token, json.dumps(body).encode()))
    assert len(Book.of(world.items()).reviews) == 1


@attack
def a_receipt_that_comes_after_the_query(world: World) -> None:
    started = paid_order(world)
    world.now += timedelta(minutes=1)
    notices, world.ledger.notices = world.ledger.notices, []
    world.reconcile()
    assert world.attempt(started.attempt.ref).receipt is None
    world.deliver(notices[0])
    assert world.attempt(started.attempt.ref).receipt is not None


@attack
def a_receipt_that_comes_after_the_query_and_serves_another(world: World) -> None:
    first = paid_order(world)
    world.deliver_all()
    second = world.initiate(world.session(world.customer()))
    world.ledger.pay(second.attempt.ref, receipt=world.attempt(first.attempt.ref).receipt)
    notices, world.ledger.notices = world.ledger.notices, []
    world.now += timedelta(minutes=1)
    world.reconcile()
    world.disputed.add(second.attempt.ref)
    world.deliver(notices[0])
    assert len(Book.of(world.items()).reviews) == 1


@attack
def phonepes_notice_without_its_header(world: World) -> None:
    paid_booking(world)
    raw = world.ledger.notices[0].raw
    credentials = PhonePeCredentials("client", "secret", "1", webhook_username="shop", webhook_password="hook-word")
    for header in (None, "", "0" * 64):
        _unchanged(world, partial(take_phonepe_notice, world.desk(), header, raw, credentials))


@attack
def phonepes_notice_about_a_payment_that_did_not_end_well(world: World) -> None:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    world.ledger.pay(started.attempt.ref)
    world.ledger.payments[started.attempt.ref].state = "open"
    world.deliver_all()
    assert not Book.of(world.items()).outcomes


@attack
def a_notice_that_mpesas_query_contradicts(world: World) -> None:
    started = paid_order(world)
    world.confirm = ConfirmWithQuery.ADVISORY
    world.ledger.payments[started.attempt.ref].state = "declined"
    world.disputed.add(started.attempt.ref)
    world.deliver_all()
    world.ledger.payments[started.attempt.ref].state = "paid"
    assert world.attempt(started.attempt.ref).status == "needs_review"


@attack
def a_notice_while_mpesas_query_still_waits(world: World) -> None:
    started = paid_order(world)
    world.confirm = ConfirmWithQuery.STRICT
    world.ledger.payments[started.attempt.ref].state = "open"
    world.deliver_all()
    assert world.attempt(started.attempt.ref).unresolved
    world.ledger.payments[started.attempt.ref].state = "paid"


@attack
def the_same_notice_again(world: World) -> None:
    paid_order(world)
    notice = world.ledger.notices[0]
    world.deliver_all()
    _unchanged(world, lambda: world.deliver(notice))


@attack
def something_unreadable(world: World) -> None:
    started = paid_order(world)
    token = world.ledger.payments[started.attempt.ref].token
    for raw in (b"", b"{}", b"x" * 70_000):
        _unchanged(world, partial(world.deliver, Notice("stk", token, raw)))


@attack
def more_extensions_than_allowed(world: World) -> None:
    session = world.session(world.customer())
    for _ in range(MAX_EXTENSIONS):
        world.extend(session)
    _refused(lambda: world.extend(session))


@attack
def an_extension_of_what_is_over(world: World) -> None:
    overdue = world.session(world.customer())
    paid = paid_order(world).session
    world.deliver_all()
    _refused(lambda: world.extend(paid))
    world.now += timedelta(hours=1)
    _refused(lambda: world.extend(overdue))


@attack
def a_payment_of_what_is_over(world: World) -> None:
    overdue = world.session(world.customer())
    paid = paid_order(world).session
    world.deliver_all()
    _refused(lambda: world.initiate(paid))
    world.now += timedelta(hours=1)
    _refused(lambda: world.initiate(overdue))
    world.expire()
    _refused(lambda: world.initiate(overdue))


@attack
def a_second_order_of_one_cart(world: World) -> None:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    started = world.initiate(one)
    _refused(lambda: world.initiate(other))
    world.ledger.pay(started.attempt.ref)
    world.deliver_all()
    _refused(lambda: world.initiate(other))


@attack
def a_second_prompt_on_one_phone(world: World) -> None:
    phone = world.phone()
    one, other = world.session(world.customer()), world.session(world.customer())
    world.pace = timedelta(seconds=30)
    started = world.initiate(one, phone)
    _refused(lambda: world.initiate(other, phone))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    _refused(lambda: world.initiate(other, phone))
    world.now += timedelta(minutes=1)
    world.initiate(other, phone)


@attack
def a_promo_that_is_used_up(world: World) -> None:
    world.promo("SAVE", 1)
    one, other = world.customer(), world.customer()
    carts = world.booking_cart(one, promo="SAVE"), world.booking_cart(other, promo="SAVE")
    started = world.process(carts[0], one)
    _refused(lambda: world.process(carts[1], other))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    world.ledger.pay(world.process(carts[1], other).attempt.ref)
    world.deliver_all()
    _refused(lambda: world.process(carts[0], one))
    _one_order(world)


@attack
def late_money_for_a_promo_that_is_used_up(world: World) -> None:
    world.promo("SAVE", 1)
    one, other = world.customer(), world.customer()
    carts = world.booking_cart(one, promo="SAVE"), world.booking_cart(other, promo="SAVE")
    first = world.process(carts[0], one)
    payment = world.ledger.payments[first.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    world.ledger.pay(world.process(carts[1], other).attempt.ref)
    world.deliver_all()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.deliver_all()
    _one_order(world)


@attack
def a_session_of_what_is_not_sold_so(world: World) -> None:
    customer = world.customer()
    world.fill_cart(customer, price=14000)
    _refused(lambda: world.session(customer, fill=False))
    world.stock("1")
    world.fill_cart(customer)
    _refused(lambda: world.session(customer, fill=False))


@attack
def more_held_than_there_is(world: World) -> None:
    world.stock("3", hold=True)
    one, other = world.session(world.customer(), hold=True), world.session(world.customer(), hold=True)
    started = world.initiate(one)
    _refused(lambda: world.initiate(other))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    world.ledger.pay(world.initiate(other).attempt.ref)
    world.deliver_all()
    _one_order(world)


@attack
def somebody_elses_session(world: World) -> None:
    session, thief = world.session(world.customer()), Customer("thief")
    given = GivenId(session.number)
    with pytest.raises(NotFoundError):
        find.find_session(given, customer=thief, table=world.table)
    with pytest.raises(NotFoundError):
        extend_session(given, customer=thief, table=world.table, now=world.now, step=timedelta(minutes=1))
    started = world.initiate(session)
    with pytest.raises(NotFoundError):
        find.find_session(GivenId(code=started.attempt.transaction), customer=thief, table=world.table)


@attack
def more_reschedules_than_allowed(world: World) -> None:
    hers = paid_booking(world).session.customer
    world.deliver_all()
    seen = bookings.list_bookings(hers, table=world.table, size=1, position=None).bookings[0]
    world.rescheduled.add(seen.code)

    def move(day: int, start: Any) -> Any:
        at = GivenTime(time(9, 0), "09:00")
        return bookings.reschedule(start, date(2026, 8, 1) + timedelta(days=day), at, None, table=world.table, now=world.now)

    moved = seen
    for day in range(1, MAX_RESCHEDULES + 1):
        moved = move(day, moved)
    _refused(lambda: move(400, moved))
    _refused(lambda: move(400, seen))


@attack
def late_money_that_the_shop_does_not_honour(world: World) -> None:
    world.late_payment = LatePayment.REFUND
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.deliver_all()
    assert not Book.of(world.items()).outcomes


@attack
def late_money_for_a_session_that_expired(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    payment = world.ledger.payments[started.attempt.ref]
    world.ledger.decline(payment.ref)
    world.deliver_all()
    world.now += timedelta(hours=1)
    world.expire()
    payment.state = "open"
    world.ledger.pay(payment.ref)
    world.deliver_all()
    _one_order(world)


@attack
def ids_that_were_drawn_before(world: World) -> None:
    customer = world.customer()
    one = world.session(customer)
    world.echo = [world.drawn[-1]]
    other = world.session(customer, fill=False)
    assert one.number != other.number
    world.fill_cart(customer)
    third = world.session(customer, fill=False)
    begun = len(world.drawn)
    first = world.initiate(one)
    ref, token, number, code = world.drawn[begun : begun + 4]
    world.echo = [ref, token, number, code]
    second = world.initiate(third)
    assert first.attempt.ref != second.attempt.ref
    hers = world.session(world.customer())
    world.echo = [world.draw.randbytes(7), token, number, code]
    fourth = world.initiate(hers)
    assert fourth.attempt.transaction not in (first.attempt.transaction, second.attempt.transaction)


@attack
def codes_that_were_drawn_before(world: World) -> None:
    customer = world.customer()
    for cart in [world.booking_cart(customer) for _ in range(3)]:
        world.ledger.pay(world.process(cart, customer).attempt.ref)
    begun = len(world.drawn)
    world.deliver(world.ledger.notices.pop(0))
    number, code = world.drawn[begun : begun + 2]
    world.echo = [number, world.draw.randbytes(4)]
    world.deliver(world.ledger.notices.pop(0))
    world.echo = [world.draw.randbytes(10), code]
    world.deliver(world.ledger.notices.pop(0))
    assert len(Book.of(world.items()).outcomes) == 3


@attack
def a_cart_that_changed_since_it_was_paid_for(world: World) -> None:
    started = paid_order(world)
    customer = started.session.customer
    world.fill_cart(customer, quantity="5")
    world.deliver_all()
    _one_order(world)
    kept = read_cart(customer=customer, table=world.table).cart
    assert kept is not None
    assert kept.lines, "what was put in after the payment is gone"


@attack
def a_cart_that_was_paid_for(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    emptied = read_cart(customer=started.session.customer, table=world.table).cart
    assert emptied is not None
    assert not emptied.lines


def _late(world: World, ref: str, **paid: Any) -> None:
    """The payment that its gateway had called declined succeeds after all."""
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref, **paid)
    world.deliver_all()


def _declined(world: World, started: Started) -> str:
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    return started.attempt.ref


@attack
def late_money_with_a_receipt_that_serves_another(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    ref = _declined(world, world.initiate(world.session(world.customer())))
    world.disputed.add(ref)
    _late(world, ref, receipt="N000000002")
    assert world.attempt(ref).status == "needs_review"
    _one_order(world)


@attack
def another_amount_with_a_receipt_that_serves_another(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    ref = world.initiate(world.session(world.customer())).attempt.ref
    world.disputed.add(ref)
    world.ledger.pay(ref, receipt="N000000002", amount=100)
    world.deliver_all()
    assert world.attempt(ref).status == "needs_review"


@attack
def late_money_for_a_cart_that_another_session_paid_for(world: World) -> None:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    ref = _declined(world, world.initiate(one))
    world.ledger.pay(world.initiate(other).attempt.ref)
    world.deliver_all()
    _late(world, ref)
    _one_order(world)


@attack
def late_money_for_a_cart_that_another_session_is_paying_for(world: World) -> None:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    ref = _declined(world, world.initiate(one))
    second = world.initiate(other)
    _late(world, ref)
    world.ledger.pay(second.attempt.ref)
    world.deliver_all()
    _one_order(world)


@attack
def late_money_for_a_cart_that_was_changed(world: World) -> None:
    customer = world.customer()
    world.promo("SAVE", 5)
    cart = world.booking_cart(customer)
    ref = _declined(world, world.process(cart, customer))
    apply_promo(GivenId(cart.number), "SAVE", customer=customer, table=world.table, now=world.now, entropy=world.entropy)
    _late(world, ref)
    assert not Book.of(world.items()).outcomes


@attack
def a_second_prompt_without_any_pace(world: World) -> None:
    phone = world.phone()
    one, other = world.session(world.customer()), world.session(world.customer())
    world.initiate(one, phone)
    _refused(lambda: world.initiate(other, phone))


@attack
def a_refund_whose_receipt_never_comes(world: World) -> None:
    world.stock("2")
    first, second = paid_order(world), paid_order(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=1)
    world.reconcile()
    _one_order(world)
    assert len(Book.of(world.items()).refunds) == 1, (first.attempt.ref, second.attempt.ref)


@attack
def a_success_notice_for_what_a_person_decides(world: World) -> None:
    paid_order(world)
    world.deliver_all()
    ref = world.initiate(world.session(world.customer())).attempt.ref
    world.disputed.add(ref)
    world.ledger.pay(ref, receipt="N000000002")
    body = json.loads(world.ledger.notices[0].raw)
    world.deliver_all()
    body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][1]["Value"] = "N555"
    world.deliver(Notice("stk", world.ledger.payments[ref].token, json.dumps(body).encode()))
    assert world.attempt(ref).status == "needs_review"


@attack
def money_in_another_currency(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    ref = started.attempt.ref
    world.ledger.payments[ref].state = "paid"
    world.disputed.add(ref)
    amount = Money(started.attempt.amount.minor, Currency.INR)
    settle(world.desk().settling, world.attempt(ref), Captured(amount, "N888"))
    assert world.attempt(ref).status == "needs_review"
