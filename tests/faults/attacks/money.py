"""Writes that record how an attempt ends and what its money becomes, each against everything that may have come before it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payfirst.domain.money import Currency, Money
from payfirst.domain.refund import OUT_OF_STOCK
from payfirst.settings import ConfirmWithQuery
from payfirst.storage import attempts, captures, catalogue, fulfilment, refunds_due, slots
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.start_attempt import Started
from tests.faults.attacks.claims import ONE_USE_EACH, open_in_the_afternoon
from tests.faults.attacks.meanwhile import Happening, Kept, gone, guard_of, has, kept_back, place_of, stopped, to_session
from tests.faults.attacks.registry import attack, declined
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.world import TOMATOES, World


def _telling(there: World) -> None:
    there.deliver(there.ledger.notices.pop(0))


def held_order(world: World) -> Started:
    """An open attempt that holds stock and a phone."""
    world.stock(hold=True)
    return world.initiate(world.session(world.customer(), hold=True))


def held_booking(world: World) -> Started:
    """An open attempt that holds a slot and a use of a promo."""
    customer = world.customer()
    write(world.table, Put("promo", catalogue.promo_to_item(ONE_USE_EACH)))
    cart = world.booking_cart(customer, promo="SAVE")
    open_in_the_afternoon(world)
    return world.process(cart, customer)


def _awaited(write: Kept) -> dict[str, Happening]:
    """What stops every write that ends the attempt that its session waits for."""
    session, attempt = write.given[0], write.given[1]
    place = place_of(session)
    return {
        **to_session(session),
        "its session waits for another": has(place, live_attempt="MT0"),
        "its session does not wait": has(place, status="order_created"),
        "its money goes back": has(keys.attempt(attempt.ref), status="refund_due"),
        "its money is recorded": has(keys.attempt(attempt.ref), captured=100),
    }


def _holding(write: Kept) -> dict[str, Happening]:
    """What stops every write that gives back what an order's attempt holds."""
    attempt = write.given[1]
    return {
        "another pays for its cart": has(guard_of(attempt), live_attempt="MT0"),
        "another was prompted": has(keys.phone(attempt.phone_lock), attempt="MT0"),
        "its stock is held no more": has(shop_keys.listing(TOMATOES), held=1),
    }


def _holding_slot(write: Kept) -> dict[str, Happening]:
    attempt = write.given[1]
    slot = slots.key(attempt.held_slot)
    return {
        "another pays for its cart": has(guard_of(attempt), live_attempt="MT0"),
        "its slot is held no more": has(slot, used=1, held=0),
        "its slot is used no more": has(slot, used=0, held=1),
    }


@attack
def what_comes_before_a_failure(world: World) -> None:
    ref = held_order(world).attempt.ref
    world.ledger.decline(ref)
    fail = kept_back(world, attempts, "fail", _telling)
    stopped(fail, {**_awaited(fail), **_holding(fail), "it is paid for": has(keys.attempt(ref), status="succeeded")})


@attack
def what_comes_before_the_failure_of_a_booking(world: World) -> None:
    world.ledger.decline(held_booking(world).attempt.ref)
    fail = kept_back(world, attempts, "fail", _telling)
    stopped(fail, {**_awaited(fail), **_holding_slot(fail)})


@attack
def what_comes_before_a_review(world: World) -> None:
    started = paid_order(world)
    world.confirm = ConfirmWithQuery.STRICT
    world.ledger.payments[started.attempt.ref].state = "declined"
    review = kept_back(world, attempts, "review", _telling)
    attempt = keys.attempt(started.attempt.ref)
    decided = {"it is paid for": has(attempt, status="succeeded"), "its money is recorded": has(attempt, captured=100)}
    stopped(review, {**to_session(review.given[0]), **decided})
    world.ledger.payments[started.attempt.ref].state = "paid"


