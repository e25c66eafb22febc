"""One call of a function and what became of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from enum import StrEnum

from local.host.config import Json


class Failure(StrEnum):
    """Why a call has no answer."""

    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"
    INIT = "init"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of a function as it wrote it (JSON), or why there is none."""

    payload: bytes
    failure: Failure | None = None

    def answer(self) -> Json:
        """The decoded answer; ValueError if the payload is not JSON."""
        return json.loads(self.payload)

    @property
    def reason(self) -> str:
        """A sentence about the failure, for logs."""
        if self.failure is None:
            return ""
        try:
            described = json.loads(self.payload)
        except ValueError:
            described = None
        if isinstance(described, dict) and "errorMessage" in described:
            return f"{described.get('errorType', 'Error')}: {described['errorMessage']}"
        return self.payload.decode(errors="replace")


def failed(failure: Failure, error_type: str, message: str) -> Outcome:
    """A failure that the host itself found, in the shape in which Lambda reports errors."""
    return Outcome(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), failure)


@dataclass(slots=True, eq=False)
class Invocation:
    """One call on its way: `outcome` is set exactly once. `deadline_ms` (epoch) is known once a worker has it."""

    request_id: str
    payload: bytes
    outcome: asyncio.Future[Outcome] = field(repr=False)
    deadline_ms: int = 0

    def finish(self, outcome: Outcome) -> None:
        """Give the caller its outcome, unless it has one or has gone."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
