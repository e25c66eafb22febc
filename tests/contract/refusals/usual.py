"""The errors that every route of its kind has: no token, no JSON, too much of it, a key used otherwise, a throttled table."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import uuid4

import requests

from ops.api_reference.document import OPERATIONS
from payfirst.api.routes import ROUTES, Family, Route
from payfirst.storage.dynamodb import keys
from tests.contract.refusals.scene import Answered, Scene, brings, path_of
from tests.contract.repeatable import new_operator, new_owner
from tests.contract.stack_table import changed, raw_items, table_of
from tests.contract.walk import Customer

POSTS: Final = [route.operation for route in ROUTES if route.method == "POST" and not route.public]
SIGNED_IN: Final = [route.operation for route in ROUTES if not route.public]
PAGED: Final = [name for name, words in OPERATIONS.items() if "page_size" in words.query]
NO_SUCH: Final = [
    route.operation
    for route in ROUTES
    if ("{" in route.path and not route.public) or route.operation in ("get_listing", "get_service", "list_subcounties")
]
COLOUR: Final = {"colour": "red"}


@brings("UNAUTHORIZED", *SIGNED_IN)
def an_access_token(scene: Scene, route: Route) -> requests.Response:
    claims: dict[str, Any] = {"token_use": "access", "cognito:groups": ["operators"]}
    token = scene.stack.token(**claims)
    return Customer(scene.stack.base_url, token).send(route.method, path_of(route), COLOUR if route.method == "POST" else None)


@brings("INVALID_INPUT", *POSTS)
def a_field_that_there_is_not(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("POST", path_of(route), COLOUR)


@brings("INVALID_INPUT", *PAGED)
def a_page_of_nothing(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("GET", f"{path_of(route)}?page_size=0")


@brings(
    "INVALID_INPUT",
    "get_booking",
    "get_order",
    "get_service",
    "operators_orders",
    "operators_bookings",
    "operators_payment",
    "operators_stuck",
    "operators_service",
    "operators_funnel",
    "operators_totals",
    "list_slots",
    "list_days",
)
def a_word_that_there_is_not(scene: Scene, route: Route) -> requests.Response:
    days = "date=2025-07-20&month=2025-07&from=lost"
    query = f"status=lost&kind=lost&service_type=CATERING&{days}&cancellation=lost&notices=lost&list=lost"
    return scene.caller(route).send("GET", f"{path_of(route, 1)}?{query}")


@brings("MALFORMED_BODY", *POSTS)
def no_json(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("POST", path_of(route), raw=b'{"reason": ')


@brings("BODY_TOO_LARGE", *POSTS)
def too_much(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("POST", path_of(route), raw=b'{"reason": "' + b"x" * 65_536 + b'"}')


@brings("IDEMPOTENCY_KEY_REUSED", *POSTS)
def a_key_used_for_another_body(scene: Scene, route: Route) -> requests.Response:
    caller, key = scene.caller(route), {"Idempotency-Key": str(uuid4())}
    caller.send("POST", path_of(route), COLOUR, headers=key)
    return caller.send("POST", path_of(route), {"colour": "blue"}, headers=key)


@brings("REQUEST_IN_PROGRESS", *POSTS)
def a_key_whose_first_request_runs(scene: Scene, route: Route) -> requests.Response:
    owner = (new_operator if route.operators else new_owner)(scene.stack)
    key = {"Idempotency-Key": str(uuid4())}
    owner.api.send("POST", path_of(route), COLOUR, headers=key)
    [record] = [item for item in raw_items(scene.table, keys.owner(owner.sub)) if "IDEMPOTENCY" in item["sk"]["S"]]
    ends = {"N": str(int((time.time() + 20) * 1000))}
    place = {name: record[name]["S"] for name in ("pk", "sk")}
    with changed(table_of(scene.stack), place, status={"S": "INPROGRESS"}, in_progress_expiration=ends):
        return owner.api.send("POST", path_of(route), COLOUR, headers=key)


NEEDED: Final[dict[str, Any]] = {
    "apply_promo": {"promo_code": "PUJA10"},
    "reschedule_booking": {"selected_date": "2025-07-22", "selected_time": "11:00 AM"},
    "operators_move_booking": {"selected_date": "2025-07-22", "selected_time": "11:00 AM"},
    "operators_cancel_booking": {"refund": "510.00", "why": "the pandit is ill"},
    "operators_resolve": {"found": "unpaid", "why": "nobody knows it"},
    "operators_refund": {"why": "it was green"},
    "operators_refund_paid": {"why": "from the till"},
    "operators_move_order": {"status": "packed"},
    "operators_undo_step": {"step": "packed"},
    "operators_change_listing": {"version": "0-1", "price": "1.00"},
    "operators_change_service": {"version": "0", "price": "1.00"},
}


@brings("NOT_FOUND", *NO_SUCH)
def an_id_that_nobody_has(scene: Scene, route: Route) -> requests.Response:
    body = NEEDED.get(route.operation, {}) if route.method == "POST" else None
    return scene.caller(route).send(route.method, path_of(route), body)


@brings("NOT_FOUND", "list_slots", "list_days")
def slots_of_no_service(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("GET", f"{path_of(route)}?date=2025-07-20&month=2025-07")


@brings("NOT_FOUND", "process_cart", "process_cart_doubled", "add_item", "update_quantity", "remove_item")
def a_body_that_names_what_nobody_has(scene: Scene, route: Route) -> requests.Response:
    caller = scene.caller(route)
    caller.add_tomatoes()
    bodies = {
        "add_item": {"listing_id": 987654, "quantity": 1},
        "update_quantity": {"cart_item_id": 99, "quantity": 1},
        "remove_item": {"cart_item_id": 99},
    }
    return caller.send("POST", path_of(route), bodies.get(route.operation, {"cart_id": 987654}))


@brings("ROUTE_NOT_FOUND", *(route.operation for route in ROUTES if route.operators))
def a_customer_at_an_operators_route(scene: Scene, route: Route) -> requests.Response:
    return scene.owner().api.send(route.method, path_of(route), COLOUR if route.method == "POST" else None)


@brings("UNAUTHORIZED", "gateway_notice")
def a_notice_without_its_password(scene: Scene, route: Route) -> requests.Response:
    return Customer(scene.stack.base_url, None).send("POST", path_of(route, "phonepe"), {"event": "checkout.order.completed"})


@brings("ROUTE_NOT_FOUND", "gateway_notice")
def a_notice_of_a_gateway_that_there_is_not(scene: Scene, route: Route) -> requests.Response:
    return Customer(scene.stack.base_url, None).send("POST", path_of(route, "paypal"), {})


ON_THE_TABLE: Final = [
    route.operation
    for route in ROUTES
    if route.function != "site"
    and route.family is not Family.NOTICE
    and not route.path.startswith(("/api/locations", "/api/config"))
]


@brings("BUSY", *ON_THE_TABLE)
def a_table_that_throttles(scene: Scene, route: Route) -> Answered:
    return scene.throttled[route.operation]
