"""Document A's carts: a service, a day and a price, as many as a customer likes; each is read with what it would cost now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, NoReturn

from payfirst.domain.cart import BookingCart, CartStatus
from payfirst.domain.catalogue import Package, Service, ServiceType
from payfirst.domain.days import ANY_DAY, Days
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError, NotFoundError, RefusedError
from payfirst.domain.ids import Entropy, GivenId, new_identifier
from payfirst.domain.money import Money
from payfirst.domain.session import Address, BookingSnapshot, Customer
from payfirst.domain.times import GivenTime
from payfirst.storage import carts, catalogue, offers, slots
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.lists import Position, Slice, read_page, read_stretch
from payfirst.usecases.carts.offer import Offered, in_slot, offered_now, slot_of, with_discount

TRIES: Final = 4
NO_CART: Final = "Cart not found"


@dataclass(frozen=True, slots=True)
class WantedCart:
    """What a customer wants to book; `service_field` and `package_field` are the names under which it was asked for."""

    kind: ServiceType
    service_id: int
    package_id: int | None
    day: date
    time: GivenTime
    promo_code: str | None
    address: Address | None
    service_field: str
    package_field: str
    customer_name: str | None = None
    phone_number: str | None = None


def find_service(wanted: WantedCart, *, table: Table) -> Service:
    """The service that `wanted` names; InvalidInputError on its field where there is none, or none that is sold."""
    service = catalogue.read_service(table, wanted.kind, wanted.service_id)
    if service is None or not service.active:
        raise InvalidInputError(FieldProblem(wanted.service_field, "There is no such service."))
    return service


@dataclass(frozen=True, slots=True)
class BookingCartView:
    """A cart, and what it would cost now; None where that does not matter any more: it is being paid for, or over."""

    cart: BookingCart
    offer: Offered | None = None


def create_cart(
    wanted: WantedCart,
    service: Service,
    *,
    customer: Customer,
    table: Table,
    now: datetime,
    entropy: Entropy,
    days: Days = ANY_DAY,
) -> BookingCartView:
    """A new ACTIVE cart at today's price. InvalidInputError on the package; RefusedError where the promo takes nothing off,
    and SLOT_… for what cannot be booked."""
    package = _package(wanted, service)
    price = package.price if package else service.price
    if price is None:
        raise LookupError(f"{service.kind} {service.number} has neither packages nor a price")
    for _ in range(TRIES):
        identifier = new_identifier(now, entropy)
        content = BookingSnapshot(
            cart_id=identifier.number,
            cart_uuid=str(identifier.uuid),
            service_type=service.kind,
            service_id=service.number,
            service_name=service.name,
            package_id=package.number if package else None,
            package_name=package.name if package else None,
            day=wanted.day,
            at=wanted.time.at,
            time_given=wanted.time.text,
            zone=service.zone,
            price=price,
            discount=Money(0, price.currency),
            promo_code=None,
            address=wanted.address,
            customer_name=wanted.customer_name,
            phone_number=wanted.phone_number,
        )
        used = 0 if service.calendar is None else slots.used(table, slot_of(content))
        content = in_slot(content, service, used, now, days)
        if wanted.promo_code is not None:
            content = with_discount(content, offers.read_promo(table, wanted.promo_code, customer.sub), now)
        cart = BookingCart(identifier.number, str(identifier.uuid), content, entropy(16).hex(), now)
        try:
            carts.create_booking_cart(table, customer.sub, cart)
        except ConditionFailedError:
            continue  # the number is taken: draw again
        return BookingCartView(cart, Offered(price, content.discount))
    raise AssertionError("as many ids of one millisecond were taken")


def _package(wanted: WantedCart, service: Service) -> Package | None:
    field = wanted.package_field
    if not service.packages:
        if wanted.package_id is not None:
            raise InvalidInputError(FieldProblem(field, "This service has no packages."))
        return None
    if wanted.package_id is None:
        raise InvalidInputError(FieldProblem(field, "This field is required."))
    package = service.package(wanted.package_id)
    if package is None:
        raise InvalidInputError(FieldProblem(field, "This service has no such package."))
    return package


@dataclass(frozen=True, slots=True)
class CartPage:
    """Carts, newest first, and the page that they came on."""

    carts: tuple[BookingCartView, ...]
    page: Slice


def list_carts(
    customer: Customer, *, table: Table, now: datetime, size: int, position: Position | None, days: Days = ANY_DAY
) -> CartPage:
    """One page of the customer's carts, newest first."""
    page = read_page(table, customer.sub, keys.CART, size=size, position=position)
    return CartPage(_shown(carts.booking_carts_from_items(page.items), customer, table, now, days), page)


