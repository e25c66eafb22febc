"""PhonePe's own SDK and our simulator, our notices' check and our client agree with each other.

The SDK runs in `.tools/phonepe-sdk`, because it holds old libraries; `make tools-phonepe-sdk` prepares it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from local.simulators.settings import Settings
from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Accepted, Captured, Declined, PayBack, Pending, Push, Refunded, RefundQuery, StatusQuery
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.gateways.phonepe.webhook import read_webhook
from tests.integration.simulators.merchant import Inbox, Received, eventually, open_inbox, running
from tests.tools import PROGRAMS, need

SCRIPT = Path(__file__).with_name("phonepe_sdk_script.py")
CLIENT_ID, CLIENT_SECRET = "SDKCLIENT_1", "sdk-client-secret"
USERNAME, PASSWORD = "sdk_notices", "Passw0rd123"
BACK = "https://shop.example/back?from=phonepe"
PAISA = 99_900
TIMEOUT_S = 10.0


class SdkError(Exception):
    """The SDK raised; its class, HTTP status and code."""

    def __init__(self, raised: dict[str, Any]) -> None:
        super().__init__(raised["error"], raised["status"], raised["code"])
        self.name, self.status, self.code = raised["error"], raised["status"], raised["code"]


class Sdk:
    """One process with one client of the SDK."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, what: str, **arguments: Any) -> Any:
        """What the SDK's method answers; SdkError if it raises."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the SDK's process ended with code {self._process.wait(TIMEOUT_S)}; its traceback is above"
        told = json.loads(line)
        if "error" in told:
            raise SdkError(told)
        return told["answer"]

    def notice_is_valid(self, header: str, raw: bytes, username: str = USERNAME, password: str = PASSWORD) -> bool:
        """Whether the SDK takes a notice with this header for PhonePe's."""
        try:
            self.do("notice", username=username, password=password, header=header, body=raw.decode())
        except SdkError as error:
            if (error.name, error.status) != ("PhonePeException", 417):
                raise
            return False
        return True


