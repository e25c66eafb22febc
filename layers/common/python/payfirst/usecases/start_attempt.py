"""Start an attempt: claimed in the table first, then sent to its gateway, never sent twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from payfirst.domain.attempt import Attempt, next_check
from payfirst.domain.calendar import SLOT_FULL
from payfirst.domain.clock import Deadline, read_instant
from payfirst.domain.errors import (
    FieldProblem,
    GatewayRejectedError,
    InvalidInputError,
    PayFirstError,
    PaymentInProgressError,
    RefusedError,
    TooSoonError,
)
from payfirst.domain.fair_use import NO_LIMITS, FairUse
from payfirst.domain.ids import Entropy, new_attempt_ref, new_callback_token, new_identifier, new_transaction_code
from payfirst.domain.money import Currency
from payfirst.domain.moves import AttemptStatus, SessionStatus
from payfirst.domain.promo import NOT_TAKEN
from payfirst.domain.session import BookingSnapshot, Failure, Kind, OrderSnapshot, Session, quantities
from payfirst.gateways.base import Accepted, Gateway, GatewayName, Push, Rejected, Unknown
from payfirst.observability import alarm, note, warn
from payfirst.storage import attempts, fair_use, holds, promos, sessions
from payfirst.storage.expressions import Item
from payfirst.storage.failures import ConditionFailedError
from payfirst.storage.items import session_from_item
from payfirst.storage.queue import Queue, send
from payfirst.storage.table import Table
from payfirst.usecases.fair_use import asked_enough, one_more_session
from payfirst.usecases.phone import mobile_number

WRITES_S: Final = 5.0
"""What is kept back of the function's time for the writes after the gateway was asked: one lost packet and its repetition."""

_SHOWN: Final = {GatewayName.MPESA: "M-Pesa", GatewayName.PHONEPE: "PhonePe"}
PROMPT_SECONDS: Final = 60
"""How long to wait for a phone whose prompt is open: about as long as a prompt stays."""


@dataclass(frozen=True, slots=True)
class Till:
    """What initiating needs besides the session: table, queue, gateways, addresses, pace, instant, randomness, time left."""

    table: Table
    queue: Queue
    gateway: Callable[[GatewayName], Gateway]
    callback_origin: str
    public_origin: str
    pace: timedelta
    now: datetime
    entropy: Entropy
    deadline: Deadline
    longest_call_s: float
    fair_use: FairUse = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt under way. `is_new` is False where an open one was found; `lost` when the gateway's answer was."""

    session: Session
    attempt: Attempt
    is_new: bool
    lost: bool
    customer_message: str | None = None


def gateway_for(currency: Currency) -> GatewayName:
    return GatewayName.MPESA if currency is Currency.KES else GatewayName.PHONEPE


def payer(session: Session, given: str | None) -> str | None:
    """The payer's number in M-Pesa's form; InvalidInputError on `phone_number`. PhonePe asks the payer itself."""
    if session.amount.currency is not Currency.KES:
        return None
    if given is None and isinstance(session.snapshot, OrderSnapshot):
        given = session.snapshot.delivery.phone_number
    if given is None:
        raise InvalidInputError(FieldProblem("phone_number", "M-Pesa needs the phone number to prompt."))
    return mobile_number("phone_number", given)


def new_attempt(session: Session, phone: str | None, till: Till) -> tuple[Attempt, str]:
    ref = new_attempt_ref(till.entropy)
    token = new_callback_token(ref, till.entropy)
    gateway = gateway_for(session.amount.currency)
    first = next_check(gateway, till.now, 0, till.now)
    snapshot = session.snapshot
    held_stock = _to_hold(snapshot) if isinstance(snapshot, OrderSnapshot) else ()
    slot = snapshot.slot if isinstance(snapshot, BookingSnapshot) and snapshot.hold else None
    attempt = Attempt(
        ref=ref,
        number=new_identifier(till.now, till.entropy).number,
        transaction=new_transaction_code(till.entropy),
        owner=session.customer.sub,
        session_number=session.number,
        kind=session.kind,
        guard=session.guard,
        gateway=gateway,
        amount=session.amount,
        status=AttemptStatus.CREATED,
        created_at=till.now,
        check=first[0] if first else 0,
        next_check_at=first[1] if first else None,
        phone=phone,
        token_hash=hashlib.sha256(token.encode()).hexdigest() if phone else None,
        held_promo=snapshot.promo_code,
        held_stock=held_stock,
        held_slot=slot,
    )
    return attempt, token


def _to_hold(snapshot: OrderSnapshot) -> tuple[tuple[int, Decimal], ...]:
    return tuple(quantities([line for line in snapshot.lines if line.hold]).items())


def claimed(till: Till, session: Session, attempt: Attempt, *, is_new: bool) -> Session | None:
    """None once the claim is written; else the session to decide about anew. What stands in the way for good is raised."""
    till.gateway(GatewayName(attempt.gateway))  # without credentials nothing is claimed
    pace_until, sub = till.now + till.pace, session.customer.sub
    counted = fair_use.prompted(till.fair_use, sub, attempt.phone, till.now)
    if is_new:
        counted += one_more_session(till.table, till.fair_use, sub, till.now)
    try:
        attempts.claim(till.table, session, attempt, till.now, pace_until=pace_until, is_new=is_new, also=counted)
    except ConditionFailedError as error:
        return _stood_in_the_way(till, session, error)
    note("payment.initiated", session=session.uuid, ref=attempt.ref, gateway=attempt.gateway, amount=str(attempt.amount))
    return None