def carts_with(
    status: CartStatus,
    customer: Customer,
    *,
    table: Table,
    now: datetime,
    position: Position | None = None,
    days: Days = ANY_DAY,
) -> CartPage:
    """Those of that status, newest first, in one stretch of the customer's carts (`read_stretch`)."""
    stretch = read_stretch(table, customer.sub, keys.CART, position=position)
    found = [cart for cart in carts.booking_carts_from_items(stretch.items) if cart.status_at(now) is status]
    return CartPage(_shown(found, customer, table, now, days), stretch)


def view_cart(given: GivenId, *, customer: Customer, table: Table, now: datetime, days: Days = ANY_DAY) -> BookingCartView:
    """The customer's cart with what it would cost now; NotFoundError as in `find_cart`."""
    cart = find_cart(given, customer=customer, table=table)
    return _shown([cart], customer, table, now, days)[0]


def _shown(
    found: Sequence[BookingCart], customer: Customer, table: Table, now: datetime, days: Days
) -> tuple[BookingCartView, ...]:
    payable = [cart for cart in found if cart.status_at(now) is CartStatus.ACTIVE and cart.live_attempt is None]
    seen = offers.read_offers(table, [cart.content for cart in payable], customer.sub)
    current = {cart.number: offered_now(cart.content, offer, now, days) for cart, offer in zip(payable, seen, strict=True)}
    return tuple(BookingCartView(cart, current.get(cart.number)) for cart in found)


def find_cart(given: GivenId, *, customer: Customer, table: Table) -> BookingCart:
    """The customer's cart; NotFoundError for an unknown one and for somebody else's alike."""
    cart = carts.read_booking_cart(table, customer.sub, given.number) if given.number else None
    if cart is None or (given.uuid is not None and str(given.uuid) != cart.uuid):
        raise NotFoundError(NO_CART)
    return cart


def delete_cart(given: GivenId, *, customer: Customer, table: Table) -> None:
    """Delete the cart, expired or not. NotFoundError, RefusedError CART_LOCKED or CART_CONVERTED, ContentionError."""

    def delete(cart: BookingCart) -> BookingCart:
        carts.delete_booking_cart(table, customer.sub, cart)
        return cart

    _change(given, delete, customer=customer, table=table)


def apply_promo(
    given: GivenId, code: str, *, customer: Customer, table: Table, now: datetime, entropy: Entropy, days: Days = ANY_DAY
) -> BookingCartView:
    """The cart with what `code` takes off its price; it takes the place of any other code.

    NotFoundError, RefusedError PROMO_… (why the code takes nothing off), CART_EXPIRED, CART_LOCKED or CART_CONVERTED,
    ContentionError. Its use is counted when a payment begins, not here.
    """

    def apply(cart: BookingCart) -> BookingCart:
        _check_alive(cart, now)
        content = with_discount(cart.content, offers.read_promo(table, code, customer.sub), now)
        return _store(cart, content, customer, table, now, entropy)

    cart = _change(given, apply, customer=customer, table=table)
    return _shown([cart], customer, table, now, days)[0]


def remove_promo(
    given: GivenId, *, customer: Customer, table: Table, now: datetime, entropy: Entropy, days: Days = ANY_DAY
) -> BookingCartView:
    """The cart at its full price. NotFoundError, RefusedError CART_EXPIRED, CART_LOCKED or CART_CONVERTED, ContentionError."""

    def remove(cart: BookingCart) -> BookingCart:
        _check_alive(cart, now)
        content = replace(cart.content, promo_code=None, discount=Money(0, cart.content.price.currency))
        return _store(cart, content, customer, table, now, entropy)

    cart = _change(given, remove, customer=customer, table=table)
    return _shown([cart], customer, table, now, days)[0]


def _check_alive(cart: BookingCart, now: datetime) -> None:
    if cart.status_at(now) is CartStatus.EXPIRED:
        raise RefusedError("This cart has expired; please make it anew.", code="CART_EXPIRED")


def _store(
    cart: BookingCart, content: BookingSnapshot, customer: Customer, table: Table, now: datetime, entropy: Entropy
) -> BookingCart:
    changed = replace(cart, content=content, version=entropy(16).hex(), touched_at=now)
    carts.change_booking_cart(table, customer.sub, cart, content, changed.version, now)
    return changed


def _change(given: GivenId, change: Callable[[BookingCart], BookingCart], *, customer: Customer, table: Table) -> BookingCart:
    """Apply `change` to the cart as it is; again from the start when somebody else changed it meanwhile."""
    for _ in range(TRIES):
        cart = find_cart(given, customer=customer, table=table)
        if cart.live_attempt is not None or cart.converted_by is not None:
            _refuse(cart)
        try:
            return change(cart)
        except ConditionFailedError:
            continue
    raise ContentionError("This cart is being changed; please try again.")


def _refuse(cart: BookingCart) -> NoReturn:
    if cart.converted_by is not None:
        raise RefusedError("This cart has become a booking.", code="CART_CONVERTED", details={"booking": cart.converted_by})
    raise RefusedError("A payment for this cart is in progress; it cannot change meanwhile.", code="CART_LOCKED")
