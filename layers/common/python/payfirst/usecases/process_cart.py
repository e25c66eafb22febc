"""Document A: pay for a cart. Its session is made with the first attempt and kept for the next ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from payfirst.domain.cart import BookingCart, CartStatus
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError, NotChargeableError, NotFoundError
from payfirst.domain.ids import GivenId, new_identifier
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import SessionStatus
from payfirst.domain.pricing import chargeable_rule, is_chargeable, rounding_for
from payfirst.domain.session import CartGuard, Customer, Kind, Session, why_not_payable
from payfirst.gateways.base import GatewayName
from payfirst.storage import attempts, keys, sessions
from payfirst.storage.carts import read_booking_cart
from payfirst.storage.table import Table
from payfirst.usecases.offer import as_offered
from payfirst.usecases.start_attempt import Started, Till, claimed, gateway_for, new_attempt, payer, push

TRIES: Final = 4
SHORTEST_PAGE: Final = timedelta(minutes=5)
"""How long PhonePe's page lives at least; it ends no later than its session."""


@dataclass(frozen=True, slots=True)
class CartPayment:
    """Document A's request: which cart, by which gateway if the caller says so, and the amount it expects, if it does."""

    cart: GivenId
    method: GatewayName | None
    amount: Decimal | None
    phone_number: str | None


def process_cart(wanted: CartPayment, *, customer: Customer, till: Till, lifetime: timedelta) -> Started:
    """Pay for a cart: a new attempt, or the open one as it is. Errors as in `initiate_payment`, and NotFoundError for a cart
    that is not the customer's or not ACTIVE, InvalidInputError on `amount` and `method`, and those of `as_offered`."""
    for _ in range(TRIES):
        cart = _active_cart(till, customer, wanted.cart)
        total = cart.total + rounding_for(cart.total)
        _check_wanted(wanted, total)
        if cart.live_attempt is not None:
            return _open_attempt(till.table, customer, cart)
        previous = sessions.read(till.table, customer.sub, cart.session) if cart.session else None
        session = _resumable(previous, cart, till.now) or _new_session(cart, total, customer, till, lifetime)
        attempt, token = new_attempt(session, payer(session, wanted.phone_number), till)
        if claimed(till, session, attempt, is_new=session is not previous) is None:
            return push(till, session, attempt, token)
    raise ContentionError("This cart is being changed; please try again.")


def _active_cart(till: Till, customer: Customer, given: GivenId) -> BookingCart:
    cart = read_booking_cart(till.table, customer.sub, given.number) if given.number else None
    is_another = cart is None or (given.uuid is not None and str(given.uuid) != cart.uuid)
    if cart is None or is_another or cart.status_at(till.now) is not CartStatus.ACTIVE:
        raise NotFoundError("Active cart not found")
    return cart


def _check_wanted(wanted: CartPayment, total: Money) -> None:
    method = gateway_for(total.currency)
    if wanted.method not in (None, method):
        raise InvalidInputError(FieldProblem("method", f"A cart in {total.currency} is paid by {method}."))
    if wanted.amount is not None and wanted.amount != total.major:
        raise InvalidInputError(FieldProblem("amount", f"Payment amount must be exactly {total}"), code="AMOUNT_MISMATCH")
    if not is_chargeable(total):
        raise NotChargeableError(f"The total is {total}. {chargeable_rule(total.currency)}")


def _open_attempt(table: Table, customer: Customer, cart: BookingCart) -> Started:
    attempt = attempts.read(table, cart.live_attempt or "")
    session = sessions.read(table, customer.sub, cart.session or 0)
    if attempt is None or session is None:
        raise LookupError(f"cart {cart.number} names an attempt or a session that is not there")
    return Started(session, attempt, is_new=False, lost=attempt.payment_url is None)


def _resumable(previous: Session | None, cart: BookingCart, now: datetime) -> Session | None:
    """The cart's last session, if it may be tried again, froze the cart as it is, and outlives the gateway's page."""
    if previous is None or previous.guard.version != cart.version or why_not_payable(previous, now) is not None:
        return None
    if previous.amount.currency is Currency.INR and previous.expires_at - now < SHORTEST_PAGE:
        return None
    return previous


def _new_session(cart: BookingCart, total: Money, customer: Customer, till: Till, lifetime: timedelta) -> Session:
    content = as_offered(cart.content, sub=customer.sub, table=till.table, now=till.now)
    identifier = new_identifier(till.now, till.entropy)
    return Session(
        customer=customer,
        number=identifier.number,
        uuid=str(identifier.uuid),
        kind=Kind.BOOKING,
        status=SessionStatus.PENDING,
        amount=total,
        snapshot=content,
        guard=CartGuard(keys.entry(keys.CART, cart.number), cart.version),
        created_at=till.now,
        expires_at=till.now + lifetime,
        sequence=0,
    )
