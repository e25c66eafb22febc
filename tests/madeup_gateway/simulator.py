"""Cowry's own side: what it answers, as the fault machine asks it in memory and as anybody asks it over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from payfirst.gateways.base import Gateway
from payfirst.gateways.wire import Send
from tests.faults.gateways import MODELS, Ledger, Model
from tests.faults.told import Answer, Notice, Payment
from tests.madeup_gateway import TERMS, registered
from tests.madeup_gateway.client import HEADER, Cowry, CowryCredentials, signature

KEY: Final = "cowry-key"
UNKNOWN: Final = 404, {"error": "unknown"}


def answer(ledger: Ledger, method: str, path: str, body: dict[str, Any]) -> Answer:
    """Status and body for a request; `ledger` is what Cowry knows."""
    what, _, ref = path.strip("/").partition("/")
    if method == "POST":
        return _collect(ledger, body) if what == "collect" else _refund(ledger, body)
    if what == "refund":
        return (200, {"state": "paid", "receipt": f"back-{ref}"}) if ref in ledger.paid_back else UNKNOWN
    payment = ledger.payments.get(ref)
    if payment is None:
        return UNKNOWN
    ledger.asked[ref] += 1
    paid = {"receipt": payment.receipt} if payment.state == "paid" else {}
    amount = payment.collected if payment.state == "paid" else payment.amount
    return 200, {"ref": ref, "state": payment.state, "amount": amount, "currency": payment.currency, **paid}


def _collect(ledger: Ledger, body: dict[str, Any]) -> Answer:
    ref, amount = body["ref"], body["amount"]
    if ref in ledger.payments or amount % TERMS.step or body["currency"] not in TERMS.currencies or not body["phone"]:
        ledger.broken.append(f"{ref} was sent to Cowry twice, or as it takes nothing")
        return 500, {}
    if ledger.reject_pushes:
        ledger.reject_pushes -= 1
        return 400, {"error": "no such phone"}
    name = f"cowry-{ledger.next()}"
    ledger.payments[ref] = Payment(TERMS.name, ref, name, amount, body["currency"], phone=body["phone"])
    return 202, {"id": name}


def _refund(ledger: Ledger, body: dict[str, Any]) -> Answer:
    if body["ref"] not in ledger.paid_back:  # it makes each reference once, and says so again
        ledger.give_back(body["ref"], ledger.payments[body["original"]], body["amount"])
    return 202, {"id": f"back-{body['ref']}"}


def notice(payment: Payment) -> Notice:
    """What it posts when a prompt has ended."""
    raw = json.dumps({"ref": payment.ref, "state": payment.state}).encode()
    return Notice("cowry", "", raw, {HEADER: signature(KEY, raw)})


def _made(send: Send) -> Gateway:
    return Cowry(CowryCredentials(KEY), "https://api.cowry.example", TERMS, send)


@contextmanager
def cowry_there() -> Iterator[None]:
    """The shop has this gateway, and the fault machine knows it."""
    settings = {"COWRY_BASE_URL": "https://api.cowry.example"}
    MODELS[TERMS.name] = Model("api.cowry.example", answer, notice, _made, {"key": KEY}, settings)
    try:
        with registered():
            yield
    finally:
        del MODELS[TERMS.name]


@contextmanager
def served(ledger: Ledger) -> Iterator[str]:
    """It answers over HTTP at the address that this yields."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known = self.headers["Authorization"] == f"Key {KEY}"
            status, body = answer(ledger, self.command, self.path, json.loads(raw or b"{}")) if known else (401, {})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
