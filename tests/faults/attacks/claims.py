"""Writes about an attempt until its gateway has answered, each against everything that may have come before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Final

from payfirst.api.addresses import NoticeAddresses
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.clock import Deadline, instant
from payfirst.domain.fair_use import FairUse
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import Promo
from payfirst.domain.session import Delivery
from payfirst.storage import attempts, catalogue, checks, sessions, slots
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.checkout.create_session import create_session
from payfirst.usecases.checkout.initiate_payment import initiate_payment
from payfirst.usecases.checkout.process_cart import CartPayment, process_cart
from payfirst.usecases.context import PaymentContext
from tests.faults.attacks.meanwhile import Happening, guard_of, has, kept_back, place_of, stopped, to_session, write_of
from tests.faults.attacks.registry import attack
from tests.faults.flows import paid_order
from tests.faults.world import TOMATOES, World

LIFETIME: Final = timedelta(minutes=15)
LIMITS: Final = FairUse(sessions_per_user=3, prompts_per_user=3, prompts_per_phone=3, open_sessions=3)
ONE_USE_EACH: Final = Promo("SAVE", Currency.INR, amount=Money(1000, Currency.INR), most_uses=5, most_uses_each=1)
AFTERNOONS: Final = Calendar({day: (Opening(time(13), time(18)),) for day in range(7)}, slot_minutes=60, capacity=1, hold=True)


def open_in_the_afternoon(world: World) -> None:
    """The service that the carts of this shop are for gets slots of one place, which a payment holds."""
    service = catalogue.read_service(world.table, ServiceType.PUJA, 1)
    if service is None:
        raise LookupError("no cart was made yet")
    write(world.table, Put("service", catalogue.service_to_item(replace(service, calendar=AFTERNOONS))))


def _till(there: World) -> PaymentContext:
    """Where payments begin in a shop that limits how many a customer may ask for."""
    return PaymentContext(
        table=there.table,
        queue=there.notice_context().queue,
        gateway=there.gateway,
        addresses=NoticeAddresses("https://shop.example"),
        return_url="https://shop.example/paid",
        pace=there.pace,
        now=there.now,
        entropy=there.entropy,
        deadline=Deadline(lambda: 25.0),
        longest_call_s=10.0,
        search_key=lambda: b"search-key",
        fair_use=LIMITS,
    )


def _at_its_limit(world: World, partition: str, what: str) -> Happening:
    return has(keys.hourly(partition, what, world.now), n=3)


@attack
def what_comes_before_a_new_session(world: World) -> None:
    customer = world.customer()
    world.fill_cart(customer)
    delivery = Delivery("John Doe", world.phone(), 1, 5, "123 Main Street")

    def make(there: World) -> object:
        return create_session(
            delivery,
            customer=customer,
            table=there.table,
            now=there.now,
            entropy=there.entropy,
            lifetime=LIFETIME,
            limits=LIMITS,
        )

    create = kept_back(world, sessions, "create", make)
    session, opened = create.given[0], keys.counter(customer.sub, keys.SESSION)
    stopped(
        create,
        {
            "there is such a session": has(place_of(session)),
            "its history has begun": has(keys.event(customer.sub, session.number, 0)),
            "a price has changed": has(shop_keys.listing(TOMATOES), price=15001),
            "it is sold in another currency": has(shop_keys.listing(TOMATOES), currency="INR"),
            "it is not sold any more": has(shop_keys.listing(TOMATOES), withdrawn=True),
            "the cart was changed": has(keys.produce_cart(customer.sub), version="another"),
            "another has the stock": has(shop_keys.listing(TOMATOES), available=1),
            "its customer opened too many": has(opened, hour=instant(world.now), in_hour=3),
            "its customer opened another": has(opened, n=1),
        },
    )
    make(world)
    world.fill_cart(customer)
    stopped(
        kept_back(world, sessions, "create", make),
        {
            "its customer opened a third": has(opened, n=2),
            "its customer opened too many meanwhile": has(opened, in_hour=3),
            "its customer opened one in the next hour": has(opened, hour=instant(world.now + timedelta(hours=1))),
        },
    )
    world.now += timedelta(hours=1)
    world.fill_cart(customer)
    stopped(
        kept_back(world, sessions, "create", make),
        {"its customer opened one in the new hour": has(opened, hour=instant(world.now))},
    )


@attack
def what_comes_before_the_claim_of_an_order(world: World) -> None:
    world.stock(hold=True)
    session = world.session(world.customer(), hold=True)

    def initiate(there: World) -> object:
        context = _till(there)
        return initiate_payment(GivenId(session.number), None, customer=session.customer, context=context)

    claim = kept_back(world, attempts, "claim", initiate)
    attempt = claim.given[1]
    place, guard, phone = place_of(session), guard_of(attempt), keys.phone(attempt.phone_lock)
    stopped(
        claim,
        {
            **to_session(session),
            "its session is paid for": has(place, status="paid"),
            "its session is over": has(place, expires_at=instant(world.now)),
            "its session has its money": has(place, captured="MT0"),
            "its session waits for another attempt": has(place, live_attempt="MT0"),
            "there is such an attempt": has(keys.attempt(attempt.ref)),
            "its code is taken": has(keys.pointer(attempt.transaction)),
            "its cart is being paid for": has(guard, live_attempt="MT0"),
            "its cart is paid for": has(guard, converted_by="ORD-1"),
            "a prompt is open on its phone": has(phone, attempt="MT0"),
            "its phone was prompted a moment ago": has(phone, next_push_at=instant(world.now + timedelta(seconds=1))),
            "another has the stock": has(shop_keys.listing(TOMATOES), available=1),
            "its customer asked too often": _at_its_limit(world, keys.owner(session.customer.sub), "hourly_prompts"),
            "its phone was prompted too often": _at_its_limit(world, phone["pk"], "hourly_phone_prompts"),
        },
    )


@attack
def what_comes_before_the_claim_of_a_booking(world: World) -> None:
    customer = world.customer()
    write(world.table, Put("promo", catalogue.promo_to_item(ONE_USE_EACH)))
    cart = world.booking_cart(customer, promo="SAVE")
    open_in_the_afternoon(world)

    def pay(there: World) -> object:
        wanted = CartPayment(GivenId(cart.number), None, None, None)
        return process_cart(wanted, customer=customer, context=_till(there), lifetime=LIFETIME)

    claim = kept_back(world, attempts, "claim", pay)
    session, attempt = claim.given[0], claim.given[1]
    guard, opened = guard_of(attempt), keys.counter(customer.sub, keys.SESSION)
    stopped(
        claim,
        {
            "there is such a session": has(place_of(session)),
            "its history has begun": has(keys.event(customer.sub, session.number, 0)),
            "its history goes on": has(keys.event(customer.sub, session.number, 1)),
            "there is such an attempt": has(keys.attempt(attempt.ref)),
            "its code is taken": has(keys.pointer(attempt.transaction)),
            "its cart was changed": has(guard, version="another"),
            "its cart is being paid for": has(guard, live_attempt="MT0"),
            "its cart is paid for": has(guard, converted_by="BK-1"),
            "its slot is full": has(slots.key(attempt.held_slot), used=1, held=0),
            "the promo is used up": has(shop_keys.promo("SAVE"), taken=5),
            "its customer has used the promo": has(keys.promo_uses(customer.sub, "SAVE"), taken=1),
            "its customer opened another": has(opened, n=1),
            "its customer opened too many": has(opened, hour=instant(world.now), in_hour=3),
            "its customer asked too often": _at_its_limit(world, keys.owner(customer.sub), "hourly_prompts"),
        },
    )


@attack
def what_comes_before_the_answer_to_a_push(world: World) -> None:
    session = world.session(world.customer())
    sent = kept_back(world, attempts, "mark_sent", lambda there: there.initiate(session))
    stopped(sent, {"it has ended": has(keys.attempt(sent.given[0].ref), status="failed")})


@attack
def what_comes_before_a_push_is_called_lost(world: World) -> None:
    session = world.session(world.customer())
    world.ledger.lose_pushes = 1
    unknown = kept_back(world, attempts, "mark_unknown", lambda there: there.initiate(session))
    stopped(unknown, {"it has ended": has(keys.attempt(unknown.given[0].ref), status="failed")})
    world.ledger.lose_pushes = 0


@attack
def what_comes_before_an_answer_that_is_late(world: World) -> None:
    started = world.initiate(world.session(world.customer()))
    key = keys.attempt(started.attempt.ref)
    ids = {"gateway_id": "ws_CO_9", "merchant_request_id": "m-9"}
    adding = write_of(world, attempts.add_ids, started.attempt, ids, found_by_id=True)
    late = adding.after(has(key, gateway_id=None, merchant_request_id=None))
    stopped(late, {"its ids are known": has(key, gateway_id="ws_CO_1")})


@attack
def what_comes_before_a_look(world: World) -> None:
    started = paid_order(world)
    world.ledger.notices.clear()
    world.now += timedelta(minutes=2)
    key, later = keys.attempt(started.attempt.ref), instant(world.now + timedelta(minutes=1))
    take = kept_back(world, checks, "take_check", lambda there: there.reconcile())
    stopped(take, {"somebody else looked": has(key, next_check_at=later)})
    now = write_of(world, checks.check_now, take.given[0], world.now)
    stopped(now, {"somebody else looked": has(key, next_check_at=later), "it has ended": has(key, status="failed")})
    again = write_of(world, checks.plan_check_again, take.given[0], (3, world.now)).after(has(key, status="failed"))
    stopped(again, {"it has succeeded": has(key, status="succeeded")})
