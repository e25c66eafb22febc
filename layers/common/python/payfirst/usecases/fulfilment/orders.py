"""Orders after their payment: found, listed, and moved by the shop.

An order is packed, sent out, delivered, or cancelled with its money back. Each step is safe to repeat: an order that is there
already stays as it is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from payfirst.domain.errors import ContentionError, NotFoundError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Money
from payfirst.domain.moves import OrderStatus, order_before, order_sources
from payfirst.domain.order import Order
from payfirst.domain.paid_back import STILL_BOUGHT, PaymentStatus
from payfirst.domain.refund import Refund, is_as_said, left_of, refund_changed, why_not_yet
from payfirst.domain.session import Customer, RefundShown, Session
from payfirst.observability import note
from payfirst.storage import attempts, orders, refunds, sessions
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.lists import Position, Slice, read_page
from payfirst.storage.orders import GivenBack
from payfirst.storage.personal import ERASED
from payfirst.usecases.lookup import number_of_outcome


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders, newest first, and the page that they came on."""

    orders: tuple[Order, ...]
    page: Slice


def list_orders(customer: Customer, *, table: Table, size: int, position: Position | None) -> OrderPage:
    """One page of the customer's orders, newest first."""
    page = read_page(table, customer.sub, keys.ORDER, size=size, position=position)
    return OrderPage(orders.up_to_date(table, [orders.order_from_item(item) for item in page.items]), page)


def find_order(given: GivenId, *, customer: Customer, table: Table) -> Order:
    """The customer's order; NotFoundError for an unknown one and for somebody else's alike."""
    number = number_of_outcome(given, keys.ORDER, customer=customer, table=table)
    order = None if number is None else orders.read(table, customer.sub, number)
    if order is None:
        raise NotFoundError("Order not found")
    return orders.up_to_date(table, [order])[0]


def refund_of(order: Order, *, table: Table) -> RefundShown | None:
    """The latest refund beside an order of which something goes back; None for any other, which costs no request."""
    if order.status is not OrderStatus.CANCELLED and order.payment_status is PaymentStatus.PAID:
        return None
    session = sessions.read(table, order.owner, order.session_number)
    return session.refund if session else None


def gives_back(order: Order, *, table: Table, allowed: bool = True) -> Money | None:
    """What cancelling would give back to its customer now, perhaps nothing; None where they cannot cancel.

    `allowed` is the shop's rule.
    """
    if not allowed or order.status is not OrderStatus.CONFIRMED:
        return None
    return left_of(order.amount, refunds.of_attempt(table, _session(table, order).captured or ""))


TRIES: Final = 4


def move_order(table: Table, code: str, to: OrderStatus, now: datetime, *, by: str) -> Order:
    """The order `code`, taken to `to`, which is any status but cancelled.

    NotFoundError, RefusedError ORDER_NOT_MOVABLE when its status does not lead there, ContentionError.
    """
    for _ in range(TRIES):
        order, session = _to_change(table, code)
        if order.status is to:
            return order
        _check_legal(order, to)
        try:
            orders.move(table, session, order, to, now, by=by)
        except ConditionFailedError:
            continue  # somebody has just moved it, or its session: read both again
        note(f"order.{to.value}", order=code)
        return replace(order, status=to)
    raise ContentionError("This order is being changed; please try again.")


def undo_step(table: Table, code: str, step: OrderStatus, now: datetime, *, by: str) -> Order:
    """The order `code` as it was before its last step, `step`, which was taken by mistake. Once more changes nothing.

    No customer is written to: they are told of the next step, and of the same one again only if they were not told before.
    NotFoundError, RefusedError ORDER_NOT_MOVABLE where that is not its last step, where its payment went back or is on its way
    back, or where its customer was erased since, ContentionError.
    """
    to = order_before(step)
    for _ in range(TRIES):
        order, session = _to_change(table, code)
        if to is None or order.status not in (to, step):
            raise RefusedError(f"{order.code} is {order.status}: {step} is not its last step.", code="ORDER_NOT_MOVABLE")
        if order.status is to:
            return order
        if order.payment_status not in STILL_BOUGHT:
            message = f"The payment of {order.code} is {order.payment_status}: its steps stay as they are."
            raise RefusedError(message, code="ORDER_NOT_MOVABLE")
        if order.delivery.full_name == ERASED:
            message = f"The customer of {order.code} was erased: its steps stay as they are."
            raise RefusedError(message, code="ORDER_NOT_MOVABLE")
        try:
            orders.undo(table, session, order, to, now, by=by)
        except ConditionFailedError:
            continue  # somebody has just moved it, or its payment: read both again
        note("order.step_undone", order=code, step=step.value)
        return replace(order, status=to)
    raise ContentionError("This order is being changed; please try again.")


def cancel_order(table: Table, code: str, now: datetime, *, by: str, why: str, said: Decimal | None = None) -> Refund | None:
    """Cancel the order `code`: its stock is for sale again, and what is left of its payment is due back, all or nothing.

    Answers the refund, or None where nothing was left to give back. Cancelled twice it is cancelled once. `said` is what
    somebody was told would go back, in whole units: exactly that is owed in the write, or RefusedError REFUND_CHANGED.
    NotFoundError, RefusedError ORDER_NOT_MOVABLE, STOCK_DISAGREES or REFUND_IN_PROGRESS, ContentionError.
    """
    for _ in range(TRIES):
        order, session = _to_change(table, code)
        if order.status is OrderStatus.CANCELLED:
            return _made_as_said(table, order, session, said)
        _check_legal(order, OrderStatus.CANCELLED)
        try:
            return _cancel(table, order, session, now, said, by=by, why=why)
        except (ConditionFailedError, _MovedOnError):
            continue  # somebody has just moved it, or its payment: read both again
    raise ContentionError("This order is being changed; please try again.")


