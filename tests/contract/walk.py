"""Walks a document against the running stack: sends what it prints, demands what it prints."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar
from uuid import uuid4

import requests

from tests.contract.compare import differences
from tests.contract.exchanges import Exchange, document

TIMEOUT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.25
DEADLINE_SECONDS: Final = 90.0
"""How long something may take that a sweep does; where the stack is deployed they run once a minute."""

PER_CALL: Final = frozenset(
    {"date", "x-amz-apigw-id", "x-amz-request-id", "x-amzn-requestid", "x-amzn-trace-id", "x-request-id", "apigw-requestid"}
)
"""Headers that differ from one answer to the next."""

TOMATOES: Final = 123

T = TypeVar("T")


class Stack(Protocol):
    """The running stack, as far as these tests use it."""

    @property
    def base_url(self) -> str:
        """Where the API answers, without a slash at its end."""

    @property
    def simulator_url(self) -> str:
        """Where the gateways' simulators answer, without a slash at its end."""

    def token(self, *, user_id: int, email: str, sub: str) -> str:
        """An ID token for a customer who may be new."""


def new_phone() -> str:
    """A Kenyan mobile number on which no prompt is open."""
    return f"0712{secrets.randbelow(10**6):06d}"


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who calls the API; `slash` says whether every path ends with one. A token is never shown in test output."""

    base_url: str
    token: str | None = field(repr=False)
    slash: bool = True

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str | bytes] | None = None,
    ) -> requests.Response:
        """The answer to `body` as JSON, or to the bytes `raw`; redirects are not followed, since none may come."""
        path, mark, query = path.partition("?")
        path = path.rstrip("/") + ("/" if self.slash else "")
        identity = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return requests.request(
            method,
            f"{self.base_url}{path}{mark}{query}",
            json=body,
            data=raw,
            headers={**identity, **(headers or {})},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )

    def get(self, path: str) -> Any:
        """The JSON answer to a GET that must succeed."""
        return self._json(self.send("GET", path))

    def post(self, path: str, body: Any = None) -> Any:
        """The JSON answer to a POST that must succeed."""
        return self._json(self.send("POST", path, body))

    def add_tomatoes(self, quantity: float = 2) -> Any:
        """Put some of listing 123 into the cart of produce."""
        return self.post("/api/carts/add_item", {"listing_id": TOMATOES, "quantity": quantity})

    @staticmethod
    def _json(response: requests.Response) -> Any:
        assert response.ok, (
            f"{response.request.method} {response.request.path_url} answers {response.status_code}: {response.text}"
        )
        return response.json()


def new_customer(stack: Stack, *, user_id: int = 1, email: str = "user@example.com", slash: bool = True) -> Customer:
    """A customer with an empty past: the identity is `sub`, so that any number of them may be user 1."""
    return Customer(stack.base_url, stack.token(user_id=user_id, email=email, sub=str(uuid4())), slash)


def a_session(customer: Customer, quantity: float = 2) -> Any:
    """A session as document B prints it, on a phone of its own: a prompt that stays open disturbs no other test."""
    customer.add_tomatoes(quantity)
    body = deepcopy(document("payment_sessions")["create_session"].body)
    body["delivery_details"]["phone_number"] = new_phone()
    return customer.post("/api/payments/sessions", body)


def pay_mpesa(stack: Stack, checkout_request_id: str, outcome: str = "pay") -> None:
    """Let the owner of the phone answer the prompt."""
    _control(f"{stack.simulator_url}/control/mpesa/{checkout_request_id}", {"outcome": outcome})


def pay_phonepe(stack: Stack, merchant_transaction_id: str, outcome: str = "pay") -> None:
    """Let the customer finish PhonePe's page."""
    _control(f"{stack.simulator_url}/control/phonepe/{merchant_transaction_id}", {"outcome": outcome})


def phonepe_refuses_the_next_order(stack: Stack) -> None:
    """PhonePe answers the next request for a payment page with a definite no."""
    script(stack, gateway="phonepe", call="pay", answer="rate_limit", times=1)


def script(stack: Stack, **rule: Any) -> None:
    """Make the simulators answer as the rule says; `local/simulators/rules.py` tells what one can say."""
    _control(f"{stack.simulator_url}/control/script", rule)


def _control(address: str, body: Mapping[str, Any]) -> None:
    response = requests.post(address, json=body, timeout=TIMEOUT_SECONDS)
    assert response.ok, f"the simulator answers {response.status_code}: {response.text}"


def wait_until(ask: Callable[[], T], done: Callable[[T], bool], *, seconds: float = DEADLINE_SECONDS) -> T:
    """The first answer that is `done`; AssertionError with the last one when the deadline has passed."""
    deadline = time.monotonic() + seconds
    while not done(answer := ask()):
        assert time.monotonic() < deadline, f"after {seconds} seconds the answer is still {answer!r}"
        time.sleep(POLL_SECONDS)
    return answer


@dataclass(slots=True)
class Walk:
    """One walk through a document by one customer; `known` holds what the exchanges so far have made."""

    name: str
    customer: Customer
    known: dict[str, Any] = field(default_factory=dict)
    walked: list[str] = field(default_factory=list)

    def take(self, name: str) -> Any:
        """Send an exchange as printed, demand the printed status and answer; the answer, parsed."""
        exchange = document(self.name)[name]
        response = self.customer.send(exchange.method, exchange.path_with(self.known), exchange.body_with(self.known))
        self.walked.append(name)
        return demand(exchange, response, self.known)

    def forget(self, *names: str) -> None:
        """Let the next exchange name these anew: the document goes on to another session or payment."""
        for name in names:
            self.known.pop(name, None)


def demand(exchange: Exchange, response: requests.Response, known: dict[str, Any]) -> Any:
    """The parsed answer, after every check that the document allows; AssertionError lists all that differs."""
    where = f"{exchange.name} ({exchange.stands})"
    assert response.status_code == exchange.status, f"{where}: {response.status_code} {response.text}"
    answer = response.json()
    found = differences(exchange.expected(), answer, patterns=exchange.patterns, known=known)
    assert not found, f"{where}:\n  " + "\n  ".join(found)
    return answer
