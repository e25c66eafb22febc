"""What every route of the simulators works with, and how a request is answered truly or as a rule wants it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from local.simulators.cashier import Cashier
from local.simulators.courier import Courier
from local.simulators.faults import fault_response
from local.simulators.ids import masked_phone, masked_ref
from local.simulators.ledger import Ledger
from local.simulators.log import say
from local.simulators.records import Attempt, Notice, Refund
from local.simulators.refunds import Refunds
from local.simulators.rules import Ending, GatewayWord
from local.simulators.scripts import Facts, Fault, ScriptBook
from local.simulators.settings import Settings
from local.simulators.timers import Timers

TOKEN_LIFETIME_S: Final = 3600
_EARLY_NOTICE_WAIT_S: Final = 5.0


@dataclass(slots=True)
class Simulator:
    """The parts of one running simulator process."""

    settings: Settings
    draw: random.Random
    ledger: Ledger = field(init=False)
    timers: Timers = field(init=False)
    courier: Courier = field(init=False)
    cashier: Cashier = field(init=False)
    refunds: Refunds = field(init=False)
    scripts: ScriptBook = field(init=False)

    def open(self) -> None:
        """Open the ledger and take up what an earlier process left."""
        self.ledger = Ledger(self.settings.state)
        self.timers = Timers(float(self.ledger.knob("clock_offset_s") or 0))
        self.courier = Courier(self.settings, self.ledger, self.timers)
        self.cashier = Cashier(self.ledger, self.timers, self.courier, self.draw)
        self.refunds = Refunds(self.settings, self.ledger, self.timers, self.courier, self.draw)
        self.scripts = ScriptBook(self.ledger)
        self.courier.resume()
        self.cashier.resume()
        self.refunds.resume()
        self.timers.start()

    def close(self) -> None:
        """Stop the threads and close the ledger."""
        self.timers.close()
        self.courier.close()
        self.ledger.close()

    def default_ending(self) -> Ending | None:
        """What becomes of payments that no rule speaks of; `None` leaves them open."""
        stored = self.ledger.knob("auto")
        return None if stored in (None, "null") else Ending.model_validate_json(stored or "")

    async def answer(
        self, facts: Facts, presented_token: str, work: Callable[[], Awaitable[Response]], fault: Fault | None
    ) -> Response:
        """The true answer of `work`, unless a rule wants another one; a delay lets time run on for what was recorded."""
        if fault is None:
            return await work()
        said = f"{fault.answer}" if fault.answer else "the true answer"
        say(facts.gateway, f"{facts.call} {_about(facts)}scripted: {said}, delay {fault.delay_s:g} s, done {fault.done}")
        done = fault.answer is None or fault.done
        true_answer = await work() if done else None
        if fault.delay_s:
            if true_answer is not None and true_answer.background is not None:
                await true_answer.background()
                true_answer.background = None
            await asyncio.sleep(fault.delay_s)
        if fault.answer is None and true_answer is not None:
            return true_answer
        if fault.answer == "token_dead":
            self.kill_token(facts.gateway, presented_token)
        answer = fault_response(fault, facts)
        answer.background = true_answer.background if true_answer is not None else None
        return answer

    async def follow(self, attempt: Attempt) -> None:
        """Set the timers of a payment once its request has been answered; a coroutine, to stay on the event loop."""
        self.cashier.follow(attempt)

    async def follow_refund(self, refund: Refund) -> None:
        """Set the timers of a refund once its request has been answered."""
        self.refunds.follow(refund)

    async def send(self, notices: list[Notice]) -> None:
        """Send notices at their times."""
        self.courier.schedule(notices)

    async def deliver_early(self, notices: list[Notice]) -> None:
        """Send notices now and wait until they were answered, at most five seconds: whoever gets them may be waiting for us."""
        sent = [asyncio.wrap_future(future) for future in self.courier.send_now(notices)]
        if sent:
            await asyncio.wait(sent, timeout=_EARLY_NOTICE_WAIT_S)

    # Access tokens

    def give_token(self, gateway: GatewayWord) -> str:
        """A new access token; earlier ones stay valid."""
        token = base64.urlsafe_b64encode(self.draw.randbytes(24)).decode()
        self.ledger.add_token(gateway, _digest(token), self.timers.now() + TOKEN_LIFETIME_S)
        say(gateway, f"access token given for {TOKEN_LIFETIME_S} s")
        return token

    def token_lives(self, gateway: GatewayWord, token: str) -> bool:
        """Whether requests with this token are served."""
        return self.ledger.token_lives(gateway, _digest(token), self.timers.now())

    def kill_token(self, gateway: GatewayWord, token: str) -> None:
        """Make one token invalid."""
        self.ledger.kill_token(gateway, _digest(token))


def _about(facts: Facts) -> str:
    if facts.ref:
        return f"{masked_ref(facts.ref)} "
    return f"for {masked_phone(facts.phone)} " if facts.phone else ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def bearer(request: Request, scheme: str) -> str:
    """The token of `Authorization: <scheme> <token>`; empty when there is none of that scheme."""
    found_scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if found_scheme.lower() == scheme.lower() else ""


def basic_pair(request: Request) -> tuple[str, str] | None:
    """Name and secret of HTTP Basic authentication."""
    encoded = bearer(request, "Basic")
    try:
        name, found, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, secret) if found and name and secret else None


async def json_object(request: Request) -> dict[str, Any] | None:
    """The body as a JSON object; `None` when it is not one."""
    try:
        body = json.loads(await request.body())
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None


async def form(request: Request) -> dict[str, str]:
    """The fields of a urlencoded body, the last of each name."""
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def whole_number(value: object) -> int | None:
    """A whole number given as JSON number or text, else `None`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return None


class Served:
    """Routes that one running simulator process answers."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
