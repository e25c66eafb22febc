"""Whatever is sent to a route, it answers in its family's shape and never with a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests

from payfirst.api.routes import ROUTES, Family, Route
from tests.conftest import RunningStack
from tests.contract.error_shapes import shape_problem
from tests.contract.walk import Customer, Stack, new_customer

FIELDS = {
    "create_session": ("delivery_details", "special_instructions", "delivery_time_slot", "estimated_delivery_date"),
    "initiate_payment": ("phone_number",),
    "process_cart": ("cart_id", "method", "amount", "phone_number"),
    "process_cart_doubled": ("cart_id", "method", "amount", "phone_number"),
    "create_cart": ("service_type", "puja_service", "package_id", "selected_date", "selected_time", "address", "phone_number"),
    "apply_promo": ("promo_code",),
    "add_item": ("listing_id", "quantity"),
    "update_quantity": ("cart_item_id", "quantity"),
    "remove_item": ("cart_item_id",),
    "reschedule_booking": ("selected_date", "selected_time", "reason"),
    "apply_produce_promo": ("promo_code",),
    "cancel_order": ("reason", "refund"),
    "operators_move_booking": ("selected_date", "selected_time", "why"),
    "operators_cancel_booking": ("refund", "in_full", "why"),
    "operators_resolve": ("found", "why"),
    "operators_refund": ("amount", "why"),
    "operators_refund_paid": ("why",),
    "operators_move_order": ("status", "why", "refund"),
    "operators_undo_step": ("step",),
    "operators_change_listing": (
        "version",
        "product_name",
        "description",
        "image_url",
        "price",
        "active",
        "set_stock",
        "add_stock",
    ),
    "operators_change_service": ("version", "name", "description", "image_url", "price", "active", "packages"),
}
"""The fields of every operation that has some; the rest get fields of these all, which they must refuse or ignore."""

ANY_FIELDS = tuple(sorted({name for names in FIELDS.values() for name in names}))


def filled(route: Route, value: Any) -> bytes:
    """A JSON object in which every field of the operation has this value."""
    return json.dumps(dict.fromkeys(FIELDS.get(route.operation, ANY_FIELDS), value)).encode()


BODIES: Mapping[str, Callable[[Route], bytes]] = {
    "empty": lambda _: b"",
    "only spaces": lambda _: b"  \r\n\t ",
    "no JSON": lambda _: b"cart_id=1&amount=500.00",
    "cut off": lambda route: filled(route, 1)[:-1],
    "two values": lambda route: filled(route, 1) * 2,
    "not UTF-8": lambda _: b'{"promo_code": "\xff\xfe\x80"}',
    "UTF-16": lambda route: filled(route, 1).decode().encode("utf-16"),
    "null": lambda _: b"null",
    "a number": lambda _: b"17",
    "a string": lambda _: b'"cart_id"',
    "array instead of object": lambda route: b"[" + filled(route, 1) + b"]",
    "no fields": lambda _: b"{}",
    "unknown field": lambda _: b'{"__proto__": {"admin": true}, "user": 2}',
    "every field null": lambda route: filled(route, None),
    "every field true": lambda route: filled(route, value=True),
    "every field an object": lambda route: filled(route, {"$gt": ""}),
    "every field an array": lambda route: filled(route, [[], {}]),
    "every field an empty string": lambda route: filled(route, ""),
    "every field -1": lambda route: filled(route, -1),
    "every field 0": lambda route: filled(route, 0),
    "every field 10^400": lambda route: filled(route, 10**400),
    "every field 2^63": lambda route: filled(route, 2**63),
    "every field 0.1": lambda route: filled(route, 0.1),
    "every field NaN": lambda route: filled(route, float("nan")),
    "every field -Infinity": lambda route: filled(route, float("-inf")),
    "every field 1e999999": lambda route: filled(route, "@").replace(b'"@"', b"1e999999"),
    "every field -1e9999999": lambda route: filled(route, "@").replace(b'"@"', b"-1e9999999"),
    "an exponent that no reader takes": lambda _: b'{"__proto__": 1e-99999999999999999999}',
    "every field 1e99999999999999999999": lambda route: filled(route, "@").replace(b'"@"', b"1e99999999999999999999"),
    "every field the string NaN": lambda route: filled(route, "NaN"),
    "every field a NUL": lambda route: filled(route, "\0"),
    "every field a lone surrogate": lambda route: filled(route, "\ud800"),
    "every field control characters": lambda route: filled(route, "a\r\nSet-Cookie: b=c\x1b[31m"),
    "every field long": lambda route: filled(route, "9" * 5000),
    "the same key twice": lambda _: b'{"cart_id": 1, "cart_id": 2}',
    "deep arrays": lambda _: b'{"cart_id": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "deep objects": lambda _: b'{"cart_id": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
    "300 KB": lambda _: b'{"reason": "' + b"x" * 300_000 + b'"}',
}

CONTENT_TYPES = ("", "text/html", "multipart/form-data; boundary=x", "application/json; charset=utf-7", "x" * 300)

IDENTIFIERS = (
    *("0", "-1", "1", "999999999999999", "9007199254740993", "9" * 400, "1.5", "1e3", "NaN", "null", "true", "{id}"),
    *("0190f3a1-5c1e-7abc-8def-0123456789ab", "00000000-0000-0000-0000-000000000000", "TXN0000000000", "BK-00000000"),
    *("ORD-20240115-001", "ORD-99999999-001", "\0", "\r\nX-A: b", "\x1b[31m", "\x7f", "%00", "../../etc/passwd"),
    *("' OR 1=1 --", "<script>", "٣", "१२३", "\N{PILE OF POO}", "\N{LATIN SMALL LETTER E WITH ACUTE}", " ", "U#1", "a b"),
    "x" * 3000,
)

QUERIES = (
    *("page_size=0", "page_size=-1", "page_size=101", "page_size=NaN", "page_size=", "page_size=1&page_size=2"),
    *("cursor=", "cursor=%00", "cursor=AAAA", "after=AAAA", "after=%00", "status=", "status=%00", "status=nothing", "%00=%00"),
    "cursor=" + "A" * 3000,
)

NEEDS_NOTHING = {
    "remove_produce_promo": {"empty", "only spaces", "null", "no fields", "every field null"},
    "paid_posted": set(BODIES),
}
"""Operations without a field of their own, and the bodies that say nothing, which are therefore no mistake."""

WITH_BODY = [route for route in ROUTES if route.method == "POST"]
WITH_IDENTIFIER = [route for route in ROUTES if "{" in route.path]
WITH_QUERY = [route for route in ROUTES if route.method == "GET"]


@pytest.fixture(scope="module")
def customer(stack: Stack) -> Customer:
    return new_customer(stack)


@pytest.fixture(scope="module")
def operator(stack: RunningStack) -> Customer:
    claims: dict[str, Any] = {"cognito:groups": ["operators"]}
    return Customer(stack.base_url, stack.token(sub=str(uuid4()), **claims))


@pytest.fixture
def caller(route: Route, customer: Customer, operator: Customer) -> Customer:
    """Somebody who may use the route."""
    return operator if route.operators else customer


def path_of(route: Route, identifier: str | None = None) -> str:
    """The path with one id in it, by default one that nobody has (or, for notices, a gateway that there is)."""
    if identifier is None:
        identifier = "phonepe" if route.operation == "gateway_notice" else "1"
    before, brace, rest = route.path.partition("{")
    return before + quote(identifier, safe="") + rest.partition("}")[2] if brace else before


def demand_no_fault(route: Route, response: requests.Response) -> None:
    """An answer below 500, and in the shape of the route's family where it says no."""
    told = f"{response.request.method} {response.request.path_url[:200]}: {response.status_code} {response.text[:500]}"
    assert response.status_code < 500, told
    if route.family is Family.NOTICE and response.status_code not in {404, 405, 413}:
        assert response.status_code == 200, told
    if response.status_code >= 400 or route.family is Family.NOTICE:
        problem = shape_problem(route.family, response)
        assert problem is None, f"{problem}: {told}"
    assert "Traceback" not in response.text, told


