"""The shop's own books: each attempt with its session, its refunds and what it became, and what has to be equal within them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ops.reconcile.books import NOTHING, Became, Difference, Field, Open, spelled
from payfirst.domain.booking import AS_USUAL, given_back
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, BookingStatus, OrderStatus, RefundStatus
from payfirst.domain.refund import BOOKING_CANCELLED
from payfirst.gateways.registry import terms_of
from payfirst.storage.bookings import booking_from_item
from payfirst.storage.catalogue import service_from_item
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item

MONEY_CAME: Final = frozenset({AttemptStatus.SUCCEEDED, AttemptStatus.REFUND_DUE, AttemptStatus.NEEDS_REVIEW})
"""What an attempt may be that has money; under review, nothing could be made of it."""


@dataclass(slots=True)
class Payment:
    """One attempt, with everything in the table that speaks of its money."""

    ref: str
    attempt: Item
    session: Item
    refunds: list[Item] = field(default_factory=list)
    outcomes: list[Item] = field(default_factory=list)

    @property
    def gateway(self) -> str:
        return str(self.attempt["gateway"]).lower()

    @property
    def currency(self) -> str:
        return str(self.attempt["currency"])

    @property
    def captured(self) -> int | None:
        """What the shop recorded as collected."""
        return int(self.attempt["captured"]) if self.attempt["status"] in MONEY_CAME and "captured" in self.attempt else None

    @property
    def owed(self) -> int:
        """What went back or still has to, by whatever way."""
        return sum(int(refund["amount"]) for refund in self.refunds if refund["status"] != RefundStatus.FAILED)

    def differs(self, what: Field, ours: str, theirs: str) -> Difference:
        """A difference of this payment."""
        return Difference(self.gateway, self.ref, what, ours, theirs)

    def waits(self, what: str, amount: str) -> Open:
        """Money of this payment that is on its way."""
        return Open(self.gateway, self.ref, what, amount)

    def money(self, minor: int) -> str:
        """An amount in the payment's currency."""
        return spelled(minor, self.currency)


