"""Document A's carts: made, changed and deleted under conditions that a payment can rely on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from payfirst.domain.cart import BookingCart, CartStatus
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.errors import InvalidInputError, NotFoundError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency, Money
from payfirst.domain.promo import Promo
from payfirst.domain.session import Customer
from payfirst.domain.times import GivenTime
from payfirst.storage import catalogue, lists
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.expressions import Update
from payfirst.storage.dynamodb.table import Table, write
from payfirst.storage.lists import Position
from payfirst.usecases.carts import service_carts
from payfirst.usecases.carts.service_carts import CartPage, WantedCart, apply_promo, delete_cart, find_cart, remove_promo
from tests.integration.carts.conftest import before_next_write

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WANTED = WantedCart(
    kind=ServiceType.PUJA,
    service_id=1,
    package_id=2,
    day=date(2026, 4, 1),
    time=GivenTime(time(14, 0), "2:00 PM"),
    promo_code=None,
    address=None,
    service_field="puja_service",
    package_field="package_id",
)


def create(table: Table, customer: Customer, **changes: Any) -> BookingCart:
    wanted = replace(WANTED, **changes)
    service = service_carts.find_service(wanted, table=table)
    made = service_carts.create_cart(wanted, service, customer=customer, table=table, now=NOW, entropy=secrets.token_bytes)
    return made.cart


def given(cart: BookingCart) -> GivenId:
    return GivenId(number=cart.number)


def promo(table: Table, customer: Customer, cart: BookingCart, code: str) -> BookingCart:
    return apply_promo(given(cart), code, customer=customer, table=table, now=NOW, entropy=secrets.token_bytes).cart


def mark(table: Table, customer: Customer, cart: BookingCart, **values: Any) -> None:
    """What the write of a payment does to the cart."""
    write(table, Update("guard", keys.owned(customer.sub, keys.CART, cart.number), set=values))


def listed(table: Table, customer: Customer) -> CartPage:
    return service_carts.list_carts(customer, table=table, now=NOW, size=10, position=None)


def count(table: Table, customer: Customer) -> int:
    return listed(table, customer).page.count


def remove(table: Table, customer: Customer, cart: BookingCart) -> BookingCart:
    return remove_promo(given(cart), customer=customer, table=table, now=NOW, entropy=secrets.token_bytes).cart


def delete(table: Table, customer: Customer, cart: BookingCart) -> None:
    delete_cart(given(cart), customer=customer, table=table)


def ten_per_cent(table: Table, customer: Customer, cart: BookingCart) -> BookingCart:
    return promo(table, customer, cart, "PUJA10")


CHANGES: list[Callable[..., object]] = [ten_per_cent, remove, delete]


def test_a_cart_keeps_the_price_the_time_as_written_and_the_address(catalogue_table: Table, customer: Customer) -> None:
    address = {"city": "Pune", "postal_code": "411001"}
    cart = create(catalogue_table, customer, address=address)
    assert (str(cart.total), cart.content.time_given, cart.content.at) == ("999.00", "2:00 PM", time(14, 0))
    found = find_cart(given(cart), customer=customer, table=catalogue_table)
    assert found == cart
    assert found.content.address == address


def test_a_service_without_packages_is_sold_at_its_own_price(catalogue_table: Table, customer: Customer) -> None:
    cart = create(catalogue_table, customer, kind=ServiceType.ASTROLOGY, package_id=None)
    assert (str(cart.total), cart.content.package_id) == ("1100.00", None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service_id": 9}, "puja_service"),
        ({"package_id": 9}, "package_id"),
        ({"package_id": None}, "package_id"),
        ({"kind": ServiceType.ASTROLOGY}, "package_id"),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused_on_its_field(
    catalogue_table: Table, customer: Customer, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        create(catalogue_table, customer, **changes)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert count(catalogue_table, customer) == 0


def test_a_promo_replaces_the_one_before_and_can_be_taken_off(catalogue_table: Table, customer: Customer) -> None:
    cart = create(catalogue_table, customer, promo_code="discount10")
    assert (str(cart.total), cart.content.promo_code) == ("989.00", "DISCOUNT10")
    cheaper = promo(catalogue_table, customer, cart, "puja10")
    assert (str(cheaper.content.discount), str(cheaper.total)) == ("99.90", "899.10")
    full = remove(catalogue_table, customer, cart)
    assert (str(full.total), full.content.promo_code) == ("999.00", None)
    assert len({cart.version, cheaper.version, full.version}) == 3
    assert find_cart(given(cart), customer=customer, table=catalogue_table) == full


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"valid_until": NOW}, "PROMO_EXPIRED"),
        ({"valid_from": NOW + timedelta(seconds=1)}, "PROMO_EXPIRED"),
        ({"most_uses": 3, "taken": 3}, "PROMO_USED_UP"),
        ({"minimum": Money(99901, Currency.INR)}, "PROMO_BELOW_MINIMUM"),
        ({"currency": Currency.KES}, "PROMO_NOT_APPLICABLE"),
    ],
)
def test_a_promo_that_takes_nothing_off_is_refused_and_says_why(
    catalogue_table: Table, customer: Customer, facts: dict[str, Any], code: str
) -> None:
    usual: dict[str, Any] = {"code": "OFFER", "currency": Currency.INR, "percent": Decimal(5)}
    offer = Promo(**(usual | facts))
    catalogue.add(catalogue_table, offer)
    write(catalogue_table, Update("promo", shop_keys.promo("OFFER"), add={"taken": offer.taken}))
    cart = create(catalogue_table, customer)
    with pytest.raises(RefusedError) as applied:
        promo(catalogue_table, customer, cart, "offer")
    with pytest.raises(RefusedError) as created:
        create(catalogue_table, customer, promo_code="OFFER")
    for refused in (applied.value, created.value):
        assert (refused.stable_code, refused.message) == (code, "Invalid or expired promo code")
    assert find_cart(given(cart), customer=customer, table=catalogue_table) == cart


def test_an_unknown_promo_is_refused(catalogue_table: Table, customer: Customer) -> None:
    with pytest.raises(RefusedError) as refused:
        promo(catalogue_table, customer, create(catalogue_table, customer), "NOSUCHCODE")
    assert refused.value.stable_code == "PROMO_UNKNOWN"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("mark_with", "code"), [({"live_attempt": "MT1"}, "CART_LOCKED"), ({"converted_by": "BK-1"}, "CART_CONVERTED")]
)
def test_a_cart_that_is_paid_for_or_has_been_does_not_change(
    catalogue_table: Table, customer: Customer, mark_with: dict[str, str], code: str, change: Callable[..., object]
) -> None:
    cart = create(catalogue_table, customer)
    mark(catalogue_table, customer, cart, **mark_with)
    before = find_cart(given(cart), customer=customer, table=catalogue_table)
    with pytest.raises(RefusedError) as refused:
        change(catalogue_table, customer, cart)
    assert refused.value.stable_code == code
    assert find_cart(given(cart), customer=customer, table=catalogue_table) == before
    assert count(catalogue_table, customer) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_a_payment_that_begins_between_reading_and_writing_wins(
    catalogue_table: Table, customer: Customer, change: Callable[..., object]
) -> None:
    cart = create(catalogue_table, customer)
    with (
        before_next_write(catalogue_table, lambda: mark(catalogue_table, customer, cart, live_attempt="MT1")),
        pytest.raises(RefusedError) as refused,
    ):
        change(catalogue_table, customer, cart)
    assert refused.value.stable_code == "CART_LOCKED"
    kept = find_cart(given(cart), customer=customer, table=catalogue_table)
    assert (kept.version, kept.content) == (cart.version, cart.content)


def test_two_promos_at_once_leave_one_of_them_whole(catalogue_table: Table, customer: Customer) -> None:
    cart = create(catalogue_table, customer)
    with before_next_write(catalogue_table, lambda: promo(catalogue_table, customer, cart, "DISCOUNT10")):
        last = promo(catalogue_table, customer, cart, "PUJA10")
    assert (last.content.promo_code, str(last.total)) == ("PUJA10", "899.10")
    assert find_cart(given(cart), customer=customer, table=catalogue_table) == last


def test_a_deleted_cart_is_gone_and_counted_no_more(catalogue_table: Table, customer: Customer) -> None:
    first, second = create(catalogue_table, customer), create(catalogue_table, customer)
    assert count(catalogue_table, customer) == 2
    delete_cart(given(first), customer=customer, table=catalogue_table)
    assert count(catalogue_table, customer) == 1
    with pytest.raises(NotFoundError):
        find_cart(given(first), customer=customer, table=catalogue_table)
    for change in CHANGES:
        with pytest.raises(NotFoundError):
            change(catalogue_table, customer, first)
    assert count(catalogue_table, customer) == 1
    active = service_carts.carts_with(CartStatus.ACTIVE, customer, table=catalogue_table, now=NOW)
    assert [view.cart for view in active.carts] == [second]


def test_late_money_for_a_deleted_cart_leaves_no_cart_in_the_lists(catalogue_table: Table, customer: Customer) -> None:
    gone, kept = create(catalogue_table, customer), create(catalogue_table, customer)
    delete_cart(given(gone), customer=customer, table=catalogue_table)
    mark(catalogue_table, customer, gone, live_attempt="MT1")
    with pytest.raises(NotFoundError):
        find_cart(given(gone), customer=customer, table=catalogue_table)
    assert [view.cart for view in listed(catalogue_table, customer).carts] == [kept]


def test_a_filter_looks_through_a_long_list_one_stretch_at_a_time(
    catalogue_table: Table, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LONGEST_STRETCH", 3)
    made = [create(catalogue_table, customer) for _ in range(7)]
    mark(catalogue_table, customer, made[5], converted_by="BK-1")
    found: list[list[BookingCart]] = []
    place: Position | None = None
    while True:
        stretch = service_carts.carts_with(CartStatus.ACTIVE, customer, table=catalogue_table, now=NOW, position=place)
        found.append([view.cart for view in stretch.carts])
        if not stretch.page.older:
            break
        place = Position(int(stretch.page.edges[1]), towards_older=True)
    back = Position(int(stretch.page.edges[0]), towards_older=False)
    again = service_carts.carts_with(CartStatus.ACTIVE, customer, table=catalogue_table, now=NOW, position=back)
    assert [view.cart for view in again.carts] == found[1]
    newest_first = sorted(made, key=lambda cart: cart.number, reverse=True)
    active = [cart for cart in newest_first if cart.number != made[5].number]
    assert [cart.number for page in found for cart in page] == [cart.number for cart in active]
    assert len(found) == 3
    assert max(map(len, found)) <= 3


def test_nobody_finds_another_customers_cart(catalogue_table: Table, customer: Customer) -> None:
    cart = create(catalogue_table, customer)
    stranger = replace(customer, sub="somebody-else")
    with pytest.raises(NotFoundError):
        find_cart(given(cart), customer=stranger, table=catalogue_table)
    with pytest.raises(NotFoundError):
        delete_cart(given(cart), customer=stranger, table=catalogue_table)
    assert find_cart(given(cart), customer=customer, table=catalogue_table) == cart
