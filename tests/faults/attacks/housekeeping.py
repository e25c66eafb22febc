"""Writes about sessions, carts, the catalogue, notices, the outbox, tokens and due work, each against what may come before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from payfirst.api.shared_tokens import SharedTokens
from payfirst.domain.cart import BookingCart
from payfirst.domain.catalogue import Edits, Listing
from payfirst.domain.clock import instant
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import StoredToken
from payfirst.storage import carts, catalogue, catalogue_edits, due, notices, outbox, sessions
from payfirst.storage.catalogue_edits import Stock
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.table import Key, Table
from payfirst.usecases.carts import produce_cart, service_carts
from tests.faults.attacks.meanwhile import gone, has, kept_back, nothing_comes_of, place_of, stopped, to_session, write_of
from tests.faults.attacks.registry import attack
from tests.faults.flows import paid_order
from tests.faults.world import TOMATOES, World


@attack
def what_comes_before_an_extension(world: World) -> None:
    session = world.session(world.customer())
    extend = kept_back(world, sessions, "extend", lambda there: there.extend(session))
    place = place_of(session)
    stopped(
        extend,
        {
            **to_session(session),
            "it is being paid": has(place, status="payment_initiated"),
            "it is over": has(place, expires_at=instant(world.now)),
            "it has its money": has(place, captured="MT0"),
            "it waits for an attempt": has(place, live_attempt="MT0"),
            "it was extended four times": has(place, extensions=4),
        },
    )


@attack
def what_comes_before_an_expiry(world: World) -> None:
    session = world.session(world.customer())
    there = world.fork()
    there.now += timedelta(hours=1)
    expire = kept_back(there, sessions, "expire", lambda each: each.expire())
    place, end = place_of(session), session.expires_at
    stopped(
        expire,
        {
            **to_session(session),
            "it is being paid": has(place, status="payment_initiated"),
            "it was extended": has(place, expires_at=instant(end - timedelta(seconds=1))),
        },
    )
    stopped(write_of(world, sessions.expire, [session], world.now, end), {})
    nothing_comes_of(write_of(world, sessions.expire, [session], world.now, end - timedelta(seconds=1)))


@attack
def what_comes_before_a_cart_is_changed(world: World) -> None:
    customer = world.customer()
    world.promo("SAVE", 5)
    cart = world.booking_cart(customer)
    given, place = GivenId(cart.number), keys.owned(customer.sub, keys.CART, cart.number)
    seen = {
        "it was changed": has(place, version="another"),
        "it is being paid for": has(place, live_attempt="MT0"),
        "it is paid for": has(place, converted_by="BK-1"),
        "it is gone": gone(place),
    }

    def apply(there: World) -> None:
        service_carts.apply_promo(given, "SAVE", customer=customer, table=there.table, now=there.now, entropy=there.entropy)

    stopped(kept_back(world, carts, "change_booking_cart", apply), seen)

    def delete(there: World) -> None:
        service_carts.delete_cart(given, customer=customer, table=there.table)

    stopped(kept_back(world, carts, "delete_booking_cart", delete), seen)
    other = BookingCart(cart.number + 1, cart.uuid, cart.content, "v", world.now)
    there_is = has(keys.owned(customer.sub, keys.CART, cart.number + 1))
    stopped(write_of(world, carts.create_booking_cart, customer.sub, other), {"there is such a cart": there_is})


@attack
def what_comes_before_a_cart_is_filled(world: World) -> None:
    customer = world.customer()
    place = keys.produce_cart(customer.sub)

    def add(there: World) -> None:
        produce_cart.add_item(TOMATOES, Decimal(2), customer=customer, table=there.table, now=there.now, entropy=there.entropy)

    stopped(kept_back(world, carts, "write_produce_cart", add), {"there is one": has(place, version="another")})
    world.fill_cart(customer)
    stopped(kept_back(world, carts, "write_produce_cart", add), {"it was changed": has(place, version="another")})


@attack
def what_comes_before_a_new_entry_of_the_catalogue(world: World) -> None:
    pears = Listing(7, "Pears", "Green Valley", "kg", Money(9000, Currency.KES), Decimal(5), hold=False)
    there_is = {"there is one": has(shop_keys.listing(7), product_name="Apples")}
    stopped(write_of(world, catalogue.add, pears), there_is)
    stopped(write_of(world, catalogue_edits.store, [(pears, None)]), there_is)
    other = Listing(7, "Pears", "Green Valley", "kg", Money(9900, Currency.KES), Decimal(5), hold=False)
    catalogue.add(world.table, pears)
    world.stocked[7] = Decimal(5)
    changed = {"it is gone": gone(shop_keys.listing(7)), "it has another price": has(shop_keys.listing(7), price=8000)}
    stopped(write_of(world, catalogue_edits.store, [(other, pears)]), changed)
    off = {"it is gone": gone(shop_keys.listing(7)), "it is off sale": has(shop_keys.listing(7), withdrawn=True)}
    stopped(write_of(world, catalogue_edits.store, [(replace(pears, active=False), pears)]), off)
    edit, dearer = catalogue_edits.edit, replace(pears, price=Money(9900, Currency.KES))
    who: Any = {"by": "operator:amina", "now": world.now}
    faster = {"it is gone": gone(shop_keys.listing(7)), "it was edited": has(shop_keys.listing(7), edits=1)}
    stopped(write_of(world, edit, dearer, pears, **who), faster)
    sold = {"some was bought": has(shop_keys.listing(7), available=4)}
    stopped(write_of(world, edit, pears, pears, Stock(to=Decimal(9)), **who), sold)
    few = {"less is there": has(shop_keys.listing(7), available=2)}
    stopped(write_of(world, edit, pears, pears, Stock(by=Decimal(-3)), **who), few)
    has(shop_keys.listing(7), edits=2)(world)
    again, faster = replace(pears, edits=Edits(2)), {"it was edited": has(shop_keys.listing(7), edits=3)}
    stopped(write_of(world, edit, dearer, again, **who), faster)


@attack
def what_comes_before_a_notice_is_stored(world: World) -> None:
    paid_order(world)
    store = kept_back(world, notices, "store", lambda there: there.deliver_all())
    stopped(store, {"its twin was faster": has(dict(store.given[0].key))})


@attack
def what_comes_before_an_event_has_left(world: World) -> None:
    world.session(world.customer())
    left = kept_back(world, outbox, "mark_delivered", lambda there: there.deliver_events())
    (event,) = left.given[0]
    place = {"pk": event["pk"], "sk": event["sk"]}
    stopped(left, {"somebody else took it": has(place, delivered_at=instant(world.now))})
    item = {**event, "due_sk": instant(world.now)}
    due_as_mail = has(place, delivered_at=instant(world.now), due_sk=item["due_sk"])
    mailed = {"it was mailed": has(place, mailed_at=instant(world.now))}
    leased = {"somebody else writes it": has(place, due_sk=instant(world.now + timedelta(minutes=2)))}
    stopped(write_of(world, outbox.lease, item, world.now).after(due_as_mail), {**mailed, **leased})
    stopped(write_of(world, outbox.mark_mailed, item, world.now, word="1").after(due_as_mail), mailed)


@attack
def what_comes_before_a_token_is_shared(world: World) -> None:
    place = keys.gateway_token("MPESA")
    later = world.now + timedelta(seconds=30)

    def lease(table: Table, owner: str) -> None:
        SharedTokens(table).lease("MPESA", owner=owner, now=world.now, until=later)

    free = write_of(world, lease, "one")
    stopped(free, {"another fetches one": has(place, lease_owner="other", lease_until=instant(later))})
    stopped(free.after(has(place, lease_owner="one", lease_until=instant(later))), {})
    stopped(free.after(has(place, lease_owner="other", lease_until=instant(world.now))), {})

    def share(table: Table, owner: str) -> None:
        SharedTokens(table).write("MPESA", StoredToken("t", later, later), owner=owner)

    held = write_of(world, share, "one").after(has(place, lease_owner="one", lease_until=instant(later)))
    stopped(held, {"its lease ran out": has(place, lease_owner="other")})


@attack
def what_comes_before_due_work_is_put_off(world: World) -> None:
    paid_order(world)
    attempt = next(item for item in world.items() if item["sk"] == "ATT")
    place: Key = {"pk": attempt["pk"], "sk": attempt["sk"]}
    later = world.now + timedelta(hours=1)
    moved = {
        "it is due otherwise": has(place, due_pk="review#0"),
        "it is due at another time": has(place, due_sk=instant(later)),
    }
    stopped(write_of(world, due.again, attempt, due_index.SETTLE, later), moved)

    def retry_later(table: Table) -> None:
        with patch.object(due, "get", lambda *_: attempt):
            due.retry_later(table, due.Entry.of(attempt), world.now)

    stopped(write_of(world, retry_later), moved)

    def succeed(table: Table) -> None:
        with patch.object(due, "get", lambda *_: {**attempt, "tries": 2}):
            due.forget_failures(table, due.Entry.of(attempt), world.now)

    stopped(write_of(world, succeed).after(has(place, tries=2)), moved)
