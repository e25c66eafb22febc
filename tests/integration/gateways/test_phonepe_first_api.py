"""PhonePe's first API through the whole stack: one booking, one charge, and nobody else is believed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from local.simulators.settings import read_salts
from tests.conftest import RunningStack
from tests.contract.walk import wait_until
from tests.integration.gateways.shoppers import (
    JSON_TYPE,
    PHONEPE_WEBHOOK,
    BookingShopper,
    add_rule,
    ledger,
    post,
    post_at_once,
    seen,
)
from tests.integration.ops.commands import succeeded
from tests.issuer import TokenIssuer

SALT_KEY: Final = secrets.token_hex(18)
PENDING: Final = "PENDING"
ASKED_AFTER_S: Final = 30
"""When the first question about a refund is asked."""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack's processes write."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def first_api(issuer: TokenIssuer, logs: Path) -> Iterator[RunningStack]:
    """A whole stack whose PhonePe secret holds a salt key."""
    given = {"PHONEPE_SALT_KEY": SALT_KEY, "PHONEPE_SALT_INDEX": "2"}
    with RunningStack(issuer, environment=given, log_dir=logs) as running:
        running.wait_until_warm()
        yield running


@pytest.fixture
def booker(first_api: RunningStack) -> Iterator[BookingShopper]:
    """Somebody new with a puja in a cart; no rule of the simulators outlives the test."""
    yield BookingShopper(first_api)
    requests.delete(f"{first_api.simulator_url}/control/script", timeout=10).raise_for_status()


def notice(booker: BookingShopper, *, code: str = "PAYMENT_SUCCESS", state: str = "COMPLETED") -> bytes:
    """PhonePe's body about the newest transaction."""
    data = {"merchantId": "PAYFIRSTUAT", "merchantTransactionId": booker.refs[-1], "amount": 99900, "state": state}
    body = json.dumps({"success": True, "code": code, "message": "", "data": data}).encode()
    return json.dumps({"response": base64.b64encode(body).decode()}).encode()


def signed(raw: bytes, *, key: str = SALT_KEY, index: str = "2") -> dict[str, str]:
    """The headers with which PhonePe posts `raw`."""
    content = json.loads(raw)["response"]
    return {**JSON_TYPE, "X-VERIFY": f"{hashlib.sha256(f'{content}{key}'.encode()).hexdigest()}###{index}"}


def answers(first_api: RunningStack, ref: str) -> list[Any]:
    """How our answers to PhonePe's notices about `ref` were numbered."""
    told = requests.get(f"{first_api.simulator_url}/control/notices", timeout=10).json()
    return [each["http_status"] for each in told if each["ref"] == ref]


def test_a_payment_page_a_signed_notice_and_one_booking(booker: BookingShopper) -> None:
    told = booker.process()

    assert (told.status_code, told.json()["status"]) == (201, PENDING)
    [transaction] = [each for each in seen(booker.stack, "phonepe") if each["ref"] == booker.refs[-1]]
    assert told.json()["payment_url"] == transaction["page_url"]
    assert transaction["callback_url"] == f"{booker.stack.base_url}{PHONEPE_WEBHOOK}".rstrip("/")
    page = requests.get(told.json()["payment_url"], timeout=10)
    assert (page.status_code, "999.00" in page.text) == (200, True)
    booker.decide()
    booker.end_well()
    assert answers(booker.stack, booker.refs[-1]) == [200]


def test_a_notice_that_is_told_twice_makes_one_booking(booker: BookingShopper) -> None:
    booker.process()
    booker.decide(notices=2)
    booker.end_well()
    wait_until(lambda: answers(booker.stack, booker.refs[-1]), lambda told: told == [200, 200])
    assert len(booker.bookings()) == 1


def test_the_same_notice_on_ten_connections_at_once_makes_one_booking(booker: BookingShopper) -> None:
    booker.process()
    booker.decide(notices=0)
    raw = notice(booker)

    told = post_at_once(f"{booker.stack.base_url}{PHONEPE_WEBHOOK}", raw, signed(raw), times=10)

    assert {status for status, _ in told} == {200}
    booker.end_well()


def test_a_notice_that_never_comes_is_asked_for(booker: BookingShopper) -> None:
    booker.process()
    booker.decide(notices=0)
    assert booker.check()["payment_status"] == PENDING
    booker.end_well()


