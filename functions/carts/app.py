"""The carts of both shops: of services (document A) and of produce (document B)."""

from __future__ import annotations

import secrets

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
from payfirst.api.orders_wire import NothingIn
from payfirst.api.paging import page_size, paged, position, unpaged
from payfirst.api.request import Request
from payfirst.api.resources import cursor_key, customer, table
from payfirst.api.values import check_day, given
from payfirst.domain.cart import CartStatus
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.settings import settings
from payfirst.usecases import booking_carts, produce_cart

NO_CART = booking_carts.NO_CART


def create_cart(request: Request) -> Reply:
    """`POST /api/cart/carts/`"""
    wanted, who, where = request.body(CreateCartIn).wanted(), customer(request), table(request.deadline)
    service = booking_carts.find_service(wanted, table=where)
    check_day("selected_date", wanted.day, request.now, service.zone)
    made = booking_carts.create_cart(wanted, service, customer=who, table=where, now=request.now, entropy=secrets.token_bytes)
    return Reply(201, ServiceCartOut.of(made, who))


def list_carts(request: Request) -> Reply:
    """`GET /api/cart/carts/`, with `?status=` in any case."""
    who, where = customer(request), table(request.deadline)
    word = request.parameter("status")
    if word is not None:
        return Reply(200, unpaged(_with_status(request, _status(word))))
    size = page_size(request)
    found = booking_carts.list_carts(who, table=where, size=size, position=position(request, cursor_key))
    results = [ServiceCartOut.of(cart, who) for cart in found.carts]
    numbers = [cart.number for cart in found.carts]
    return Reply(200, paged(request, cursor_key, settings().public_origin, found.page, results, numbers))


def list_active_carts(request: Request) -> Reply:
    """`GET /api/cart/carts/active/`: a plain array."""
    return Reply(200, _with_status(request, CartStatus.ACTIVE))


def _with_status(request: Request, status: CartStatus) -> list[ServiceCartOut]:
    who, where = customer(request), table(request.deadline)
    return [ServiceCartOut.of(cart, who) for cart in booking_carts.carts_with(status, who, table=where)]


def _status(text: str) -> CartStatus:
    if text.upper() not in CartStatus.__members__:
        raise InvalidInputError(FieldProblem("status", f"One of these is expected: {', '.join(CartStatus)}."))
    return CartStatus(text.upper())


def get_cart(request: Request, cart_id: str) -> Reply:
    """`GET /api/cart/carts/{cart_id}/`"""
    who = customer(request)
    cart = booking_carts.find_cart(given(cart_id, NO_CART), customer=who, table=table(request.deadline))
    return Reply(200, ServiceCartOut.of(cart, who))


def delete_cart(request: Request, cart_id: str) -> Reply:
    """`DELETE /api/cart/carts/{cart_id}/`"""
    booking_carts.delete_cart(given(cart_id, NO_CART), customer=customer(request), table=table(request.deadline))
    return Reply(204, "")


def apply_promo(request: Request, cart_id: str) -> Reply:
    """`POST /api/cart/carts/{cart_id}/apply_promo/`"""
    wanted, who = request.body(ApplyPromoIn), customer(request)
    cart = booking_carts.apply_promo(
        given(cart_id, NO_CART),
        wanted.promo_code,
        customer=who,
        table=table(request.deadline),
        now=request.now,
        entropy=secrets.token_bytes,
    )
    return Reply(200, ServiceCartOut.of(cart, who))


def remove_promo(request: Request, cart_id: str) -> Reply:
    """`POST /api/cart/carts/{cart_id}/remove_promo/`"""
    request.body(NothingIn)
    who = customer(request)
    cart = booking_carts.remove_promo(
        given(cart_id, NO_CART), customer=who, table=table(request.deadline), entropy=secrets.token_bytes
    )
    return Reply(200, ServiceCartOut.of(cart, who))


def my_cart(request: Request) -> Reply:
    """`GET /api/carts/my_cart/`"""
    view = produce_cart.read_cart(customer=customer(request), table=table(request.deadline))
    return Reply(200, ProduceCartOut.of(view))


def add_item(request: Request) -> Reply:
    """`POST /api/carts/add_item/`"""
    wanted = request.body(AddItemIn)
    view = produce_cart.add_item(
        wanted.listing_id,
        wanted.quantity,
        customer=customer(request),
        table=table(request.deadline),
        now=request.now,
        entropy=secrets.token_bytes,
    )
    return Reply(200, ProduceCartOut.of(view))


def update_quantity(request: Request) -> Reply:
    """`POST /api/carts/update_quantity/`"""
    wanted = request.body(UpdateQuantityIn)
    view = produce_cart.update_quantity(
        wanted.cart_item_id,
        wanted.quantity,
        customer=customer(request),
        table=table(request.deadline),
        now=request.now,
        entropy=secrets.token_bytes,
    )
    return Reply(200, ProduceCartOut.of(view))


def remove_item(request: Request) -> Reply:
    """`POST /api/carts/remove_item/`"""
    wanted = request.body(RemoveItemIn)
    view = produce_cart.remove_item(
        wanted.cart_item_id,
        customer=customer(request),
        table=table(request.deadline),
        now=request.now,
        entropy=secrets.token_bytes,
    )
    return Reply(200, ProduceCartOut.of(view))


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
    },
)
