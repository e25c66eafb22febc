"""One request to a gateway, and what became of it.

Connections are kept (`lines`) for calls that change nothing at their gateway (`Call.repeatable`): such a call is made once
more, on a new connection, where a kept one broke before one byte of an answer came. A gateway that is only slow has all
the time that there is, and is asked once. A call that moves money leaves on a connection
of its own and is sent once: on a kept one that the other side is just closing, nobody could tell whether it arrived.
No redirects, no proxies and no `.netrc` from the environment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from payfirst.gateways.lenient import json_object
from payfirst.gateways.lines import LINES, Line, NeverSentError, NoAnswerError, Origin
from payfirst.observability import call_to

CONNECT_TIMEOUT_S: Final = 3.0
LARGEST_BODY: Final = 256 * 1024
_SHORTEST_WAIT_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `body` is bytes with their `Content-Type` in `headers`. Headers and address stay out of the repr.

    `repeatable` where to ask twice is as good as once: it changes nothing at the gateway, or nothing that counts.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The gateway answered; `body` is its JSON object with fractions as Decimal, or `None` if it sent anything else."""

    status: int
    body: dict[str, Any] | None = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx, whatever the body says."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is the rule itself (RFC 9110, 15.3)


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole answer came. `sent` is False when the request surely never reached the gateway; `reason` says which."""

    reason: str
    sent: bool


_TOO_LATE: Final = Lost("never sent: no time left", sent=False)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much time a call with all its parts may still take, in seconds from the moment it was made."""

    ends_at: float

    @classmethod
    def of(cls, timeout_s: float) -> Budget:
        """A budget that begins now."""
        return cls(time.monotonic() + timeout_s)

    def left(self) -> float:
        """The seconds left; zero or less when it is used up."""
        return self.ends_at - time.monotonic()


def json_call(url: str, body: Mapping[str, Any], headers: Mapping[str, str], *, repeatable: bool = False) -> Call:
    """A POST with `body` as JSON."""
    return Call("POST", url, {**headers, "Content-Type": "application/json"}, json.dumps(body).encode(), repeatable)


def form_call(url: str, body: Mapping[str, str], *, repeatable: bool = False) -> Call:
    """A POST with `body` as a form."""
    return Call("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(body).encode(), repeatable)


Send = Callable[[Call, float], Answered | Lost]
"""Sends a call and waits at most so many seconds in all."""


def send(call: Call, timeout_s: float) -> Answered | Lost:
    """Send `call` and wait at most `timeout_s` in all, of which 3 s for a connection, whatever addresses it tries.

    Never raises for what the network or the other side does. Looking up the host's name is left to the system, which has
    limits of its own.
    """
    if timeout_s < _SHORTEST_WAIT_S:
        return _TOO_LATE
    try:
        origin, target = _parts(call.url)
    except ValueError as error:
        return Lost(f"never sent: {type(error).__name__}", sent=False)
    with call_to(origin.host) as answered:
        answer = _sent(call, origin, target, Budget.of(timeout_s))
        if isinstance(answer, Answered):
            answered(answer.status)
    return answer


def _parts(url: str) -> tuple[Origin, str]:
    """Whom to connect to and what to ask for there; ValueError where `url` is no address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address is https://host/path")
    path = parts.path or "/"
    return Origin(parts.scheme, parts.hostname, parts.port), f"{path}?{parts.query}" if parts.query else path


def _sent(call: Call, origin: Origin, target: str, budget: Budget) -> Answered | Lost:
    try:
        kept = LINES.take(origin) if call.repeatable else None
        if kept is not None:
            try:
                return _asked(kept, call, target, budget.left())
            except NoAnswerError as error:
                if not error.broken:
                    raise
        line = Line(origin)
        line.connect(min(CONNECT_TIMEOUT_S, budget.left()))
        if budget.left() < _SHORTEST_WAIT_S:
            line.close()
            return _TOO_LATE
        return _asked(line, call, target, budget.left())
    except NeverSentError as error:
        return Lost(f"never sent: {error}", sent=False)
    except NoAnswerError as error:
        return Lost(f"maybe processed: {error}", sent=True)


def _asked(line: Line, call: Call, target: str, timeout_s: float) -> Answered:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **call.headers}
    status, raw = line.ask(call.method, target, headers, call.body, timeout_s, LARGEST_BODY)
    LINES.give(line)
    return Answered(status, None if raw is None else json_object(raw))
