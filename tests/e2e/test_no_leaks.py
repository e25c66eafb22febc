"""No secret, token or whole phone number stands in what any process of the stack writes.

Known words are planted as every secret of a stack of its own; both flows run through it, with refusals, forgeries, lost
answers and crashes of the gateways; then the real output of every process is searched: the functions' logs, what the host and
the simulators tell, their errors, and the embedded AWS's own log.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.clients import client_of
from tests.conftest import RunningStack
from tests.integration.gateways.shoppers import (
    DOCUMENTED_CALLBACK,
    PHONEPE_WEBHOOK,
    BookingShopper,
    ProduceShopper,
    kill_tokens,
    post,
    seen,
    webhook_header,
)
from tests.issuer import TokenIssuer
from tests.proofs.ledgers import read_items

SETTLE_S = 40.0
FUNCTIONS = ("bookings", "carts", "create_session", "initiate_payment", "read_payments", "reconcile_payments", "webhook")
SUBSCRIBER_DIGITS = 9


def canary() -> str:
    """A word that occurs nowhere by chance, with a letter and a digit as PhonePe demands of passwords."""
    return f"canary{secrets.token_hex(6)}"


@dataclass(slots=True)
class Run:
    """One run of both flows: what must not be told, and all that was told, by whom."""

    secret_words: dict[str, str] = field(repr=False)
    told: list[str] = field(repr=False)
    folder: Path
    errors: str = field(default="", repr=False)

    def outputs(self) -> Iterator[tuple[str, str]]:
        """Every process's output as (where, text)."""
        for log in self.logs():
            yield log.name, log.read_text(errors="replace")
        yield "told", "\n".join(self.told)
        yield "errors", self.errors

    def logs(self) -> list[Path]:
        return sorted(self.folder.rglob("*.log"))

    def leaks(self, more: Mapping[str, str] | None = None) -> list[str]:
        """Which secret stands where; the secrets themselves are not repeated."""
        wanted = {name: shapes(word) for name, word in self.secret_words.items()}
        texts = [*self.outputs(), *(more or {}).items()]
        return [
            f"{name} in {where}" for where, text in texts for name, forms in wanted.items() if any(f in text for f in forms)
        ]


def shapes(word: str) -> set[str]:
    """`word` as it may be written: as it is, for an address, in base64 at any offset."""
    encoded = set()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + word.encode()).decode()
        encoded.add(whole[4 if offset else 0 : -4])
    return {word, quote(word, safe=""), *(form for form in encoded if len(form) >= 8)}


def kept_secrets(folder: Path, passkey: str) -> dict[str, str]:
    """Canaries in the file where the local stack keeps its secrets."""
    words = {name: canary() for name in ("consumer_key", "consumer_secret", "client_id", "client_secret")}
    password = f"canary{secrets.token_hex(6)}"
    content = {
        "mpesa": {
            "consumer_key": words["consumer_key"],
            "consumer_secret": words["consumer_secret"],
            "shortcode": "174379",
            "passkey": passkey,
        },
        "phonepe": {
            "client_id": words["client_id"],
            "client_secret": words["client_secret"],
            "client_version": "1",
            "webhook_username": "canary_name",
            "webhook_password": password,
        },
    }
    (folder / "credentials.json").write_text(json.dumps(content))
    header = hashlib.sha256(f"canary_name:{password}".encode()).hexdigest()
    return {**words, "passkey": passkey, "webhook_password": password, "webhook_header": header}


