"""What the shop's people do with the catalogue by hand, while its customers buy from it."""

from __future__ import annotations

from decimal import Decimal

from payfirst.domain.money import Currency
from payfirst.storage.dynamodb.expressions import Put
from payfirst.storage.dynamodb.table import write
from tests.faults import goods
from tests.faults.flows.base import Act, flow, paid_order
from tests.faults.world import TOMATOES, World

_TOMATOES = f"/api/operators/listings/{TOMATOES}/"


@flow
def stock_comes_in_while_an_order_is_paid(world: World) -> Act:
    paid_order(world)
    version = world.operate("GET", _TOMATOES)[1]["version"]
    world.restocked[TOMATOES] = Decimal(20)

    def restock(there: World) -> None:
        there.deliver_all()
        there.operate("POST", _TOMATOES, {"version": version, "add_stock": "20"})

    return restock


@flow
def stock_is_counted_and_its_price_set(world: World) -> Act:
    world.restocked[TOMATOES] = Decimal(-9)
    body = {"version": "0-10000", "set_stock": "9991", "price": "160.00", "image_url": "https://shop.example/1.jpg"}
    return lambda there: there.operate("POST", _TOMATOES, body)


@flow
def a_listing_is_taken_off_sale_under_an_open_session(world: World) -> Act:
    paid_order(world)

    def withdraw(there: World) -> None:
        there.operate("POST", _TOMATOES, {"version": "0-10000", "active": False, "price": "999.00"})
        there.deliver_all()

    world.restocked[TOMATOES] = Decimal(0)
    return withdraw


@flow
def the_prices_of_a_puja_are_changed(world: World) -> Act:
    write(world.table, Put("service", goods.puja_offered(51000, Currency.INR)))

    def change(there: World) -> None:
        seen = there.operate("GET", "/api/operators/services/1/")[1]
        there.operate("POST", "/api/operators/services/1/", {"version": seen["version"], "price": "600.00", "active": False})

    return change
