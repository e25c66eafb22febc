"""What the shop's own people send and see: cases that wait for them, one payment's story, and what they decide."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from payfirst.api.wire.fields import Amount, In, Out, Reason, ShortText
from payfirst.domain.attempt import Attempt
from payfirst.domain.clock import instant
from payfirst.domain.event import Event
from payfirst.domain.money import Currency, Money
from payfirst.domain.refund import Refund, left_of
from payfirst.domain.session import Session
from payfirst.usecases.operators.review import Notice, Story
from payfirst.usecases.operators.waiting import LONGEST_NAME, Stuck, StuckPage

MOST_SHOWN: Final = 200
"""How many of the things that wait one answer lists."""

Key = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
"""What `stuck` calls something that waits."""


class ResolveIn(In):
    """`POST /api/operators/payments/{attempt}/resolve/`: what a person found; without `found` only doubts are closed."""

    why: Reason
    found: Literal["paid", "unpaid"] | None = None
    receipt: ShortText | None = None

    @model_validator(mode="after")
    def _receipt_belongs_to_money(self) -> ResolveIn:
        if self.receipt is not None and self.found != "paid":
            raise ValueError("A receipt belongs to a payment that was found.")
        return self


class RefundIn(In):
    """`POST /api/operators/payments/{attempt}/refund/`: how much goes back, all that is left if absent."""

    why: Reason
    amount: Annotated[Amount, Field(gt=Decimal(0))] | None = None


class RefundPaidIn(In):
    """`POST /api/operators/refunds/{refund}/resolve/`: it was paid back by hand."""

    why: Reason


class ReplayIn(In):
    """`POST /api/operators/stuck/replay/`: the `key` of something that waits."""

    which: Key


class CloseIn(In):
    """`POST /api/operators/stuck/close/`: the `key` of a notice, an event or an e-mail that nobody is to try any more."""

    which: Key
    why: Reason


class WaitingOut(Out):
    """Something that waits for a person, or has waited too long for a sweep.

    `which` is its name in the other routes; a session goes by its number together with its `customer`. `key` is what `replay`
    and `close` take.
    """

    what: str
    key: str
    which: str
    customer: str | None
    since: str

    @classmethod
    def of(cls, stuck: Stuck) -> WaitingOut:
        customer = stuck.named.owner
        which = stuck.key if customer is None else str(stuck.named.number)
        return cls(what=stuck.what, key=stuck.key, which=which, customer=customer, since=instant(stuck.since))


class StuckOut(Out):
    """What waits, cases for a person first; `next` is where the list goes on, null where this is the end."""

    waiting: list[WaitingOut]
    next: str | None

    @classmethod
    def of(cls, page: StuckPage) -> StuckOut:
        return cls(waiting=[WaitingOut.of(stuck) for stuck in page.found], next=page.next)


class AttemptOut(Out):
    """One attempt at collecting the money; `receipt` is the gateway's proof, `refundable` what can still be given back."""

    attempt: str
    transaction_id: str
    gateway: str
    status: str
    amount: str
    captured: str | None
    receipt: str | None
    review: str | None
    refundable: str | None

    @classmethod
    def of(cls, attempt: Attempt, refunds: Iterable[Refund]) -> AttemptOut:
        captured = attempt.captured or Money(0, attempt.amount.currency)
        left = left_of(captured, (refund for refund in refunds if refund.ref == attempt.ref))
        return cls(
            attempt=attempt.ref,
            transaction_id=attempt.transaction,
            gateway=attempt.gateway,
            status=attempt.status,
            amount=str(attempt.amount),
            captured=str(attempt.captured) if attempt.captured else None,
            receipt=attempt.receipt,
            review=attempt.review,
            refundable=str(left) if left.minor else None,
        )


class GivenBackOut(Out):
    """A refund; `detail` says what a person has to do where one has to, `why` what an operator wrote; no customer reads it."""

    refund: str
    amount: str
    currency: str
    status: str
    reason: str
    detail: str | None
    why: str | None

    @classmethod
    def of(cls, refund: Refund) -> GivenBackOut:
        return cls(
            refund=refund.refund_id,
            amount=str(refund.amount),
            currency=refund.amount.currency,
            status=refund.status,
            reason=refund.reason,
            detail=". ".join(filter(None, (refund.detail, refund.to_do and f"{refund.to_do}, then record it"))) or None,
            why=refund.why,
        )


class HappenedOut(Out):
    """One entry of the timeline with who and why; amounts among the facts are text.

    An operator is `operator:SUB (ADDRESS)` or, at the command line, `operator:ARN (LOGIN)`.
    """

    sequence: int
    event: str
    at: str
    by: str
    facts: dict[str, str]

    @classmethod
    def of(cls, event: Event, currency: Currency) -> HappenedOut:
        facts = {name: _fact(name, value, currency) for name, value in event.facts.items()}
        return cls(sequence=event.sequence, event=event.name, at=instant(event.at), by=event.by, facts=facts)


def _fact(name: str, value: Any, currency: Currency) -> str:  # noqa: ANN401 - what a fact may be
    return str(Money(int(value), currency)) if name == "amount" else str(value)


class NoticeOut(Out):
    """What a gateway sent about an attempt: `body` is JSON without what says who the payer is, of the `size` bytes that came.

    `settled_at` is null while it waits.
    """

    attempt: str
    received_at: str
    settled_at: str | None
    size: int
    body: str

    @classmethod
    def of(cls, notice: Notice) -> NoticeOut:
        return cls(
            attempt=notice.attempt,
            received_at=instant(notice.received_at),
            settled_at=instant(notice.settled_at) if notice.settled_at else None,
            size=notice.size,
            body=notice.body,
        )


class StoryOut(Out):
    """One payment from its session to its end, as the timeline has it. `notices` are null unless they are asked for;
    `more_notices` says that one of these attempts has more than the 50 that are listed of it."""

    session_id: str
    customer: str
    kind: str
    session_status: str
    amount: str
    currency: str
    created_at: str
    expires_at: str
    became: str | None
    attempts: list[AttemptOut]
    refunds: list[GivenBackOut]
    events: list[HappenedOut]
    notices: list[NoticeOut] | None
    more_notices: bool

    @classmethod
    def of(cls, story: Story, notices: tuple[tuple[Notice, ...], bool] | None = None) -> StoryOut:
        session = story.session
        return cls(
            **_about(session),
            attempts=[AttemptOut.of(attempt, story.refunds) for attempt in story.attempts],
            refunds=[GivenBackOut.of(refund) for refund in story.refunds],
            events=[HappenedOut.of(event, session.amount.currency) for event in story.events],
            notices=None if notices is None else [NoticeOut.of(notice) for notice in notices[0]],
            more_notices=notices is not None and notices[1],
        )


def _about(session: Session) -> dict[str, Any]:
    return {
        "session_id": session.uuid,
        "customer": session.customer.sub,
        "kind": session.kind,
        "session_status": session.status,
        "amount": str(session.amount),
        "currency": session.amount.currency,
        "created_at": instant(session.created_at),
        "expires_at": instant(session.expires_at),
        "became": session.outcome.code if session.outcome else None,
    }


class ResolvedOut(Out):
    """What became of the attempt, and how many doubts beside it were closed."""

    attempt: str
    result: str
    doubts_closed: int


class TakenUpOut(Out):
    """What became of something that waits."""

    which: str
    result: str


class CompletedOut(Out):
    """Where the booking stands."""

    book_id: str
    booking_status: str