def cancel_own_order(
    given: GivenId,
    reason: str | None,
    *,
    customer: Customer,
    table: Table,
    now: datetime,
    allowed: bool = True,
    said: Decimal | None = None,
) -> Order:
    """The customer's order, cancelled before the shop has packed it; stock and money go back as in `cancel_order`.

    `allowed` is the shop's rule. Cancelled twice it is cancelled once. `said` is what the customer was told would go back, as
    in `cancel_order`. NotFoundError, RefusedError ORDER_NOT_CANCELLABLE, REFUND_CHANGED, STOCK_DISAGREES or
    REFUND_IN_PROGRESS, ContentionError.
    """
    for _ in range(TRIES):
        order = find_order(given, customer=customer, table=table)
        if order.status is OrderStatus.CANCELLED:
            if said is not None:
                _made_as_said(table, order, _session(table, order), said)
            return order
        if not allowed or order.status is not OrderStatus.CONFIRMED:
            reasons = "It is being prepared, or on its way" if allowed else "This shop cancels orders itself"
            raise RefusedError(f"{reasons}; please call the shop.", code="ORDER_NOT_CANCELLABLE")
        order, session = _as_its_session_knows(table, order)
        with suppress(ConditionFailedError, _MovedOnError):  # cancelled, or packed, or its payment moves: it is read again
            if order.status is OrderStatus.CONFIRMED:
                _cancel(table, order, session, now, said, by="customer", reason=reason)
    raise ContentionError("This order is being changed; please try again.")


def _cancel(
    table: Table,
    order: Order,
    session: Session,
    now: datetime,
    said: Decimal | None,
    *,
    by: str,
    why: str | None = None,
    reason: str | None = None,
) -> Refund | None:
    """Cancel `order` as it was read; ConditionFailedError where it, its session or its payment is no longer so."""
    left, expected = _left(table, session), _expected(said, order)
    back = left.amount if left else None
    if not is_as_said(expected, back):
        current = orders.read(table, order.owner, order.number)
        if current is not None and current.status is not order.status:
            raise _MovedOnError
        raise refund_changed(expected, back)
    try:
        refund = orders.cancel(table, session, order, left, now, by=by, why=why, reason=reason)
    except ConditionFailedError as error:
        _check_stock(set(error.failed))
        raise
    note("order.cancelled", order=order.code, refund=refund.refund_id if refund else None)
    return refund


class _MovedOnError(Exception):
    """The order has been moved since it was read: what its cancellation would give back is to be looked at anew."""


def _expected(said: Decimal | None, order: Order) -> Money | None:
    return None if said is None else Money.of(said, order.amount.currency)


def _made_as_said(table: Table, order: Order, session: Session, said: Decimal | None) -> Refund | None:
    """The refund that cancelling `order` made; RefusedError REFUND_CHANGED where somebody was told another amount."""
    made, expected = _refund_of(table, session), _expected(said, order)
    back = made.amount if made else None
    if not is_as_said(expected, back):
        raise refund_changed(expected, back)
    return made


def find_by_code(table: Table, code: str) -> tuple[Order, Session]:
    """The order `code` with its session, whoever owns it, for people of the shop; NotFoundError."""
    order = _by_code(table, code)
    return order, _session(table, order)


def _by_code(table: Table, code: str) -> Order:
    order = orders.by_code(table, code)
    if order is None:
        raise NotFoundError(f"There is no order {code}.")
    return order


def _to_change(table: Table, code: str) -> tuple[Order, Session]:
    return _as_its_session_knows(table, _by_code(table, code))


def _as_its_session_knows(table: Table, order: Order) -> tuple[Order, Session]:
    """The order and its session, of which every write is seen: a step can be taken back, and then an order that was read before
    its session may stand where it stood and have been elsewhere in between."""
    session = _session(table, order)
    return orders.read(table, order.owner, order.number) or order, session


def _session(table: Table, order: Order) -> Session:
    session = sessions.read(table, order.owner, order.session_number)
    if session is None:
        raise LookupError(f"the session of {order.code} is gone")
    return session


def _check_legal(order: Order, to: OrderStatus) -> None:
    if order.status not in order_sources(to):
        message = f"{order.code} is {order.status}: from there it cannot become {to}."
        raise RefusedError(message, code="ORDER_NOT_MOVABLE")


def _check_stock(failed: set[str]) -> None:
    listings = sorted(name.removeprefix("listing:") for name in failed if name.startswith("listing:"))
    if listings and failed == {f"listing:{number}" for number in listings}:
        message = f"The stock of listing {', '.join(listings)} does not count what this order bought as sold."
        raise RefusedError(message, code="STOCK_DISAGREES")


def _left(table: Table, session: Session) -> GivenBack | None:
    """What of the order's payment has not been given back yet. RefusedError while a part of it is on its way back."""
    attempt = attempts.read(table, session.captured or "")
    if attempt is None or attempt.captured is None:
        raise LookupError(f"session {session.uuid} has an order and no payment")
    made = refunds.of_attempt(table, attempt.ref)
    left = left_of(attempt.captured, made)
    if not left.minor:
        return None
    if problem := why_not_yet(made):
        raise problem
    return GivenBack(attempt, left, len(made) + 1)


def _refund_of(table: Table, session: Session) -> Refund | None:
    made = refunds.of_attempt(table, session.captured or "")
    return next((refund for refund in reversed(made) if refund.reason == orders.CANCELLED), None)
