"""What every gateway client takes and answers.

A call ends in a value, never in an exception for the customer: a push is `Accepted`, `Rejected` or `Unknown`; a check of
its status is `Captured`, `Declined`, `Pending`, `Absent` or `NoAnswer`. `Unknown` means that the money may be on its way:
it is looked up, and the same request is never sent again by itself.

Fields that hold a token, an address with a token, or a payer's whole number (M-Pesa's CheckoutRequestID ends with it)
stay out of every repr, so that a value may be logged as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.money import Money


@dataclass(frozen=True, slots=True)
class Push:
    """What one attempt asks a gateway to collect.

    `ref` is the attempt's own reference (`MT` and 13 hex digits; PhonePe's `merchantOrderId`). `phone` is the payer's
    number as digits with the country code (`254712345678`), for M-Pesa only. `callback_url` is where M-Pesa posts the
    result, `redirect_url` where PhonePe sends the browser afterwards. `account` and `description` are shown to the payer.
    """

    ref: str
    amount: Money
    account: str
    description: str
    expires_at: datetime
    phone: str | None = field(default=None, repr=False)
    callback_url: str | None = field(default=None, repr=False)
    redirect_url: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has the request; nothing is paid yet.

    `gateway_id` is M-Pesa's CheckoutRequestID or PhonePe's orderId; the other fields are what that gateway adds.
    """

    gateway_id: str = field(repr=False)
    merchant_request_id: str | None = None
    payment_url: str | None = field(default=None, repr=False)
    customer_message: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The gateway refused before any money moved.

    `code` is our stable word (`invalid_phone`, `subscriber_busy`, `misconfigured` …), `message` a sentence for the
    customer, `detail` the gateway's own words for the log and for A's `details`. `field` names the request's field that
    is to blame, if one is. `configuration` asks for an alarm: no customer can mend it.
    """

    code: str
    message: str
    detail: str
    retryable: bool
    configuration: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer was lost or says nothing; `reason` is a short fact for the log, never a body.

    `sent` is False when the gateway surely has nothing of it (connection refused, no address, connect timeout, no access
    token; a refund also when it was turned away for load): there is then nothing to look up, and the same request may be
    sent later. `configuration` asks for an alarm: that will not help until an operator mends something. `busy` where it was
    turned away for load.
    """

    reason: str
    sent: bool = True
    configuration: bool = False
    busy: bool = False


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """Which attempt is asked about: our `ref` (PhonePe), the gateway's own id (M-Pesa), and the amount that was pushed."""

    ref: str
    gateway_id: str | None = field(repr=False)
    amount: Money


@dataclass(frozen=True, slots=True)
class Captured:
    """The gateway says that the money is collected.

    `amount` is `None` where the gateway does not state it (M-Pesa's query); `receipt` and `merchant` (its name for the
    payee) likewise.
    """

    amount: Money | None
    receipt: str | None
    merchant: str | None = None

    @property
    def words(self) -> str:
        """What was collected, as a person reads it who has to look it up."""
        amount = f"{self.amount} {self.amount.currency}" if self.amount is not None else "an amount that is not stated"
        return f"{amount}, receipt {self.receipt or 'not stated'}"


@dataclass(frozen=True, slots=True)
class Declined:
    """The gateway says that this attempt collected nothing; the fields are those of `Rejected`.

    `final` is False where the gateway is known to take such a word back (an undocumented result code).
    """

    code: str
    message: str
    retryable: bool
    configuration: bool = False
    final: bool = True


@dataclass(frozen=True, slots=True)
class Pending:
    """The payer has not decided yet, or the gateway is still working."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The gateway has no entry for this reference: the request never reached it."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The gateway could not be asked, or its answer says nothing; `reason` is a short fact for the log, never a body.

    `configuration` asks for an alarm: asking again will not help until an operator mends something. `heard` where the gateway
    did answer about this very payment or refund, in words that say nothing: then waiting longer than usual helps no more.
    `busy` where the gateway turned the question away for load.
    """

    reason: str
    configuration: bool = False
    heard: bool = False
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Refunded:
    """The gateway says that the money went back; `amount` and `receipt` are `None` where it does not state them."""

    amount: Money | None
    receipt: str | None


