"""Amounts as M-Pesa takes them."""

from __future__ import annotations

from payfirst.domain.money import MINOR_PER_MAJOR, Currency, Money


def whole_shillings(amount: Money) -> int:
    """`amount` in shillings; ValueError if it is another currency, has cents or is below one shilling."""
    shillings, cents = divmod(amount.minor, MINOR_PER_MAJOR)
    if amount.currency is not Currency.KES or cents or shillings < 1:
        raise ValueError(f"M-Pesa takes whole shillings from 1 upwards, not {amount} {amount.currency}")
    return shillings
