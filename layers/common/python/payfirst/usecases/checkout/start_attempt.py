"""Start an attempt: claimed in the table first, then sent to its gateway, never sent twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from payfirst.domain.attempt import Attempt
from payfirst.domain.calendar import SLOT_FULL
from payfirst.domain.clock import read_instant
from payfirst.domain.errors import (
    FieldProblem,
    GatewayRejectedError,
    InvalidInputError,
    PayFirstError,
    PaymentInProgressError,
    RefusedError,
    TooSoonError,
)
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.ids import new_attempt_ref, new_callback_token, new_identifier, new_transaction_code
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.promo import NOT_TAKEN
from payfirst.domain.searching import By, keyed
from payfirst.domain.session import BookingSnapshot, Failure, Kind, OrderSnapshot, Session, quantities
from payfirst.gateways.base import Accepted, Push, Rejected, Unknown
from payfirst.gateways.registry import terms_of
from payfirst.observability import alarm, note, warn
from payfirst.storage import attempts, fair_use, findings, holds, promos, sessions
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.failures import ConditionFailedError
from payfirst.storage.dynamodb.table import Table
from payfirst.storage.items import session_from_item
from payfirst.storage.queue import send
from payfirst.usecases.checkout.fair_use import asked_enough, one_more_session
from payfirst.usecases.checkout.phone_number import names_of, number_to_prompt
from payfirst.usecases.checkout.rehearse import check_fulfillable
from payfirst.usecases.context import PaymentContext

WRITES_S: Final = 5.0
"""What is kept back of the function's time for the writes after the gateway was asked: one lost packet and its repetition."""

PROMPT_SECONDS: Final = 60
"""How long to wait for a phone whose prompt is open: about as long as a prompt stays."""


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt under way. `is_new` is False where an open one was found; `lost` when the gateway's answer was."""

    session: Session
    attempt: Attempt
    is_new: bool
    lost: bool
    customer_message: str | None = None


def payer(session: Session, terms: GatewayTerms, given: str | None) -> str | None:
    """The number of the payer's phone, where the gateway prompts one; InvalidInputError on `phone_number`."""
    if not terms.prompts_phone:
        return None
    if given is None and isinstance(session.snapshot, OrderSnapshot):
        given = session.snapshot.delivery.phone_number
    if given is None:
        raise InvalidInputError(FieldProblem("phone_number", f"{terms.label} needs the phone number to prompt."))
    return number_to_prompt(terms, "phone_number", given)


def new_attempt(session: Session, terms: GatewayTerms, phone: str | None, context: PaymentContext) -> tuple[Attempt, str]:
    ref = new_attempt_ref(context.entropy)
    token = new_callback_token(ref, context.entropy)
    first = terms.next_check(context.now, 0, context.now)
    snapshot = session.snapshot
    held_stock = _to_hold(snapshot) if isinstance(snapshot, OrderSnapshot) else ()
    slot = snapshot.slot if isinstance(snapshot, BookingSnapshot) and snapshot.hold else None
    attempt = Attempt(
        ref=ref,
        number=new_identifier(context.now, context.entropy).number,
        transaction=new_transaction_code(context.entropy),
        owner=session.customer.sub,
        session_number=session.number,
        kind=session.kind,
        guard=session.guard,
        gateway=terms.name,
        amount=session.amount,
        status=AttemptStatus.CREATED,
        created_at=context.now,
        check=first[0] if first else 0,
        next_check_at=first[1] if first else None,
        phone=phone,
        phone_lock=None if phone is None else keyed(context.search_key(), By.PHONE, phone),
        token_hash=None if terms.signs_notices else hashlib.sha256(token.encode()).hexdigest(),
        held_promo=snapshot.promo_code,
        held_stock=held_stock,
        held_slot=slot,
    )
    return attempt, token


def _to_hold(snapshot: OrderSnapshot) -> tuple[tuple[int, Decimal], ...]:
    return tuple(quantities([line for line in snapshot.lines if line.hold]).items())


