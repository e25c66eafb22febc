"""What a use case is given besides what it is about: table, instant, randomness, gateways, queue and the shop's own rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from payfirst.domain.clock import Deadline
from payfirst.domain.days import ANY_DAY, Days
from payfirst.domain.fair_use import NO_LIMITS, FairUse
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.domain.ids import Entropy
from payfirst.gateways.base import Gateway
from payfirst.settings import ConfirmWithQuery, LatePayment
from payfirst.storage.decisions import Decision
from payfirst.storage.dynamodb.table import Table

if TYPE_CHECKING:
    from payfirst.storage.queue import Queue  # at run time only by who sends: it brings botocore's clients


class NoticeAddresses(Protocol):
    """Where gateways post what they have to say: absolute addresses, those with a token for one attempt or refund alone."""

    def of_payment(self, terms: GatewayTerms, token: str) -> str: ...

    def of_refund_result(self, token: str) -> str: ...

    def of_refund_timeout(self, token: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentContext:
    """To start a payment. `addresses` are where the gateway posts, `return_url` where it sends the customer back;
    `pace` lies between two prompts of one phone, and one call to a gateway takes at most `longest_call_s`.
    `search_key` is the key under which the payment is found by a phone number or an address."""

    table: Table
    queue: Queue
    gateway: Callable[[str], Gateway]
    addresses: NoticeAddresses
    return_url: str
    pace: timedelta
    now: datetime
    entropy: Entropy
    deadline: Deadline
    longest_call_s: float
    search_key: Callable[[], bytes]
    fair_use: FairUse = NO_LIMITS
    days: Days = ANY_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementContext:
    """To settle an attempt: what becomes of late money, and which days the shop takes."""

    table: Table
    now: datetime
    entropy: Entropy
    late_payment: LatePayment
    days: Days
    decision: Decision | None = None
    """What a person has decided, so that an attempt under review may move; recorded in the write that moves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContext(SettlementContext):
    """To take a notice or to check an attempt: whom to ask, the queue for what takes longer, and the time for an answer.

    `confirm` says of a gateway how much its status counts beside a notice, `sent_by` whether the
    notice that is being taken came from where that gateway's may come from."""

    gateway: Callable[[str], Gateway]
    queue: Queue
    confirm: Callable[[str], ConfirmWithQuery]
    sent_by: Callable[[str], bool]
    addresses: NoticeAddresses
    deadline: Deadline
