"""A refund: one way back for an attempt's captured money."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from payfirst.domain.errors import RefusedError
from payfirst.domain.gateway_terms import next_in
from payfirst.domain.money import Money
from payfirst.domain.moves import RefundStatus
from payfirst.domain.session import Failure, RefundShown

GATEWAY: Final = "gateway"
"""Who has ended a refund, where it was no person."""

MOST_TRIES: Final = 3
"""How many refunds of one attempt a gateway may definitely refuse before a person takes over."""

WRONG_AMOUNT: Final = Failure(
    "wrong_amount", "The amount that was paid is not the one that was asked for; you get your money back.", retryable=True
)
SURPLUS: Final = Failure(
    "surplus", "This payment came when it was not needed any more; you get your money back.", retryable=True
)
PROMO_USED_UP: Final = Failure(
    "promo_used_up", "The promo code was used up meanwhile; you get your money back.", retryable=False
)
OUT_OF_STOCK: Final = Failure("out_of_stock", "This was sold out meanwhile; you get your money back.", retryable=False)
SLOT_TAKEN: Final = Failure("slot_taken", "This slot was taken meanwhile; you get your money back.", retryable=False)
NOT_FULFILLED: Final = Failure(
    "not_fulfilled", "We cannot provide what this payment was for; you get your money back.", retryable=False
)
WHY_MONEY_GOES_BACK: Final = {
    why.code: why for why in (WRONG_AMOUNT, SURPLUS, PROMO_USED_UP, OUT_OF_STOCK, SLOT_TAKEN, NOT_FULFILLED)
}
"""By the reason that a refund carries; customers read the sentences in their session's status and in the refund's e-mail.

They stay, so they hold however far the refund has got: what has become of it is `refund_sentence`'s to say.
"""


ORDER_CANCELLED: Final = "order_cancelled"
BOOKING_CANCELLED: Final = "booking_cancelled"
GIVEN_BACK: Final = "given_back"
"""A person at the shop decided so; what they wrote to one another about it is in `why`, which no customer reads."""

REASONS: Final = frozenset({*WHY_MONEY_GOES_BACK, ORDER_CANCELLED, BOOKING_CANCELLED, GIVEN_BACK})
"""Everything that the reason of a refund may be, where its customer reads it."""


def public_reason(stored: str) -> str:
    """The reason as a customer may read it: earlier releases stored an operator's own words in its place."""
    return stored if stored in REASONS else GIVEN_BACK


def failure_sentence(failure: Failure) -> str:
    """Why an attempt brought nothing, for the customer; what an earlier release stored promised more than it knew."""
    return WHY_MONEY_GOES_BACK.get(failure.code, failure).message


def refund_sentence(refund: RefundShown, *, by_hand: bool) -> str:
    """What has become of a refund, for the customer. It holds in every state, and promises no time.

    `by_hand`: no gateway can pay back this amount.
    """
    if refund.status == RefundStatus.REFUNDED:
        return "This amount was sent back to you."
    if refund.by_hand or by_hand:
        return BY_HAND
    if refund.status == RefundStatus.NEEDS_REVIEW:
        return "The shop looks into this refund by hand."
    return "You get this amount back; the shop sees to it."


BY_HAND: Final = "The shop pays this back by hand."


@dataclass(frozen=True, slots=True)
class Refund:
    """The `number`th refund of the attempt `ref`, known to its gateway as `refund_id`.

    `token_hash` is the SHA-256 of the word in the address to which its result is posted, `asked_hash` that of the address
    for the answer to a question about it; `conversation` is its gateway's name for the request. `check` counts its status
    checks. `is_dead_letter` says that it failed so often in sweeps that it waits for a person. `reason` is
    one of `REASONS`, `why` what an operator wrote, for operators alone. `ended_by` is who said last that it has ended:
    `gateway` or a person; `told_at` is when a notice told of an end since then. `is_due` says that a sweep takes it up: one
    that has ended is asked about all the same.
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
    ended_at: datetime | None = None
    ended_by: str | None = None
    told_at: datetime | None = None
    is_due: bool = False
    detail: str | None = None
    is_dead_letter: bool = False
    why: str | None = None

    @property
    def by_hand(self) -> bool:
        """Whether a person paid it back, so that the gateway's money would be a second time."""
        return self.status is RefundStatus.REFUNDED and self.ended_by != GATEWAY

    def contradicted(self, *, refunded: bool) -> bool:
        """Whether its gateway's word that the money went back, or will not, contradicts the end that is recorded."""
        if self.status is RefundStatus.REFUNDED:
            return refunded is self.by_hand
        return self.status is RefundStatus.FAILED and refunded

    @property
    def to_do(self) -> str | None:
        """What a person does about it, before they record it; None where nothing waits for one."""
        if self.status is not RefundStatus.NEEDS_REVIEW:
            return None
        paid = f"{self.amount} {self.amount.currency} for receipt {self.receipt or '(unknown)'}"
        return f"Pay back {paid} in the gateway's own portal"

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


def left_of(amount: Money, made: Iterable[Refund]) -> Money:
    """What of `amount` can still be given back after the refunds `made` of its payment, nothing at least: what has gone back or
    is on its way counts, by whatever reason, and what failed does not."""
    gone = sum(refund.amount.minor for refund in made if refund.status is not RefundStatus.FAILED)
    return Money(max(0, amount.minor - gone), amount.currency)


def why_not_yet(made: Iterable[Refund]) -> RefusedError | None:
    """Why a payment cannot be given back from now: another refund of it is under way. If its gateway refuses that one, it is
    owed anew under the next number, which must be free then."""
    if all(refund.status in (RefundStatus.REFUNDED, RefundStatus.FAILED) for refund in made):
        return None
    return RefusedError("A refund of this payment is under way; please try again later.", code="REFUND_IN_PROGRESS")


def is_as_said(said: Money | None, back: Money | None) -> bool:
    """Whether `back` (None: nothing) is what somebody was told would go back; where nobody was told, anything is."""
    return said is None or said.minor == (back.minor if back else 0)


def refund_changed(said: Money | None, back: Money | None) -> RefusedError:
    """Why nothing is cancelled: it would give back `back`, and `said` is what somebody was told."""
    message = f"Cancelling gives back {back or '0.00'}, not {said}; please look again before you decide."
    return RefusedError(message, code="REFUND_CHANGED", details={"refund": str(back or "0.00")})


RESULT_TAKES: Final = timedelta(minutes=15)
"""How long the result of a reversal whose answer was lost may still come by itself before a person is asked to look."""

_CHECK_SCHEDULE_S: Final = (90, 300, 900, 3600, 21600, 86400, 172800, 259200)
"""A run that sends at its very end is over 60 s after it began: before the first check somebody may still be sending."""


def next_refund_check(sent_at: datetime, check: int, now: datetime) -> tuple[int, datetime] | None:
    """The first check from `check` on that lies after `now`: (its number, its instant); None when the check schedule ends."""
    return next_in(_CHECK_SCHEDULE_S, sent_at, check, now)
