"""A merchant of the simulated gateways: it calls them as our clients do and receives their notices."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from local.simulators.app import create_app
from local.simulators.server import Server, listen
from local.simulators.settings import SANDBOX_PASSKEY, Settings

PHONE = "254708374149"
WEBHOOK_USERNAME = "username"
WEBHOOK_PASSWORD = "password"
TIMESTAMP = "20260301101112"
PATIENCE_S = 60.0


def eventually(found: Callable[[], Any]) -> Any:
    """What `found` answers as soon as it is true; fails after a minute."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        result = found()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError("it did not come to pass within a minute")


@dataclass
class Received:
    """One notice as it arrived; `raw` are the bytes that `body` was read from."""

    path: str
    headers: dict[str, str]
    raw: bytes
    body: dict[str, Any]
    at: float


@dataclass
class Inbox:
    """What arrived, oldest first; `answers` are the statuses to give, 200 when they are used up."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    on_arrival: Callable[[], object] | None = None

    def wait_for(self, count: int) -> list[Received]:
        """The notices once there are `count`."""
        eventually(lambda: len(self.received) >= count)
        return self.received

    def stays_at(self, count: int, for_s: float = 0.4) -> bool:
        """Whether no more than `count` have arrived after a little while."""
        time.sleep(for_s)
        return len(self.received) == count


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    """A server that takes notices."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.received.append(Received(self.path, dict(self.headers), raw, json.loads(raw), time.monotonic()))
            if inbox.on_arrival is not None:
                inbox.on_arrival()
            self.send_response(inbox.answers.pop(0) if inbox.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            del format, args

    class Listener(ThreadingHTTPServer):
        request_queue_size = 512  # a storm's notices come all at once, and M-Pesa sends none a second time

    server = Listener(("127.0.0.1", 0), Handler)
    inbox.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """The simulators' address while they run in a thread of this process."""
    server = Server(create_app(settings), listen(0))
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive())
        yield server.address
    finally:
        server.should_exit = True
        thread.join()


def password(shortcode: str = "174379", passkey: str = SANDBOX_PASSKEY, timestamp: str = TIMESTAMP) -> str:
    """The STK password."""
    return base64.b64encode(f"{shortcode}{passkey}{timestamp}".encode()).decode()


class Merchant:
    """Calls both gateways and their controls; gateway calls answer the raw response."""

    def __init__(self, address: str, inbox: Inbox) -> None:
        self.address = address
        self.inbox = inbox
        self.session = requests.Session()
        self.session.trust_env = False
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        self.session.close()

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.address + path, timeout=PATIENCE_S, **more)

    # M-Pesa

    def mpesa_token_response(self, pair: tuple[str, str] = ("key", "secret")) -> requests.Response:
        return self.send("GET", "/mpesa/oauth/v1/generate?grant_type=client_credentials", auth=pair)

    def mpesa(self, path: str, body: dict[str, Any]) -> requests.Response:
        if "mpesa" not in self._tokens:
            self._tokens["mpesa"] = self.mpesa_token_response().json()["access_token"]
        headers = {"Authorization": f"Bearer {self._tokens['mpesa']}"}
        return self.send("POST", f"/mpesa/mpesa/{path}", json=body, headers=headers)

    def forget_tokens(self) -> None:
        self._tokens.clear()

    def push_body(self, **changes: Any) -> dict[str, Any]:
        body = {
            "BusinessShortCode": "174379",
            "Password": password(),
            "Timestamp": TIMESTAMP,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": 350,
            "PartyA": PHONE,
            "PartyB": "174379",
            "PhoneNumber": PHONE,
            "CallBackURL": f"{self.inbox.url}/cb/stk/0123456789abcdef0123456789abcdef",
            "AccountReference": "ORDER17",
            "TransactionDesc": "Tomatoes",
        } | changes
        return {name: value for name, value in body.items() if value is not None}

    def push(self, phone: str = PHONE, **changes: Any) -> requests.Response:
        body = self.push_body(PartyA=phone, PhoneNumber=phone, **changes)
        return self.mpesa("stkpush/v1/processrequest", body)

    def prompt(self, phone: str = PHONE, **changes: Any) -> str:
        """The CheckoutRequestID of a new prompt."""
        response = self.push(phone, **changes)
        assert response.status_code == 200, response.text
        return str(response.json()["CheckoutRequestID"])

    def query(self, ref: str) -> requests.Response:
        body = {"BusinessShortCode": "174379", "Password": password(), "Timestamp": TIMESTAMP, "CheckoutRequestID": ref}
        return self.mpesa("stkpushquery/v1/query", body)

    # PhonePe

    def phonepe_token_response(self, **changes: str) -> requests.Response:
        form = {"client_id": "id", "client_secret": "secret", "client_version": "1", "grant_type": "client_credentials"}
        return self.send("POST", "/phonepe/v1/oauth/token", data=form | changes)

    def phonepe(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        if "phonepe" not in self._tokens:
            self._tokens["phonepe"] = self.phonepe_token_response().json()["access_token"]
        headers = {"Authorization": f"O-Bearer {self._tokens['phonepe']}"}
        return self.send(method, f"/phonepe/{path}", json=body, headers=headers)

    def pay(self, order_id: str = "MT0000000000001", **changes: Any) -> requests.Response:
        body = {
            "merchantOrderId": order_id,
            "amount": 99900,
            "expireAfter": 600,
            "paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": "http://127.0.0.1:9/back?x=1"}},
        } | changes
        return self.phonepe("POST", "checkout/v2/pay", body)

    def order(self, order_id: str = "MT0000000000001", **changes: Any) -> str:
        """The pay page of a new order."""
        response = self.pay(order_id, **changes)
        assert response.status_code == 200, response.text
        return str(response.json()["redirectUrl"])

    def status(self, order_id: str = "MT0000000000001") -> requests.Response:
        return self.phonepe("GET", f"checkout/v2/order/{order_id}/status?details=false&errorContext=true")

    def refund(self, refund_id: str, amount: int, order_id: str = "MT0000000000001") -> requests.Response:
        body = {"merchantRefundId": refund_id, "originalMerchantOrderId": order_id, "amount": amount}
        return self.phonepe("POST", "payments/v2/refund", body)

    def refund_state(self, refund_id: str) -> str:
        return str(self.phonepe("GET", f"payments/v2/refund/{refund_id}/status").json()["state"])

    # Controls

    def decide(self, gateway: str, ref: str, **body: Any) -> requests.Response:
        return self.send("POST", f"/control/{gateway}/{ref}", json=body)

    def script(self, **rule: Any) -> None:
        response = self.send("POST", "/control/script", json=rule)
        assert response.status_code == 200, response.text

    def advance(self, seconds: float) -> None:
        assert self.send("POST", "/control/clock", json={"advance_s": seconds}).status_code == 200

    def attempts(self) -> list[dict[str, Any]]:
        return list(self.send("GET", "/control/attempts").json())

    def attempt(self, ref: str) -> dict[str, Any]:
        return next(attempt for attempt in self.attempts() if attempt["ref"] == ref)

    def ledger(self) -> list[dict[str, Any]]:
        return list(self.send("GET", "/control/ledger").json())
