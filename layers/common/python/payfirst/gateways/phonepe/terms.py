"""What PhonePe declares of itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Currency


def _spread(*tiers: tuple[int, int, int]) -> tuple[int, ...]:
    """Seconds since the push for tiers of (first, step, last)."""
    return tuple(second for first, step, last in tiers for second in range(first, last + 1, step))


PHONEPE: Final = GatewayTerms(
    name="PHONEPE",
    label="PhonePe",
    currencies=frozenset({Currency.INR}),
    least=100,
    most=None,
    step=1,
    collects="PhonePe can collect 1.00 rupee and more.",
    pays_back="PhonePe pays back 1.00 rupee and more",
    # Its mandatory reconciliation: first after 20 to 25 s, then every 3 s for 30 s, 6 s for 60 s, 10 s for 60 s, 30 s for 60 s,
    # then every minute until the order ends, which is an hour at most; the day after is for lost answers.
    check_schedule=(
        *_spread((22, 3, 52), (58, 6, 112), (122, 10, 172), (202, 30, 232), (292, 60, 4192)),
        7200,
        21600,
        86400,
    ),
    prompts_phone=False,
    asked_by_its_id=False,
    knows_refunds=True,
    signs_notices=True,
    # PhonePe publishes no rate either, and answers 429 to what is too fast.
    at_once=40,
    per_second=80,
    shortest_page=timedelta(minutes=5),
)
