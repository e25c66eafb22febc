"""Document B's cart: one for each customer, one line for each listing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from payfirst.domain.cart import ProduceCart
from payfirst.domain.catalogue import Listing, cost_of
from payfirst.domain.errors import ContentionError, NotFoundError, RefusedError
from payfirst.domain.ids import Entropy
from payfirst.domain.session import Customer, OrderLine
from payfirst.storage import carts, catalogue
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.table import Table

MOST_LINES: Final = 50
"""Each line's stock is one action of the transaction that makes an order, and a hundred is all it may have."""

TRIES: Final = 5

NO_LISTING: Final = "Listing not found"
NO_ITEM: Final = "Cart item not found"


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart with its listings as they are now; a listing that is not sold any more is missing."""

    cart: ProduceCart | None
    listings: Mapping[int, Listing]


def read_cart(*, customer: Customer, table: Table) -> CartView:
    """The customer's cart; `cart` is None before the first thing was put into it."""
    return _view(table, carts.read_produce_cart(table, customer.sub))


def add_item(
    listing_id: int, quantity: Decimal, *, customer: Customer, table: Table, now: datetime, entropy: Entropy
) -> CartView:
    """The cart with `quantity` more of a listing. A line that is there already keeps its price, changed meanwhile or not.

    NotFoundError, RefusedError OUT_OF_STOCK (with `available`) or CART_FULL, ContentionError.
    """

    def add(cart: ProduceCart | None) -> ProduceCart:
        listing = catalogue.read_listing(table, listing_id)
        if listing is None:
            raise NotFoundError(NO_LISTING)
        lines = cart.lines if cart else ()
        line = next((line for line in lines if line.listing_id == listing_id), None)
        made = cart.items_made if cart else 0
        if line is None and len(lines) >= MOST_LINES:
            raise RefusedError(f"A cart can hold {MOST_LINES} different listings.", code="CART_FULL")
        wanted = quantity + (line.quantity if line else 0)
        _check_stock(listing, wanted)
        if line is None:
            return _changed(now, entropy, (*lines, _line(made + 1, listing, wanted)), made + 1)
        more = replace(line, quantity=wanted, subtotal=cost_of(wanted, line.price))
        return _changed(now, entropy, _with(lines, more), made)

    return _write(table, customer, add)


def update_quantity(
    cart_item_id: int, quantity: Decimal, *, customer: Customer, table: Table, now: datetime, entropy: Entropy
) -> CartView:
    """The cart with that line at `quantity` and at today's price, which is how a changed price is accepted.

    NotFoundError, RefusedError OUT_OF_STOCK (with `available`), ContentionError.
    """

    def update(cart: ProduceCart | None) -> ProduceCart:
        found, line = _find(cart, cart_item_id)
        listing = catalogue.read_listing(table, line.listing_id)
        if listing is None:
            raise NotFoundError(NO_LISTING)
        _check_stock(listing, quantity)
        return _changed(now, entropy, _with(found.lines, _line(cart_item_id, listing, quantity)), found.items_made)

    return _write(table, customer, update)


def remove_item(cart_item_id: int, *, customer: Customer, table: Table, now: datetime, entropy: Entropy) -> CartView:
    """The cart without that line. NotFoundError, ContentionError."""

    def remove(cart: ProduceCart | None) -> ProduceCart:
        found, line = _find(cart, cart_item_id)
        return _changed(now, entropy, tuple(other for other in found.lines if other != line), found.items_made)

    return _write(table, customer, remove)


def _write(table: Table, customer: Customer, change: Callable[[ProduceCart | None], ProduceCart]) -> CartView:
    """Apply `change` to the cart as it is; again from the start when somebody else changed it meanwhile."""
    for _ in range(TRIES):
        seen = carts.read_produce_cart(table, customer.sub)
        changed = change(seen)
        try:
            carts.write_produce_cart(table, customer.sub, changed, seen=seen.version if seen else None)
        except ConditionFailedError:
            continue
        return _view(table, changed)
    raise ContentionError("This cart is being changed; please try again.")


def _view(table: Table, cart: ProduceCart | None) -> CartView:
    numbers = [line.listing_id for line in cart.lines] if cart else []
    return CartView(cart, catalogue.read_listings(table, numbers))


def _find(cart: ProduceCart | None, cart_item_id: int) -> tuple[ProduceCart, OrderLine]:
    line = next((line for line in cart.lines if line.cart_item_id == cart_item_id), None) if cart else None
    if cart is None or line is None:
        raise NotFoundError(NO_ITEM)
    return cart, line


def _check_stock(listing: Listing, wanted: Decimal) -> None:
    if wanted > listing.available:
        facts = {"listing_id": listing.number, "available": str(listing.available), "quantity": str(wanted)}
        raise RefusedError("There is not enough in stock.", code="OUT_OF_STOCK", details=facts)


def _changed(now: datetime, entropy: Entropy, lines: tuple[OrderLine, ...], items_made: int) -> ProduceCart:
    return ProduceCart(version=entropy(16).hex(), lines=lines, items_made=items_made, updated_at=now)


def _with(lines: tuple[OrderLine, ...], line: OrderLine) -> tuple[OrderLine, ...]:
    return tuple(line if other.cart_item_id == line.cart_item_id else other for other in lines)


def _line(cart_item_id: int, listing: Listing, quantity: Decimal) -> OrderLine:
    return OrderLine(
        cart_item_id=cart_item_id,
        listing_id=listing.number,
        product_name=listing.product_name,
        farm_name=listing.farm_name,
        unit=listing.unit,
        quantity=quantity,
        price=listing.price,
        subtotal=cost_of(quantity, listing.price),
        hold=listing.hold,
    )