def _stood_in_the_way(till: Till, session: Session, error: ConditionFailedError) -> Session:
    failed = error.failed
    current = failed.get(sessions.SESSION)
    if current is not None:
        return session_from_item(current)
    phone = failed.get(holds.PHONE)
    if holds.GUARD in failed:
        raise with_checkout(till.table, _cart_taken(failed[holds.GUARD])) from error
    if phone is not None:
        raise _phone_busy(phone, till.now) from error
    if fair_use.COUNTERS & set(failed):
        raise asked_enough(set(failed), till.now) from error
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


def push(till: Till, session: Session, attempt: Attempt, token: str) -> Started:
    """Ask the gateway to collect; `session` is as it was when `attempt` was claimed for it."""
    session = replace(session, status=SessionStatus.PAYMENT_INITIATED, sequence=session.sequence + 1, live_attempt=attempt.ref)
    gateway = till.gateway(GatewayName(attempt.gateway))
    answer = gateway.push(_what_to_push(till, session, attempt, token), now=till.now, timeout_s=_time_for_call(till))
    check = next_check(attempt.gateway, attempt.created_at, 0, till.now)
    match answer:
        case Accepted():
            started = _sent(till, session, attempt, answer, check)
            _queue_check(till, attempt, check)
            return started
        case Unknown(reason, sent=False):
            unreachable = "The payment service could not be reached; nothing was charged. Please try again."
            raise _rejected(till, session, attempt, Rejected("gateway_unreachable", unreachable, reason, retryable=True))
        case Unknown(reason):
            warn("payment.unknown", ref=attempt.ref, gateway=attempt.gateway, reason=reason)
            _unless_moved_on(lambda: attempts.mark_unknown(till.table, attempt, check))
            _queue_check(till, attempt, check)
            return Started(session, replace(attempt, status=AttemptStatus.UNKNOWN), is_new=True, lost=True)
        case Rejected():
            raise _rejected(till, session, attempt, answer)


def _what_to_push(till: Till, session: Session, attempt: Attempt, token: str) -> Push:
    return Push(
        ref=attempt.ref,
        amount=attempt.amount,
        account=attempt.transaction[-12:],
        description="Order" if session.kind is Kind.ORDER else "Booking",
        expires_at=session.expires_at,
        phone=attempt.phone,
        callback_url=f"{till.callback_origin}/cb/stk/{token}" if attempt.phone else phonepe_notices(till.callback_origin),
        redirect_url=f"{till.public_origin}/paid",
    )


def phonepe_notices(callback_origin: str) -> str:
    """Where PhonePe posts its notices; its first API is told so with each request, the second on its dashboard."""
    return f"{callback_origin}/api/payments/webhook/phonepe/"


def _time_for_call(till: Till) -> float:
    return min(till.longest_call_s, till.deadline.remaining() - WRITES_S)


def _sent(till: Till, session: Session, attempt: Attempt, answer: Accepted, check: tuple[int, datetime] | None) -> Started:
    ids = {
        "gateway_id": answer.gateway_id,
        "merchant_request_id": answer.merchant_request_id,
        "payment_url": answer.payment_url,
    }
    try:
        attempts.mark_sent(till.table, attempt, ids, check)
    except ConditionFailedError:
        # The notice was faster than the answer: the outcome is decided, only the ids may still be missing.
        _unless_moved_on(lambda: attempts.add_ids(till.table, attempt, ids))
    note("payment.sent", session=session.uuid, ref=attempt.ref, gateway=attempt.gateway)
    sent = replace(attempt, status=AttemptStatus.SENT, gateway_id=answer.gateway_id, payment_url=answer.payment_url)
    return Started(session, sent, is_new=True, lost=False, customer_message=answer.customer_message)


def _unless_moved_on(change: Callable[[], None]) -> None:
    try:
        change()
    except ConditionFailedError:
        note("payment.moved_on")


def _rejected(till: Till, session: Session, attempt: Attempt, answer: Rejected) -> PayFirstError:
    failure = Failure(answer.code, answer.message, answer.retryable)
    _unless_moved_on(lambda: attempts.fail(till.table, session, attempt, failure, till.now))
    facts = {"session": session.uuid, "ref": attempt.ref, "gateway": attempt.gateway, "code": answer.code}
    (alarm if answer.configuration else note)("payment.rejected", **facts)
    if answer.code == "subscriber_busy":
        return TooSoonError(answer.message, retry_after_seconds=PROMPT_SECONDS)
    return GatewayRejectedError(
        answer.message, detail=answer.detail, field=answer.field, gateway=_SHOWN[GatewayName(attempt.gateway)]
    )


def _queue_check(till: Till, attempt: Attempt, check: tuple[int, datetime] | None) -> None:
    if check is None:
        return
    try:
        send(till.queue, attempt.ref, delay_s=int((check[1] - till.now).total_seconds()))
    except Exception as error:  # noqa: BLE001 - the sweep finds what could not be queued; the customer's payment goes on
        warn("queue.unreachable", ref=attempt.ref, error=type(error).__name__)
