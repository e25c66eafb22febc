"""What recorded money becomes: the order or the booking it was paid for, or its refund where that cannot be."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.errors import ContentionError
from payfirst.domain.ids import new_booking_code, new_identifier, order_number
from payfirst.domain.refund import OUT_OF_STOCK, PROMO_USED_UP, SLOT_TAKEN
from payfirst.domain.session import BookingSnapshot, Failure, Kind, OrderSnapshot, Outcome, Session
from payfirst.observability import note, warn
from payfirst.storage import fulfilment, promos, refunds_due
from payfirst.storage.dynamodb import shop_keys
from payfirst.storage.dynamodb.expressions import Write
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import count_up
from payfirst.storage.fulfilment import CartSeen
from payfirst.usecases.context import SettlementContext
from payfirst.usecases.settlement.evidence import Scene, Settled

TRIES: Final = 6


def next_number(context: SettlementContext) -> int:
    """Draw the next order number of the day."""
    return count_up(context.table, shop_keys.order_sequence(_shop_day(context.now)))


def _shop_day(now: datetime) -> str:
    return now.astimezone(ZoneInfo(SHOP_ZONE)).strftime("%Y%m%d")


def fulfil(
    context: SettlementContext, scene: Scene, attempt: Attempt, also: tuple[Write, ...], sequence: Future[int] | None
) -> Settled:
    """Make the paid session's order or booking, together with `also`; owe its money back where goods, slot or promo are gone.

    `sequence` is the order's number where it was drawn already. ContentionError when other codes and numbers kept being taken.
    """
    session, cart = scene.session, scene.cart
    if cart is not None and cart.version != session.guard.version:
        cart = None
    for _ in range(TRIES):
        outcome = _outcome(context, session, sequence)
        sequence = None
        try:
            _fulfil_as(context, session, attempt, outcome, cart, also)
        except ConditionFailedError as error:
            failed = set(error.failed)
            reason = _cannot_fulfil(failed)
            if reason:
                return owe_back(context, session, attempt, reason, also)
            if not failed <= {fulfilment.CODE, fulfilment.OUTCOME}:
                raise
        else:
            word = "order.created" if session.kind is Kind.ORDER else "booking.created"
            note(word, session=session.uuid, ref=attempt.ref, code=outcome.code)
            return Settled.FULFILLED
    raise ContentionError("This payment is being settled; please look again.")


def owe_back(
    context: SettlementContext, session: Session, attempt: Attempt, reason: Failure, also: tuple[Write, ...]
) -> Settled:
    """Owe all that the attempt collected back, for `reason`, together with `also`."""
    amount = attempt.collected
    refunds_due.refund_due(context.table, session, attempt, amount, reason, context.now, also=also, decision=context.decision)
    warn("refund.due", ref=attempt.ref, session=session.uuid, amount=str(amount), reason=reason.code)
    return Settled.REFUND_DUE


def _outcome(context: SettlementContext, session: Session, sequence: Future[int] | None) -> Outcome:
    number = new_identifier(context.now, context.entropy).number
    if session.kind is Kind.BOOKING:
        return Outcome(number, new_booking_code(context.entropy))
    drawn = sequence.result() if sequence else next_number(context)
    return Outcome(number, order_number(_shop_day(context.now), drawn))


def _fulfil_as(
    context: SettlementContext,
    session: Session,
    attempt: Attempt,
    outcome: Outcome,
    cart: CartSeen | None,
    also: tuple[Write, ...],
) -> None:
    match session.snapshot:
        case OrderSnapshot() as order:
            fulfilment.fulfil_order(
                context.table, session, order, attempt, outcome, context.now, cart=cart, also=also, decision=context.decision
            )
        case BookingSnapshot() as booking:
            fulfilment.fulfil_booking(
                context.table, session, booking, attempt, outcome, context.now, also=also, decision=context.decision
            )


def _cannot_fulfil(failed: set[str]) -> Failure | None:
    """The business reason among the writes that failed; None when it was only somebody else's being faster."""
    if failed & {promos.PROMO, promos.USES}:
        return PROMO_USED_UP
    if any(name.startswith("listing:") for name in failed):
        return OUT_OF_STOCK
    if any(name.startswith("slot:") for name in failed):
        return SLOT_TAKEN
    return None
