"""Document B's cart: one for each customer, one line for each listing, one currency; it is read with what it would cost now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from payfirst.domain.cart import ProduceCart, TakenPromo
from payfirst.domain.catalogue import Listing, cost_of
from payfirst.domain.errors import CartEmptyError, ContentionError, NotFoundError, RefusedError
from payfirst.domain.ids import Entropy
from payfirst.domain.money import Money
from payfirst.domain.promo import discount_on
from payfirst.domain.session import Customer, OrderLine
from payfirst.storage import carts, catalogue, offers
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.offers import PromoSeen

MOST_LINES: Final = 50
"""Each line's stock is one action of the transaction that makes an order, and a hundred is all it may have."""

TRIES: Final = 5

NO_LISTING: Final = "Listing not found"
NO_ITEM: Final = "Cart item not found"


@dataclass(frozen=True, slots=True)
class PromoView:
    """What a cart's promo code takes off now; nothing where there is a `problem`. `changed` says that its terms did."""

    discount: Money
    changed: bool = False
    problem: RefusedError | None = None


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart with its listings as they are now, without what is not sold any more, and what its promo code takes off now."""

    cart: ProduceCart | None
    listings: Mapping[int, Listing]
    promo: PromoView | None = None


def read_cart(*, customer: Customer, table: Table, now: datetime) -> CartView:
    """The customer's cart; `cart` is None before the first thing was put into it."""
    return _view(table, customer, _current(table, customer, now), now)


def add_item(
    listing_id: int, quantity: Decimal, *, customer: Customer, table: Table, now: datetime, entropy: Entropy
) -> CartView:
    """The cart with `quantity` more of a listing. A line that is there already keeps its price, changed meanwhile or not.

    NotFoundError, RefusedError OUT_OF_STOCK (with `available`), CURRENCY_MIXED or CART_FULL, ContentionError.
    """

    def add(cart: ProduceCart) -> ProduceCart:
        listing = _sold(table, listing_id)
        line = next((line for line in cart.lines if line.listing_id == listing_id), None)
        if line is None and len(cart.lines) >= MOST_LINES:
            raise RefusedError(f"A cart can hold {MOST_LINES} different listings.", code="CART_FULL")
        wanted = quantity + (line.quantity if line else 0)
        _check_stock(listing, wanted)
        if line is None:
            _check_currency(listing, cart.lines)
            made = cart.items_made + 1
            return replace(cart, lines=(*cart.lines, _line(made, listing, wanted)), items_made=made)
        return _with(cart, replace(line, quantity=wanted, subtotal=cost_of(wanted, line.price)))

    return _write(add, customer, table, now, entropy)


def update_quantity(
    cart_item_id: int, quantity: Decimal, *, customer: Customer, table: Table, now: datetime, entropy: Entropy
) -> CartView:
    """The cart with that line at `quantity` and at today's price, which is how a changed price is accepted.

    NotFoundError, RefusedError OUT_OF_STOCK (with `available`) or CURRENCY_MIXED, ContentionError.
    """

    def update(cart: ProduceCart) -> ProduceCart:
        line = _find(cart, cart_item_id)
        listing = _sold(table, line.listing_id)
        _check_stock(listing, quantity)
        _check_currency(listing, [other for other in cart.lines if other != line])
        return _with(cart, _line(cart_item_id, listing, quantity))

    return _write(update, customer, table, now, entropy)


def remove_item(cart_item_id: int, *, customer: Customer, table: Table, now: datetime, entropy: Entropy) -> CartView:
    """The cart without that line. NotFoundError, ContentionError."""

    def remove(cart: ProduceCart) -> ProduceCart:
        line = _find(cart, cart_item_id)
        return replace(cart, lines=tuple(other for other in cart.lines if other != line))

    return _write(remove, customer, table, now, entropy)