class ClaimOutcome(NamedTuple):
    """Whether the claim is written; where it is not, the session has changed and is to be decided about anew."""

    session: Session
    written: bool


def claim(context: PaymentContext, session: Session, attempt: Attempt, *, is_new: bool) -> ClaimOutcome:
    """ClaimOutcome what `attempt` pays for, before its gateway is asked for anything. A conflict that stays one is raised."""
    check_fulfillable(session, context.now)
    context.gateway(attempt.gateway)  # without credentials nothing is claimed
    pace_until, sub = context.now + context.pace, session.customer.sub
    counted = fair_use.prompt_writes(context.fair_use, sub, attempt.phone_lock, context.now)
    counted += findings.found_by(session, names_of(session, attempt.phone), context.search_key())
    if is_new:
        counted += one_more_session(context.table, context.fair_use, sub, session.number, context.now)
    try:
        attempts.claim(context.table, session, attempt, context.now, pace_until=pace_until, is_new=is_new, also=counted)
    except ConditionFailedError as error:
        return ClaimOutcome(_after_conflict(context, session, error), written=False)
    note(
        "payment.initiated",
        session=session.uuid,
        ref=attempt.ref,
        gateway=attempt.gateway,
        amount=str(attempt.amount),
        about=session.about,
    )
    return ClaimOutcome(session, written=True)


def _after_conflict(context: PaymentContext, session: Session, error: ConditionFailedError) -> Session:
    failed = error.failed
    current = failed.get(sessions.SESSION)
    if current is not None:
        return session_from_item(current)
    phone = failed.get(holds.PHONE)
    if holds.GUARD in failed:
        raise with_checkout(context.table, _cart_taken(failed[holds.GUARD])) from error
    if phone is not None:
        raise _phone_busy(phone, context.now) from error
    if fair_use.COUNTERS & set(failed):
        raise asked_enough(set(failed), context.now) from error
    scarce = sorted(name.removeprefix("listing:") for name in failed if name.startswith("listing:"))
    if scarce:
        details = {"lines": [{"listing_id": int(number)} for number in scarce]}
        raise RefusedError("There is not enough in stock.", code="OUT_OF_STOCK", details=details) from error
    if any(name.startswith("slot:") for name in failed):
        raise RefusedError(SLOT_FULL, code="SLOT_FULL") from error
    if promos.PROMO in failed:
        raise RefusedError(NOT_TAKEN, code="PROMO_USED_UP") from error
    if promos.USES in failed:
        raise RefusedError(NOT_TAKEN, code="PROMO_LIMIT_REACHED") from error
    return session  # an id or a code was taken: draw again


def _cart_taken(guard: Item | None) -> PayFirstError:
    if guard is None:
        return RefusedError("The cart is gone; please start again.", code="CART_CHANGED")
    if "converted_by" in guard:
        return RefusedError("This cart has been paid for.", code="SESSION_CLOSED")
    if "live_attempt" in guard:
        return PaymentInProgressError("A payment for this cart is in progress.", ref=guard["live_attempt"])
    return RefusedError("The cart was changed; please start again.", code="CART_CHANGED")


def _phone_busy(phone: Item, now: datetime) -> TooSoonError:
    if "attempt" in phone:
        return TooSoonError("A prompt is open on this phone.", retry_after_seconds=PROMPT_SECONDS)
    wait = (read_instant(phone["next_push_at"]) - now).total_seconds()
    return TooSoonError("This phone was prompted a moment ago.", retry_after_seconds=max(1, int(wait)))


def with_checkout(table: Table, problem: PayFirstError) -> PayFirstError:
    if isinstance(problem, PaymentInProgressError):
        attempt = attempts.read(table, problem.ref)
        problem.details = {"checkout_request_id": attempt.gateway_id if attempt else None}
    return problem


