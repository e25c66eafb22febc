"""Requests that come too late, too often, or from somebody else; ids that were drawn before."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from payfirst.domain.booking import MAX_RESCHEDULES
from payfirst.domain.errors import NotFoundError
from payfirst.domain.fair_use import hour_of
from payfirst.domain.ids import GivenId
from payfirst.domain.session import MAX_EXTENSIONS, Customer
from payfirst.domain.times import GivenTime
from payfirst.storage import fair_use, news
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import write
from payfirst.usecases import lookup
from payfirst.usecases.checkout.create_session import extend_session
from payfirst.usecases.fulfilment import bookings
from payfirst.usecases.operators.search import MOST_AN_HOUR
from tests.faults.attacks.registry import attack, one_order, refused
from tests.faults.book import Book
from tests.faults.flows import paid_booking, paid_order
from tests.faults.front import AnsweredError
from tests.faults.world import TOMATOES, World


@attack
def more_extensions_than_allowed(world: World) -> None:
    session = world.session(world.customer())
    for _ in range(MAX_EXTENSIONS):
        world.extend(session)
    refused(lambda: world.extend(session))


@attack
def an_extension_of_what_is_over(world: World) -> None:
    overdue = world.session(world.customer())
    paid = paid_order(world).session
    world.deliver_all()
    refused(lambda: world.extend(paid))
    world.now += timedelta(hours=1)
    refused(lambda: world.extend(overdue))


@attack
def a_payment_of_what_is_over(world: World) -> None:
    overdue = world.session(world.customer())
    paid = paid_order(world).session
    world.deliver_all()
    refused(lambda: world.initiate(paid))
    world.now += timedelta(hours=1)
    refused(lambda: world.initiate(overdue))
    world.expire()
    refused(lambda: world.initiate(overdue))


@attack
def a_second_order_of_one_cart(world: World) -> None:
    customer = world.customer()
    one = world.session(customer)
    other = world.session(customer, fill=False)
    started = world.initiate(one)
    refused(lambda: world.initiate(other))
    world.ledger.pay(started.attempt.ref)
    world.deliver_all()
    refused(lambda: world.initiate(other))


@attack
def more_searches_than_an_hour_allows(world: World) -> None:
    paid_order(world)
    place = keys.hourly(keys.searcher("operator:anna"), fair_use.SEARCHES, hour_of(world.now))
    write(world.table, Update("counter", place, set={"n": MOST_AN_HOUR - 1}))
    world.operate("GET", "/api/operators/search/", query="q=5678")
    refused(lambda: world.operate("GET", "/api/operators/search/", query="q=5678"))
    world.now += timedelta(hours=1)
    world.operate("GET", "/api/operators/search/", query="q=5678")


@attack
def a_second_prompt_on_one_phone(world: World) -> None:
    phone = world.phone()
    one, other = world.session(world.customer()), world.session(world.customer())
    world.pace = timedelta(seconds=30)
    started = world.initiate(one, phone)
    refused(lambda: world.initiate(other, phone))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    refused(lambda: world.initiate(other, phone))
    world.now += timedelta(minutes=1)
    world.initiate(other, phone)


@attack
def a_second_prompt_without_any_pace(world: World) -> None:
    phone = world.phone()
    one, other = world.session(world.customer()), world.session(world.customer())
    world.initiate(one, phone)
    refused(lambda: world.initiate(other, phone))


@attack
def a_promo_that_is_used_up(world: World) -> None:
    world.promo("SAVE", 1)
    one, other = world.customer(), world.customer()
    carts = world.booking_cart(one, promo="SAVE"), world.booking_cart(other, promo="SAVE")
    started = world.process(carts[0], one)
    refused(lambda: world.process(carts[1], other))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    world.ledger.pay(world.process(carts[1], other).attempt.ref)
    world.deliver_all()
    refused(lambda: world.process(carts[0], one))
    one_order(world)


@attack
def a_session_of_what_is_not_sold_so(world: World) -> None:
    customer = world.customer()
    world.fill_cart(customer, price=14000)
    refused(lambda: world.session(customer, fill=False))
    world.stock("1")
    world.fill_cart(customer)
    refused(lambda: world.session(customer, fill=False))


@attack
def more_held_than_there_is(world: World) -> None:
    world.stock("3", hold=True)
    one, other = world.session(world.customer(), hold=True), world.session(world.customer(), hold=True)
    started = world.initiate(one)
    refused(lambda: world.initiate(other))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    world.ledger.pay(world.initiate(other).attempt.ref)
    world.deliver_all()
    one_order(world)


@attack
def somebody_elses_session(world: World) -> None:
    session, thief = world.session(world.customer()), Customer("thief")
    given = GivenId(session.number)
    with pytest.raises(NotFoundError):
        lookup.find_session(given, customer=thief, table=world.table)
    with pytest.raises(NotFoundError):
        extend_session(given, customer=thief, table=world.table, now=world.now, step=timedelta(minutes=1))
    started = world.initiate(session)
    with pytest.raises(NotFoundError):
        lookup.find_session(GivenId(code=started.attempt.transaction), customer=thief, table=world.table)


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
    refused(lambda: move(200, moved))
    refused(lambda: move(200, seen))


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
def two_e_mails_with_news_to_the_shop_at_once(world: World) -> None:
    until = world.now + timedelta(minutes=5)
    news.take_turn(world.table, world.now, until)
    with pytest.raises(ConditionFailedError):
        news.take_turn(world.table, until - timedelta(seconds=1), until + timedelta(minutes=5))
    news.take_turn(world.table, until, until + timedelta(minutes=5))


@attack
def a_cart_of_what_is_not_sold_any_more(world: World) -> None:
    customer = world.customer()
    world.fill_cart(customer)
    write(world.table, Update("listing", shop_keys.listing(TOMATOES), set={"withdrawn": True}))
    with pytest.raises(AnsweredError) as met:
        world.session(customer, fill=False)
    assert met.value.code == "OUT_OF_STOCK"


@attack
def a_cart_of_what_is_sold_in_another_currency_now(world: World) -> None:
    customer = world.customer()
    world.fill_cart(customer)
    write(world.table, Update("listing", shop_keys.listing(TOMATOES), set={"currency": "INR"}))
    with pytest.raises(AnsweredError) as met:
        world.session(customer, fill=False)
    assert met.value.code == "PRICE_CHANGED"
