"""The gateways' statements as the ledger that the shop's table is compared with: which attempt each line is of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from ops.reconcile.books import Books, Capture, Ledger, Returned
from ops.reconcile.comparison import compare
from ops.reconcile.statements import Statement
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item

ACCOUNT_LENGTH: Final = 12
"""What a push names of a payment's code as its account."""


def compare_statements(statements: Sequence[Statement], items: Iterable[Item]) -> Books:
    """Join what the gateways' statements say with what the shop made of it.

    What was begun and recorded between the first and the last line of one file has to be on it; about other times, and about
    gateways without a statement, nothing is missed. Whatever is on a statement has to be in the table.
    """
    found = list(items)
    return compare(_ledger(statements, found), found)


def _ledger(statements: Sequence[Statement], items: Sequence[Item]) -> Ledger:
    captures, refunds = [], []
    for statement in statements:
        refs = _refs_by_receipt(statement, items) if statement.by_receipt else {}
        for paid in statement.payments:
            ref = refs.get(paid.number) if statement.by_receipt else paid.number
            receipts = frozenset({paid.number}) if statement.by_receipt else frozenset[str]()
            captures.append(Capture(statement.gateway, ref, paid.number, paid.amount, statement.currency, receipts))
        for back in statement.refunds:
            ref = refs.get(back.original) if statement.by_receipt else back.original
            names = frozenset({back.number})
            refunds.append(Returned(statement.gateway, ref, back.number, back.amount, statement.currency, names))
    periods = {statement.gateway: statement.periods for statement in statements}

    def lists(gateway: str, begun: datetime | None, ended: datetime | None) -> bool:
        return begun is not None and ended is not None and any(a <= begun and ended <= b for a, b in periods.get(gateway, ()))

    return Ledger(tuple(captures), tuple(refunds), lists, with_portal=True)


def _refs_by_receipt(statement: Statement, items: Sequence[Item]) -> dict[str, str]:
    """Our reference of each payment by its receipt, or by the account that its push named where no receipt is known."""
    name = statement.gateway.upper()
    proofs = ((keys.receipt_of(item), item["ref"]) for item in items if keys.receipt_of(item))
    known = {receipt[1].upper(): ref for receipt, ref in proofs if receipt and receipt[0] == name}
    accounts = {
        item["transaction"][-ACCOUNT_LENGTH:].upper(): keys.ref_of(item)
        for item in items
        if keys.is_attempt(item) and item["gateway"] == name
    }
    by_account = {paid.number: accounts.get(paid.account.upper()) for paid in statement.payments}
    return {**{number: ref for number, ref in by_account.items() if ref}, **known}