def push(context: PaymentContext, session: Session, attempt: Attempt, token: str) -> Started:
    """Ask the gateway to collect; `session` is as it was when `attempt` was claimed for it."""
    session = replace(session, status=SessionStatus.PAYMENT_INITIATED, sequence=session.sequence + 1, live_attempt=attempt.ref)
    gateway = context.gateway(attempt.gateway)
    answer = gateway.push(_what_to_push(context, session, attempt, token), now=context.now, timeout_s=_time_for_call(context))
    check = gateway.terms.next_check(attempt.created_at, 0, context.now)
    match answer:
        case Accepted():
            started = _sent(context, session, attempt, answer, check, found_by_id=gateway.terms.asked_by_its_id)
            _queue_check(context, attempt, check)
            return started
        case Unknown(reason, sent=False):
            unreachable = "The payment service could not be reached; nothing was charged. Please try again."
            raise _rejected(context, session, attempt, Rejected("gateway_unreachable", unreachable, reason, retryable=True))
        case Unknown(reason):
            warn("payment.unknown", ref=attempt.ref, gateway=attempt.gateway, reason=reason)
            _unless_moved_on(lambda: attempts.mark_unknown(context.table, attempt, check))
            _queue_check(context, attempt, check)
            return Started(session, replace(attempt, status=AttemptStatus.UNKNOWN), is_new=True, lost=True)
        case Rejected():
            raise _rejected(context, session, attempt, answer)


def _what_to_push(context: PaymentContext, session: Session, attempt: Attempt, token: str) -> Push:
    return Push(
        ref=attempt.ref,
        amount=attempt.amount,
        account=attempt.transaction[-12:],
        description="Order" if session.kind is Kind.ORDER else "Booking",
        expires_at=session.expires_at,
        phone=attempt.phone,
        callback_url=context.addresses.of_payment(terms_of(attempt.gateway), token),
        redirect_url=context.return_url,
    )


def _time_for_call(context: PaymentContext) -> float:
    return min(context.longest_call_s, context.deadline.remaining() - WRITES_S)


def _sent(
    context: PaymentContext,
    session: Session,
    attempt: Attempt,
    answer: Accepted,
    check: tuple[int, datetime] | None,
    *,
    found_by_id: bool,
) -> Started:
    ids = {
        "gateway_id": answer.gateway_id,
        "merchant_request_id": answer.merchant_request_id,
        "payment_url": answer.payment_url,
    }
    try:
        attempts.mark_sent(context.table, attempt, ids, check, found_by_id=found_by_id)
    except ConditionFailedError:
        # The notice was faster than the answer: the outcome is decided, only the ids may still be missing.
        _unless_moved_on(lambda: attempts.add_ids(context.table, attempt, ids, found_by_id=found_by_id))
    note("payment.sent", session=session.uuid, ref=attempt.ref, gateway=attempt.gateway)
    sent = replace(attempt, status=AttemptStatus.SENT, gateway_id=answer.gateway_id, payment_url=answer.payment_url)
    return Started(session, sent, is_new=True, lost=False, customer_message=answer.customer_message)


def _unless_moved_on(change: Callable[[], None]) -> None:
    try:
        change()
    except ConditionFailedError:
        note("payment.moved_on")


def _rejected(context: PaymentContext, session: Session, attempt: Attempt, answer: Rejected) -> PayFirstError:
    failure = Failure(answer.code, answer.message, answer.retryable)
    _unless_moved_on(lambda: attempts.fail(context.table, session, attempt, failure, context.now))
    facts = {"session": session.uuid, "ref": attempt.ref, "gateway": attempt.gateway, "code": answer.code}
    (alarm if answer.configuration else note)("payment.rejected", **facts)
    if answer.code == "subscriber_busy":
        return TooSoonError(answer.message, retry_after_seconds=PROMPT_SECONDS)
    return GatewayRejectedError(
        answer.message, detail=answer.detail, field=answer.field, gateway=terms_of(attempt.gateway).label
    )


def _queue_check(context: PaymentContext, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    if check is None:
        return
    try:
        send(context.queue, attempt.ref, delay_s=int((check[1] - context.now).total_seconds()))
    except Exception as error:  # noqa: BLE001 - the sweep finds what could not be queued; the customer's payment goes on
        warn("queue.unreachable", ref=attempt.ref, error=type(error).__name__)
