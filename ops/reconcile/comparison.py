"""Two ledgers, joined to the minor unit, payment by payment and in both directions.

The same comparison serves `payfirst reconcile --check` against the simulators' ledger and against statements, the storms, and
the last check of the fault machine.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ops.reconcile.books import (
    NOTHING,
    Became,
    Books,
    Capture,
    Difference,
    Field,
    Ledger,
    Line,
    Open,
    Returned,
    counted,
    spelled,
)
from ops.reconcile.shop_books import Payment, Shop, by_hand, unpaid_difference
from payfirst.domain.clock import read_instant
from payfirst.domain.ids import made_at
from payfirst.domain.moves import UNRESOLVED, AttemptStatus, RefundStatus
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item

UNDER_WAY: Final = {
    RefundStatus.DUE: "refund due",
    RefundStatus.SENDING: "refund sending",
    RefundStatus.ACCEPTED: "refund accepted",
    RefundStatus.NEEDS_REVIEW: "refund needs review",
}
"""What a gateway may have paid back already, or never will."""


def compare(ledger: Ledger, items: Iterable[Item]) -> Books:
    """Join the gateways' ledger with the table's items: what is not equal, and what is rightly not at its end."""
    shop = Shop.of(items)
    captures: defaultdict[str, list[Capture]] = defaultdict(list)
    refunds: defaultdict[str, list[Returned]] = defaultdict(list)
    for capture in ledger.captures:
        captures[capture.ref or capture.shown].append(capture)
    for returned in ledger.refunds:
        refunds[returned.ref or returned.shown].append(returned)
    lines = []
    for ref in dict.fromkeys([*captures, *refunds, *shop.payments]):
        payment = shop.payments.get(ref)
        if payment is None:
            lines.append(_unknown(ref, captures[ref], refunds[ref]))
        elif captures[ref] or refunds[ref] or payment.captured is not None or _needs_review(payment):
            lines.append(_Join(ledger, shop, payment, captures[ref], refunds[ref]).line())
    return Books(tuple(lines), tuple(unpaid_difference(item) for item in shop.unpaid))


def _needs_review(payment: Payment) -> bool:
    return str(payment.attempt["status"]) == AttemptStatus.NEEDS_REVIEW


def _unknown(ref: str, captures: Sequence[Capture], refunds: Sequence[Returned]) -> Line:
    """A payment that the shop has never heard of."""
    entries: list[Capture | Returned] = [*captures, *refunds]
    gateway, currency = entries[0].gateway, entries[0].currency
    wrong = []
    if captures:
        collected = " and ".join(spelled(capture.amount, capture.currency) for capture in captures)
        wrong.append(Difference(gateway, ref, Field.PAYMENT, NOTHING, f"{collected} collected"))
    if refunds:
        amounts = [refund.amount for refund in refunds]
        wrong.append(Difference(gateway, ref, Field.REFUNDED, NOTHING, counted(amounts, currency)))
    amount = sum(capture.amount for capture in captures)
    back = tuple(one.amount for one in refunds)
    return Line(gateway, ref, amount, currency, Became.NOTHING, back, tuple(wrong))


@dataclass(slots=True)
class _Join:
    """One payment that the shop knows, beside what its gateway says of it."""

    ledger: Ledger
    shop: Shop
    payment: Payment
    captures: Sequence[Capture]
    refunds: Sequence[Returned]
    wrong: list[Difference] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)

    def line(self) -> Line:
        payment = self.payment
        became = self._captured() if payment.captured is not None else self._not_captured()
        entries: list[Capture | Returned] = [*self.captures, *self.refunds]
        for at in dict.fromkeys(entry.gateway for entry in entries):
            self._equal(Field.GATEWAY, payment.gateway, at)
        if len(self.captures) > 1:
            self._differs(Field.CAPTURES, "1", str(len(self.captures)))
        currencies = {entry.currency for entry in entries}
        for currency in sorted(currencies | {str(refund["currency"]) for refund in payment.refunds}):
            self._equal(Field.CURRENCY, payment.currency, currency)
        self._refunded()
        has_to_be_here = self._has_to_be_listed(payment.attempt, "captured_at")
        amount = self.captures[0].amount if self.captures else (has_to_be_here and payment.captured) or 0
        back = tuple(one.amount for one in self.refunds)
        ended = (refund for refund in payment.refunds if refund["status"] == RefundStatus.REFUNDED and not by_hand(refund))
        has_to_be_here = has_to_be_here or any(self._has_to_be_listed(refund, "ended_at") for refund in ended)
        return Line(
            payment.gateway,
            payment.ref,
            amount,
            payment.currency,
            became,
            back,
            tuple(self.wrong),
            tuple(self.open),
            outside=not (entries or has_to_be_here),
        )

    def _differs(self, what: Field, ours: str, theirs: str) -> None:
        self.wrong.append(self.payment.differs(what, ours, theirs))

    def _equal(self, what: Field, ours: str, theirs: str) -> None:
        if ours != theirs:
            self._differs(what, ours, theirs)

    # What came

    def _captured(self) -> Became:
        payment, recorded = self.payment, self.payment.captured or 0
        receipt = payment.attempt.get("receipt")
        if self.captures:
            capture = next((one for one in self.captures if receipt in one.receipts), self.captures[0])
            self._equal(Field.CAPTURED, payment.money(recorded), payment.money(capture.amount))
            if receipt and capture.receipts and receipt not in capture.receipts:
                self._differs(Field.RECEIPT, str(receipt), " or ".join(sorted(capture.receipts)))
        elif self._has_to_be_listed(payment.attempt, "captured_at"):
            self._differs(Field.PAYMENT, f"{payment.money(recorded)} collected", NOTHING)
        became, wrong = self.shop.became(payment)
        self.wrong += wrong
        if became is Became.REVIEW and payment.attempt["status"] != AttemptStatus.REFUND_DUE:
            self.open.append(payment.waits("needs review", payment.money(recorded)))
        return became

    def _not_captured(self) -> Became:
        payment = self.payment
        status = AttemptStatus(payment.attempt["status"])
        collected = " and ".join(payment.money(capture.amount) for capture in self.captures)
        said = f"{collected} collected" if collected else "nothing collected"
        if status is AttemptStatus.NEEDS_REVIEW:
            self.open.append(payment.waits("needs review", said))
            return Became.REVIEW
        if collected and (status in UNRESOLVED or (status is AttemptStatus.FAILED and "next_check_at" in payment.attempt)):
            self.open.append(payment.waits("status check", said))
            return Became.STATUS_CHECK
        if collected:
            self._differs(Field.PAYMENT, f"{status}, {NOTHING} collected", said)
        return Became.NOTHING

    def _has_to_be_listed(self, item: Item, end: str) -> bool:
        begun = made_at(int(item["number"])) if keys.is_attempt(item) else read_instant(item["created_at"])
        ended = read_instant(item[end]) if end in item else None
        return self.ledger.lists(self.payment.gateway, begun, ended)

    # What went back

    def _refunded(self) -> None:
        """Each of our refunds beside the gateway's one: by the names that both know, else by the amount."""
        payment, rest = self.payment, list(self.refunds)
        ours = sorted(payment.refunds, key=_settled_first)
        beside = [_taken(rest, [one for one in rest if not one.names.isdisjoint(_names(refund))]) for refund in ours]
        for at, refund in enumerate(ours):
            if beside[at] is None and self._may_be_listed(refund):
                beside[at] = _taken(rest, [one for one in rest if one.amount == int(refund["amount"])])
        made = [amount for refund, theirs in zip(ours, beside, strict=True) for amount in self._one_refund(refund, theirs)]
        back = [one.amount for one in self.refunds]
        if sorted(made) != sorted(back):
            what = Field.REFUNDED if sum(made) != sum(back) else Field.REFUNDS
            hand = sum(int(refund["amount"]) for refund in ours if by_hand(refund))
            beside_it = f", and {payment.money(hand)} by hand" if hand else ""
            self._differs(what, f"{counted(made, payment.currency)}{beside_it}", counted(back, payment.currency))

    def _one_refund(self, refund: Item, theirs: Returned | None) -> list[int]:
        """The amounts that the gateway has to list because of one of our refunds."""
        amount, status = int(refund["amount"]), RefundStatus(refund["status"])
        if by_hand(refund):
            self.open.append(self.payment.waits("paid by hand", self.payment.money(amount)))
            return [amount] if theirs is not None and self._is_of_portal(refund, theirs) else []
        if status is RefundStatus.FAILED:
            return []
        if status is RefundStatus.REFUNDED:
            return [amount] if theirs is not None or self._has_to_be_listed(refund, "ended_at") else []
        self.open.append(self.payment.waits(UNDER_WAY[status], self.payment.money(amount)))
        return [amount] if theirs is not None else []

    def _may_be_listed(self, refund: Item) -> bool:
        if by_hand(refund):
            return self.ledger.with_portal and "conversation" not in refund
        return str(refund["status"]) != RefundStatus.FAILED

    def _is_of_portal(self, refund: Item, theirs: Returned) -> bool:
        """Whether the gateway's refund is the one that a person made in its portal, and not a second one beside it.

        What the gateway had taken by our request may be either: then only the person knows, and names it.
        """
        ours = refund["refund_id"] in theirs.names or "conversation" in refund
        return self.ledger.with_portal and (not ours or not theirs.names.isdisjoint(_written(refund)))


def _settled_first(refund: Item) -> tuple[bool, bool, int]:
    return refund["status"] != RefundStatus.REFUNDED, by_hand(refund), int(refund["number"])


def _names(refund: Item) -> frozenset[str]:
    """What a gateway may call one of our refunds."""
    return frozenset(str(refund[name]) for name in ("refund_id", "conversation") if refund.get(name)) | _written(refund)


def _written(refund: Item) -> frozenset[str]:
    """The words that a person wrote about what they paid by hand: one of them may be the payment's number in the portal."""
    return frozenset(re.findall(r"\w+", refund["detail"])) if by_hand(refund) else frozenset()


def _taken(rest: list[Returned], fitting: Sequence[Returned]) -> Returned | None:
    """The first that fits, taken out of `rest`; None where none does."""
    if not fitting:
        return None
    rest.remove(fitting[0])
    return fitting[0]
