"""Sessions and attempts: made, extended, paid for, and given up."""

from __future__ import annotations

from datetime import timedelta

from payfirst.usecases.sweeps.failing import ENOUGH
from tests.faults.flows.base import Act, flow
from tests.faults.process import LIMITS
from tests.faults.world import World


@flow
def a_session_is_made(world: World) -> Act:
    customer = world.customer()
    world.fill_cart(customer)
    return lambda there: there.session(customer, fill=False)


@flow
def a_session_is_made_and_paid_for_where_only_so_many_may_be(world: World) -> Act:
    world.limits = dict.fromkeys(LIMITS, 3)
    customer = world.customer()
    world.session(customer)
    world.fill_cart(customer)

    def make(there: World) -> None:
        there.initiate(there.session(customer, fill=False))

    return make


@flow
def one_more_session_than_may_be_open_at_once(world: World) -> Act:
    return _one_more_session(world, "OPEN_SESSIONS_PER_USER")


@flow
def one_more_session_than_an_hour_allows(world: World) -> Act:
    return _one_more_session(world, "SESSIONS_PER_USER_HOUR")


def _one_more_session(world: World, limit: str) -> Act:
    world.limits = {limit: 1}
    customer = world.customer()
    world.session(customer)
    world.fill_cart(customer)
    return lambda there: there.session(customer, fill=False)


@flow
def one_more_prompt_than_an_hour_allows_a_customer(world: World) -> Act:
    return _one_more_prompt(world, "PROMPTS_PER_USER_HOUR")


@flow
def one_more_prompt_than_an_hour_allows_a_phone(world: World) -> Act:
    return _one_more_prompt(world, "PROMPTS_PER_PHONE_HOUR")


def _one_more_prompt(world: World, limit: str) -> Act:
    world.limits = {limit: 1}
    started = world.initiate(world.session(world.customer()))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    return lambda there: there.initiate(there.read(started.session))


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


@flow
def events_leave_as_the_stream_tells_of_them(world: World) -> Act:
    for _ in range(2):
        world.session(world.customer())
    return lambda there: there.tell_of_stream()


@flow
def news_of_a_failed_payment_leaves(world: World) -> Act:
    started = world.initiate(world.session(world.customer()))
    world.ledger.decline(started.attempt.ref)
    world.deliver_all()
    return lambda there: there.deliver_events()


@flow
def news_of_so_many_failed_payments_leaves_that_they_ring(world: World) -> Act:
    for _ in range(ENOUGH):
        started = world.initiate(world.session(world.customer()))
        world.ledger.decline(started.attempt.ref)
        world.deliver_all()
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
