"""Refusals of document A's routes: promo codes, slots, carts, payments and bookings."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import requests

from payfirst.api.routes import Route
from payfirst.domain.booking import AS_USUAL, ChangeRules
from payfirst.domain.calendar import Calendar, Opening
from payfirst.domain.catalogue import Package, Service, ServiceType
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesTo, Promo
from payfirst.storage import catalogue
from payfirst.storage.catalogue import promo_to_item, service_to_item
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import to_wire
from tests.contract.refusals.scene import Answered, Scene, brings, path_of
from tests.contract.repeatable import A_CART, Owner, booking_of, cart_of, new_operator, new_owner
from tests.contract.stack_table import changed, content, put_raw, raw_item, with_values
from tests.contract.walk import new_phone, script

PAYS: Final = ("process_cart", "process_cart_doubled")
DAY: Final = (datetime.now(UTC) + timedelta(days=30)).date()
PAST: Final = date(2025, 7, 20)
DAILY: Final = Calendar(dict.fromkeys(range(7), (Opening(time(9), time(12)),)), slot_minutes=60, capacity=1, days_ahead=60)
OTHER_HOURS: Final = replace(DAILY, weekdays=dict.fromkeys(range(7), (Opening(time(3), time(4)),)))
PUJA: Final = Package(1, "Basic", Money(51000, Currency.INR))
_numbers = itertools.count(91_000 + secrets.randbelow(4_000))


def offer(
    scene: Scene, number: int, *, calendar: Calendar | None = None, changes: ChangeRules = AS_USUAL, price: int = 51000
) -> None:
    package = replace(PUJA, price=Money(price, Currency.INR))
    offered = Service(ServiceType.PUJA, number, "Ganesh Puja", "", "Asia/Kolkata", Currency.INR, (package,))
    offered = replace(offered, calendar=calendar, changes=changes)
    if not catalogue.add(scene.table, offered):
        put_raw(scene.table, to_wire(service_to_item(offered)))


def wanted(number: int, day: date = DAY, at: str = "10:00") -> dict[str, Any]:
    chosen = {"puja_service": number, "package_id": 1, "selected_date": day.isoformat(), "selected_time": at}
    return {"service_type": "PUJA", **chosen}


# Promo codes

SPOILED: Final[Mapping[str, Mapping[str, Any] | None]] = {
    "PROMO_UNKNOWN": None,
    "PROMO_EXPIRED": {"valid_until": datetime(2020, 1, 1, tzinfo=UTC)},
    "PROMO_USED_UP": {"most_uses": 0},
    "PROMO_LIMIT_REACHED": {"most_uses_each": 0},
    "PROMO_BELOW_MINIMUM": {"minimum": Money(10**9, Currency.INR)},
    "PROMO_NOT_APPLICABLE": {"applies_to": (AppliesTo("ASTROLOGY", 1),)},
}


def new_promo(scene: Scene) -> Promo:
    promo = Promo(f"T{secrets.token_hex(6).upper()}", Currency.INR, percent=Decimal(10))
    put_raw(scene.table, to_wire(promo_to_item(promo)))
    return promo


def spoil(scene: Scene, promo: Promo, code: str) -> None:
    """Let the promo code be refused with `code` from now on."""
    changes = SPOILED[code]
    if changes is None:
        scene.table.client.delete_item(TableName=scene.table.name, Key=to_wire(shop_keys.promo(promo.code)))
    else:
        put_raw(scene.table, to_wire(promo_to_item(replace(promo, **changes))))


def _promo_recipes(code: str) -> None:
    @brings(code, "create_cart")
    def a_cart_with_a_spoiled_code(scene: Scene, route: Route) -> requests.Response:
        promo = new_promo(scene)
        spoil(scene, promo, code)
        return scene.owner().api.send("POST", route.path, {**A_CART, "promo_code": promo.code})

    @brings(code, "apply_promo")
    def a_spoiled_code_for_a_cart(scene: Scene, route: Route) -> requests.Response:
        owner, promo = scene.owner(), new_promo(scene)
        spoil(scene, promo, code)
        return owner.api.send("POST", path_of(route, cart_of(owner)["id"]), {"promo_code": promo.code})

    @brings(code, *PAYS)
    def a_code_that_was_spoiled_in_the_cart(scene: Scene, route: Route) -> requests.Response:
        owner, promo = scene.owner(), new_promo(scene)
        cart = owner.api.post("/api/cart/carts", {**A_CART, "promo_code": promo.code})
        spoil(scene, promo, code)
        return owner.api.send("POST", route.path, {"cart_id": cart["id"]})


for _code in SPOILED:
    _promo_recipes(_code)


# Slots


@dataclass(frozen=True, slots=True)
class Refused:
    """A slot that is refused when it is asked for, and what has to change for a good one to be refused later."""

    day: date
    at: str
    later: Calendar


SLOTS: Final[Mapping[str, Refused]] = {
    "SLOT_NOT_OFFERED": Refused(DAY, "10:30", OTHER_HOURS),
    "SLOT_TOO_SOON": Refused(PAST, "10:00", replace(DAILY, lead_minutes=365 * 24 * 60)),
    "SLOT_TOO_FAR": Refused(DAY + timedelta(days=40), "10:00", replace(DAILY, days_ahead=3)),
    "SLOT_FULL": Refused(DAY, "11:00", DAILY),
}


def fill(scene: Scene, number: int, at: time) -> None:
    put_raw(scene.table, to_wire({**shop_keys.slot("PUJA", number, DAY, at), "used": 1, "held": 0}))


def _slot_recipes(code: str) -> None:
    slot = SLOTS[code]

    @brings(code, "create_cart")
    def a_cart_for_a_bad_slot(scene: Scene, route: Route) -> requests.Response:
        number = next(_numbers)
        offer(scene, number, calendar=DAILY)
        fill(scene, number, time(11))
        return scene.owner().api.send("POST", route.path, wanted(number, slot.day, slot.at))

    @brings(code, *PAYS)
    def a_slot_that_went_bad_in_the_cart(scene: Scene, route: Route) -> requests.Response:
        number, owner = next(_numbers), scene.owner()
        offer(scene, number, calendar=DAILY)
        cart = owner.api.post("/api/cart/carts", wanted(number))
        offer(scene, number, calendar=slot.later)
        fill(scene, number, time(10))
        return owner.api.send("POST", route.path, {"cart_id": cart["id"]})

    @brings(code, "reschedule_booking", "operators_move_booking")
    def a_move_to_a_bad_slot(scene: Scene, route: Route) -> requests.Response:
        number, owner = next(_numbers), scene.owner()
        offer(scene, number, calendar=DAILY)
        fill(scene, number, time(11))
        booking = booking_of(owner, owner.api.post("/api/cart/carts", wanted(number)))
        asked = {"selected_date": slot.day.isoformat(), "selected_time": slot.at}
        caller = scene.caller(route) if route.operators else owner.api
        return caller.send("POST", path_of(route, booking["book_id"]), asked)


for _code in SLOTS:
    _slot_recipes(_code)


# Carts and payments


@brings("CART_LOCKED", "apply_promo", "remove_promo", "delete_cart")
def a_cart_whose_payment_is_open(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    cart = cart_of(owner)
    owner.api.post("/api/payments/process-cart", {"cart_id": cart["id"]})
    body = {"apply_promo": {"promo_code": "PUJA10"}, "remove_promo": {}}.get(route.operation)
    return owner.api.send(route.method, path_of(route, cart["id"]), body)


@brings("CART_CONVERTED", "apply_promo", "remove_promo", "delete_cart")
def a_cart_that_is_a_booking(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    cart = cart_of(owner)
    booking_of(owner, cart)
    body = {"apply_promo": {"promo_code": "PUJA10"}, "remove_promo": {}}.get(route.operation)
    return owner.api.send(route.method, path_of(route, cart["id"]), body)


@brings("CART_EXPIRED", "apply_promo", "remove_promo")
def a_cart_that_nobody_has_touched_for_a_month(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    cart = cart_of(owner)
    body = {"promo_code": "PUJA10"} if route.operation == "apply_promo" else {}
    with changed(scene.table, owner.owns(keys.CART, cart["id"]), created_at={"S": "2020-01-01T00:00:00Z"}):
        return owner.api.send("POST", path_of(route, cart["id"]), body)


def pay(owner: Owner, route: Route, cart: Any, **more: Any) -> requests.Response:
    return owner.api.send("POST", route.path, {"cart_id": cart["id"], **more})


@brings("AMOUNT_MISMATCH", *PAYS)
def another_amount(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    return pay(owner, route, cart_of(owner), amount="998.99")


@brings("AMOUNT_NOT_CHARGEABLE", *PAYS)
def less_than_phonepe_takes(scene: Scene, route: Route) -> requests.Response:
    owner, number = scene.owner(), next(_numbers)
    offer(scene, number, price=50)
    return pay(owner, route, owner.api.post("/api/cart/carts", wanted(number)))


@brings("CANNOT_BE_PROVIDED", *PAYS)
def a_cart_that_no_booking_can_hold(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    cart = cart_of(owner)
    place = owner.owns(keys.CART, cart["id"])
    stored = content(raw_item(scene.table, place))["content"]
    with_values(scene.table, place, content={**stored, "service_name": "x" * 330_000})
    return pay(owner, route, cart)


def in_cart(scene: Scene) -> tuple[Owner, int, Any]:
    owner, number = scene.owner(), next(_numbers)
    offer(scene, number)
    return owner, number, owner.api.post("/api/cart/carts", wanted(number))


@brings("PRICE_CHANGED", *PAYS)
def a_price_that_rose_in_the_cart(scene: Scene, route: Route) -> requests.Response:
    owner, number, cart = in_cart(scene)
    offer(scene, number, price=52000)
    return pay(owner, route, cart)


@brings("CART_CHANGED", *PAYS)
def what_is_not_offered_any_more(scene: Scene, route: Route) -> requests.Response:
    owner, number, cart = in_cart(scene)
    scene.table.client.delete_item(TableName=scene.table.name, Key=to_wire(shop_keys.service("PUJA", number)))
    return pay(owner, route, cart)


@brings("TOO_MANY_REQUESTS", *PAYS)
def one_payment_too_many(scene: Scene, route: Route) -> requests.Response:
    owner = new_owner(scene.narrow)
    future = {**A_CART, "selected_date": DAY.isoformat()}
    carts = [owner.api.post("/api/cart/carts", future) for _ in range(3)]
    for cart in carts[:2]:
        assert pay(owner, route, cart).status_code == 201
    return pay(owner, route, carts[2])


@brings("GATEWAY_REJECTED", *PAYS)
def a_page_that_phonepe_refuses(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    cart = cart_of(owner)
    script(scene.stack, gateway="phonepe", call="pay", answer="rate_limit", times=1)
    return pay(owner, route, cart)


def overtaken(scene: Scene, route: Route, name: str, value: object) -> Answered:
    """The answer to a payment whose cart somebody else changes between look and write."""
    owner = scene.owner()
    cart = cart_of(owner)
    key = owner.owns(keys.CART, cart["id"])
    told = {"path": route.path, "sub": owner.sub, "body": {"cart_id": cart["id"]}, "key": key, "name": name, "value": value}
    done = subprocess.run(
        [sys.executable, "-m", "tests.contract.refusals.raced"],
        cwd=Path(__file__).parents[3],
        env={**os.environ, **scene.stack.environment},
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Answered(*json.loads(done.stdout.splitlines()[-1]))


@brings("PAYMENT_IN_PROGRESS", *PAYS)
def a_rival_who_pays_at_the_same_moment(scene: Scene, route: Route) -> Answered:
    return overtaken(scene, route, "live_attempt", "MT7a8b9c0d1e2f3")


@brings("SESSION_CLOSED", *PAYS)
def a_rival_whose_payment_arrives_at_the_same_moment(scene: Scene, route: Route) -> Answered:
    return overtaken(scene, route, "converted_by", "MT7a8b9c0d1e2f3")


def shilling_cart(scene: Scene, owner: Owner) -> Any:
    number = next(_numbers)
    package = Package(1, "Basic", Money(100000, Currency.KES))
    offered = Service(ServiceType.PUJA, number, "Soil Reading", "", "Africa/Nairobi", Currency.KES, (package,))
    put_raw(scene.table, to_wire(service_to_item(offered)))
    return owner.api.post("/api/cart/carts", wanted(number))


@brings("PHONE_BUSY", *PAYS)
def a_phone_with_an_open_prompt(scene: Scene, route: Route) -> requests.Response:
    phone = new_phone()
    for owner in (scene.owner(), scene.owner()):
        answer = pay(owner, route, shilling_cart(scene, owner), phone_number=phone)
    return answer


@brings("WRONG_METHOD", "initiate_payment")
def a_payment_that_prompts_no_phone(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    payment = owner.api.post("/api/payments/process-cart", {"cart_id": cart_of(owner)["id"]})
    return owner.api.send("POST", path_of(route, payment["payment_id"]))


# Bookings


def booked(scene: Scene, **rules: Any) -> tuple[Owner, Any]:
    owner, number = scene.owner(), next(_numbers)
    offer(scene, number, changes=replace(AS_USUAL, **rules))
    return owner, booking_of(owner, owner.api.post("/api/cart/carts", wanted(number)))


ELSEWHEN: Final = {"selected_date": (DAY + timedelta(days=1)).isoformat(), "selected_time": "11:00"}


@brings("BOOKING_NOT_CONFIRMED", "reschedule_booking", "cancel_booking")
def a_booking_that_is_over(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene)
    with changed(scene.table, owner.owns(keys.BOOKING, booking["id"]), status={"S": "COMPLETED"}):
        body = ELSEWHEN if route.operation == "reschedule_booking" else {}
        return owner.api.send("POST", path_of(route, booking["id"]), body)


@brings("BOOKING_NOT_CONFIRMED", "operators_complete_booking", "operators_move_booking")
def a_booking_that_was_cancelled(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene)
    owner.api.post(f"/api/booking/bookings/{booking['id']}/cancel", {})
    body = ELSEWHEN if route.operation == "operators_move_booking" else None
    return scene.caller(route).send("POST", path_of(route, booking["book_id"]), body)


CALLED_OFF: Final = {"refund": "510.00", "why": "the pandit is ill"}


@brings("BOOKING_NOT_CONFIRMED", "operators_cancel_booking")
def a_booking_that_took_place(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene)
    with changed(scene.table, owner.owns(keys.BOOKING, booking["id"]), status={"S": "COMPLETED"}):
        return scene.caller(route).send("POST", path_of(route, booking["book_id"]), CALLED_OFF)


@brings("REFUND_CHANGED", "cancel_booking", "operators_cancel_booking")
def another_refund_than_was_said(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene)
    caller, body = (scene.caller(route), CALLED_OFF) if route.operators else (owner.api, {})
    return caller.send("POST", path_of(route, booking["book_id"]), {**body, "refund": "500.00"})


@brings("RESCHEDULE_LIMIT", "operators_move_booking")
def a_move_too_many_for_anybody(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene)
    with_values(scene.table, owner.owns(keys.BOOKING, booking["id"]), version=101)
    return scene.caller(route).send("POST", path_of(route, booking["book_id"]), ELSEWHEN)


@brings("BOOKING_NOT_OVER", "operators_complete_booking")
def a_booking_that_has_not_begun(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene)
    key = owner.owns(keys.BOOKING, booking["id"])
    frozen = content(raw_item(scene.table, key))["content"]
    with_values(scene.table, key, content={**frozen, "day": "2099-01-01"})
    return scene.caller(route).send("POST", path_of(route, booking["book_id"]))


@brings("RESCHEDULE_LIMIT", "reschedule_booking")
def a_move_too_many(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene, most_reschedules=1)
    owner.api.post(path_of(route, booking["id"]), ELSEWHEN)
    return owner.api.send("POST", path_of(route, booking["id"]), {**ELSEWHEN, "selected_time": "12:00"})


@brings("RESCHEDULE_TOO_LATE", "reschedule_booking")
def a_move_too_late(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene, reschedule_hours=24 * 365)
    return owner.api.send("POST", path_of(route, booking["id"]), ELSEWHEN)


@brings("REFUND_IN_PROGRESS", "cancel_booking", "operators_cancel_booking")
def a_cancellation_beside_a_refund(scene: Scene, route: Route) -> requests.Response:
    owner, booking = booked(scene)
    operator = new_operator(scene.stack).api
    story = operator.get(f"/api/operators/payments/{booking['book_id']}")
    [attempt] = story["attempts"]
    operator.post(f"/api/operators/payments/{attempt['attempt']}/refund", {"amount": "10.00", "why": "it was late"})
    with_values(scene.table, keys.refund(attempt["attempt"], 1), status="accepted")
    caller, body = (operator, CALLED_OFF) if route.operators else (owner.api, {})
    return caller.send("POST", path_of(route, booking["book_id"]), body)