def demand_refusal(route: Route, response: requests.Response) -> None:
    """As `demand_no_fault`, and the answer says no; only M-Pesa's notices are answered alike whatever they hold."""
    demand_no_fault(route, response)
    if route.family is not Family.NOTICE:
        assert response.status_code >= 400, f"{route.operation} takes it: {response.status_code} {response.text[:500]}"


def name_of(route: Route) -> str:
    return route.operation


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
def test_a_bad_body_is_answered_in_the_shape_of_the_route(caller: Customer, route: Route, kind: str) -> None:
    response = caller.send(route.method, path_of(route), raw=BODIES[kind](route), headers={"Content-Type": "application/json"})
    (demand_no_fault if kind in NEEDS_NOTHING.get(route.operation, ()) else demand_refusal)(route, response)
    if kind == "300 KB" and not route.public:
        assert response.status_code == 413


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "POST"], ids=name_of)
def test_a_body_where_none_belongs_does_no_harm(caller: Customer, route: Route) -> None:
    for body in (b"{", b"\xff", b"[" * 2000, b"x" * 300_000):
        demand_no_fault(route, caller.send(route.method, path_of(route), raw=body))


@pytest.mark.parametrize("route", WITH_BODY, ids=name_of)
def test_a_wrong_content_type_is_answered_in_the_shape_of_the_route(caller: Customer, route: Route) -> None:
    for kind in CONTENT_TYPES:
        response = caller.send(route.method, path_of(route), raw=filled(route, -1), headers={"Content-Type": kind})
        (demand_no_fault if route.operation in NEEDS_NOTHING else demand_refusal)(route, response)


