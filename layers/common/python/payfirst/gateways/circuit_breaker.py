"""Which gateways cannot be asked in one run of a sweep, so that the others are still asked in the same run.

One that keeps the run waiting twice without an answer is silent. One whose secret is missing, or that refuses our
credentials, is misconfigured: an operator hears of it once a run, and nothing of what waits for it counts as failed.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
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

WAITED_S: Final = 2.0
"""What is refused or broken off sooner than that costs the others nothing, and may be one order's affair."""

BREATH_S: Final = 1.0
"""How long a gateway is left alone that turned a call away for load."""

_OPEN: Final = "not asked: it was silent or misconfigured before in this run"


class About(Enum):
    """What a gateway is asked for; the right to pay back may be missing where all else works."""

    PAYMENTS = "payments"
    REFUNDS = "refunds"


ENOUGH: Final = {About.PAYMENTS: 2, About.REFUNDS: 1}
"""A gateway is silent for the rest of the run after it has kept it waiting without an answer so many times in a row. For
refunds once is enough: a reversal whose answer is lost is for a person to look up."""


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """What one run, until `deadline`, has waited for in vain, what is misconfigured, and how fast each gateway is asked.

    Calls may come from several threads; they wait for their turn by `pause`, in seconds of `clock`. A gateway gets one call at
    a time at first and one more with each answer, up to what it declares; half as many after one that it turned away for load
    or kept waiting, so that what is declared is a bound and not a wager.
    """

    deadline: Deadline
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    missed: Counter[tuple[str, About]] = field(default_factory=Counter)
    misconfigured: set[tuple[str, About]] = field(default_factory=set)
    _allowed: dict[str, int] = field(default_factory=dict)
    _next_at: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def is_open(self, gateway: str, about: About) -> bool:
        """Whether this gateway cannot be asked about that now: for the rest of the run, but for refunds that wait because it
        did not answer once about payments, which its next answer lets go."""
        silent = any(self.missed[gateway, each] >= ENOUGH[about] for each in (About.PAYMENTS, about))
        return silent or (gateway, about) in self.misconfigured

    def at_once(self, gateway: str) -> int:
        """How many calls this gateway gets at the same time, as it answers now."""
        return self._allowed.get(gateway, 1)

    def guarding(self, gateway: Callable[[str], Gateway]) -> Callable[[str], Gateway]:
        """The same gateways; what they answer is noticed, and one that cannot be asked is not asked any more.

        MisconfiguredError for one whose client cannot be made, whatever the reason: its secret is missing or wrong.
        """

        def guarded(name: str) -> Gateway:
            with (
                self._making
            ):  # which may wait for a secret; two clients of one gateway in one container would void each other's tokens
                if all((name, about) in self.misconfigured for about in About):
                    raise MisconfiguredError("The gateway's secret could not be used before in this run.")
                try:
                    return Guarded(gateway(name), self)
                except Exception as error:
                    alarm("gateway.misconfigured", gateway=name, code=MisconfiguredError.code)
                    self.misconfigured.update((name, about) for about in About)
                    raise MisconfiguredError("The gateway's secret cannot be used.") from error

        return guarded

    def call(self, terms: GatewayTerms, about: About, ask: Callable[[float], Answer]) -> Answer:
        """What `ask`, which is told how many seconds it waited for its turn, is answered."""
        waited = self._turn(terms)
        if waited > 0:
            self.pause(waited)
        before = self.deadline.remaining()
        answer = ask(waited)
        with self._lock:
            self._notice(terms, about, answer, before - self.deadline.remaining())
        return answer

    def _turn(self, terms: GatewayTerms) -> float:
        """For how long the next call has to wait; it has its turn then, and the one after it later."""
        with self._lock:
            now = self.clock()
            turn = max(now, self._next_at.get(terms.name, now))
            self._next_at[terms.name] = turn + 1 / terms.per_second
        return turn - now

    def _notice(self, terms: GatewayTerms, about: About, answer: Answer, took: float) -> None:
        gateway, allowed, missed = terms.name, self.at_once(terms.name), self.missed[terms.name, about]
        if not isinstance(answer, NoAnswer | Unknown):
            if missed < ENOUGH[about]:  # else others have seen it silent, and this answer only came late
                self.missed[gateway, about] = 0
            self._allowed[gateway] = min(allowed + 1, terms.at_once)
        elif answer.configuration:
            self.misconfigured.add((gateway, about))  # whoever asked tells an operator
        elif answer.busy:
            self._allowed[gateway] = max(1, allowed // 2)
            self._next_at[gateway] = max(self._next_at[gateway], self.clock() + BREATH_S)
        elif took >= WAITED_S:
            self._allowed[gateway] = max(1, allowed // 2)
            self.missed[gateway, about] += 1
            if missed + 1 == ENOUGH[about]:
                warn("gateway.silent", gateway=gateway, about=about.value, reason=answer.reason)


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
        return self._sent(About.PAYMENTS, lambda waited: self.gateway.push(push, now=now, timeout_s=timeout_s - waited))

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:
        if self.breaker.is_open(self.terms.name, About.PAYMENTS):
            return NoAnswer(_OPEN)
        return self.breaker.call(
            self.terms, About.PAYMENTS, lambda waited: self.gateway.status(query, now=now, timeout_s=timeout_s - waited)
        )

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:
        return self._sent(About.REFUNDS, lambda waited: self.gateway.refund(wanted, now=now, timeout_s=timeout_s - waited))

    def refund_status(self, query: RefundQuery, *, now: datetime, timeout_s: float) -> RefundStatusAnswer:
        if self.breaker.is_open(self.terms.name, About.REFUNDS):
            return NoAnswer(_OPEN)
        return self.breaker.call(
            self.terms, About.REFUNDS, lambda waited: self.gateway.refund_status(query, now=now, timeout_s=timeout_s - waited)
        )

    def _sent(self, about: About, send: Callable[[float], PushAnswer]) -> PushAnswer:
        is_open = self.breaker.is_open(self.terms.name, about)
        return Unknown(_OPEN, sent=False) if is_open else self.breaker.call(self.terms, about, send)
