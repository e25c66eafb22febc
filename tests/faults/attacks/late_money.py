"""Money that comes when nobody waits for it any more, and carts that changed meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from payfirst.domain.ids import GivenId
from payfirst.settings import LatePayment
from payfirst.usecases.carts.produce_cart import read_cart
from payfirst.usecases.carts.service_carts import apply_promo
from tests.faults.attacks.claims import open_in_the_afternoon
from tests.faults.attacks.registry import attack, declined, late, one_order
from tests.faults.book import Book
from tests.faults.flows import paid_order
from tests.faults.world import World


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
    one_order(world)


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


def _paid_late_for_a_slot(world: World, before_it_begins: timedelta) -> int:
    """How many bookings come of it."""
    customer = world.customer()
    cart = world.booking_cart(customer, day="2026-03-04")
    open_in_the_afternoon(world)
    ref = declined(world, world.process(cart, customer))
    world.now = datetime(2026, 3, 4, 14, tzinfo=ZoneInfo("Asia/Kolkata")).astimezone(UTC) - before_it_begins
    late(world, ref)
    return len(Book.of(world.items()).outcomes)


@attack
def late_money_for_a_slot_that_has_begun(world: World) -> None:
    assert _paid_late_for_a_slot(world, timedelta(0)) == 0


@attack
def late_money_for_a_slot_that_has_not_begun(world: World) -> None:
    assert _paid_late_for_a_slot(world, timedelta(minutes=1)) == 1


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
    one_order(world)


@attack
def a_cart_that_changed_since_it_was_paid_for(world: World) -> None:
    started = paid_order(world)
    customer = started.session.customer
    world.fill_cart(customer, quantity="5")
    world.deliver_all()
    one_order(world)
    kept = read_cart(customer=customer, table=world.table, now=world.now).cart
    assert kept is not None
    assert kept.lines, "what was put in after the payment is gone"


@attack
def a_cart_that_was_paid_for(world: World) -> None:
    started = paid_order(world)
    world.deliver_all()
    emptied = read_cart(customer=started.session.customer, table=world.table, now=world.now).cart
    assert emptied is not None
    assert not emptied.lines


@attack
def late_money_for_a_cart_that_another_session_paid_for(world: World) -> None:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    ref = declined(world, world.initiate(one))
    world.ledger.pay(world.initiate(other).attempt.ref)
    world.deliver_all()
    late(world, ref)
    one_order(world)


@attack
def late_money_for_a_cart_that_another_session_is_paying_for(world: World) -> None:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    ref = declined(world, world.initiate(one))
    second = world.initiate(other)
    late(world, ref)
    world.ledger.pay(second.attempt.ref)
    world.deliver_all()
    one_order(world)


@attack
def late_money_for_a_session_that_waits_for_another_attempt(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    ref = declined(world, started)
    second = world.initiate(world.read(started.session)).attempt.ref
    late(world, ref)
    assert world.attempt(ref).status == "refund_due"
    world.ledger.pay(second)
    world.deliver_all()
    one_order(world)


@attack
def late_money_for_a_cart_that_was_changed(world: World) -> None:
    customer = world.customer()
    world.promo("SAVE", 5)
    cart = world.booking_cart(customer)
    ref = declined(world, world.process(cart, customer))
    apply_promo(GivenId(cart.number), "SAVE", customer=customer, table=world.table, now=world.now, entropy=world.entropy)
    late(world, ref)
    assert not Book.of(world.items()).outcomes