def apply_promo(code: str, *, customer: Customer, table: Table, now: datetime, entropy: Entropy) -> CartView:
    """The cart with the promo `code`, which takes the place of any other; taking it again accepts changed terms.

    CartEmptyError, RefusedError PROMO_… (why the code takes nothing off), ContentionError. Its use is counted when a payment
    begins, not here.
    """

    def apply(cart: ProduceCart) -> ProduceCart:
        if not cart.lines:
            raise CartEmptyError("Cart is empty")
        seen = offers.read_promo(table, code, customer.sub)
        discount_on(seen.promo, cart.lines, now, uses=seen.uses)
        return replace(cart, promo=TakenPromo(seen.promo.code, seen.promo.terms) if seen.promo else None)

    return _write(apply, customer, table, now, entropy)


def remove_promo(*, customer: Customer, table: Table, now: datetime, entropy: Entropy) -> CartView:
    """The cart without a promo code. ContentionError."""
    return _write(lambda cart: replace(cart, promo=None), customer, table, now, entropy)


def _current(table: Table, customer: Customer, now: datetime) -> ProduceCart | None:
    """The cart as it is at `now`; one that has expired is empty."""
    cart = carts.read_produce_cart(table, customer.sub)
    return cart.at(now) if cart else None


def _write(
    change: Callable[[ProduceCart], ProduceCart], customer: Customer, table: Table, now: datetime, entropy: Entropy
) -> CartView:
    """Apply `change` to the cart as it is; again from the start when somebody else changed it meanwhile."""
    for _ in range(TRIES):
        seen = _current(table, customer, now)
        before = seen or ProduceCart(version="", lines=(), items_made=0, updated_at=now)
        changed = replace(change(before), version=entropy(16).hex(), updated_at=now, touched_at=None)
        try:
            carts.write_produce_cart(table, customer.sub, changed, seen=seen.version if seen else None)
        except ConditionFailedError:
            continue
        return _view(table, customer, changed, now)
    raise ContentionError("This cart is being changed; please try again.")


def _view(table: Table, customer: Customer, cart: ProduceCart | None, now: datetime) -> CartView:
    if cart is None or not cart.lines:
        return CartView(cart, {})
    code = cart.promo.code if cart.promo else None
    seen = offers.read_produce(table, [line.listing_id for line in cart.lines], code, customer.sub)
    return CartView(cart, seen.listings, _promo_view(cart, seen.promo, now))


def _promo_view(cart: ProduceCart, seen: PromoSeen, now: datetime) -> PromoView | None:
    if cart.promo is None:
        return None
    try:
        discount = discount_on(seen.promo, cart.lines, now, uses=seen.uses)
    except RefusedError as problem:
        return PromoView(Money(0, cart.currency), problem=problem)
    return PromoView(discount, changed=seen.promo is not None and seen.promo.terms != cart.promo.terms)


def _find(cart: ProduceCart, cart_item_id: int) -> OrderLine:
    line = next((line for line in cart.lines if line.cart_item_id == cart_item_id), None)
    if line is None:
        raise NotFoundError(NO_ITEM)
    return line


def _sold(table: Table, listing_id: int) -> Listing:
    listing = catalogue.read_listing(table, listing_id)
    if listing is None or not listing.active:
        raise NotFoundError(NO_LISTING)
    return listing


def _check_stock(listing: Listing, wanted: Decimal) -> None:
    if wanted > listing.available:
        facts = {"listing_id": listing.number, "available": str(listing.available), "quantity": str(wanted)}
        raise RefusedError("There is not enough in stock.", code="OUT_OF_STOCK", details=facts)


def _check_currency(listing: Listing, others: Sequence[OrderLine]) -> None:
    if any(line.price.currency is not listing.price.currency for line in others):
        cart, own = others[0].price.currency, listing.price.currency
        message = f"This cart is in {cart} and {listing.product_name} is sold in {own}; please buy it by itself."
        raise RefusedError(message, code="CURRENCY_MIXED", details={"listing_id": listing.number, "currency": own.value})


def _with(cart: ProduceCart, line: OrderLine) -> ProduceCart:
    lines = tuple(line if other.cart_item_id == line.cart_item_id else other for other in cart.lines)
    return replace(cart, lines=lines)


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
