"""What an e-mail is about: an event of a session's timeline, with what its customer paid for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.money import Money
from payfirst.domain.session import BookingSnapshot, OrderSnapshot, Session
from payfirst.mail.formats import amount_text, instant_text


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an e-mail is about: the event with its instant and facts, its session as it is now, and the shop's name.

    `content` is what was bought as it stands now: a booking may have moved since its session froze it. `receipt` is the
    gateway's proof of the payment, of an event that says something was bought; a status query may have known none.
    """

    event: str
    at: datetime
    facts: Mapping[str, Any]
    session: Session
    content: OrderSnapshot | BookingSnapshot
    shop: str
    receipt: str | None = None

    @property
    def zone(self) -> str:
        """The clock of the service or of the farm's customers."""
        return self.content.zone if isinstance(self.content, BookingSnapshot) else SHOP_ZONE

    @property
    def when(self) -> str:
        """The instant of the event on that clock."""
        return instant_text(self.at, self.zone, self.session.amount.currency)

    @property
    def money(self) -> Money:
        """The amount that the event names."""
        return Money(int(self.facts["amount"]), self.session.amount.currency)

    @property
    def amount(self) -> str:
        """The amount that the event names, as its customers write it."""
        return amount_text(self.money)

    @property
    def by_hand(self) -> bool:
        """Whether the money that the event names goes back without the gateway, as far as was known when it happened."""
        return bool(self.facts.get("by_hand"))
