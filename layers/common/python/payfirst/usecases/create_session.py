"""Document B's sessions: made from the cart, extended while they can still be paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from payfirst.domain import locations
from payfirst.domain.cart import ProduceCart
from payfirst.domain.delivery import EVERYWHERE, DeliveryArea
from payfirst.domain.errors import (
    CartEmptyError,
    ContentionError,
    FieldProblem,
    InvalidInputError,
    NotChargeableError,
    PriceChangedError,
    RefusedError,
)
from payfirst.domain.fair_use import NO_LIMITS, FairUse
from payfirst.domain.ids import Entropy, GivenId, new_identifier
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import SessionStatus
from payfirst.domain.pricing import chargeable_rule, is_chargeable, rounding_for
from payfirst.domain.session import (
    CartGuard,
    Customer,
    Delivery,
    Kind,
    OrderSnapshot,
    Session,
    quantities,
    why_not_extendable,
)
from payfirst.observability import note
from payfirst.storage import carts, fair_use, keys, sessions
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.table import Table
from payfirst.usecases.fair_use import asked_enough
from payfirst.usecases.find import find_session
from payfirst.usecases.phone import mobile_number


def create_session(
    delivery: Delivery,
    *,
    customer: Customer,
    table: Table,
    now: datetime,
    entropy: Entropy,
    lifetime: timedelta,
    limits: FairUse = NO_LIMITS,
    area: DeliveryArea = EVERYWHERE,
) -> Session:
    """A pending session with the cart's content at today's prices; it can be paid for `lifetime`.

    CartEmptyError, PriceChangedError (with the lines), RefusedError OUT_OF_STOCK (with the lines), NotChargeableError, or
    InvalidInputError for a place or a phone number that does not exist, and, as NOT_DELIVERED, for a county outside `area`,
    or FairUseError beyond `limits`. Nothing is stored then.
    """
    fee = _checked_fee(delivery, area)
    mobile_number("delivery_details.phone_number", delivery.phone_number)
    cart = carts.read_produce_cart(table, customer.sub)
    if cart is None or not cart.lines:
        raise CartEmptyError("Cart is empty")
    session = _new_session(cart, delivery, fee, customer, now, entropy, lifetime)
    counted = fair_use.session_opened(limits, customer.sub, now)
    for _ in range(3):
        try:
            sessions.create(table, session, cart.lines, counted)
        except ConditionFailedError as error:
            if fair_use.COUNTERS & set(error.failed):
                raise asked_enough(set(error.failed), now) from error
            if sessions.SESSION not in error.failed:
                raise _changed_lines(cart, error.failed) from error
            identifier = new_identifier(now, entropy)
            session = replace(session, number=identifier.number, uuid=str(identifier.uuid))
        else:
            note("session.created", session=session.uuid, amount=str(session.amount))
            return session
    raise AssertionError("three ids of one millisecond were taken")


def _checked_fee(delivery: Delivery, area: DeliveryArea) -> Money:
    """What the delivery costs; InvalidInputError for a place that does not exist or that the shop does not deliver to."""
    county = locations.county(delivery.county_id)
    if county is None:
        raise InvalidInputError(FieldProblem("delivery_details.county_id", "There is no such county; it is 1 to 47."))
    place = locations.subcounty(delivery.subcounty_id)
    if place is None or place.county_id != delivery.county_id:
        raise InvalidInputError(FieldProblem("delivery_details.subcounty_id", "There is no such sub-county in this county."))
    fee = area.fee(county.id)
    if fee is None:
        places = ", ".join(each.name for each in locations.counties() if area.fee(each.id) is not None)
        sentence = f"We do not deliver to {county.name}; we deliver to: {places}."
        raise InvalidInputError(FieldProblem("delivery_details.county_id", sentence), code="NOT_DELIVERED")
    return fee


def _new_session(
    cart: ProduceCart,
    delivery: Delivery,
    fee: Money,
    customer: Customer,
    now: datetime,
    entropy: Entropy,
    lifetime: timedelta,
) -> Session:
    items_total = sum((line.subtotal for line in cart.lines), Money(0, Currency.KES))
    rounding = rounding_for(items_total + fee)
    total = items_total + fee + rounding
    if not is_chargeable(total):
        raise NotChargeableError(f"The total is {total}. {chargeable_rule(total.currency)}")
    identifier = new_identifier(now, entropy)
    return Session(
        customer=customer,
        number=identifier.number,
        uuid=str(identifier.uuid),
        kind=Kind.ORDER,
        status=SessionStatus.PENDING,
        amount=total,
        snapshot=OrderSnapshot(cart.lines, delivery, items_total, fee, rounding, now),
        guard=CartGuard(keys.cart_version(cart.version), cart.version),
        created_at=now,
        expires_at=now + lifetime,
        sequence=0,
    )


def _changed_lines(cart: ProduceCart, failed: Mapping[str, Item | None]) -> RefusedError:
    """The refusal for lines whose listing is no longer sold as the cart has it."""
    priced, scarce = [], []
    for listing_id, quantity in quantities(cart.lines).items():
        name = f"listing:{listing_id}"
        if name not in failed:
            continue
        listing, line = failed[name], next(line for line in cart.lines if line.listing_id == listing_id)
        facts = {"listing_id": listing_id, "product_name": line.product_name}
        if listing is None:
            scarce.append({**facts, "available": "0", "quantity": str(quantity)})
        elif listing["price"] != line.price.minor:
            now_at = Money(int(listing["price"]), Currency.KES)
            priced.append({**facts, "price_at_addition": str(line.price), "current_price": str(now_at)})
        else:
            scarce.append({**facts, "available": str(listing["available"]), "quantity": str(quantity)})
    if priced:
        message = "A price changed since it was added to the cart; set its quantity again to accept the new one."
        return PriceChangedError(message, details={"lines": priced})
    return RefusedError("There is not enough in stock.", code="OUT_OF_STOCK", details={"lines": scarce})


def extend_session(given: GivenId, *, customer: Customer, table: Table, now: datetime, step: timedelta) -> Session:
    """The session with `expires_at` moved by `step`; at most four times, while it may still be paid.

    NotFoundError, PaymentInProgressError, SessionExpiredError, or RefusedError SESSION_CLOSED or EXTENSION_LIMIT.
    """
    for _ in range(3):
        session = find_session(given, customer=customer, table=table)
        problem = why_not_extendable(session, now)
        if problem is not None:
            raise problem
        until = session.expires_at + step
        try:
            sessions.extend(table, session, until, now)
        except ConditionFailedError:
            continue  # somebody changed it meanwhile: read it again, then decide
        return replace(session, expires_at=until, extensions=session.extensions + 1)
    raise ContentionError("This session is being changed; please try again.")
