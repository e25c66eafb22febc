"""The two carts: of produce (document B, one for each customer) and of services (document A, as many as one likes)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payfirst.domain.money import Money
from payfirst.domain.session import BookingSnapshot, OrderLine


@dataclass(frozen=True, slots=True)
class ProduceCart:
    """A customer's produce. `version` changes with every change of it; `items_made` numbers its lines."""

    version: str
    lines: tuple[OrderLine, ...]
    items_made: int
    updated_at: datetime


class CartStatus(StrEnum):
    """Document A's words: ACTIVE until a payment succeeded."""

    ACTIVE = "ACTIVE"
    CONVERTED = "CONVERTED"


@dataclass(frozen=True, slots=True)
class BookingCart:
    """A service, a day and a price, to be paid for. While `live_attempt` is set nothing in it may change.

    `session` is the session that last tried to collect its price, `converted_by` the booking that it became.
    """

    number: int
    uuid: str
    content: BookingSnapshot
    version: str
    created_at: datetime
    live_attempt: str | None = None
    converted_by: str | None = None
    session: int | None = None

    @property
    def total(self) -> Money:
        """What it costs: the package's price less the discount, never below zero."""
        return self.content.price - self.content.discount

    @property
    def status(self) -> CartStatus:
        """ACTIVE, or CONVERTED once its booking exists."""
        return CartStatus.CONVERTED if self.converted_by else CartStatus.ACTIVE
