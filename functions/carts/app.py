"""The carts of both shops: of services (document A) and of produce (document B)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.paging import page_size, paged, position
from payfirst.api.request import Request
from payfirst.api.resources import cursor_key, customer, public_origin, table
from payfirst.api.values import check_start, given
from payfirst.api.wire.carts import ApplyPromoIn, CreateCartIn, ServiceCartOut
from payfirst.api.wire.fields import NothingIn
from payfirst.api.wire.produce_cart import AddItemIn, ProduceCartOut, RemoveItemIn, UpdateQuantityIn
from payfirst.domain.cart import CartStatus
from payfirst.domain.days import Days
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.ids import Entropy
from payfirst.domain.session import Customer
from payfirst.settings import settings
from payfirst.usecases.carts import produce_cart, service_carts

if TYPE_CHECKING:
    from payfirst.storage.dynamodb.table import Table

NO_CART = service_carts.NO_CART


class Reading(TypedDict):
    """Who reads a cart, where, and when."""

    customer: Customer
    table: Table
    now: datetime


class ReadingServices(Reading):
    """The same for a cart of services, with the days that the shop takes."""

    days: Days


class Changing(Reading):
    """Who changes a cart, where, when, and with what randomness."""

    entropy: Entropy


class ChangingServices(Changing):
    """The same for a cart of services, with the days that the shop takes."""

    days: Days


def _reading(request: Request) -> Reading:
    return {"customer": customer(request), "table": table(request.deadline), "now": request.now}


def _reading_services(request: Request) -> ReadingServices:
    return {**_reading(request), "days": settings().days}


def _changing(request: Request) -> Changing:
    return {**_reading(request), "entropy": secrets.token_bytes}


def _changing_services(request: Request) -> ChangingServices:
    return {**_changing(request), "days": settings().days}


def _shown(request: Request, view: service_carts.BookingCartView) -> ServiceCartOut:
    return ServiceCartOut.of(view, customer(request), request.now)


def _produce(view: produce_cart.CartView) -> Reply:
    return Reply(200, ProduceCartOut.of(view))


def create_cart(request: Request) -> Reply:
    """`POST /api/cart/carts/`"""
    wanted, by = request.body(CreateCartIn).wanted(customer(request)), _changing_services(request)
    service = service_carts.find_service(wanted, table=by["table"])
    check_start(wanted.day, wanted.time.at, request.now, service.zone)
    return Reply(201, _shown(request, service_carts.create_cart(wanted, service, **by)))


def list_carts(request: Request) -> Reply:
    """`GET /api/cart/carts/`, with `?status=` in any case."""
    by, word, where = _reading_services(request), request.parameter("status"), position(request, cursor_key)
    if word is None:
        page = service_carts.list_carts(**by, size=page_size(request), position=where)
    else:
        page = service_carts.carts_with(_status(word), **by, position=where)
    results = [_shown(request, view) for view in page.carts]
    return Reply(200, paged(request, cursor_key, public_origin(request), page.page, results, is_filtered=word is not None))


def list_active_carts(request: Request) -> Reply:
    """`GET /api/cart/carts/active/`: a plain array, of the active ones among the customer's newest 500."""
    found = service_carts.carts_with(CartStatus.ACTIVE, **_reading_services(request))
    return Reply(200, [_shown(request, view) for view in found.carts])


def _status(text: str) -> CartStatus:
    if text.upper() not in CartStatus.__members__:
        raise InvalidInputError(FieldProblem("status", f"One of these is expected: {', '.join(CartStatus)}."))
    return CartStatus(text.upper())


def get_cart(request: Request, cart_id: str) -> Reply:
    """`GET /api/cart/carts/{cart_id}/`"""
    return Reply(200, _shown(request, service_carts.view_cart(given(cart_id, NO_CART), **_reading_services(request))))


def delete_cart(request: Request, cart_id: str) -> Reply:
    """`DELETE /api/cart/carts/{cart_id}/`"""
    service_carts.delete_cart(given(cart_id, NO_CART), customer=customer(request), table=table(request.deadline))
    return Reply(204, "")


def apply_promo(request: Request, cart_id: str) -> Reply:
    """`POST /api/cart/carts/{cart_id}/apply_promo/`"""
    code, by = request.body(ApplyPromoIn).promo_code, _changing_services(request)
    return Reply(200, _shown(request, service_carts.apply_promo(given(cart_id, NO_CART), code, **by)))


def remove_promo(request: Request, cart_id: str) -> Reply:
    """`POST /api/cart/carts/{cart_id}/remove_promo/`"""
    request.body(NothingIn)
    return Reply(200, _shown(request, service_carts.remove_promo(given(cart_id, NO_CART), **_changing_services(request))))


def my_cart(request: Request) -> Reply:
    """`GET /api/carts/my_cart/`"""
    return _produce(produce_cart.read_cart(**_reading(request)))


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
