"""Which gateways cannot be asked in one run of a sweep, so that the others are still asked in the same run.

One that keeps the run waiting twice without an answer is silent. One whose secret is missing, or that refuses our
credentials, is misconfigured: an operator hears of it once a run, and nothing of what waits for it counts as failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Final, TypeVar

from payfirst.domain.clock import Deadline
from payfirst.domain.errors import MisconfiguredError
from payfirst.domain.gateway_terms import GatewayTerms
from payfirst.gateways.base import (
    Gateway,
    NoAnswer,
    PayBack,
    Push,
    PushAnswer,
    RefundQuery,
    RefundStatusAnswer,
    StatusAnswer,
    StatusQuery,
    Unknown,
)
from payfirst.observability import alarm, warn

Answer = TypeVar("Answer", PushAnswer, StatusAnswer, RefundStatusAnswer)

ENOUGH: Final = 2
"""A gateway is silent in this run after it has kept it waiting without an answer so many times in a row. For refunds once is
enough: a reversal whose answer is lost is for a person to look up."""

WAITED_S: Final = 2.0
"""What is refused or broken off sooner than that costs the others nothing, and may be one order's affair."""

_OPEN: Final = "not asked: it was silent or misconfigured before in this run"


class About(Enum):
    """What a gateway is asked for; the right to pay back may be missing where all else works."""

    PAYMENTS = "payments"
    REFUNDS = "refunds"


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """What one run, until `deadline`, has waited for in vain, and what is misconfigured."""

    deadline: Deadline
    missed: Counter[str] = field(default_factory=Counter)
    misconfigured: set[tuple[str, About]] = field(default_factory=set)

    def is_open(self, gateway: str, about: About) -> bool:
        """Whether this gateway cannot be asked about that for the rest of the run."""
        patience = ENOUGH if about is About.PAYMENTS else 1
        return self.missed[gateway] >= patience or (gateway, about) in self.misconfigured

    def guarding(self, gateway: Callable[[str], Gateway]) -> Callable[[str], Gateway]:
        """The same gateways; what they answer is noticed, and one that cannot be asked is not asked any more.

        MisconfiguredError for one whose client cannot be made, whatever the reason: its secret is missing or wrong.
        """

        def guarded(name: str) -> Gateway:
            if all((name, about) in self.misconfigured for about in About):
                raise MisconfiguredError("The gateway's secret could not be used before in this run.")
            try:
                return Guarded(gateway(name), self)
            except Exception as error:
                alarm("gateway.misconfigured", gateway=name, code=MisconfiguredError.code)
                self.misconfigured.update((name, about) for about in About)
                raise MisconfiguredError("The gateway's secret cannot be used.") from error

        return guarded

    def call(self, gateway: str, about: About, ask: Callable[[], Answer]) -> Answer:
        """What `ask` is answered."""
        before = self.deadline.remaining()
        answer = ask()
        if not isinstance(answer, NoAnswer | Unknown):
            self.missed[gateway] = 0
        elif answer.configuration:
            self.misconfigured.add((gateway, about))  # whoever asked tells an operator
        elif before - self.deadline.remaining() >= WAITED_S:
            self.missed[gateway] += 1
            if self.missed[gateway] == ENOUGH:
                warn("gateway.silent", gateway=gateway, reason=answer.reason)
        return answer


@dataclass(frozen=True, slots=True)
class Guarded:
    """A gateway behind the breaker."""

    gateway: Gateway
    breaker: CircuitBreaker

    @property
    def terms(self) -> GatewayTerms:
        return self.gateway.terms

    @property
    def merchant(self) -> str | None:
        return self.gateway.merchant

    def push(self, push: Push, *, now: datetime, timeout_s: float) -> PushAnswer:
        return self._sent(About.PAYMENTS, lambda: self.gateway.push(push, now=now, timeout_s=timeout_s))

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:
        if self.breaker.is_open(self.terms.name, About.PAYMENTS):
            return NoAnswer(_OPEN)
        ask = partial(self.gateway.status, query, now=now, timeout_s=timeout_s)
        return self.breaker.call(self.terms.name, About.PAYMENTS, ask)

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:
        return self._sent(About.REFUNDS, lambda: self.gateway.refund(wanted, now=now, timeout_s=timeout_s))

    def refund_status(self, query: RefundQuery, *, now: datetime, timeout_s: float) -> RefundStatusAnswer:
        if self.breaker.is_open(self.terms.name, About.REFUNDS):
            return NoAnswer(_OPEN)
        ask = partial(self.gateway.refund_status, query, now=now, timeout_s=timeout_s)
        return self.breaker.call(self.terms.name, About.REFUNDS, ask)

    def _sent(self, about: About, send: Callable[[], PushAnswer]) -> PushAnswer:
        is_open = self.breaker.is_open(self.terms.name, about)
        return Unknown(_OPEN, sent=False) if is_open else self.breaker.call(self.terms.name, about, send)
