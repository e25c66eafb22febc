"""A refund: one way back for an attempt's captured money."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import RefundStatus
from payfirst.domain.pricing import is_chargeable
from payfirst.domain.session import Failure

MOST_TRIES: Final = 3
"""How many refunds of one attempt a gateway may definitely refuse before a person takes over."""

WRONG_AMOUNT: Final = Failure(
    "wrong_amount", "The amount that was paid is not the one that was asked for; your money is sent back.", retryable=True
)
SURPLUS: Final = Failure(
    "surplus", "This payment came when it was not needed any more; your money is sent back.", retryable=True
)
PROMO_USED_UP: Final = Failure(
    "promo_used_up", "The promo code was used up meanwhile; your money is sent back.", retryable=False
)
OUT_OF_STOCK: Final = Failure("out_of_stock", "This was sold out meanwhile; your money is sent back.", retryable=False)
SLOT_TAKEN: Final = Failure("slot_taken", "This slot was taken meanwhile; your money is sent back.", retryable=False)
WHY_MONEY_GOES_BACK: Final = {why.code: why for why in (WRONG_AMOUNT, SURPLUS, PROMO_USED_UP, OUT_OF_STOCK, SLOT_TAKEN)}
"""By the reason that a refund carries; customers read the sentences in their session's status and in the refund's letter."""


@dataclass(frozen=True, slots=True)
class Refund:
    """The `number`th refund of the attempt `ref`, known to its gateway as `refund_id`.

    `token_hash` is the SHA-256 of the word in the address to which M-Pesa posts the reversal's result, `asked_hash` that of the
    address for the answer to a question about it; `conversation` is M-Pesa's name for the request. `check` is the rung of the
    ladder that comes next.
    """

    ref: str
    number: int
    owner: str
    session_number: int
    gateway: str
    amount: Money
    status: RefundStatus
    reason: str
    created_at: datetime
    check: int = 0
    receipt: str | None = None
    token_hash: str | None = None
    asked_hash: str | None = None
    conversation: str | None = None
    sent_at: datetime | None = None
    detail: str | None = None

    @property
    def refund_id(self) -> str:
        """The id that PhonePe knows as `merchantRefundId`: `R{attempt}-{n}`."""
        return refund_id(self.ref, self.number)


def refund_id(ref: str, number: int) -> str:
    """A refund's id: it says which attempt it pays back, and the how many-th refund of it this is."""
    return f"R{ref}-{number}"


_ID: Final = re.compile(r"R(MT[0-9a-f]{13})-([0-9]{1,3})")


def parts_of_refund_id(text: str) -> tuple[str, int] | None:
    """The attempt's reference and the number in a refund's id; None for what is no refund's id."""
    found = _ID.fullmatch(text)
    return (found.group(1), int(found.group(2))) if found else None


def why_not_by_gateway(amount: Money) -> str | None:
    """Why no gateway can pay back exactly `amount`, so that a person has to; None where one can."""
    if is_chargeable(amount):
        return None
    if amount.currency is Currency.KES:
        return f"M-Pesa pays back whole shillings, not {amount}"
    return f"PhonePe pays back 1.00 rupee and more, not {amount}"


RESULT_TAKES: Final = timedelta(minutes=15)
"""How long the result of a reversal whose answer was lost may still come by itself before a person is asked to look."""

_LADDER_S: Final = (90, 300, 900, 3600, 21600, 86400, 172800, 259200)
"""A run that sends at its very end is over 60 s after it began: before the first rung somebody may still be sending."""


def next_refund_check(sent_at: datetime, check: int, now: datetime) -> tuple[int, datetime] | None:
    """The first rung from `check` on that lies after `now`: (its number, its instant); None when the ladder ends."""
    for rung, seconds in enumerate(_LADDER_S[check:], start=check):
        moment = sent_at + timedelta(seconds=seconds)
        if moment > now:
            return rung, moment
    return None
