"""The gateways' statements beside the shop's table: which attempt each payment is of, and which attempts they have to list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from local.books import Books, Capture, compare
from ops.statements import MPESA, Paid, Statement
from payfirst.domain.clock import read_instant
from payfirst.domain.ids import made_at
from payfirst.storage.expressions import Item

ACCOUNT_LENGTH: Final = 12
"""What M-Pesa keeps of the account that a push names."""


def compare_statements(statements: Sequence[Statement], items: Iterable[Item]) -> Books:
    """Join what the gateways' statements say with what the shop made of it.

    An attempt that was begun and recorded as paid between a statement's first and last payment has to be on it; about others,
    and about gateways without a statement, nothing is missed.
    """
    found = list(items)
    covered = {statement.gateway: (statement.first, statement.last) for statement in statements}
    ref_of = _refs(found)
    captures = [
        Capture(
            gateway=statement.gateway,
            ref=ref_of(statement.gateway, payment),
            shown=payment.number,
            amount=payment.amount,
            currency=statement.currency,
            refunded=payment.refunded,
        )
        for statement in statements
        for payment in statement.payments
    ]
    return compare(captures, found, expected=lambda attempt: _is_covered(attempt, covered))


def _refs(items: Sequence[Item]) -> Callable[[str, Paid], str | None]:
    """M-Pesa knows an attempt by its receipt, or by the account that its push named; PhonePe by our own reference."""
    receipts = {item["pk"].split("#", 2)[2]: item["ref"] for item in items if item["pk"].startswith("RECEIPT#MPESA#")}
    accounts = {
        item["transaction"][-ACCOUNT_LENGTH:]: item["pk"].removeprefix("ATT#")
        for item in items
        if item["sk"] == "ATT" and item["gateway"] == "MPESA" and "receipt" not in item
    }

    def ref_of(gateway: str, payment: Paid) -> str | None:
        if gateway != MPESA:
            return payment.number
        return receipts.get(payment.number) or accounts.get(payment.account)

    return ref_of


def _is_covered(attempt: Item, covered: dict[str, tuple[datetime, datetime]]) -> bool:
    times = covered.get(attempt["gateway"].lower())
    if times is None or "captured_at" not in attempt:
        return False
    first, last = times
    return made_at(int(attempt["number"])) >= first and read_instant(attempt["captured_at"]) <= last
