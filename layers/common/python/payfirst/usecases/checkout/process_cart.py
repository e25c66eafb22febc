"""Document A: pay for a cart. Its session is made with the first attempt and kept for the next ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from payfirst.domain.booking import why_not_in_time
from payfirst.domain.cart import BookingCart, CartStatus
from payfirst.domain.errors import ContentionError, FieldProblem, InvalidInputError, NotChargeableError, NotFoundError
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.ids import GivenId, new_identifier
from payfirst.domain.money import Money
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import BookingSnapshot, CartGuard, Customer, Kind, Session, why_not_payable
from payfirst.gateways.registry import collecting, default_for
from payfirst.storage import attempts, sessions
from payfirst.storage.carts import read_booking_cart
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.carts.offer import as_offered
from payfirst.usecases.checkout.start_attempt import Started, claim, new_attempt, payer, push
from payfirst.usecases.context import PaymentContext

TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class CartPayment:
    """Document A's request: which cart, by which gateway if the caller says so, and the amount it expects, if it does."""

    cart: GivenId
    method: str | None  # the name of a gateway
    amount: Decimal | None
    phone_number: str | None


def process_cart(wanted: CartPayment, *, customer: Customer, context: PaymentContext, lifetime: timedelta) -> Started:
    """Pay for a cart: a new attempt, or the open one as it is. Errors as in `initiate_payment`, and NotFoundError for a cart
    that is not the customer's or not ACTIVE, InvalidInputError on `amount` and `method`, and those of `as_offered`."""
    for _ in range(TRIES):
        cart = _active_cart(context, customer, wanted.cart)
        terms = _chosen(wanted, cart.total)
        total = cart.total + terms.rounding(cart.total)
        _check_wanted(wanted, total, terms)
        if cart.live_attempt is not None:
            return _open_attempt(context.table, customer, cart)
        previous = sessions.read(context.table, customer.sub, cart.session) if cart.session else None
        session = _resumable(previous, cart, total, terms, context) or _new_session(cart, total, customer, context, lifetime)
        attempt, token = new_attempt(session, terms, payer(session, terms, wanted.phone_number), context)
        if claim(context, session, attempt, is_new=session is not previous).written:
            return push(context, session, attempt, token)
    raise ContentionError("This cart is being changed; please try again.")


def _active_cart(context: PaymentContext, customer: Customer, given: GivenId) -> BookingCart:
    cart = read_booking_cart(context.table, customer.sub, given.number) if given.number else None
    is_another = cart is None or (given.uuid is not None and str(given.uuid) != cart.uuid)
    if cart is None or is_another or cart.status_at(context.now) is not CartStatus.ACTIVE:
        raise NotFoundError("Active cart not found")
    return cart


def _chosen(wanted: CartPayment, total: Money) -> GatewayTerms:
    """The gateway that the caller names, among those that take the cart's currency; else the first of them."""
    if wanted.method is None:
        return default_for(total.currency)
    able = collecting(total.currency)
    for terms in able:
        if terms.name == wanted.method:
            return terms
    names = " or ".join(terms.name for terms in able)
    raise InvalidInputError(FieldProblem("method", f"A cart in {total.currency} is paid by {names}."))


def _check_wanted(wanted: CartPayment, total: Money, terms: GatewayTerms) -> None:
    if wanted.amount is not None and wanted.amount != total.major:
        raise InvalidInputError(FieldProblem("amount", f"Payment amount must be exactly {total}"), code="AMOUNT_MISMATCH")
    if not terms.takes(total):
        raise NotChargeableError(f"The total is {total}. {terms.collects}")


def _open_attempt(table: Table, customer: Customer, cart: BookingCart) -> Started:
    attempt = attempts.read(table, cart.live_attempt or "")
    session = sessions.read(table, customer.sub, cart.session or 0)
    if attempt is None or session is None:
        raise LookupError(f"cart {cart.number} names an attempt or a session that is not there")
    return Started(session, attempt, is_new=False, lost=attempt.payment_url is None)


def _resumable(
    previous: Session | None, cart: BookingCart, total: Money, terms: GatewayTerms, context: PaymentContext
) -> Session | None:
    """The cart's last session, if it may be tried again, froze the cart as it is and its total, outlives the gateway's page,
    and what it booked has not begun meanwhile."""
    if previous is None or previous.guard.version != cart.version or why_not_payable(previous, context.now) is not None:
        return None
    if previous.amount != total or previous.expires_at - context.now < terms.shortest_page:
        return None
    frozen = previous.snapshot
    is_late = isinstance(frozen, BookingSnapshot) and why_not_in_time(frozen, context.days, context.now) is not None
    return None if is_late else previous


def _new_session(cart: BookingCart, total: Money, customer: Customer, context: PaymentContext, lifetime: timedelta) -> Session:
    content = as_offered(cart.content, sub=customer.sub, table=context.table, now=context.now, days=context.days)
    identifier = new_identifier(context.now, context.entropy)
    return Session(
        customer=customer,
        number=identifier.number,
        uuid=str(identifier.uuid),
        kind=Kind.BOOKING,
        status=SessionStatus.PENDING,
        amount=total,
        snapshot=content,
        guard=CartGuard(keys.entry(keys.CART, cart.number), cart.version),
        created_at=context.now,
        expires_at=context.now + lifetime,
        sequence=0,
    )
