"""The two carts: of produce (document B, one for each customer) and of services (document A, as many as one likes).

A cart ends after thirty quiet days. Putting something in or out, a promo code, and beginning to pay renew it; looking at it
does not. An attempt lasts a day at most and a session some hours, so that no cart ends under a payment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from payfirst.domain.delivery import CURRENCY
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import BookingSnapshot, OrderLine

QUIET: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TakenPromo:
    """A promo code in a cart, and its terms as its customer saw them (`Promo.terms`)."""

    code: str
    terms: str


@dataclass(frozen=True, slots=True)
class ProduceCart:
    """A customer's produce. `version` changes with every change of it; `items_made` numbers its lines.

    `updated_at` is when it was last changed, `touched_at` when a session was last made from it, if that was later; `promo` is
    the code that its customer took, with what it was seen to take off.
    """

    version: str
    lines: tuple[OrderLine, ...]
    items_made: int
    updated_at: datetime
    touched_at: datetime | None = None
    promo: TakenPromo | None = None

    @property
    def currency(self) -> Currency:
        """The one currency of its lines; that of deliveries while it is empty."""
        return self.lines[0].price.currency if self.lines else CURRENCY

    @property
    def expires_at(self) -> datetime:
        """When it is empty again if nobody touches it."""
        return (self.touched_at or self.updated_at) + QUIET

    def at(self, now: datetime) -> ProduceCart:
        """The cart as it is at `now`: empty once it has expired, with the numbers of its lines used up."""
        return self if now < self.expires_at else replace(self, lines=(), promo=None)


class CartStatus(StrEnum):
    """Document A's words: ACTIVE until a payment succeeded, or until nobody has touched it for thirty days."""

    ACTIVE = "ACTIVE"
    CONVERTED = "CONVERTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class BookingCart:
    """A service, a day and a price, to be paid for. While `live_attempt` is set nothing in it may change.

    `session` is the session that last tried to collect its price, `converted_by` the booking that it became, `touched_at` when
    it was last changed or a payment of it begun; None while it is as it was made.
    """

    number: int
    uuid: str
    content: BookingSnapshot
    version: str
    created_at: datetime
    live_attempt: str | None = None
    converted_by: str | None = None
    session: int | None = None
    touched_at: datetime | None = None

    @property
    def total(self) -> Money:
        """What it costs: the package's price less the discount, never below zero."""
        return self.content.price - self.content.discount

    @property
    def expires_at(self) -> datetime:
        """When it stops being ACTIVE if nobody touches it and nobody is paying for it."""
        return (self.touched_at or self.created_at) + QUIET

    def status_at(self, now: datetime) -> CartStatus:
        """CONVERTED once its booking exists; EXPIRED after thirty quiet days, but never while it is being paid for."""
        if self.converted_by is not None:
            return CartStatus.CONVERTED
        return CartStatus.EXPIRED if self.live_attempt is None and now >= self.expires_at else CartStatus.ACTIVE
