"""How much of a payment went back: what document B's `payment_status` says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from payfirst.domain.money import Money


class PaymentStatus(StrEnum):
    """How the payment of an order stands; `REFUND_DUE` as long as anything is owed that has not gone back yet."""

    PAID = "paid"
    REFUND_DUE = "refund_due"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


STILL_BOUGHT: Final = frozenset({PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED})
"""Where something of the order is still paid for, and nothing of that is on its way back."""


@dataclass(frozen=True, slots=True)
class PaidBack:
    """What of the payment that a session was fulfilled for went back, and what is owed besides; minor units."""

    returned: int = 0
    owed: int = 0

    def owing(self, amount: Money) -> PaidBack:
        """With `amount` owed besides."""
        return replace(self, owed=self.owed + amount.minor)

    def returning(self, amount: Money) -> PaidBack:
        """With `amount` no longer owed but gone back."""
        return PaidBack(self.returned + amount.minor, max(self.owed - amount.minor, 0))

    def status(self, paid: Money) -> PaymentStatus:
        """How a payment of `paid` stands."""
        if self.owed:
            return PaymentStatus.REFUND_DUE
        if self.returned:
            return PaymentStatus.REFUNDED if self.returned >= paid.minor else PaymentStatus.PARTIALLY_REFUNDED
        return PaymentStatus.PAID


NOTHING: Final = PaidBack()
"""Of a payment that was kept as a whole."""