@attack
def what_comes_before_money(world: World) -> None:
    started = paid_order(world)
    record = kept_back(world, captures, "money", _telling)
    stopped(
        record,
        {
            **_awaited(record),
            "it has failed": has(keys.attempt(started.attempt.ref), status="failed"),
            "its receipt serves another": has(keys.receipt("MPESA", record.given[2].receipt), ref="MT0"),
            "its session has its money": has(place_of(started.session), captured="MT0"),
            "another was prompted": has(keys.phone(record.given[1].phone_lock), attempt="MT0"),
        },
    )


@attack
def what_comes_before_late_money(world: World) -> None:
    customer = world.customer()
    started = world.process(world.booking_cart(customer), customer)
    ref = declined(world, started)
    world.ledger.payments[ref].state = "open"
    world.ledger.pay(ref)
    record = kept_back(world, captures, "late_money", _telling).instead(2, receipt="N1")
    place, guard = place_of(started.session), guard_of(started.attempt)
    stopped(
        record,
        {
            **to_session(record.given[0]),
            "it is paid for": has(keys.attempt(ref), status="succeeded"),
            "its money is recorded": has(keys.attempt(ref), captured=100),
            "its receipt serves another": has(keys.receipt("PHONEPE", "N1"), ref="MT0"),
            "its session has its money": has(place, captured="MT0"),
            "its session waits for another": has(place, live_attempt="MT0"),
            "its session has its outcome": has(place, status="order_created"),
            "its cart is being paid for": has(guard, live_attempt="MT0"),
            "its cart is paid for": has(guard, converted_by="BK-1"),
            "its cart was changed": has(guard, version="another"),
            "its cart is gone": gone(guard),
        },
    )


@attack
def what_comes_before_surplus_money(world: World) -> None:
    ref = held_order(world).attempt.ref
    world.ledger.pay(ref, amount=100)
    record = kept_back(world, captures, "surplus_money", _telling)
    stopped(
        record,
        {
            **_awaited(record),
            **_holding(record),
            "it is paid for": has(keys.attempt(ref), status="succeeded"),
            "its receipt serves another": has(keys.receipt("MPESA", record.given[2].receipt), ref="MT0"),
        },
    )
    world.deliver_all()


@attack
def what_comes_before_surplus_money_for_a_booking(world: World) -> None:
    world.ledger.pay(held_booking(world).attempt.ref, amount=100)
    record = kept_back(world, captures, "surplus_money", _telling)
    stopped(record, {**_awaited(record), **_holding_slot(record)})


@attack
def what_comes_before_a_receipt(world: World) -> None:
    started = paid_order(world)
    world.now += timedelta(minutes=1)
    notices, world.ledger.notices = world.ledger.notices, []
    world.reconcile()
    bind = kept_back(world, captures, "bind_receipt", lambda there: there.deliver(notices[0]))
    stopped(
        bind,
        {
            "it has another receipt": has(keys.attempt(started.attempt.ref), receipt="N000000099"),
            "its receipt serves another": has(keys.receipt("MPESA", bind.given[1]), ref="MT0"),
        },
    )


def _paid_for(fulfil: Kept) -> dict[str, Happening]:
    """What stops every write that turns money into its order or booking."""
    session, attempt = fulfil.given[0], fulfil.given[2]
    place, guard = place_of(session), guard_of(attempt)
    return {
        **to_session(session),
        "its session has another's money": has(place, captured="MT0"),
        "its session has its outcome": has(place, outcome={"number": 1, "code": "ORD-1"}),
        "its session has failed": has(place, status="failed"),
        "its cart is another's": has(guard, live_attempt="MT0"),
        "its cart is paid for": has(guard, converted_by="ORD-1"),
        "its money goes back": has(keys.attempt(attempt.ref), status="refund_due"),
        "its code is taken": has(keys.pointer(fulfil.given[3].code)),
    }


@attack
def what_comes_before_an_order(world: World) -> None:
    world.ledger.pay(held_order(world).attempt.ref)
    fulfil = kept_back(world, fulfilment, "fulfil_order", _telling)
    sub, outcome = fulfil.given[0].customer.sub, fulfil.given[3]
    stopped(
        fulfil,
        {
            **_paid_for(fulfil),
            "there is such an order": has(keys.owned(sub, keys.ORDER, outcome.number)),
            "its cart was filled again": has(keys.produce_cart(sub), version="another"),
            "its stock is held no more": has(shop_keys.listing(TOMATOES), held=1),
        },
    )
    unheld = fulfil.after(has(shop_keys.listing(TOMATOES), held=0)).instead(2, held_stock=())
    stopped(unheld, {"it is sold out": has(shop_keys.listing(TOMATOES), available=1)})