@dataclass(slots=True)
class Shop:
    """Every attempt by its reference, and the bookings and orders of sessions that no attempt has paid."""

    payments: dict[str, Payment]
    unpaid: list[Item]
    services: dict[tuple[str, int], Item]

    @staticmethod
    def of(items: Iterable[Item]) -> Shop:
        """The books that the table's items make."""
        found = {keys.place_of(item): item for item in items}
        payments: dict[str, Payment] = {}
        paying: dict[tuple[str, int], Payment] = {}
        for item in found.values():
            if keys.is_attempt(item):
                owner, number = keys.owner(item["owner"]), int(item["session_number"])
                session = found.get((owner, keys.entry(keys.SESSION, number)), {})
                payment = payments[keys.ref_of(item)] = Payment(keys.ref_of(item), item, session)
                if payment.captured is not None and session.get("captured") == payment.ref:
                    paying[owner, number] = payment
        unpaid: list[Item] = []
        for (pk, _), item in sorted(found.items()):
            if keys.is_refund(item) and keys.ref_of(item) in payments:
                payments[keys.ref_of(item)].refunds.append(item)
            elif keys.kind_of(item) in (keys.ORDER, keys.BOOKING) and "session_number" in item:
                payer = paying.get((pk, int(item["session_number"])))
                (payer.outcomes if payer else unpaid).append(item)
        return Shop(
            payments, unpaid, {shop_keys.service_of(item): item for item in found.values() if shop_keys.is_service(item)}
        )

    def became(self, payment: Payment) -> tuple[Became, list[Difference]]:
        """What the captured amount of `payment` became, and what is not equal about that."""
        captured, money = payment.captured or 0, payment.money
        wrong: list[Difference] = []
        left = int(payment.attempt.get("refundable", 0))
        if left != captured - payment.owed:
            wrong.append(payment.differs(Field.REFUNDABLE, money(left), money(captured - payment.owed)))
        if payment.attempt["status"] == AttemptStatus.REFUND_DUE:
            if payment.owed != captured:
                wrong.append(payment.differs(Field.OWED, money(payment.owed), money(captured)))
            if payment.outcomes:
                wrong.append(payment.differs(Field.OUTCOME, f"a refund and {_names(payment.outcomes)}", "one of them"))
            review = any(refund["status"] == RefundStatus.NEEDS_REVIEW for refund in payment.refunds)
            return Became.REVIEW if review else Became.REFUND, wrong
        under_review = payment.attempt["status"] == AttemptStatus.NEEDS_REVIEW
        if under_review or due_index.is_due_as(payment.attempt, due_index.REVIEW):
            if payment.outcomes:
                wrong.append(payment.differs(Field.OUTCOME, f"a review and {_names(payment.outcomes)}", "one of them"))
            return Became.REVIEW, wrong
        what = keys.ORDER if payment.attempt["kind"] == "order" else keys.BOOKING
        number = payment.session.get("outcome", {}).get("number")
        recorded = [keys.entry(what, int(number))] if number is not None else [""]
        if [keys.sort_key(item) for item in payment.outcomes] != recorded:
            return Became.NOTHING, [
                *wrong,
                payment.differs(Field.OUTCOME, _names(payment.outcomes), "one order" if what == keys.ORDER else "one booking"),
            ]
        (outcome,) = payment.outcomes
        totals = {
            Field.TOTAL: int(outcome["amount"]),
            Field.SESSION: int(payment.session.get("amount", 0)),
            Field.SNAPSHOT: _frozen(payment.session.get("snapshot", {}), payment.currency, payment.attempt["gateway"]),
        }
        wrong += [payment.differs(at, money(minor), money(captured)) for at, minor in totals.items() if minor != captured]
        if outcome["currency"] != payment.currency:
            wrong.append(payment.differs(Field.CURRENCY, f"{outcome['currency']} in {_names([outcome])}", payment.currency))
        wrong += self._owed_by_rule(payment, outcome)
        return Became.ORDER if what == keys.ORDER else Became.BOOKING, wrong

    def _owed_by_rule(self, payment: Payment, outcome: Item) -> Iterator[Difference]:
        """A cancelled order gives back whatever was left; a cancelled booking what its service's rule gave at that time.

        A booking tells what it gave. Where it says nothing, the rule as it stands now is asked.
        """
        money = payment.money
        if outcome["status"] == OrderStatus.CANCELLED and payment.owed != payment.captured:
            yield payment.differs(Field.OWED, money(payment.owed), money(payment.captured or 0))
        if outcome["status"] != BookingStatus.CANCELLED:
            return
        made = [refund for refund in payment.refunds if refund["status"] != RefundStatus.FAILED]
        given = sum(int(refund["amount"]) for refund in made if refund["reason"] == BOOKING_CANCELLED)
        wanted = int(outcome.get("refund", 0)) or max(0, self._by_rule(outcome, payment.attempt["gateway"]) - payment.owed)
        if given != wanted:
            yield payment.differs(Field.OWED, money(given), money(wanted))

    def _by_rule(self, outcome: Item, gateway: str) -> int:
        booking = booking_from_item(outcome)
        found = self.services.get((booking.content.service_type, booking.content.service_id))
        rules = service_from_item(found).changes if found else AS_USUAL
        return given_back(booking, rules, booking.timeline[-1].at, terms_of(gateway).step).minor


def _names(outcomes: Iterable[Item]) -> str:
    return " and ".join(str(item.get("order_number") or item.get("book_id")) for item in outcomes) or NOTHING


def _frozen(snapshot: Item, currency: str, gateway: str) -> int:
    """What a session's snapshot adds up to, as that gateway collects it."""
    less = -int(snapshot.get("discount", 0))
    if "lines" in snapshot:
        added = sum(int(line["subtotal"]) for line in snapshot["lines"])
        return less + added + int(snapshot["delivery_fee"]) + int(snapshot["rounding"])
    total = Money(less + int(snapshot.get("price", 0)), Currency(currency))
    return (total + terms_of(gateway).rounding(total)).minor


def by_hand(refund: Item) -> bool:
    """Whether a person recorded that they paid it back: the gateway's own word comes without one of theirs."""
    return refund["status"] == RefundStatus.REFUNDED and "detail" in refund


def unpaid_difference(item: Item) -> Difference:
    """A booking or an order that nobody paid for."""
    what = "an order" if "order_number" in item else "a booking"
    ours = f"{what} over {spelled(int(item['amount']), item['currency'])}" if "currency" in item else what
    return Difference("shop", str(item.get("order_number") or item.get("book_id")), Field.OUTCOME, ours, "nobody paid for it")