@pytest.mark.parametrize("route", WITH_IDENTIFIER, ids=name_of)
def test_an_id_that_cannot_be_is_answered_in_the_shape_of_the_route(caller: Customer, route: Route) -> None:
    for identifier in IDENTIFIERS:
        response = caller.send(route.method, path_of(route, identifier), {} if route.method == "POST" else None)
        demand_no_fault(route, response)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/operators/payments/{}/resolve", {"found": "unpaid", "why": "nobody knows it"}),
        ("/api/operators/payments/{}/refund", {"why": "it was green"}),
        ("/api/operators/orders/{}/move", {"status": "packed"}),
        ("/api/operators/listings/{}", {"version": "0-1", "price": "1.00"}),
        ("/api/operators/services/{}", {"version": "0", "price": "1.00"}),
        ("/api/operators/bookings/{}/complete", {}),
        ("/api/operators/bookings/{}/move", {"selected_date": "2025-07-22", "selected_time": "11:00"}),
        ("/api/operators/bookings/{}/cancel", {"refund": "1.00", "why": "rain"}),
    ],
)
def test_a_name_longer_than_a_key_is_the_name_of_nothing(operator: Customer, path: str, body: Any) -> None:
    response = operator.send("POST", path.format("x" * 3000), body)
    assert (response.status_code, response.json()["error_code"]) == (404, "NOT_FOUND"), response.text


@pytest.mark.parametrize("route", WITH_QUERY, ids=name_of)
def test_a_query_that_cannot_be_is_answered_in_the_shape_of_the_route(caller: Customer, route: Route) -> None:
    for query in QUERIES:
        demand_no_fault(route, caller.send(route.method, f"{path_of(route)}?{query}"))


@pytest.mark.parametrize("route", WITH_QUERY, ids=name_of)
def test_an_address_that_is_not_utf8_does_no_harm(caller: Customer, route: Route) -> None:
    """API Gateway may refuse such an address by itself, before any route is known."""
    response = caller.send(route.method, f"{path_of(route)}?cursor=%FF%FE")
    if (response.status_code, response.content) != (400, b'{"message":"Bad Request"}'):
        demand_no_fault(route, response)


@pytest.mark.parametrize("route", [route for route in WITH_BODY if not route.public], ids=name_of)
def test_a_bad_idempotency_key_is_answered_in_the_shape_of_the_route(caller: Customer, route: Route) -> None:
    for key in ("", "k" * 256, "k" * 4000):
        response = caller.send(route.method, path_of(route), {}, headers={"Idempotency-Key": key})
        demand_refusal(route, response)
        assert response.status_code == 400
    for key in ("a,b", "\u00e9"):
        response = caller.send(route.method, path_of(route), {}, headers={"Idempotency-Key": key.encode("latin-1")})
        demand_no_fault(route, response)
