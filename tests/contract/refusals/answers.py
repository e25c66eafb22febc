"""The answers that are no errors: each documented status of each operation, which a recipe brings about."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import requests

from payfirst.api.routes import ROUTES, Family, Route
from payfirst.storage.dynamodb import keys
from tests.clients import client_of
from tests.contract.refusals.scene import Scene, brings, path_of
from tests.contract.repeatable import A_CART, READY, Owner, booking_of, cart_of, new_operator, order_of, session_of
from tests.contract.stack_table import content, raw_item
from tests.contract.walk import TOMATOES, Customer, pay_mpesa, script, wait_until

MADE: Final = ("create_session", "process_cart", "process_cart_doubled", "create_cart")
LISTS: Final = [
    route.operation
    for route in ROUTES
    if route.method == "GET" and "{" not in route.path and route.operation not in ("health", "operators_search")
]
ON_A_SESSION: Final = ("get_session", "session_status", "session_events")
ON_A_PAYMENT: Final = ("get_payment", "get_payment_doubled", "check_booking", "check_booking_doubled")
NOTICES: Final = [route.operation for route in ROUTES if route.family is Family.NOTICE]


def from_ready(scene: Scene, route: Route) -> requests.Response:
    owner = new_operator(scene.stack) if route.operators else scene.owner()
    ready = READY[route.operation](owner)
    return owner.api.send("POST", ready.path, ready.body)


brings("201", *MADE)(from_ready)
brings("200", *(name for name in READY if name not in MADE))(from_ready)


@brings("200", "process_cart", "process_cart_doubled")
def the_open_payment_again(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    body = {"cart_id": cart_of(owner)["id"]}
    owner.api.post(route.path, body)
    return owner.api.send("POST", route.path, body)


@brings("202", "initiate_payment")
def a_push_whose_answer_is_lost(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    path, _ = session_of(owner)
    script(scene.stack, gateway="mpesa", call="push", answer="lost", times=1)
    return owner.api.send("POST", f"{path}/{route.path.rsplit('/', 1)[-1]}")


@brings("200", *LISTS, "health")
def a_list_or_a_page(scene: Scene, route: Route) -> requests.Response:
    caller = scene.caller(route)
    if route.operation in ("list_carts", "list_active_carts"):
        caller.post("/api/cart/carts", A_CART)
    return caller.send("GET", route.path)


@brings("200", "paid_posted")
def the_form_that_the_browser_brings_back(scene: Scene, route: Route) -> requests.Response:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return Customer(scene.stack.base_url, None).send("POST", route.path, raw=b"code=PAYMENT_SUCCESS", headers=form)


@brings("200", *ON_A_SESSION)
def a_session(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    path, _ = session_of(owner)
    return owner.api.send("GET", path_of(route, path.rsplit("/", 1)[-1]))


@brings("200", *ON_A_PAYMENT)
def a_payment(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    started = owner.api.post("/api/payments/process-cart", {"cart_id": cart_of(owner)["id"]})
    return owner.api.send("GET", path_of(route, started["payment_id"]))


@brings("200", "get_cart")
@brings("204", "delete_cart")
def a_cart(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    return owner.api.send(route.method, path_of(route, cart_of(owner)["id"]))


@brings("200", "get_booking")
def a_booking(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    return owner.api.send("GET", path_of(route, booking_of(owner)["id"]))


def ordered(owner: Owner) -> Any:
    path, _ = session_of(owner)
    pay_mpesa(owner.stack, owner.api.post(f"{path}/initiate_payment")["checkout_request_id"])
    return wait_until(lambda: owner.api.get(f"{path}/status"), lambda answer: answer["order"] is not None)["order"]


@brings("200", "get_order")
def an_order(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    return owner.api.send("GET", path_of(route, ordered(owner)["order_number"]))


@brings("200", "get_listing", "get_service", "list_slots", "list_days", "list_subcounties")
def a_part_of_the_catalogue(scene: Scene, route: Route) -> requests.Response:
    identifier = TOMATOES if route.operation == "get_listing" else 1
    query = "date=2025-07-20&month=2025-07"
    return Customer(scene.stack.base_url, None).send("GET", f"{path_of(route, identifier)}?{query}")


@brings("200", "operators_listing", "operators_service")
def a_part_of_the_catalogue_as_its_shop_keeps_it(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("GET", path_of(route, TOMATOES if route.operation == "operators_listing" else 1))


@brings("200", "operators_booking")
def a_booking_for_the_shop(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("GET", path_of(route, booking_of(scene.owner())["book_id"]))


@brings("200", "operators_payment", "operators_order")
def a_payment_s_story(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    return scene.caller(route).send("GET", path_of(route, number))


@brings("200", "operators_search")
def a_customer_who_rings_up(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    return scene.caller(route).send("GET", f"{route.path}?q={number}")


@brings("200", *NOTICES)
def a_notice_that_proves_nothing(scene: Scene, route: Route) -> requests.Response:
    return Customer(scene.stack.base_url, None).send("POST", path_of(route, "0" * 45), {"Body": {}})


@brings("200", "gateway_notice")
def an_authentic_notice(scene: Scene, route: Route) -> requests.Response:
    told = scene.stack.environment
    keeper = client_of(told, "secretsmanager")
    known = json.loads(keeper.get_secret_value(SecretId=told["GATEWAYS_SECRET_ID"])["SecretString"])["phonepe"]
    pair = f"{known['webhook_username']}:{known['webhook_password']}"
    owner = scene.owner()
    started = owner.api.post("/api/payments/process-cart", {"cart_id": cart_of(owner)["id"]})
    key = owner.owns(keys.SESSION, started["payment_id"])
    body = {
        "event": "checkout.order.completed",
        "payload": {
            "merchantId": "MERCHANT",
            "merchantOrderId": content(raw_item(scene.table, key))["live_attempt"],
            "state": "COMPLETED",
            "amount": 99900,
        },
    }
    headers = {"Authorization": hashlib.sha256(pair.encode()).hexdigest()}
    return Customer(scene.stack.base_url, None).send("POST", path_of(route, "phonepe"), body, headers=headers)
