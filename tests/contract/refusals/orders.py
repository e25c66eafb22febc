"""Refusals of document B's routes and of its operators."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import requests

from payfirst.api.routes import Route
from payfirst.domain.fair_use import hour_of
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesToListing, Promo
from payfirst.storage import catalogue
from payfirst.storage.catalogue import promo_to_item
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Update, to_wire
from payfirst.storage.dynamodb.table import write
from payfirst.usecases.operators.search import MOST_AN_HOUR
from tests.contract.refusals.scene import Scene, brings, path_of
from tests.contract.repeatable import (
    A_SESSION,
    READY,
    Owner,
    captured_in_vain,
    new_operator,
    new_owner,
    order_of,
    parked_notice,
    session_of,
    under_review,
)
from tests.contract.stack_table import changed, content, put_raw, raw_item, with_values
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
        with_values(scene.table, keys.listing(number), **values)
    return number


WHY: Final[Mapping[str, Mapping[str, str]]] = {"operators_replay": {}, "operators_close": {"why": "nobody needs it"}}


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
    with_values(scene.table, keys.listing(listing), price=17000)
    return owner.api.send("POST", route.path, A_SESSION)


@brings("OUT_OF_STOCK", "create_session")
def what_was_sold_while_in_the_cart(scene: Scene, route: Route) -> requests.Response:
    owner, listing = scene.owner(), own_listing(scene)
    put_in_cart(owner, listing)
    with_values(scene.table, keys.listing(listing), available=Decimal(1))
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


# Promo codes and currencies

SPOILED: Final[Mapping[str, Mapping[str, Any] | None]] = {
    "PROMO_UNKNOWN": None,
    "PROMO_EXPIRED": {"valid_until": datetime(2020, 1, 1, tzinfo=UTC)},
    "PROMO_USED_UP": {"most_uses": 0},
    "PROMO_LIMIT_REACHED": {"most_uses_each": 0},
    "PROMO_BELOW_MINIMUM": {"minimum": Money(10**9, Currency.KES)},
    "PROMO_NOT_APPLICABLE": {"applies_to": (AppliesToListing(1),)},
}
APPLY: Final = "/api/carts/apply_promo"


def new_promo(scene: Scene, **rules: Any) -> Promo:
    promo = Promo(f"T{secrets.token_hex(6).upper()}", Currency.KES, percent=Decimal(10), **rules)
    put_raw(scene.table, to_wire(promo_to_item(promo)))
    return promo


def spoil(scene: Scene, promo: Promo, code: str) -> None:
    """Let the promo code be refused with `code` from now on."""
    changes = SPOILED[code]
    if changes is None:
        scene.table.client.delete_item(TableName=scene.table.name, Key=to_wire(keys.promo(promo.code)))
    else:
        put_raw(scene.table, to_wire(promo_to_item(replace(promo, **changes))))


def with_promo(scene: Scene, promo: Promo) -> Owner:
    """A customer with tomatoes and the code in the cart."""
    owner = scene.owner()
    owner.api.add_tomatoes()
    owner.api.post(APPLY, {"promo_code": promo.code})
    return owner


def _promo_recipes(code: str) -> None:
    @brings(code, "apply_produce_promo")
    def a_spoiled_code(scene: Scene, route: Route) -> requests.Response:
        owner, promo = scene.owner(), new_promo(scene)
        owner.api.add_tomatoes()
        spoil(scene, promo, code)
        return owner.api.send("POST", route.path, {"promo_code": promo.code})

    @brings(code, "create_session")
    def a_code_that_was_spoiled_in_the_cart(scene: Scene, route: Route) -> requests.Response:
        promo = new_promo(scene)
        owner = with_promo(scene, promo)
        spoil(scene, promo, code)
        return owner.api.send("POST", route.path, A_SESSION)


for _code in SPOILED:
    _promo_recipes(_code)


@brings("CART_EMPTY", "apply_produce_promo")
def a_code_for_nothing(scene: Scene, route: Route) -> requests.Response:
    return scene.owner().api.send("POST", route.path, {"promo_code": new_promo(scene).code})


def the_last_use_is_gone(scene: Scene, route: Route, **rules: Any) -> requests.Response:
    """What initiating answers when the code of its session has been used as often as `rules` allow."""
    promo = new_promo(scene, **rules)
    owner = with_promo(scene, promo)
    session = owner.api.post(SESSIONS, with_phone(new_phone()))
    for key in (keys.promo(promo.code), keys.promo_uses(owner.sub, promo.code)):
        write(scene.table, Update("uses", key, add={"taken": 1, "used": 1}))
    return owner.api.send("POST", f"{SESSIONS}/{session['session_id']}/{verb(route)}")


@brings("PROMO_USED_UP", "initiate_payment")
def the_shops_last_use_is_gone(scene: Scene, route: Route) -> requests.Response:
    return the_last_use_is_gone(scene, route, most_uses=1)


@brings("PROMO_LIMIT_REACHED", "initiate_payment")
def the_customers_last_use_is_gone(scene: Scene, route: Route) -> requests.Response:
    return the_last_use_is_gone(scene, route, most_uses_each=1)


@brings("OUT_OF_STOCK", "initiate_payment")
def what_a_payment_should_hold_is_gone(scene: Scene, route: Route) -> requests.Response:
    owner, listing = scene.owner(), own_listing(scene, hold=True)
    put_in_cart(owner, listing)
    session = owner.api.post(SESSIONS, with_phone(new_phone()))
    with_values(scene.table, keys.listing(listing), available=Decimal(1))
    return owner.api.send("POST", f"{SESSIONS}/{session['session_id']}/{verb(route)}")


@brings("CURRENCY_MIXED", "add_item")
def rupees_beside_shillings(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    owner.api.add_tomatoes()
    return owner.api.send("POST", route.path, {"listing_id": own_listing(scene, currency="INR"), "quantity": 1})


@brings("CURRENCY_MIXED", "update_quantity")
def shillings_that_became_rupees(scene: Scene, route: Route) -> requests.Response:
    owner, listing = scene.owner(), own_listing(scene)
    owner.api.add_tomatoes()
    line = put_in_cart(owner, listing)["items"][1]["cart_item_id"]
    with_values(scene.table, keys.listing(listing), currency="INR")
    return owner.api.send("POST", route.path, {"cart_item_id": line, "quantity": 1})


@brings("CURRENCY_MIXED", "create_session")
def rupees_that_are_delivered(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    put_in_cart(owner, own_listing(scene, currency="INR"))
    return owner.api.send("POST", route.path, A_SESSION)


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


@brings("NOT_UNDER_REVIEW", "operators_resolve")
def a_payment_that_no_one_doubts(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"found": "unpaid", "why": "a mistake"})


@brings("ALREADY_CAPTURED", "operators_resolve")
def money_that_is_here_is_called_unpaid(scene: Scene, route: Route) -> requests.Response:
    ref = captured_in_vain(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"found": "unpaid", "why": "a mistake"})


@brings("NOT_FULFILLABLE", "operators_resolve")
def money_of_which_nothing_can_be_made(scene: Scene, route: Route) -> requests.Response:
    ref = captured_in_vain(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"found": "paid", "why": "try it once more"})


@brings("NEEDS_DECISION", "operators_replay", "operators_close")
def what_only_a_person_can_end(scene: Scene, route: Route) -> requests.Response:
    ref, _ = under_review(scene.stack)
    return scene.caller(route).send("POST", route.path, {"which": ref, **WHY[route.operation]})


@brings("NOT_FOUND", "operators_replay", "operators_close")
def what_nobody_has_listed(scene: Scene, route: Route) -> requests.Response:
    return scene.caller(route).send("POST", route.path, {"which": "INBOX#nothing", **WHY[route.operation]})


@brings("NOT_UNDER_REVIEW", "operators_close")
def a_notice_that_a_sweep_will_take_up(scene: Scene, route: Route) -> requests.Response:
    notice = parked_notice(scene.stack)
    key = {"pk": notice, "sk": "INBOX"}
    with_values(scene.table, key, **keys.due(keys.SETTLE, key, datetime(2099, 1, 1, tzinfo=UTC)))
    return scene.caller(route).send("POST", route.path, {"which": notice, "why": "nobody needs it"})


@brings("NOT_UNDER_REVIEW", "operators_refund_paid")
def a_refund_that_goes_by_itself(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    operator = scene.caller(route)
    operator.post(f"/api/operators/payments/{ref}/refund", {"why": "it was green"})
    key = keys.refund(ref, 1)  # no sweep looks at it meanwhile
    with_values(scene.table, key, status="accepted", **keys.due(keys.REFUND, key, datetime(2099, 1, 1, tzinfo=UTC)))
    return operator.send("POST", path_of(route, f"R{ref}-1"), {"why": "from the till"})


@brings("REFUND_IN_PROGRESS", "operators_refund")
def a_refund_beside_another(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    operator = scene.caller(route)
    operator.post(path_of(route, ref), {"amount": "10.00", "why": "it was green"})
    with_values(scene.table, keys.refund(ref, 1), status="accepted")
    return operator.send("POST", path_of(route, ref), {"amount": "10.00", "why": "it was green"})


@brings("REFUND_IN_PROGRESS", "operators_move_order")
def a_cancellation_beside_a_refund(scene: Scene, route: Route) -> requests.Response:
    number, ref, _ = order_of(scene.stack)
    operator = scene.caller(route)
    operator.post(f"/api/operators/payments/{ref}/refund", {"amount": "10.00", "why": "it was green"})
    with_values(scene.table, keys.refund(ref, 1), status="accepted")
    return operator.send("POST", path_of(route, number), {"status": "cancelled", "why": "rain"})


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
    with changed(scene.table, keys.listing(TOMATOES), sold={"N": "0"}):
        return owner.api.send("POST", path_of(route, number), {})


@brings("REFUND_IN_PROGRESS", "cancel_order")
def an_own_order_beside_a_refund(scene: Scene, route: Route) -> requests.Response:
    owner, number = of_a_customer(scene)
    operator = new_operator(scene.stack).api
    [attempt] = operator.get(f"/api/operators/payments/{number}")["attempts"]
    operator.post(f"/api/operators/payments/{attempt['attempt']}/refund", {"amount": "10.00", "why": "it was green"})
    with_values(scene.table, keys.refund(attempt["attempt"], 1), status="accepted")
    return owner.api.send("POST", path_of(route, number), {})


@brings("NOT_REFUNDABLE", "operators_refund")
def more_than_was_paid(scene: Scene, route: Route) -> requests.Response:
    _, ref, _ = order_of(scene.stack)
    return scene.caller(route).send("POST", path_of(route, ref), {"amount": "350.01", "why": "generosity"})


@brings("ORDER_NOT_MOVABLE", "operators_move_order")
def an_order_that_skips_a_step(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    return scene.caller(route).send("POST", path_of(route, number), {"status": "delivered"})


@brings("STOCK_DISAGREES", "operators_move_order")
def an_order_of_more_than_was_sold(scene: Scene, route: Route) -> requests.Response:
    number, _, _ = order_of(scene.stack)
    with changed(scene.table, keys.listing(TOMATOES), sold={"N": "0"}):
        return scene.caller(route).send("POST", path_of(route, number), {"status": "cancelled", "why": "rain"})


@brings("TOO_MANY_REQUESTS", "operators_search")
def a_person_who_searches_all_day(scene: Scene, route: Route) -> requests.Response:
    operator = new_operator(scene.stack)
    now = datetime.now(UTC)
    for hour in (hour_of(now), hour_of(now) + timedelta(hours=1)):
        place = keys.hourly(keys.searcher(f"operator:{operator.sub}"), "hourly_searches", hour)
        write(scene.table, Update("counter", place, set={"n": MOST_AN_HOUR}))
    return operator.api.send("GET", f"{route.path}?q=5678")


@brings("CHANGED_MEANWHILE", "operators_change_listing", "operators_change_service")
def a_change_by_whoever_was_slower(scene: Scene, route: Route) -> requests.Response:
    ready = READY[route.operation](new_operator(scene.stack))
    operator = scene.caller(route)
    operator.post(ready.path, ready.body)
    return operator.send("POST", ready.path, ready.other)


@brings("STOCK_TOO_LOW", "operators_change_listing")
def more_taken_away_than_is_there(scene: Scene, route: Route) -> requests.Response:
    ready = READY[route.operation](new_operator(scene.stack))
    body = {"version": ready.body["version"], "add_stock": "-999999"}
    return scene.caller(route).send("POST", ready.path, body)
