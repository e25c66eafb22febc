"""The cart of produce (document B)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from payfirst.api.wire.fields import Count, In, JsonNumber, Number, Out, Quantity
from payfirst.domain.catalogue import Listing
from payfirst.domain.clock import instant
from payfirst.domain.delivery import CURRENCY
from payfirst.domain.money import Money
from payfirst.domain.session import OrderLine
from payfirst.usecases.carts.produce_cart import CartView, PromoView


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
    """One listing in the cart; `current_price` is there when it is not `price_at_addition` any more. `available` is how much
    can be bought now, 0 of what is not sold any more."""

    cart_item_id: int
    listing_id: int
    product_name: str
    farm_name: str
    quantity: JsonNumber
    price_at_addition: str
    subtotal: str
    unit_of_measure: str
    available: Count
    price_changed: bool
    current_price: str | None = None

    @classmethod
    def of(cls, line: OrderLine, listing: Listing | None) -> CartLineOut:
        changed: dict[str, Any] = {"price_changed": False}
        if listing is not None and listing.price != line.price:
            changed = {"price_changed": True, "current_price": str(listing.price)}
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
    """The customer's whole cart of produce; delivery comes on top. `discount` is what its promo code takes off now.

    A code that takes nothing off any more says why in `promo_error_code`; `promo_changed` says that it takes something else off
    than when it was taken.
    """

    items: list[CartLineOut]
    total_items: Count
    total_cost: str
    currency: str
    promo_code: str | None
    discount: str
    updated_at: str | None
    expires_at: str | None
    promo_changed: bool | None = None
    promo_error_code: str | None = None

    @classmethod
    def of(cls, view: CartView) -> ProduceCartOut:
        cart = view.cart
        lines, currency = (cart.lines, cart.currency) if cart else ((), CURRENCY)
        return cls(
            items=[CartLineOut.of(line, view.listings.get(line.listing_id)) for line in lines],
            total_items=sum((line.quantity for line in lines), Decimal(0)),
            total_cost=str(sum((line.subtotal for line in lines), Money(0, currency))),
            currency=currency,
            promo_code=cart.promo.code if cart and cart.promo else None,
            discount=str(view.promo.discount if view.promo else Money(0, currency)),
            updated_at=instant(cart.updated_at) if cart else None,
            expires_at=instant(cart.expires_at) if cart and lines else None,
            **_promo(view.promo),
        )


def _promo(promo: PromoView | None) -> dict[str, Any]:
    if promo is None:
        return {}
    return {"promo_changed": promo.changed} | ({"promo_error_code": promo.problem.stable_code} if promo.problem else {})
