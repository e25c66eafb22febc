"""Document B's sessions: made from the cart, extended while they can still be paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

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
from payfirst.domain.promo import Promo, discount_on
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
from payfirst.gateways.registry import default_for
from payfirst.observability import note
from payfirst.storage import carts, fair_use, offers, sessions
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.checkout.fair_use import one_more_session
from payfirst.usecases.checkout.phone_number import number_to_prompt
from payfirst.usecases.checkout.rehearse import check_fulfillable
from payfirst.usecases.lookup import find_session

TRIES: Final = 10


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

    CartEmptyError, PriceChangedError (with the lines, or of the promo code), RefusedError OUT_OF_STOCK (with the lines),
    PROMO_…, CURRENCY_MIXED or CANNOT_BE_PROVIDED, NotChargeableError, or InvalidInputError, which names fields of `Delivery`,
    for a place or a phone number that does not exist, and, as NOT_DELIVERED, for a county outside `area`, or FairUseError
    beyond `limits`. Nothing is stored then. ContentionError.
    """
    fee = _checked_fee(delivery, area)
    terms = default_for(fee.currency)
    if terms.prompts_phone:
        number_to_prompt(terms, "phone_number", delivery.phone_number)
    for _ in range(TRIES):
        cart, opened = fair_use.cart_and_opened(table, customer.sub)
        cart = cart.at(now) if cart else None
        if cart is None or not cart.lines:
            raise CartEmptyError("Cart is empty")
        snapshot = _frozen(cart, delivery, fee, customer, table, now)
        session = _new_session(cart, snapshot, customer, now, entropy, lifetime)
        check_fulfillable(session, now)
        counted = one_more_session(table, limits, customer.sub, session.number, now, seen=opened)
        try:
            sessions.create(table, session, cart.lines, [carts.renewal_write(customer.sub, cart, now), *counted])
        except ConditionFailedError as error:
            if carts.CART in error.failed or sessions.SESSION in error.failed:
                continue  # it was changed meanwhile, or the number is taken
            if fair_use.OPENED in error.failed:
                continue  # the same customer has opened another one just now: count again
            raise _changed_lines(cart, error.failed) from error
        note("session.created", session=session.uuid, amount=str(session.amount), about=session.about)
        return session
    raise ContentionError("This cart is being changed, or several sessions are opened at once; please try again.")


def _checked_fee(delivery: Delivery, area: DeliveryArea) -> Money:
    """What the delivery costs; InvalidInputError for a place that does not exist or that the shop does not deliver to."""
    county = locations.county(delivery.county_id)
    if county is None:
        raise InvalidInputError(FieldProblem("county_id", "There is no such county; it is 1 to 47."))
    place = locations.subcounty(delivery.subcounty_id)
    if place is None or place.county_id != delivery.county_id:
        raise InvalidInputError(FieldProblem("subcounty_id", "There is no such sub-county in this county."))
    fee = area.fee(county.id)
    if fee is None:
        places = ", ".join(each.name for each in locations.counties() if area.fee(each.id) is not None)
        sentence = f"We do not deliver to {county.name}; we deliver to: {places}."
        raise InvalidInputError(FieldProblem("county_id", sentence), code="NOT_DELIVERED")
    return fee


def _frozen(
    cart: ProduceCart, delivery: Delivery, fee: Money, customer: Customer, table: Table, now: datetime
) -> OrderSnapshot:
    """The cart's content with what its promo code takes off; CURRENCY_MIXED where the fee has another currency."""
    if cart.currency is not fee.currency:
        message = f"This cart is in {cart.currency}, and what we deliver is paid in {fee.currency}."
        raise RefusedError(message, code="CURRENCY_MIXED", details={"currency": cart.currency.value})
    items_total = sum((line.subtotal for line in cart.lines), Money(0, cart.currency))
    discount, promo = _discount(cart, customer, table, now)
    rounding = default_for(cart.currency).rounding(items_total - (discount or Money(0, cart.currency)) + fee)
    limit = promo.most_uses_each if promo else None
    code = promo.code if promo else None
    return OrderSnapshot(cart.lines, delivery, items_total, fee, rounding, now, discount, code, limit)


def _discount(cart: ProduceCart, customer: Customer, table: Table, now: datetime) -> tuple[Money | None, Promo | None]:
    if cart.promo is None:
        return None, None
    seen = offers.read_promo(table, cart.promo.code, customer.sub)
    discount = discount_on(seen.promo, cart.lines, now, uses=seen.uses)
    if seen.promo is not None and seen.promo.terms != cart.promo.terms:
        message = "The promo code takes something else off now; apply it again to accept that."
        facts = {"promo_code": cart.promo.code, "terms_at_addition": cart.promo.terms, "current_terms": seen.promo.terms}
        raise PriceChangedError(message, details=facts)
    return discount, seen.promo


def _new_session(
    cart: ProduceCart, snapshot: OrderSnapshot, customer: Customer, now: datetime, entropy: Entropy, lifetime: timedelta
) -> Session:
    total = snapshot.total
    terms = default_for(total.currency)
    if not terms.takes(total):
        raise NotChargeableError(f"The total is {total}. {terms.collects}")
    identifier = new_identifier(now, entropy)
    return Session(
        customer=customer,
        number=identifier.number,
        uuid=str(identifier.uuid),
        kind=Kind.ORDER,
        status=SessionStatus.PENDING,
        amount=total,
        snapshot=snapshot,
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
        if listing is None or "withdrawn" in listing:
            scarce.append({**facts, "available": "0", "quantity": str(quantity)})
        elif (now_at := Money(int(listing["price"]), Currency(listing["currency"]))) != line.price:
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
