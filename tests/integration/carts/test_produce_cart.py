"""Document B's cart: one line for each listing, every change conditional on the version it was made from."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from threading import Thread

import pytest

from payfirst.domain.cart import ProduceCart
from payfirst.domain.catalogue import Listing
from payfirst.domain.errors import NotFoundError, RefusedError
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import Customer
from payfirst.storage import catalogue
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Delete, Update
from payfirst.storage.dynamodb.table import Table, write
from payfirst.usecases.carts.produce_cart import MOST_LINES, CartView, add_item, read_cart, remove_item, update_quantity
from tests.integration.carts.conftest import before_next_write

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TOMATOES, KALE, MILK = 123, 124, 127


def add(table: Table, customer: Customer, listing: int = TOMATOES, quantity: str = "2") -> CartView:
    return add_item(listing, Decimal(quantity), customer=customer, table=table, now=NOW, entropy=secrets.token_bytes)


def update(table: Table, customer: Customer, item: int, quantity: str) -> CartView:
    return update_quantity(item, Decimal(quantity), customer=customer, table=table, now=NOW, entropy=secrets.token_bytes)


def remove(table: Table, customer: Customer, item: int) -> CartView:
    return remove_item(item, customer=customer, table=table, now=NOW, entropy=secrets.token_bytes)


def the_cart(view: CartView) -> ProduceCart:
    assert view.cart is not None
    return view.cart


def new_price(table: Table, listing: int, minor: int) -> None:
    write(table, Update("listing", shop_keys.listing(listing), set={"price": minor}))


def test_a_customer_who_bought_nothing_has_no_cart(catalogue_table: Table, customer: Customer) -> None:
    assert read_cart(customer=customer, table=catalogue_table, now=NOW) == CartView(None, {})


def test_the_same_listing_twice_is_one_line_and_another_is_a_second(catalogue_table: Table, customer: Customer) -> None:
    first = the_cart(add(catalogue_table, customer, TOMATOES, "2"))
    second = the_cart(add(catalogue_table, customer, TOMATOES, "0.5"))
    third = the_cart(add(catalogue_table, customer, MILK, "3"))
    assert [(line.cart_item_id, line.listing_id, line.quantity) for line in third.lines] == [
        (1, TOMATOES, Decimal("2.5")),
        (2, MILK, Decimal(3)),
    ]
    assert [str(line.subtotal) for line in third.lines] == ["375.00", "196.50"]
    assert len({first.version, second.version, third.version}) == 3
    assert read_cart(customer=customer, table=catalogue_table, now=NOW).cart == third


def test_a_line_that_was_removed_gives_its_number_to_no_other(catalogue_table: Table, customer: Customer) -> None:
    add(catalogue_table, customer, TOMATOES)
    assert the_cart(remove(catalogue_table, customer, 1)).lines == ()
    assert [line.cart_item_id for line in the_cart(add(catalogue_table, customer, TOMATOES)).lines] == [2]


def test_adding_more_keeps_the_old_price_and_setting_the_quantity_takes_the_new(
    catalogue_table: Table, customer: Customer
) -> None:
    add(catalogue_table, customer, TOMATOES, "2")
    new_price(catalogue_table, TOMATOES, 17000)
    more = add(catalogue_table, customer, TOMATOES, "1")
    assert [(str(line.price), str(line.subtotal)) for line in the_cart(more).lines] == [("150.00", "450.00")]
    assert more.listings[TOMATOES].price == Money(17000, Currency.KES)
    accepted = the_cart(update(catalogue_table, customer, 1, "3"))
    assert [(str(line.price), str(line.subtotal)) for line in accepted.lines] == [("170.00", "510.00")]


def test_what_is_unknown_is_not_found_and_changes_nothing(catalogue_table: Table, customer: Customer) -> None:
    before = the_cart(add(catalogue_table, customer))
    with pytest.raises(NotFoundError):
        add(catalogue_table, customer, 999)
    with pytest.raises(NotFoundError):
        update(catalogue_table, customer, 2, "1")
    with pytest.raises(NotFoundError):
        remove(catalogue_table, customer, 2)
    write(catalogue_table, Delete("listing", shop_keys.listing(TOMATOES)))
    with pytest.raises(NotFoundError):
        update(catalogue_table, customer, 1, "1")
    assert read_cart(customer=customer, table=catalogue_table, now=NOW) == CartView(before, {})


def test_more_than_there_is_is_refused_with_what_is_left(catalogue_table: Table, customer: Customer) -> None:
    add(catalogue_table, customer, MILK, "500")
    with pytest.raises(RefusedError) as too_much_more:
        add(catalogue_table, customer, MILK, "300.001")
    with pytest.raises(RefusedError) as too_much:
        update(catalogue_table, customer, 1, "801")
    for refused in (too_much_more.value, too_much.value):
        assert (refused.stable_code, refused.details["available"]) == ("OUT_OF_STOCK", "800")
    assert the_cart(add(catalogue_table, customer, MILK, "300")).lines[0].quantity == Decimal(800)


def test_a_cart_takes_fifty_listings_and_not_one_more(catalogue_table: Table, customer: Customer) -> None:
    for number in range(1000, 1000 + MOST_LINES + 1):
        price = Money(100, Currency.KES)
        catalogue.add(catalogue_table, Listing(number, "Beans", "Hill Farm", "kg", price, Decimal(5)))
    for number in range(1000, 1000 + MOST_LINES):
        add(catalogue_table, customer, number, "1")
    with pytest.raises(RefusedError) as refused:
        add(catalogue_table, customer, 1000 + MOST_LINES, "1")
    assert refused.value.stable_code == "CART_FULL"
    assert len(the_cart(add(catalogue_table, customer, 1000, "1")).lines) == MOST_LINES


def test_a_change_that_comes_between_reading_and_writing_is_kept(catalogue_table: Table, customer: Customer) -> None:
    add(catalogue_table, customer, TOMATOES, "2")
    with before_next_write(catalogue_table, lambda: add(catalogue_table, customer, TOMATOES, "1")):
        cart = the_cart(add(catalogue_table, customer, TOMATOES, "4"))
    assert [line.quantity for line in cart.lines] == [Decimal(7)]


def test_the_first_cart_made_twice_at_once_holds_both_things(catalogue_table: Table, customer: Customer) -> None:
    with before_next_write(catalogue_table, lambda: add(catalogue_table, customer, KALE, "1")):
        cart = the_cart(add(catalogue_table, customer, TOMATOES, "4"))
    assert [(line.cart_item_id, line.listing_id) for line in cart.lines] == [(1, KALE), (2, TOMATOES)]


def test_many_at_once_lose_nothing(catalogue_table: Table, customer: Customer) -> None:
    threads = [Thread(target=add, args=(catalogue_table, customer, listing, "1")) for listing in (TOMATOES, KALE, MILK)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    view = read_cart(customer=customer, table=catalogue_table, now=NOW)
    assert {line.listing_id for line in the_cart(view).lines} == {TOMATOES, KALE, MILK}
