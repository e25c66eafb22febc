"""Promo codes that are none any more, and carts of two currencies, in the shop of produce."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import requests

from payfirst.api.routes import Route
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import AppliesToListing, Promo
from payfirst.storage.catalogue import promo_to_item
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update, to_wire
from payfirst.storage.dynamodb.table import write
from tests.contract.refusals.orders import SESSIONS, own_listing, put_in_cart, verb, with_phone
from tests.contract.refusals.scene import Scene, brings
from tests.contract.repeatable import (
    A_SESSION,
    Owner,
)
from tests.contract.stack_table import put_raw, with_values
from tests.contract.walk import new_phone

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
        scene.table.client.delete_item(TableName=scene.table.name, Key=to_wire(shop_keys.promo(promo.code)))
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
    for key in (shop_keys.promo(promo.code), keys.promo_uses(owner.sub, promo.code)):
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
    with_values(scene.table, shop_keys.listing(listing), available=Decimal(1))
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
    with_values(scene.table, shop_keys.listing(listing), currency="INR")
    return owner.api.send("POST", route.path, {"cart_item_id": line, "quantity": 1})


@brings("CURRENCY_MIXED", "create_session")
def rupees_that_are_delivered(scene: Scene, route: Route) -> requests.Response:
    owner = scene.owner()
    put_in_cart(owner, own_listing(scene, currency="INR"))
    return owner.api.send("POST", route.path, A_SESSION)
