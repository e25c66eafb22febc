"""How far sessions came, as the shop's own people see it."""

from __future__ import annotations

from payfirst.api.wire.fields import Out
from payfirst.domain.clock import instant
from payfirst.usecases.operators.funnel import Funnel, Share, Stage


class StageOut(Out):
    """How many sessions came to a stage, and which part that is of all of them (null without any)."""

    sessions: int
    rate: float | None


class RateOut(Out):
    """A rate with its numerator and its denominator; null where it is one of nothing."""

    part: int
    of: int
    rate: float | None

    @classmethod
    def of_share(cls, share: Share) -> RateOut:
        return cls(part=share.part, of=share.of, rate=share.value)


class FunnelOut(Out):
    """Of the sessions made from `since` (a whole minute) until `until`: how many came to each stage, document B's five rates,
    and how many have each status now.

    `session_creation` is sessions for each minute of that time. What happened in the last minute may be missing.
    """

    since: str
    until: str
    stages: dict[str, StageOut]
    rates: dict[str, RateOut]
    status_now: dict[str, int]

    @classmethod
    def of(cls, funnel: Funnel) -> FunnelOut:
        return cls(
            since=instant(funnel.since),
            until=instant(funnel.until),
            stages={stage.value: StageOut(sessions=funnel.counts[stage], rate=funnel.rate(stage)) for stage in Stage},
            rates={rate.value: RateOut.of_share(share) for rate, share in funnel.rates.items()},
            status_now={status.value: count for status, count in funnel.by_status.items()},
        )