@attack
def what_comes_before_a_booking(world: World) -> None:
    world.ledger.pay(held_booking(world).attempt.ref)
    fulfil = kept_back(world, fulfilment, "fulfil_booking", _telling)
    sub, outcome = fulfil.given[0].customer.sub, fulfil.given[3]
    slot, uses = slots.key(fulfil.given[2].held_slot), keys.promo_uses(sub, "SAVE")
    stopped(
        fulfil,
        {
            **_paid_for(fulfil),
            "there is such a booking": has(keys.owned(sub, keys.BOOKING, outcome.number)),
            "its slot is held no more": has(slot, used=1, held=0),
        },
    )
    unheld = fulfil.after(has(slot, used=0, held=0), has(uses, taken=0)).instead(2, held_slot=None, held_promo=None)
    stopped(
        unheld,
        {
            "its slot is full": has(slot, used=1),
            "the promo is used up": has(shop_keys.promo("SAVE"), taken=5),
            "its customer has used the promo": has(uses, taken=1),
        },
    )


def _refund_instead(fulfil: Kept) -> Kept:
    """The refund that is due where the outcome that `fulfil` would make cannot be made."""
    session, attempt = fulfil.given[0], fulfil.given[2]
    given = (session, attempt, attempt.captured, OUT_OF_STOCK, fulfil.world.now)
    return Kept(fulfil.world, refunds_due.refund_due, given, {})


def _unfulfilled(due: Kept) -> dict[str, Happening]:
    session, attempt = due.given[0], due.given[1]
    place, key = place_of(session), keys.attempt(attempt.ref)
    return {
        **to_session(session),
        "its session has another's money": has(place, captured="MT0"),
        "its session has its outcome": has(place, outcome={"number": 1, "code": "ORD-1"}),
        "its session has failed": has(place, status="failed"),
        "it has no money": has(key, status="failed"),
        "less is left of it": has(key, refundable=attempt.captured.minor - 1),
        "there is such a refund": has(keys.refund(attempt.ref, 1)),
        "another pays for its cart": has(guard_of(attempt), live_attempt="MT0"),
    }


@attack
def what_comes_before_a_refund_is_due(world: World) -> None:
    world.ledger.pay(held_order(world).attempt.ref)
    due = _refund_instead(kept_back(world, fulfilment, "fulfil_order", _telling))
    stopped(due, {**_unfulfilled(due), "its stock is held no more": has(shop_keys.listing(TOMATOES), held=1)})


@attack
def what_comes_before_the_refund_of_a_booking_is_due(world: World) -> None:
    world.ledger.pay(held_booking(world).attempt.ref)
    due = _refund_instead(kept_back(world, fulfilment, "fulfil_booking", _telling))
    stopped(due, {**_unfulfilled(due), **_holding_slot(due)})


@attack
def a_capture_of_nothing(world: World) -> None:
    """A success that collected 0 is none: nothing is ordered, and there is nothing to send back."""
    for started in (world.initiate(world.session(world.customer())), held_booking(world)):
        ref = started.attempt.ref
        world.ledger.pay(ref, amount=0)
        world.deliver_all()
        world.sweep()
        assert (world.attempt(ref).status, world.attempt(ref).captured) == ("needs_review", None)
        world.disputed.add(ref)
    assert not Book.of(world.items()).refunds
    assert not Book.of(world.items()).outcomes


@attack
def a_refund_of_nothing(world: World) -> None:
    started = paid_booking(world)
    world.deliver_all()
    attempt = world.attempt(started.attempt.ref)
    for minor in (0, -100):
        with pytest.raises(ValueError, match="nothing"):
            refunds_due.owe_writes(attempt, Money(minor, Currency.INR), 1, world.now, reason="a mistake")
