"""The carts of both documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from payfirst.api.fields import Count, In, JsonNumber, Number, Out, Quantity
from payfirst.domain.catalogue import Listing
from payfirst.domain.clock import instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import OrderLine
from payfirst.usecases.produce_cart import CartView


class AddItemIn(In):
    """`POST /api/carts/add_item/`"""

    listing_id: Number
    quantity: Quantity


class UpdateQuantityIn(In):
    """`POST /api/carts/update_quantity/`"""

    cart_item_id: Number
    quantity: Quantity


class RemoveItemIn(In):
    """`POST /api/carts/remove_item/`"""

    cart_item_id: Number


class CartLineOut(Out):
    """One listing in the cart; `current_price` is there when it is not `price_at_addition` any more."""

    cart_item_id: int
    listing_id: int
    product_name: str
    farm_name: str
    quantity: JsonNumber
    price_at_addition: str
    subtotal: str
    unit_of_measure: str
    available: Count
    current_price: str | None = None

    @classmethod
    def of(cls, line: OrderLine, listing: Listing | None) -> CartLineOut:
        changed: dict[str, Any] = {}
        if listing is not None and listing.price != line.price:
            changed["current_price"] = str(listing.price)
        return cls(
            cart_item_id=line.cart_item_id,
            listing_id=line.listing_id,
            product_name=line.product_name,
            farm_name=line.farm_name,
            quantity=line.quantity,
            price_at_addition=str(line.price),
            subtotal=str(line.subtotal),
            unit_of_measure=line.unit,
            available=listing.available if listing else Decimal(0),
            **changed,
        )


class ProduceCartOut(Out):
    """The customer's whole cart of produce."""

    items: list[CartLineOut]
    total_items: Count
    total_cost: str
    updated_at: str | None

    @classmethod
    def of(cls, view: CartView) -> ProduceCartOut:
        lines = view.cart.lines if view.cart else ()
        return cls(
            items=[CartLineOut.of(line, view.listings.get(line.listing_id)) for line in lines],
            total_items=sum((line.quantity for line in lines), Decimal(0)),
            total_cost=str(sum((line.subtotal for line in lines), Money(0, Currency.KES))),
            updated_at=instant(view.cart.updated_at) if view.cart else None,
        )
