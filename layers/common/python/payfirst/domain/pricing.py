"""What can be charged, and how a total becomes chargeable."""

from __future__ import annotations

from typing import Final

from payfirst.domain.money import MINOR_PER_MAJOR, Currency, Money

MPESA_MOST: Final = Money(250_000 * MINOR_PER_MAJOR, Currency.KES)
PHONEPE_LEAST: Final = Money(100, Currency.INR)


def rounding_for(total: Money) -> Money:
    """What to add so that the total's gateway can collect it: M-Pesa takes whole shillings, always rounded up."""
    surplus = -total.minor % MINOR_PER_MAJOR if total.currency is Currency.KES else 0
    return Money(surplus, total.currency)


def is_chargeable(total: Money) -> bool:
    """Whether the gateway of the total's currency can collect it: 1 to 250,000 whole shillings, or 100 paisa and more."""
    if total.currency is Currency.KES:
        return MINOR_PER_MAJOR <= total.minor <= MPESA_MOST.minor and total.minor % MINOR_PER_MAJOR == 0
    return total.minor >= PHONEPE_LEAST.minor


def chargeable_rule(currency: Currency) -> str:
    """The rule of `is_chargeable` as a sentence for the customer."""
    if currency is Currency.KES:
        return "M-Pesa can collect 1 to 250,000 whole shillings."
    return "PhonePe can collect 1.00 rupee and more."