@contextmanager
def sdk_process(base_url: str, secret: str = CLIENT_SECRET) -> Iterator[Sdk]:
    need("phonepe-sdk")
    command = [str(PROGRAMS["phonepe-sdk"][1]), "-W", "ignore", str(SCRIPT), base_url, CLIENT_ID, secret]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Sdk(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(TIMEOUT_S)


@dataclass
class Counter:
    """The simulated PhonePe with a merchant's inbox, the SDK and our own client before it."""

    address: str
    inbox: Inbox
    sdk: Sdk
    ours: PhonePe

    def decide(self, order_id: str, outcome: str) -> Received:
        """Let the payer end the order; the notice about it."""
        url = f"{self.address}/control/phonepe/{order_id}"
        answer = requests.post(url, json={"outcome": outcome, "notices": 1}, timeout=TIMEOUT_S)
        assert answer.ok, answer.text
        return self.notice("merchantOrderId", order_id)

    def notice(self, field: str, value: str) -> Received:
        """The first notice whose payload has this value."""
        found: Received = eventually(
            lambda: next((one for one in self.inbox.received if one.body["payload"].get(field) == value), None)
        )
        return found

    def pay(self, **more: Any) -> str:
        """The id of a new order that the SDK made."""
        order_id = new_id()
        self.sdk.do("pay", order_id=order_id, amount=PAISA, redirect_url=BACK, **more)
        return order_id


def new_id() -> str:
    return f"MT{uuid4().hex[:13]}"


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    with open_inbox() as inbox:
        settings = Settings(
            state=tmp_path_factory.mktemp("sdk") / "ledger.sqlite",
            phonepe_webhook_url=f"{inbox.url}/webhook",
            phonepe_webhook_username=USERNAME,
            phonepe_webhook_password=PASSWORD,
            phonepe_credentials=f"{CLIENT_ID}:{CLIENT_SECRET}",
            refund_after_s=0.3,
        )
        with running(settings) as address, sdk_process(f"{address}/phonepe") as sdk:
            assert sdk.answer() == "made"
            yield Counter(address, inbox, sdk, our_client(f"{address}/phonepe"))


def our_client(base_url: str) -> PhonePe:
    credentials = PhonePeCredentials(CLIENT_ID, CLIENT_SECRET, "1", webhook_username=USERNAME, webhook_password=PASSWORD)
    return PhonePe(credentials, base_url, f"{base_url}/v1/oauth/token", None, "test")


def now() -> datetime:
    return datetime.now(UTC)


def our_status(counter: Counter, order_id: str) -> Any:
    return counter.ours.status(StatusQuery(order_id, None, Money(PAISA, Currency.INR)), now=now(), timeout_s=TIMEOUT_S)


def test_the_sdk_gets_a_payment_page_and_reads_the_order_before_and_after_it_is_paid(counter: Counter) -> None:
    order_id = new_id()
    page = counter.sdk.do("pay", order_id=order_id, amount=PAISA, redirect_url=BACK, udf1="booking 17")
    assert page["state"] == "PENDING"
    assert page["redirectUrl"].startswith(f"{counter.address}/phonepe/pay/")
    before = counter.sdk.do("status", order_id=order_id)
    assert (before["state"], before["amount"], before["orderId"]) == ("PENDING", PAISA, page["orderId"])
    counter.decide(order_id, "pay")
    after = counter.sdk.do("status", order_id=order_id)
    assert (after["state"], after["amount"], after["orderId"]) == ("COMPLETED", PAISA, page["orderId"])
    assert after["metaInfo"]["udf1"] == "booking 17"
    [payment] = after["paymentDetails"]
    assert (payment["state"], payment["rail"]["type"]) == ("COMPLETED", "UPI")


def test_the_sdk_reads_why_an_order_failed(counter: Counter) -> None:
    order_id = counter.pay()
    counter.decide(order_id, "fail")
    status = counter.sdk.do("status", order_id=order_id)
    assert status["state"] == "FAILED"
    assert status["errorCode"]


def test_the_sdk_refunds_and_follows_the_refund_to_its_end(counter: Counter) -> None:
    order_id, refund_id = counter.pay(), new_id()
    counter.decide(order_id, "pay")
    accepted = counter.sdk.do("refund", refund_id=refund_id, amount=PAISA, order_id=order_id)
    assert (accepted["state"], accepted["amount"]) == ("PENDING", PAISA)

    def ended() -> Any:
        status = counter.sdk.do("refund_status", refund_id=refund_id)
        return status if status["state"] == "COMPLETED" else None

    status = eventually(ended)
    assert (status["originalMerchantOrderId"], status["amount"]) == (order_id, PAISA)
    notice = counter.notice("merchantRefundId", refund_id)
    assert counter.sdk.notice_is_valid(notice.headers["Authorization"], notice.raw)


def test_the_sdk_reads_the_refusal_of_an_order_id_that_was_used_before(counter: Counter) -> None:
    order_id = counter.pay()
    with pytest.raises(SdkError) as raised:
        counter.sdk.do("pay", order_id=order_id, amount=PAISA, redirect_url=BACK)
    assert (raised.value.name, raised.value.status) == ("ExpectationFailed", 417)


def test_the_sdk_reads_the_answer_about_an_order_that_does_not_exist(counter: Counter) -> None:
    with pytest.raises(SdkError) as raised:
        counter.sdk.do("status", order_id=new_id())
    assert (raised.value.name, raised.value.code) == ("BadRequest", "INVALID_MERCHANT_ORDER_ID")


def test_the_sdk_reads_the_refusal_of_a_wrong_secret(counter: Counter) -> None:
    with sdk_process(f"{counter.address}/phonepe", "wrong-secret") as sdk, pytest.raises(SdkError) as raised:
        sdk.answer()
    assert (raised.value.name, raised.value.code) == ("BadRequest", "OIM000")


@pytest.mark.parametrize(("outcome", "event"), [("pay", "checkout.order.completed"), ("fail", "checkout.order.failed")])
def test_the_sdk_takes_the_simulators_notice_and_reads_what_we_read(counter: Counter, outcome: str, event: str) -> None:
    order_id = counter.pay()
    notice = counter.decide(order_id, outcome)
    header, text = notice.headers["Authorization"], notice.raw.decode()
    theirs = counter.sdk.do("notice", username=USERNAME, password=PASSWORD, header=header, body=text)
    ours = read_webhook(notice.raw)
    assert counter.ours.credentials.recognises(header, b"")
    assert ours is not None
    assert ours.amount is not None
    assert (theirs["event"], ours.event) == (event, event)
    assert (theirs["payload"]["merchantOrderId"], theirs["payload"]["state"]) == (ours.merchant_order_id, ours.state)
    assert (theirs["payload"]["orderId"], theirs["payload"]["merchantId"]) == (ours.order_id, ours.merchant)
    assert theirs["payload"]["amount"] == ours.amount.minor == PAISA


def test_the_sdk_and_we_refuse_the_notice_that_the_simulator_forges(counter: Counter) -> None:
    order_id = counter.pay()
    url = f"{counter.address}/control/phonepe/{order_id}/notice"
    assert requests.post(url, json={"kind": "wrong_token"}, timeout=TIMEOUT_S).ok
    forged = counter.notice("merchantOrderId", order_id)
    assert not counter.sdk.notice_is_valid(forged.headers["Authorization"], forged.raw)
    assert not counter.ours.credentials.recognises(forged.headers["Authorization"], b"")


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (USERNAME, PASSWORD),
        (USERNAME, "Passw0rd124"),
        (USERNAME, PASSWORD.lower()),
        (USERNAME.upper(), PASSWORD),
        (f"{USERNAME}:", PASSWORD),
        (PASSWORD, USERNAME),
    ],
)
def test_the_sdk_and_we_judge_the_same_header_alike(counter: Counter, username: str, password: str) -> None:
    notice = counter.decide(counter.pay(), "pay")
    header = notice.headers["Authorization"]
    expected = PhonePeCredentials(CLIENT_ID, CLIENT_SECRET, "1", webhook_username=username, webhook_password=password)
    theirs = counter.sdk.notice_is_valid(header, notice.raw, username, password)
    assert theirs is ((username, password) == (USERNAME, PASSWORD))
    assert expected.recognises(header, b"") is theirs


