"""The carts of both shops: of services (document A) and of produce (document B)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TypedDict

from payfirst.api.app import build_app
from payfirst.api.carts_wire import (
    AddItemIn,
    ApplyPromoIn,
    CreateCartIn,
    ProduceCartOut,
    RemoveItemIn,
    ServiceCartOut,
    UpdateQuantityIn,
)
from payfirst.api.errors import Reply
from payfirst.api.fields import NothingIn
from payfirst.api.paging import before, filtered, page_size, paged, position
from payfirst.api.request import Request
from payfirst.api.resources import cursor_key, customer, table
from payfirst.api.values import check_day, given
from payfirst.domain.cart import CartStatus
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.ids import Entropy
from payfirst.domain.session import Customer
from payfirst.settings import settings
from payfirst.storage.table import Table
from payfirst.usecases import booking_carts, produce_cart

NO_CART = booking_carts.NO_CART


class Looking(TypedDict):
    """Who looks at a cart, where, and when."""

    customer: Customer
    table: Table
    now: datetime


class Changing(Looking):
    """Who changes a cart, where, when, and with what randomness."""

    entropy: Entropy


def _looking(request: Request) -> Looking:
    return {"customer": customer(request), "table": table(request.deadline), "now": request.now}


def _changing(request: Request) -> Changing:
    return {**_looking(request), "entropy": secrets.token_bytes}


def _shown(request: Request, view: booking_carts.BookingCartView) -> ServiceCartOut:
    return ServiceCartOut.of(view, customer(request), request.now)


def _produce(view: produce_cart.CartView) -> Reply:
    return Reply(200, ProduceCartOut.of(view))


def create_cart(request: Request) -> Reply:
    """`POST /api/cart/carts/`"""
    wanted, by = request.body(CreateCartIn).wanted(), _changing(request)
    service = booking_carts.find_service(wanted, table=by["table"])
    check_day("selected_date", wanted.day, request.now, service.zone)
    return Reply(201, _shown(request, booking_carts.create_cart(wanted, service, **by)))


def list_carts(request: Request) -> Reply:
    """`GET /api/cart/carts/`, with `?status=` in any case."""
    by, word = _looking(request), request.parameter("status")
    if word is not None:
        found = booking_carts.carts_with(_status(word), **by, before=before(request, cursor_key))
        results = [_shown(request, view) for view in found.carts]
        return Reply(200, filtered(request, cursor_key, settings().public_origin, results, found.more_before))
    page = booking_carts.list_carts(**by, size=page_size(request), position=position(request, cursor_key))
    results = [_shown(request, view) for view in page.carts]
    numbers = [view.cart.number for view in page.carts]
    return Reply(200, paged(request, cursor_key, settings().public_origin, page.page, results, numbers))


def list_active_carts(request: Request) -> Reply:
    """`GET /api/cart/carts/active/`: a plain array, of the active ones among the customer's newest 500."""
    found = booking_carts.carts_with(CartStatus.ACTIVE, **_looking(request), before=None)
    return Reply(200, [_shown(request, view) for view in found.carts])


def _status(text: str) -> CartStatus:
    if text.upper() not in CartStatus.__members__:
        raise InvalidInputError(FieldProblem("status", f"One of these is expected: {', '.join(CartStatus)}."))
    return CartStatus(text.upper())


def get_cart(request: Request, cart_id: str) -> Reply:
    """`GET /api/cart/carts/{cart_id}/`"""
    return Reply(200, _shown(request, booking_carts.view_cart(given(cart_id, NO_CART), **_looking(request))))


def delete_cart(request: Request, cart_id: str) -> Reply:
    """`DELETE /api/cart/carts/{cart_id}/`"""
    booking_carts.delete_cart(given(cart_id, NO_CART), customer=customer(request), table=table(request.deadline))
    return Reply(204, "")


def apply_promo(request: Request, cart_id: str) -> Reply:
    """`POST /api/cart/carts/{cart_id}/apply_promo/`"""
    code, by = request.body(ApplyPromoIn).promo_code, _changing(request)
    return Reply(200, _shown(request, booking_carts.apply_promo(given(cart_id, NO_CART), code, **by)))


def remove_promo(request: Request, cart_id: str) -> Reply:
    """`POST /api/cart/carts/{cart_id}/remove_promo/`"""
    request.body(NothingIn)
    return Reply(200, _shown(request, booking_carts.remove_promo(given(cart_id, NO_CART), **_changing(request))))


def my_cart(request: Request) -> Reply:
    """`GET /api/carts/my_cart/`"""
    return _produce(produce_cart.read_cart(**_looking(request)))


def add_item(request: Request) -> Reply:
    """`POST /api/carts/add_item/`"""
    wanted = request.body(AddItemIn)
    return _produce(produce_cart.add_item(wanted.listing_id, wanted.quantity, **_changing(request)))


def update_quantity(request: Request) -> Reply:
    """`POST /api/carts/update_quantity/`"""
    wanted = request.body(UpdateQuantityIn)
    return _produce(produce_cart.update_quantity(wanted.cart_item_id, wanted.quantity, **_changing(request)))


def remove_item(request: Request) -> Reply:
    """`POST /api/carts/remove_item/`"""
    return _produce(produce_cart.remove_item(request.body(RemoveItemIn).cart_item_id, **_changing(request)))


def apply_produce_promo(request: Request) -> Reply:
    """`POST /api/carts/apply_promo/`"""
    return _produce(produce_cart.apply_promo(request.body(ApplyPromoIn).promo_code, **_changing(request)))


def remove_produce_promo(request: Request) -> Reply:
    """`POST /api/carts/remove_promo/`"""
    request.body(NothingIn)
    return _produce(produce_cart.remove_promo(**_changing(request)))


handler = build_app(
    "carts",
    {
        "create_cart": create_cart,
        "list_carts": list_carts,
        "list_active_carts": list_active_carts,
        "get_cart": get_cart,
        "delete_cart": delete_cart,
        "apply_promo": apply_promo,
        "remove_promo": remove_promo,
        "my_cart": my_cart,
        "add_item": add_item,
        "update_quantity": update_quantity,
        "remove_item": remove_item,
        "apply_produce_promo": apply_produce_promo,
        "remove_produce_promo": remove_produce_promo,
    },
)