@pytest.fixture
def run(issuer: TokenIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Both flows, well and badly, on a stack whose secrets are known words; the stack has ended."""
    passkey = canary() * 2
    monkeypatch.setenv("MPESA_PASSKEY", passkey)
    planted = kept_secrets(tmp_path, passkey)
    told: list[str] = []
    stack = RunningStack(issuer, state_dir=tmp_path, listener=lambda what: told.append(json.dumps(what)))
    with stack:
        run = Run(planted, told, tmp_path)
        run.secret_words |= walk(stack)
        run.secret_words |= kept_by_the_stack(stack)
    out, errors = capfd.readouterr()
    run.errors = out + errors
    return run


def walk(stack: RunningStack) -> dict[str, str]:
    """Both flows as customers and gateways go through them; the tokens and phone numbers that were used."""
    buyers = [ProduceShopper(stack) for _ in range(7)]
    bookers = [BookingShopper(stack) for _ in range(5)]
    orders(stack, buyers)
    bookings(stack, bookers)
    customers = [*(buyer.customer for buyer in buyers), *(booker.customer for booker in bookers)]
    for customer in (customers[0], customers[-1]):
        for path in ("/api/payments/sessions?page_size=1", "/api/orders", "/api/payments?page_size=1", "/api/booking/bookings"):
            customer.get(path)
        customer.send("GET", "/api/payments/sessions?cursor=broken")
        customer.send("POST", "/api/payments/sessions", raw=b"{broken")
    time.sleep(14)  # M-Pesa's first looks, and some sweeps
    words = {f"bearer token {number}": str(customer.token) for number, customer in enumerate(customers)}
    for number, buyer in enumerate(buyers):
        words[f"phone {number}"] = buyer.phone[-SUBSCRIBER_DIGITS:]
    for number, prompt in enumerate(seen(stack, "mpesa")):
        words[f"callback token {number}"] = str(prompt["callback_url"]).rsplit("/", 1)[1]
        words[f"checkout id {number}"] = str(prompt["ref"])
    return words


def orders(stack: RunningStack, buyers: list[ProduceShopper]) -> None:
    for buyer, rule in zip(buyers, ({}, {"answer": "lost"}, {"answer": "html_502"}, {"answer": "lock"}), strict=False):
        if rule:
            buyer.rule(call="push", times=1, **rule)
    kill_tokens(stack)
    for buyer in buyers:
        buyer.initiate()
    buyers[5].rule(call="query", answer="does_not_exist", times=1)
    for outcome, buyer in zip(("pay", "pay", None, None, "wrong_pin", "pay", "pay"), buyers, strict=True):
        if outcome:
            buyer.decide(outcome, notices=0 if buyer is buyers[5] else 2)
    address = buyers[0].address()
    buyers[0].until("order_created")
    for raw in (b"broken", buyers[0].notice(), buyers[0].notice(receipt="SKE52PAWR9"), buyers[0].notice(code=1032)):
        for to in (address, f"{address[:-4]}0000", buyers[4].address(), DOCUMENTED_CALLBACK):
            post(stack, to, raw)
    buyers[6].until("order_created")
    buyers[1].until("order_created")


def bookings(stack: RunningStack, bookers: list[BookingShopper]) -> None:
    bookers[1].rule(call="pay", answer="lost", times=1)
    bookers[1].process()
    bookers[2].rule(call="pay", answer="rate_limit", times=1)
    bookers[2].process()
    for booker in (bookers[0], bookers[3], bookers[4]):
        booker.process()
    header = webhook_header(stack)
    for sent in (header, {**header, "Authorization": header["Authorization"][:-1] + "x"}, {**header, "Authorization": ""}):
        for raw in (b"broken", bookers[3].notice(), bookers[3].notice("FAILED")):
            post(stack, PHONEPE_WEBHOOK, raw, sent)
    for booker, outcome in ((bookers[0], "pay"), (bookers[1], "pay"), (bookers[3], "fail"), (bookers[4], "pay")):
        booker.decide(outcome, notices=[{"kind": "wrong_token"}, {"kind": "true"}])
    booked = until(bookers[0].check, lambda told: bool(told["booking_created"]))
    bookers[0].customer.send("POST", f"/api/booking/bookings/{booked['booking']['id']}/cancel", {})


def until(ask: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + SETTLE_S
    while not done(answer := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.25)
    return answer


def kept_by_the_stack(stack: RunningStack) -> dict[str, str]:
    """The cursor key and the gateways' access tokens, which stand in a table of their own and not among the shop's items."""
    environment = stack.environment
    keeper = client_of(environment, "secretsmanager")
    cursor = json.loads(keeper.get_secret_value(SecretId=environment["CURSOR_SECRET_ID"])["SecretString"])["key"]
    apart = read_items({**environment, "TABLE_NAME": environment["GATEWAY_TOKENS_TABLE_NAME"]})
    tokens = {item["pk"]: item["value"] for item in apart if "value" in item}
    assert len(tokens) == 2
    assert all(item["ttl"] > time.time() for item in apart if "value" in item)
    shop = repr(read_items(environment))
    assert not any(value in shop for value in tokens.values())
    return {"cursor key": cursor, **{f"access token {name}": value for name, value in tokens.items()}}


def test_no_process_writes_a_secret_a_token_or_a_whole_phone_number(run: Run) -> None:
    assert run.leaks() == []

    written = dict(run.outputs())
    assert {"simulators.log", "ministack.log", *(f"{function}.log" for function in FUNCTIONS)} <= set(written)
    for event in ("payment.sent", "payment.unknown", "payment.rejected", "notice.refused", "order.created", "booking.created"):
        assert any(event in text for text in written.values()), f"the run never came to {event}"
    assert any("/cb/stk/" in line for line in run.told), "the host told of no notice"
    planted(run)


def planted(run: Run) -> None:
    """A leak that was planted turns the search red, whichever process wrote it and however it is written."""
    for name, word in run.secret_words.items():
        for form in (word, quote(word, safe=""), base64.b64encode(f"a{word}:secret".encode()).decode()):
            assert f"{name} in planted" in run.leaks({"planted": f'{{"message": "{form}"}}'}), f"{name} would not be found"
    for log in run.logs():
        before = log.read_bytes()
        log.write_bytes(before + f"x{run.secret_words['consumer_secret']}x\n".encode())
        assert f"consumer_secret in {log.name}" in run.leaks()
        log.write_bytes(before)
    run.told.append(run.secret_words["phone 0"])
    assert run.leaks() == ["phone 0 in told"]


def test_a_secret_that_somebody_writes_into_an_address_is_found_in_the_hosts_output(
    issuer: TokenIssuer, tmp_path: Path
) -> None:
    """The search reads what the processes really write: here the host is made to write a word that it cannot know."""
    told: list[str] = []
    word = canary()
    with RunningStack(issuer, state_dir=tmp_path, listener=lambda what: told.append(json.dumps(what))) as stack:
        requests.get(f"{stack.base_url}/api/payments/{word}/", timeout=10)
        time.sleep(0.5)
    run = Run({"word": word}, told, tmp_path)

    assert run.leaks() == ["word in told"]