@pytest.mark.parametrize("header", ["", "Bearer x", "0" * 64, "SHA256", "O-Bearer " + "0" * 64])
def test_the_sdk_and_we_refuse_a_header_that_is_no_digest_of_ours(counter: Counter, header: str) -> None:
    assert not counter.sdk.notice_is_valid(header, b'{"event": "checkout.order.completed", "payload": {}}')
    assert not counter.ours.credentials.recognises(header, b"")


@pytest.mark.parametrize(("outcome", "expected"), [("pay", Captured), ("fail", Declined)])
def test_our_client_says_the_same_of_an_order_that_the_sdk_made(
    counter: Counter, outcome: str, expected: type[Captured] | type[Declined]
) -> None:
    order_id = counter.pay()
    assert our_status(counter, order_id) == Pending()
    counter.decide(order_id, outcome)
    said = our_status(counter, order_id)
    assert isinstance(said, expected)
    if isinstance(said, Captured):
        theirs = counter.sdk.do("status", order_id=order_id)
        assert (said.receipt, said.amount) == (theirs["orderId"], Money(theirs["amount"], Currency.INR))


def test_the_sdk_says_the_same_of_an_order_and_a_refund_that_our_client_made(counter: Counter) -> None:
    order_id, refund_id, amount = new_id(), new_id(), Money(PAISA, Currency.INR)
    push = Push(order_id, amount, "17", "Booking", now() + timedelta(minutes=10), redirect_url=BACK)
    made = counter.ours.push(push, now=now(), timeout_s=TIMEOUT_S)
    assert isinstance(made, Accepted)
    assert counter.sdk.do("status", order_id=order_id)["orderId"] == made.gateway_id
    counter.decide(order_id, "pay")
    assert counter.sdk.do("status", order_id=order_id)["state"] == "COMPLETED"
    wanted = PayBack(refund_id, order_id, amount, None, BACK, BACK, BACK)
    refunded = counter.ours.refund(wanted, now=now(), timeout_s=TIMEOUT_S)
    assert isinstance(refunded, Accepted)

    def ended() -> Any:
        about = RefundQuery(refund_id, None, BACK, BACK)
        said = counter.ours.refund_status(about, now=now(), timeout_s=TIMEOUT_S)
        return said if isinstance(said, Refunded) else None

    assert eventually(ended) == Refunded(amount, refunded.gateway_id)
    assert counter.sdk.do("refund_status", refund_id=refund_id)["state"] == "COMPLETED"
