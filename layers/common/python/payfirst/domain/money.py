"""Money as an integer of minor units with its currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

MINOR_PER_MAJOR = 100


class Currency(StrEnum):
    """The currencies in which amounts can be written; all have two decimal places (ISO 4217).

    Which of them a shop can be paid in its gateways declare, and prices are in no other.
    """

    INR = "INR"
    KES = "KES"
    TZS = "TZS"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of money; `Money(99900, Currency.INR)` is 999.00 rupees."""

    minor: int
    currency: Currency

    @classmethod
    def of(cls, major: Decimal | str | int, currency: Currency) -> Money:
        """The amount of `major` whole units, e.g. `"999.00"`; ValueError if it has a fraction of a minor unit."""
        minor = Decimal(major) * MINOR_PER_MAJOR
        if minor != minor.to_integral_value():
            raise ValueError(f"{major} has more than two decimal places")
        return cls(int(minor), currency)

    @property
    def major(self) -> Decimal:
        """The amount in whole units with exactly two decimal places, e.g. `Decimal("999.00")`."""
        return Decimal(self.minor).scaleb(-2)

    def __str__(self) -> str:
        """The amount as every answer shows it: `"999.00"`, without the currency."""
        return f"{self.major:.2f}"

    def __add__(self, other: Money) -> Money:
        """The sum; ValueError when the currencies differ."""
        return Money(self.minor + self._same_currency(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """The difference, which may be below zero; ValueError when the currencies differ."""
        return Money(self.minor - self._same_currency(other).minor, self.currency)

    def _same_currency(self, other: Money) -> Money:
        if other.currency is not self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other
