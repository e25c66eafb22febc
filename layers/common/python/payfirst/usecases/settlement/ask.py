"""Ask a gateway what became of an attempt."""

from __future__ import annotations

from datetime import datetime

from payfirst.domain.attempt import Attempt
from payfirst.gateways.base import Captured, Gateway, NoAnswer, StatusQuery
from payfirst.observability import alarm
from payfirst.usecases.settlement.evidence import Disputed, Evidence


def ask(gateway: Gateway, attempt: Attempt, *, gateway_id: str | None = None, now: datetime, timeout_s: float) -> Evidence:
    """The gateway's word; `Disputed` when it names another payee than this shop. `gateway_id` serves where none is stored."""
    query = StatusQuery(attempt.ref, attempt.gateway_id or gateway_id, attempt.amount)
    answer = gateway.status(query, now=now, timeout_s=timeout_s)
    if isinstance(answer, NoAnswer) and answer.configuration:
        alarm("gateway.misconfigured", gateway=attempt.gateway, ref=attempt.ref, reason=answer.reason)
    if isinstance(answer, Captured) and gateway.merchant is not None and answer.merchant not in (None, gateway.merchant):
        return Disputed(f"collected for another merchant: {answer.merchant}")
    return answer
