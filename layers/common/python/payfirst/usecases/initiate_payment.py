"""Document B: ask M-Pesa to collect a session's amount."""

from __future__ import annotations

from typing import Final

from payfirst.domain.errors import ContentionError, RefusedError
from payfirst.domain.ids import GivenId
from payfirst.domain.money import Currency
from payfirst.domain.session import Customer, why_not_payable
from payfirst.usecases.find import find_session
from payfirst.usecases.start_attempt import Started, Till, claimed, new_attempt, payer, push, with_checkout

TRIES: Final = 4


def initiate_payment(given: GivenId, phone_number: str | None, *, customer: Customer, till: Till) -> Started:
    """Start an attempt for a session. Errors: NotFoundError, SessionExpiredError, RefusedError, PaymentInProgressError with
    the open attempt's checkout id, TooSoonError, GatewayRejectedError, InvalidInputError on `phone_number`."""
    session = find_session(given, customer=customer, table=till.table)
    if session.amount.currency is not Currency.KES:
        message = "This session is paid through its cart: POST /api/payments/process-cart/."
        raise RefusedError(message, code="WRONG_METHOD")
    for _ in range(TRIES):
        problem = why_not_payable(session, till.now)
        if problem is not None:
            raise with_checkout(till.table, problem)
        attempt, token = new_attempt(session, payer(session, phone_number), till)
        moved = claimed(till, session, attempt, is_new=False)
        if moved is None:
            return push(till, session, attempt, token)
        session = moved
    raise ContentionError("This session is being changed; please try again.")