@pytest.mark.parametrize("forgery", ["another key", "another index", "another body", "the second API's header", "no header"])
def test_a_forged_checksum_is_refused_and_changes_nothing(booker: BookingShopper, forgery: str) -> None:
    booker.process()
    raw = notice(booker)
    failed = notice(booker, code="PAYMENT_ERROR", state="FAILED")
    headers = {
        "another key": signed(raw, key="guessed"),
        "another index": signed(raw, index="1"),
        "another body": signed(failed),
        "the second API's header": {**JSON_TYPE, "Authorization": signed(raw)["X-VERIFY"].partition("###")[0]},
        "no header": JSON_TYPE,
    }

    answer = post(booker.stack, PHONEPE_WEBHOOK, raw, headers[forgery])

    assert answer.status_code == 401
    assert booker.check()["payment_status"] == PENDING
    assert booker.bookings() == []
    booker.decide("cancel")
    wait_until(booker.check, lambda told: told["payment_status"] == "FAILED")
    assert booker.charges() == []


def test_a_true_checksum_over_a_false_success_books_nothing(booker: BookingShopper) -> None:
    booker.process()
    raw = notice(booker)

    assert post(booker.stack, PHONEPE_WEBHOOK, raw, signed(raw)).status_code == 200

    assert booker.check()["payment_status"] == PENDING
    assert booker.bookings() == []


def test_the_simulators_forged_notice_is_refused_and_the_true_one_books(booker: BookingShopper) -> None:
    booker.process()
    address = f"{booker.stack.simulator_url}/control/phonepe/{booker.refs[-1]}/notice"
    requests.post(address, json={"kind": "wrong_token"}, timeout=10).raise_for_status()
    wait_until(lambda: answers(booker.stack, booker.refs[-1]), lambda told: 401 in told)
    assert booker.check()["payment_status"] == PENDING
    booker.decide()
    booker.end_well()


@pytest.mark.parametrize("answer", ["lost", "html_502"])
def test_an_answer_that_is_lost_after_the_transaction_was_made_is_looked_up_and_never_sent_again(
    booker: BookingShopper, answer: str
) -> None:
    booker.rule(call="pay", answer=answer, done=True, times=1)
    told = booker.process()
    assert (told.status_code, told.json()["payment_url"]) == (201, None)
    booker.decide()
    booker.end_well()
    assert len([each for each in seen(booker.stack, "phonepe") if each["ref"] in booker.refs]) == 1


def test_a_payment_is_refunded_once_and_the_refunds_own_notice_is_taken(booker: BookingShopper, tmp_path: Path) -> None:
    booker.process()
    booker.decide()
    booker.end_well()
    ref = booker.refs[-1]
    add_rule(booker.stack, gateway="phonepe", call="refund", ref=ref, outcome="pay", notices=2, times=1)
    stack = {"pid": os.getpid(), "base_url": booker.stack.base_url, "environment": booker.stack.environment}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")

    said = succeeded("refund", ref, "--why", "a kindness", "--home", tmp_path)

    assert f"R{ref}-1: 999.00 INR" in said
    shown = wait_until(booker.check, lambda told: told["refund"]["status"] == "refunded", seconds=ASKED_AFTER_S + 30)
    assert shown["refund"]["amount"] == "999.00"
    [charge] = [entry for entry in ledger(booker.stack) if entry["ref"] == ref]
    assert (charge["refunded"], len(charge["refunds"])) == (99900, 1)
    wait_until(lambda: answers(booker.stack, f"R{ref}-1"), lambda told: told == [200, 200])


def test_the_salt_key_is_in_no_log(booker: BookingShopper, logs: Path) -> None:
    booker.process()
    booker.decide()
    booker.end_well()
    written = {path: path.read_text(encoding="utf-8") for path in logs.rglob("*") if path.is_file()}
    assert [path.name for path, text in written.items() if booker.refs[-1] in text]
    assert [path.name for path, text in written.items() if SALT_KEY in text] == []


@pytest.mark.parametrize("text", ["key", "1key", "a:key", "1:"])
def test_salts_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="PHONEPE_SALTS"):
        read_salts(text)
    assert read_salts("1:one,2:two") == (("1", "one"), ("2", "two"))
