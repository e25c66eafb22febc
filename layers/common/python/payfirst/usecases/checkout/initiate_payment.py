"""Document B: ask a gateway to collect a session's amount."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from payfirst.domain.days import Days
from payfirst.domain.errors import ContentionError, PayFirstError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.in_time import why_too_late
from payfirst.domain.session import Customer, Session, why_not_payable
from payfirst.gateways.registry import default_for
from payfirst.usecases.checkout.start_attempt import Started, claim, new_attempt, payer, push, with_checkout
from payfirst.usecases.context import PaymentContext
from payfirst.usecases.lookup import find_session

TRIES: Final = 4


def initiate_payment(given: GivenId, phone_number: str | None, *, customer: Customer, context: PaymentContext) -> Started:
    """Start an attempt for a session. Errors: NotFoundError, SessionExpiredError, RefusedError, PaymentInProgressError with
    the open attempt's checkout id, TooSoonError, GatewayRejectedError, InvalidInputError on `phone_number`."""
    session = find_session(given, customer=customer, table=context.table)
    terms = default_for(session.amount.currency)
    if not terms.prompts_phone:
        message = "This session is paid through its cart."
        raise RefusedError(message, code="WRONG_METHOD")
    for _ in range(TRIES):
        problem = why_not_payable(session, context.now) or _why_over(session, context.days, context.now)
        if problem is not None:
            raise with_checkout(context.table, problem)
        attempt, token = new_attempt(session, terms, payer(session, terms, phone_number), context)
        session, written = claim(context, session, attempt, is_new=False)
        if written:
            return push(context, session, attempt, token)
    raise ContentionError("This session is being changed; please try again.")


def _why_over(session: Session, days: Days, now: datetime) -> PayFirstError | None:
    said = why_too_late(session.snapshot, days, now)
    return RefusedError(f"{said} Please start again.", code="SESSION_CLOSED") if said else None
