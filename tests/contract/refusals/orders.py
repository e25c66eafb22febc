"""Refusals of document B's routes and of its operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import requests

from payfirst.api.routes import Route
from payfirst.storage import catalogue
from payfirst.storage.dynamodb import keys, shop_keys
from tests.contract.refusals.scene import Scene, brings, path_of
from tests.contract.repeatable import (
    A_SESSION,
    Owner,
    new_operator,
    new_owner,
    session_of,
)
from tests.contract.stack_table import changed, content, raw_item, with_values
from tests.contract.walk import TOMATOES, a_session, new_phone, pay_mpesa, script, wait_until

SESSIONS: Final = "/api/payments/sessions"
LONG_AGO: Final = "2020-01-01T00:00:00Z"
_listings = iter(range(81_000, 90_000))


def own_listing(scene: Scene, **values: Any) -> int:
    """A listing like the tomatoes, of which nobody else knows."""
    number = next(_listings)
    tomatoes = catalogue.read_listing(scene.table, TOMATOES)
    assert tomatoes is not None
    catalogue.add(scene.table, replace(tomatoes, number=number))
    if values:
        with_values(scene.table, shop_keys.listing(number), **values)
    return number


def put_in_cart(owner: Owner, listing: int, quantity: float = 2) -> Any:
    return owner.api.post("/api/carts/add_item", {"listing_id": listing, "quantity": quantity})


def with_phone(phone: str) -> dict[str, Any]:
    return {**A_SESSION, "delivery_details": {**A_SESSION["delivery_details"], "phone_number": phone}}


@brings("CART_EMPTY", "create_session")
def nothing_in_the_cart(scene: Scene, route: Route) -> requests.Response:
    return scene.owner().api.send("POST", route.path, A_SESSION)


@brings("AMOUNT_NOT_CHARGEABLE", "create_session")
def more_than_mpesa_takes(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    owner.api.add_tomatoes(1700)
    return owner.api.send("POST", route.path, A_SESSION)


@brings("NOT_DELIVERED", "create_session")
def a_county_that_the_shop_does_not_go_to(scene: Scene, route: Route) -> requests.Response:
    owner = new_owner(scene.narrow)
    owner.api.add_tomatoes()
    far = {**A_SESSION["delivery_details"], "county_id": 47, "subcounty_id": 274}
    return owner.api.send("POST", route.path, {**A_SESSION, "delivery_details": far})


@brings("PRICE_CHANGED", "create_session")
def a_price_that_rose_in_the_cart(scene: Scene, route: Route) -> requests.Response:
    owner, listing = scene.owner(), own_listing(scene)
    put_in_cart(owner, listing)
    with_values(scene.table, shop_keys.listing(listing), price=17000)
    return owner.api.send("POST", route.path, A_SESSION)


@brings("OUT_OF_STOCK", "create_session")
def what_was_sold_while_in_the_cart(scene: Scene, route: Route) -> requests.Response:
    owner, listing = scene.owner(), own_listing(scene)
    put_in_cart(owner, listing)
    with_values(scene.table, shop_keys.listing(listing), available=Decimal(1))
    return owner.api.send("POST", route.path, A_SESSION)


@brings("OUT_OF_STOCK", "add_item")
def more_than_there_is(scene: Scene, route: Route) -> requests.Response:
    body = {"listing_id": own_listing(scene, available=Decimal(1)), "quantity": 2}
    return scene.owner().api.send("POST", route.path, body)


@brings("OUT_OF_STOCK", "update_quantity")
def a_line_of_more_than_there_is(scene: Scene, route: Route) -> requests.Response:
    owner, listing = scene.owner(), own_listing(scene, available=Decimal(3))
    line = put_in_cart(owner, listing)["items"][0]["cart_item_id"]
    return owner.api.send("POST", route.path, {"cart_item_id": line, "quantity": 4})


@brings("CART_FULL", "add_item")
def a_fifty_first_line(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    put_in_cart(owner, TOMATOES)
    key = keys.produce_cart(owner.sub)
    [line] = content(raw_item(scene.table, key))["lines"]
    lines = [{**line, "cart_item_id": number, "listing_id": 90_000 + number} for number in range(1, 51)]
    with_values(scene.table, key, lines=lines)
    return owner.api.send("POST", route.path, {"listing_id": TOMATOES, "quantity": 1})


def more_lines_than_an_order_takes(item: Mapping[str, Any]) -> list[Any]:
    [line] = item["lines"]
    return [{**line, "cart_item_id": number, "listing_id": 9000 + number} for number in range(90)]


@brings("CANNOT_BE_PROVIDED", "create_session")
def a_cart_that_no_order_can_hold(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    owner.api.add_tomatoes()
    cart = keys.produce_cart(owner.sub)
    with_values(scene.table, cart, lines=more_lines_than_an_order_takes(content(raw_item(scene.table, cart))))
    return owner.api.send("POST", route.path, A_SESSION)


@brings("CANNOT_BE_PROVIDED", "initiate_payment")
def a_session_that_no_order_can_hold(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    path, key = session_of(owner)
    frozen = content(raw_item(scene.table, key))["snapshot"]
    with_values(scene.table, key, snapshot={**frozen, "lines": more_lines_than_an_order_takes(frozen)})
    return owner.api.send("POST", f"{path}/{route.path.rsplit('/', 1)[-1]}")


@brings("TOO_MANY_REQUESTS", "create_session")
def one_session_too_many(scene: Scene, route: Route) -> requests.Response:
    owner = new_owner(scene.narrow)
    for _ in range(2):
        a_session(owner.api)
    owner.api.add_tomatoes()
    return owner.api.send("POST", route.path, with_phone(new_phone()))


def paid(scene: Scene) -> tuple[Owner, str]:
    owner = scene.owner()
    path, _ = session_of(owner)
    pay_mpesa(scene.stack, owner.api.post(f"{path}/initiate_payment")["checkout_request_id"])
    wait_until(lambda: owner.api.get(f"{path}/status"), lambda answer: answer["order"] is not None)
    return owner, path


def verb(route: Route) -> str:
    return route.path.rsplit("/", 1)[-1]


@brings("SESSION_EXPIRED", "extend_session", "initiate_payment")
def a_session_of_long_ago(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    path, key = session_of(owner)
    with changed(scene.table, key, expires_at={"S": LONG_AGO}):
        return owner.api.send("POST", f"{path}/{verb(route)}")


@brings("SESSION_CLOSED", "extend_session", "initiate_payment")
def a_session_that_is_paid(scene: Scene, route: Route) -> requests.Response:
    owner, path = paid(scene)
    return owner.api.send("POST", f"{path}/{verb(route)}")


@brings("PAYMENT_IN_PROGRESS", "extend_session", "initiate_payment")
def a_session_whose_prompt_is_open(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    path, _ = session_of(owner)
    owner.api.post(f"{path}/initiate_payment")
    return owner.api.send("POST", f"{path}/{verb(route)}")


@brings("EXTENSION_LIMIT", "extend_session")
def a_fifth_extension(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    path, _ = session_of(owner)
    for _ in range(4):
        owner.api.post(f"{path}/{verb(route)}")
    return owner.api.send("POST", f"{path}/{verb(route)}")


@brings("PHONE_BUSY", "initiate_payment")
def a_phone_with_an_open_prompt(scene: Scene, route: Route) -> requests.Response:
    phone = new_phone()
    for owner in (scene.owner(), scene.owner()):
        path, _ = session_of(owner)
        answer = owner.api.send("POST", f"{path}/{verb(route)}", {"phone_number": phone})
    return answer


@brings("TOO_MANY_REQUESTS", "initiate_payment")
def one_prompt_too_many(scene: Scene, route: Route) -> requests.Response:
    owner = new_owner(scene.narrow)
    path = f"{SESSIONS}/{a_session(owner.api)['session_id']}"
    for _ in range(2):
        started = owner.api.post(f"{path}/{verb(route)}", {"phone_number": new_phone()})
        pay_mpesa(scene.narrow, started["checkout_request_id"], "cancel")
        wait_until(lambda: owner.api.get(f"{path}/status"), lambda answer: answer["session_status"] == "failed")
    return owner.api.send("POST", f"{path}/{verb(route)}", {"phone_number": new_phone()})


@brings("GATEWAY_REJECTED", "initiate_payment")
def a_push_that_mpesa_refuses(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    path, _ = session_of(owner)
    script(scene.stack, gateway="mpesa", call="push", answer="no_product", times=1)
    return owner.api.send("POST", f"{path}/{verb(route)}")


def of_a_customer(scene: Scene) -> tuple[Owner, str]:
    """A customer and the number of their order."""
    owner = scene.owner()
    path, _ = session_of(owner)
    pay_mpesa(scene.stack, owner.api.post(f"{path}/initiate_payment")["checkout_request_id"])
    paid = wait_until(lambda: owner.api.get(f"{path}/status"), lambda answer: answer["order"] is not None)
    return owner, paid["order"]["order_number"]


@brings("ORDER_NOT_CANCELLABLE", "cancel_order")
def an_order_that_is_packed(scene: Scene, route: Route) -> requests.Response:
    owner, number = of_a_customer(scene)
    new_operator(scene.stack).api.post(f"/api/operators/orders/{number}/move", {"status": "packed"})
    return owner.api.send("POST", path_of(route, number), {})


@brings("STOCK_DISAGREES", "cancel_order")
def an_own_order_of_more_than_was_sold(scene: Scene, route: Route) -> requests.Response:
    owner, number = of_a_customer(scene)
    with changed(scene.table, shop_keys.listing(TOMATOES), sold={"N": "0"}):
        return owner.api.send("POST", path_of(route, number), {})


@brings("REFUND_CHANGED", "cancel_order")
def another_amount_than_goes_back(scene: Scene, route: Route) -> requests.Response:
    owner, number = of_a_customer(scene)
    return owner.api.send("POST", path_of(route, number), {"refund": "300.00"})


@brings("REFUND_IN_PROGRESS", "cancel_order")
def an_own_order_beside_a_refund(scene: Scene, route: Route) -> requests.Response:
    owner, number = of_a_customer(scene)
    operator = new_operator(scene.stack).api
    [attempt] = operator.get(f"/api/operators/payments/{number}")["attempts"]
    operator.post(f"/api/operators/payments/{attempt['attempt']}/refund", {"amount": "10.00", "why": "it was green"})
    with_values(scene.table, keys.refund(attempt["attempt"], 1), status="accepted")
    return owner.api.send("POST", path_of(route, number), {})
