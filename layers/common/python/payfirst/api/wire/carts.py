"""The carts of services (document A), and the promo code of either cart."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError

from payfirst.api.wire.bookings import address_shown
from payfirst.api.wire.fields import (
    ContactNumber,
    Day,
    In,
    Number,
    Out,
    ShortText,
    Text,
    TimeOfDay,
)
from payfirst.domain.cart import CartStatus
from payfirst.domain.catalogue import ServiceType
from payfirst.domain.clock import instant
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.session import Customer
from payfirst.gateways.registry import default_for
from payfirst.usecases.carts.service_carts import BookingCartView, WantedCart

MOST_PARTS: Final = 20
"""Of an address."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


_PARTS: Final = TypeAdapter(
    Annotated[
        dict[Annotated[str, StringConstraints(pattern="^[A-Za-z][A-Za-z0-9_]{0,49}$")], Text], Field(max_length=MOST_PARTS)
    ]
)
_TEXT: Final = TypeAdapter(Text)


_NAME: Final = TypeAdapter(ShortText)
_CONTACT: Final = TypeAdapter(ContactNumber)


def _known(form: TypeAdapter[str], text: str | None) -> str | None:
    """What a token says, where it has that form; nobody is refused for what their token says."""
    try:
        return None if text is None else form.validate_python(text)
    except ValidationError:
        return None


def _address(value: object) -> str | dict[str, str] | None:
    try:
        return (_PARTS.validate_python(value) if isinstance(value, dict) else _TEXT.validate_python(value, strict=True)) or None
    except ValidationError as exc:
        first = exc.errors()[0]
        if first["type"] in ("string_too_long", "value_error"):
            raise ValueError(first["msg"].removeprefix("Value error, ")) from exc
        raise ValueError(f"A text, or an object of at most {MOST_PARTS} named texts, is expected.") from exc


AddressIn = Annotated[Any, BeforeValidator(_address, json_schema_input_type=str | dict[str, str])]
"""Where the service takes place: a text, or named parts of it."""


class CreateCartIn(In):
    """`POST /api/cart/carts/`: the service by its own name or with `_id`, and so the package."""

    service_type: Annotated[Literal["PUJA", "ASTROLOGY"], BeforeValidator(_upper)]
    puja_service: Number | None = None
    puja_service_id: Number | None = None
    astrology_service: Number | None = None
    astrology_service_id: Number | None = None
    package: Number | None = None
    package_id: Number | None = None
    selected_date: Day
    selected_time: TimeOfDay
    promo_code: ShortText | None = None
    address: AddressIn = None
    customer_name: ShortText | None = None
    phone_number: ContactNumber | None = None

    def wanted(self, customer: Customer) -> WantedCart:
        """The request as the use case takes it, with what `customer`'s token says where it names no contact itself;
        InvalidInputError where names contradict each other."""
        kind = ServiceType(self.service_type)
        other = next(each for each in ServiceType if each is not kind)
        service_field, service_id = self._one_of(f"{kind.lower()}_service")
        package_field, package_id = self._one_of("package")
        surplus, named = self._one_of(f"{other.lower()}_service")
        if named is not None:
            raise InvalidInputError(FieldProblem(surplus, f"This does not go with the service type {kind}."))
        if service_id is None:
            raise InvalidInputError(FieldProblem(service_field, "This field is required."))
        return WantedCart(
            kind=kind,
            service_id=service_id,
            package_id=package_id,
            day=self.selected_date,
            time=self.selected_time,
            promo_code=self.promo_code,
            address=self.address,
            service_field=service_field,
            package_field=package_field,
            customer_name=self.customer_name or _known(_NAME, customer.name),
            phone_number=self.phone_number or _known(_CONTACT, customer.phone),
        )

    def _one_of(self, name: str) -> tuple[str, int | None]:
        """The field `name` or `name_id`, whichever was sent, and its value."""
        short, long = getattr(self, name), getattr(self, f"{name}_id")
        if short is not None and long is not None and short != long:
            raise InvalidInputError(FieldProblem(name, f"{name} and {name}_id say different things; send one of them."))
        return (f"{name}_id", long) if short is None and long is not None else (name, short)


class ApplyPromoIn(In):
    """`POST /api/cart/carts/{cart_id}/apply_promo/` and `POST /api/carts/apply_promo/`"""

    promo_code: ShortText


class CartServiceOut(Out):
    """The service in a cart."""

    id: int
    name: str


class CartPackageOut(Out):
    """The package in a cart, at the price at which it was put there."""

    id: int
    name: str
    price: str


class ServiceCartOut(Out):
    """A cart of a service; `total_price` is what a payment will collect.

    `available` says whether it can be paid for now, `unavailable_code` why not. `price_changed` says that the price or the
    discount is another one now than in this cart: `current_price` and `current_discount`. A payment refuses such a cart.
    """

    id: int
    cart_id: str
    user: int | str
    service_type: str
    puja_service: CartServiceOut | None
    astrology_service: CartServiceOut | None
    package: CartPackageOut | None
    selected_date: date
    selected_time: str
    status: CartStatus
    promo_code: str | None
    discount: str
    total_price: str
    customer_name: str | None
    phone_number: str | None
    address: dict[str, str] | str | None
    created_at: str
    expires_at: str | None
    available: bool
    price_changed: bool
    unavailable_code: str | None = None
    current_price: str | None = None
    current_discount: str | None = None
    rounding: str | None = None

    @classmethod
    def of(cls, view: BookingCartView, customer: Customer, now: datetime) -> ServiceCartOut:
        cart, content = view.cart, view.cart.content
        rounding, status = default_for(cart.total.currency).rounding(cart.total), cart.status_at(now)
        service = CartServiceOut(id=content.service_id, name=content.service_name)
        package = None
        if content.package_id is not None:
            name = content.package_name or ""
            package = CartPackageOut(id=content.package_id, name=name, price=str(content.price))
        return cls(
            id=cart.number,
            cart_id=cart.uuid,
            user=customer.shown,
            service_type=content.service_type,
            puja_service=service if content.service_type == ServiceType.PUJA else None,
            astrology_service=service if content.service_type == ServiceType.ASTROLOGY else None,
            package=package,
            selected_date=content.day,
            selected_time=content.time_given,
            status=status,
            promo_code=content.promo_code,
            discount=str(content.discount),
            total_price=str(cart.total + rounding),
            customer_name=content.customer_name,
            phone_number=content.phone_number,
            address=address_shown(content.address),
            created_at=instant(cart.created_at),
            expires_at=instant(cart.expires_at) if status is CartStatus.ACTIVE else None,
            **_offered(view, status),
            **({"rounding": str(rounding)} if rounding.minor else {}),
        )


def _offered(view: BookingCartView, status: CartStatus) -> dict[str, Any]:
    """How the cart would fare now; one that is being paid for is frozen, and one that is over is not for sale."""
    if view.offer is None:
        return {"available": status is CartStatus.ACTIVE, "price_changed": False}
    offer, content = view.offer, view.cart.content
    shown: dict[str, Any] = {"available": offer.problem is None}
    if offer.problem is not None:
        shown["unavailable_code"] = offer.problem.stable_code
    if offer.price is None or (offer.price, offer.discount) == (content.price, content.discount):
        return shown | {"price_changed": False}
    return shown | {"price_changed": True, "current_price": str(offer.price), "current_discount": str(offer.discount)}
