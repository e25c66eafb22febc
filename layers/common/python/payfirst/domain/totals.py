"""The shop's money by day, gateway and currency, in four columns.

Each amount stands on the day, on the shop's clock, on which it began to be what it is: a payment on the day on which it came,
what is owed back on the day from which on it is owed, and what went back on the day on which that was known. So a day's
`captured` and `refunded` stay as they are once what was being written at its end is; the other two are what of it is open
still. Over all days `captured` less the three others is what the shop keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from payfirst.domain.clock import SHOP_ZONE
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import RefundStatus


class Column(StrEnum):
    """What an amount is: it came, it went back, it is owed or under way, or a person has to see to it.

    What waits for a person is money of which nothing could be made, and refunds under review. Of a payment under review that is
    not known to have come nothing is counted; work that failed too often stays where it was.
    """

    CAPTURED = "captured"
    REFUNDED = "refunded"
    ON_ITS_WAY_BACK = "on_its_way_back"
    WAITING = "waiting_for_a_person"


OF_REFUND: Final[Mapping[RefundStatus, Column | None]] = {
    RefundStatus.DUE: Column.ON_ITS_WAY_BACK,
    RefundStatus.SENDING: Column.ON_ITS_WAY_BACK,
    RefundStatus.ACCEPTED: Column.ON_ITS_WAY_BACK,
    RefundStatus.NEEDS_REVIEW: Column.WAITING,
    RefundStatus.REFUNDED: Column.REFUNDED,
    RefundStatus.FAILED: None,
}
"""Where the amount of a refund stands; the amount of one that failed is that of the next."""


def day_of(moment: datetime) -> date:
    """The day of `moment` on the shop's clock."""
    return moment.astimezone(ZoneInfo(SHOP_ZONE)).date()


@dataclass(frozen=True, slots=True)
class Totals:
    """What one gateway's money of one currency came to; `day` is None for several days together."""

    day: date | None
    gateway: str
    currency: Currency
    minor: Mapping[Column, int]

    def __getitem__(self, column: Column) -> Money:
        return Money(self.minor.get(column, 0), self.currency)


def together(found: Iterable[Totals]) -> tuple[Totals, ...]:
    """One of each gateway and currency, for all of its days."""
    sums: dict[tuple[str, Currency], dict[Column, int]] = {}
    for each in found:
        so_far = sums.setdefault((each.gateway, each.currency), dict.fromkeys(Column, 0))
        for column in Column:
            so_far[column] += each.minor.get(column, 0)
    return tuple(Totals(None, gateway, currency, minor) for (gateway, currency), minor in sorted(sums.items()))
