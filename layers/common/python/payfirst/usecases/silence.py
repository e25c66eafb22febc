"""Which gateways keep one run of a sweep waiting for nothing, so that the others are still asked in the same run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from payfirst.domain.clock import Deadline
from payfirst.gateways.base import (
    Gateway,
    GatewayName,
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
from payfirst.observability import warn

Answer = TypeVar("Answer", PushAnswer, StatusAnswer, RefundStatusAnswer)

ENOUGH: Final = 2
"""A gateway is silent in this run after it has kept it waiting without an answer so many times in a row."""

WAITED_S: Final = 2.0
"""What is refused or broken off sooner than that costs the others nothing, and may be one order's affair."""

_SILENT: Final = "not asked: it was silent before in this run"


@dataclass(frozen=True, slots=True)
class Silence:
    """What one run, until `deadline`, has waited for in vain."""

    deadline: Deadline
    missed: Counter[GatewayName] = field(default_factory=Counter)

    def is_around(self) -> bool:
        """Whether any gateway is silent."""
        return any(self.of(gateway) for gateway in self.missed)

    def of(self, gateway: str) -> bool:
        """Whether this gateway is silent."""
        return self.missed[GatewayName(gateway)] >= ENOUGH

    def noticing(self, gateway: Callable[[GatewayName], Gateway]) -> Callable[[GatewayName], Gateway]:
        """The same gateways; what they answer is noticed, and a silent one is not asked any more."""
        return lambda name: Noticed(gateway(name), self)

    def after(self, gateway: GatewayName, ask: Callable[[], Answer]) -> Answer:
        """What `ask` is answered."""
        before = self.deadline.remaining()
        answer = ask()
        if not isinstance(answer, NoAnswer | Unknown):
            self.missed[gateway] = 0
        elif before - self.deadline.remaining() >= WAITED_S:
            self.missed[gateway] += 1
            if self.missed[gateway] == ENOUGH:
                warn("gateway.silent", gateway=gateway, reason=answer.reason)
        return answer


@dataclass(frozen=True, slots=True)
class Noticed:
    """A gateway under notice."""

    gateway: Gateway
    silence: Silence

    @property
    def name(self) -> GatewayName:
        return self.gateway.name

    @property
    def merchant(self) -> str | None:
        return self.gateway.merchant

    @property
    def knows_refunds(self) -> bool:
        return self.gateway.knows_refunds

    def push(self, push: Push, *, now: datetime, timeout_s: float) -> PushAnswer:
        return self._sent(lambda: self.gateway.push(push, now=now, timeout_s=timeout_s))

    def status(self, query: StatusQuery, *, now: datetime, timeout_s: float) -> StatusAnswer:
        if self.silence.of(self.name):
            return NoAnswer(_SILENT)
        return self.silence.after(self.name, lambda: self.gateway.status(query, now=now, timeout_s=timeout_s))

    def refund(self, wanted: PayBack, *, now: datetime, timeout_s: float) -> PushAnswer:
        return self._sent(lambda: self.gateway.refund(wanted, now=now, timeout_s=timeout_s))

    def refund_status(self, query: RefundQuery, *, now: datetime, timeout_s: float) -> RefundStatusAnswer:
        if self.silence.of(self.name):
            return NoAnswer(_SILENT)
        return self.silence.after(self.name, lambda: self.gateway.refund_status(query, now=now, timeout_s=timeout_s))

    def _sent(self, send: Callable[[], PushAnswer]) -> PushAnswer:
        return Unknown(_SILENT, sent=False) if self.silence.of(self.name) else self.silence.after(self.name, send)
