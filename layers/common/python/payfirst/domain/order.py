"""What a paid session became: document B's order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from payfirst.domain.booking import Step
from payfirst.domain.money import Money
from payfirst.domain.moves import OrderStatus
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.session import Delivery, OrderLine


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it was paid for; `receipt` is the gateway's, and None where none is known.

    `session` is its session's UUID, `session_number` the same session in the owner's list.
    """

    number: int
    code: str
    owner: str
    session: str
    session_number: int
    status: OrderStatus
    payment_status: PaymentStatus
    amount: Money
    lines: tuple[OrderLine, ...]
    delivery: Delivery
    items_total: Money
    delivery_fee: Money
    rounding: Money
    created_at: datetime
    timeline: tuple[Step, ...]
    receipt: str | None = None
    discount: Money | None = None
    promo_code: str | None = None

    @property
    def total_items(self) -> Decimal:
        """The sum of the quantities."""
        return sum((line.quantity for line in self.lines), Decimal(0))