@dataclass(frozen=True, slots=True)
class PayBack:
    """What one refund asks a gateway to pay back, and where its result may be told.

    `ref` is our own and new for each refund, `original_ref` the attempt's, `receipt` the gateway's name for the payment
    where it has told one. M-Pesa posts the result to `result_url` or gives up at `timeout_url`, PhonePe's first API posts to
    `notice_url`; who needs no address passes it over.
    """

    ref: str
    original_ref: str
    amount: Money
    receipt: str | None
    result_url: str = field(repr=False)
    timeout_url: str = field(repr=False)
    notice_url: str


@dataclass(frozen=True, slots=True)
class RefundQuery:
    """Which refund is asked about: our `ref`, or the gateway's `conversation` about it, and where the answer may be told."""

    ref: str
    conversation: str | None
    result_url: str = field(repr=False)
    timeout_url: str = field(repr=False)


PushAnswer = Accepted | Rejected | Unknown
StatusAnswer = Captured | Declined | Pending | Absent | NoAnswer
RefundStatusAnswer = Refunded | Declined | Pending | Absent | NoAnswer


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """What a gateway's notice speaks of: its own word for what happened, our reference, and the payee, where it names them.

    `ended_refund` is our id of the refund whose end it tells of. `done` is whether it calls the order or the refund completed
    (True) or failed (False).
    """

    event: str
    merchant_order_id: str | None
    merchant: str | None
    is_refund: bool
    ended_refund: str | None = None
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a notice on an attempt's own address claims: its gateway's ids for the attempt, and what became of it.

    Whether that is true is for others to check. `Captured.amount` is None where the notice has no readable one.
    """

    gateway_id: str = field(repr=False)
    request_id: str | None
    answer: Captured | Declined | Pending


@dataclass(frozen=True, slots=True)
class RefundClaim:
    """What a notice on a refund's own address claims of it.

    `original_receipt` is that of the payment that was reversed, `status` what a question about the refund was answered; None
    where the notice does not state it. A `Declined` that is not final does not say that nothing went back.
    """

    answer: Refunded | Declined
    original_receipt: str | None
    status: str | None


class Recogniser(Protocol):
    """What an account recognises its gateway's notices by, where they are signed in a header."""

    @property
    def merchant_id(self) -> str | None:
        """The payee that notices have to name where they name one; None where any will do."""
        ...

    @property
    def notice_header(self) -> str:
        """The name of the header that proves who sent a notice."""
        ...

    def recognises(self, header: str | None, raw: bytes) -> bool:
        """Whether the gateway sent `raw` with this header; compared in constant time, never an exception."""
        ...

    def read_notice(self, raw: bytes) -> OrderNotice | None:
        """What `raw` speaks of; None when it is no notice, never an exception."""
        ...


class Gateway(Protocol):
    """What a use case needs of a gateway. `timeout_s` is the whole time the call may take, connect and read included."""

    @property
    def terms(self) -> GatewayTerms: ...

    @property
    def merchant(self) -> str | None:
        """The payee that the gateway's answers have to name where they name one; None where any will do."""
        ...

    def push(self, push: Push, *, now: datetime, timeout_s: float) -> PushAnswer: ...

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer: ...

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer: ...

    def refund_status(self, query: RefundQuery, *, now: datetime, timeout_s: float) -> RefundStatusAnswer: ...


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A gateway's access token as containers share it; both instants are aware UTC. `value` never leaves in a log."""

    value: str = field(repr=False)
    expires_at: datetime
    renew_at: datetime


class TokenStore(Protocol):
    """Where containers share one access token per gateway, and agree on who fetches the next one."""

    def read(self, gateway: str) -> StoredToken | None: ...

    def lease(self, gateway: str, *, owner: str, now: datetime, until: datetime) -> bool:
        """Whether `owner` alone may fetch a token until `until`; a lease that has run out is free."""
        ...

    def write(self, gateway: str, token: StoredToken, *, owner: str) -> None:
        """Share `token` and give the lease back."""
        ...
