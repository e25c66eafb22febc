"""Both ledgers for invariants: the items of the table by what they are, and what the gateways collected and paid back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ops.reconcile.books import Capture, Returned
from ops.reconcile.books import Ledger as Theirs
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from tests.faults.gateways import Ledger
from tests.faults.told import PHONEPE

UNRESOLVED: Final = ("created", "sent", "unknown")
"""The states of an attempt whose end nobody knows yet."""


@dataclass(slots=True)
class Book:
    """Items by kind. Sessions are found by (owner, number), attempts by their reference, guards by (owner, sort key).

    Slots are found by their whole key, a customer's uses of a promo by (owner, code).
    """

    sessions: dict[tuple[str, int], Item] = field(default_factory=dict)
    attempts: dict[str, Item] = field(default_factory=dict)
    refunds: dict[str, list[Item]] = field(default_factory=dict)
    outcomes: list[Item] = field(default_factory=list)
    guards: dict[tuple[str, str], Item] = field(default_factory=dict)
    phones: list[Item] = field(default_factory=list)
    promos: dict[str, Item] = field(default_factory=dict)
    listings: dict[int, Item] = field(default_factory=dict)
    slots: dict[tuple[str, str], Item] = field(default_factory=dict)
    promo_uses: dict[tuple[str, str], Item] = field(default_factory=dict)
    notices: list[Item] = field(default_factory=list)
    events: list[Item] = field(default_factory=list)
    receipts: dict[tuple[str, str], Item] = field(default_factory=dict)
    reviews: list[Item] = field(default_factory=list)
    others: list[Item] = field(default_factory=list)

    @staticmethod
    def of(items: Iterable[Item]) -> Book:
        book = Book()
        for item in items:
            book.add(item)
        return book

    def add(self, item: Item) -> None:
        partition, sort = item["pk"], item["sk"]
        head, _, rest = partition.partition("#")
        if head == "U":
            self._add_owned(rest, sort, item)
        elif head == "ATT":
            if sort == "ATT":
                self.attempts[rest] = item
            elif sort.startswith("R#"):
                self.refunds.setdefault(rest, []).append(item)
            elif sort.startswith(keys.NOTICES):
                self.notices.append(item)
            else:
                self.reviews.append(item)
        elif head == "PHONE":
            self.phones.append(item)
        elif head == "PROMO":
            self.promos[rest] = item
        elif head == "LISTING":
            self.listings[int(sort)] = item
        elif head == "SLOT":
            self.slots[partition, sort] = item
        elif head == "RECEIPT":
            gateway, _, number = rest.partition("#")
            self.receipts[gateway, number] = item
        else:
            self.others.append(item)

    def _add_owned(self, sub: str, sort: str, item: Item) -> None:
        kind = sort.partition("#")[0]
        if sort.endswith("#~") or kind == "CART":
            self.others.append(item)
        elif kind == "S":
            self.sessions[sub, int(sort.split("#")[1])] = item
        elif kind == "P":
            self.promo_uses[sub, sort.removeprefix("P#")] = item
        elif kind in ("O", "B"):
            self.outcomes.append(item)
        elif kind in ("C", "V"):
            self.guards[sub, sort] = item
        elif kind == "E":
            self.events.append(item)
        else:
            self.others.append(item)

    def session_of(self, attempt: Item) -> Item:
        return self.sessions[attempt["owner"], int(attempt["session_number"])]

    def guard_of(self, attempt: Item) -> Item:
        return self.guards.get((attempt["owner"], attempt["guard"]["key"]), {})

    def last_refund(self, ref: str) -> Item | None:
        found = self.refunds.get(ref, [])
        return max(found, key=lambda item: int(item["number"])) if found else None


def theirs(ledger: Ledger) -> Theirs:
    """What the gateways collected and paid back, as it is compared with the shop's table."""
    captures = [
        Capture(at.gateway.lower(), at.ref, at.gateway_id, at.collected, at.currency, frozenset({receipt}))
        for at in ledger.payments.values()
        for receipt in [at.gateway_id if at.gateway == PHONEPE else at.receipt]
        if at.state == "paid"
    ]
    refunds = [
        Returned(at.gateway.lower(), at.ref, at.ref, back.amount, at.currency, frozenset({back.refund}))
        for back in ledger.paid_back.values()
        for at in [ledger.payments[back.original]]
    ]
    return Theirs(tuple(captures), tuple(refunds))
