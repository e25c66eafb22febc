"""What M-Pesa declares of itself."""

from __future__ import annotations

from typing import Final

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import MINOR_PER_MAJOR, Currency, Money

ZONE: Final = "Africa/Nairobi"
"""The clock of its timestamps and of its statement."""

MPESA: Final = GatewayTerms(
    name="MPESA",
    label="M-Pesa",
    currencies=frozenset({Currency.KES}),
    least=MINOR_PER_MAJOR,
    most=250_000 * MINOR_PER_MAJOR,
    step=MINOR_PER_MAJOR,
    collects="M-Pesa can collect 1 to 250,000 whole shillings.",
    pays_back="M-Pesa pays back whole shillings",
    # Suggested for Daraja, which documents none: dense while the prompt is on the phone, then ever rarer for a day.
    check_schedule=(10, 20, 40, 75, 120, 300, 900, 3600, 21600, 86400),
    prompts_phone=True,
    asked_by_its_id=True,
    knows_refunds=False,
    signs_notices=False,
    # Daraja publishes no rate. It refuses what is too fast for an app as a spike arrest, after which fewer are asked at once.
    at_once=40,
    per_second=80,
)


def whole_shillings(amount: Money) -> int:
    """`amount` in shillings; ValueError where M-Pesa does not take it."""
    if not MPESA.takes(amount):
        raise ValueError(f"{MPESA.collects} {amount} {amount.currency} is none of that.")
    return amount.minor // MINOR_PER_MAJOR
