"""The pages' HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from local.simulators.ids import amount_text
from local.simulators.records import Attempt


def phones_page(open_attempts: Sequence[Attempt], history: Sequence[Attempt], now: float) -> str:
    """The customer's phones."""
    del history, now
    return "".join(f"<p>{escape(a.label)} {amount_text(a.amount)}</p>" for a in open_attempts)


def pay_page(attempt: Attempt, amount: str, now: float) -> str:
    """PhonePe's pay page."""
    del now
    return (
        f"<h1>{escape(attempt.label)} {amount}</h1><form method=post><button name=outcome value=pay>Pay</button>"
        "<button name=outcome value=cancel>Cancel</button></form>"
    )
