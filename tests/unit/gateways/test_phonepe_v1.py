"""PhonePe's first API: the checksum, the payment page, the status and the notice."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import (
    Absent,
    Accepted,
    Captured,
    Declined,
    NoAnswer,
    OrderNotice,
    Pending,
    Push,
    PushAnswer,
    Refunded,
    RefundStatusAnswer,
    Rejected,
    StatusAnswer,
    StatusQuery,
    Unknown,
)
from payfirst.gateways.phonepe.v1 import PhonePeV1, PhonePeV1Credentials, checksum

from . import phonepe_bodies as bodies
from .scripted_gateway import HangUp, Reply, ScriptedGateway, Silence, reply

NOW = datetime(2026, 5, 3, 4, 45, tzinfo=UTC)
CREDENTIALS = PhonePeV1Credentials("SHOPONE", "salt-of-the-earth", "2")
PRICE = Money(99_900, Currency.INR)
PAY, STATUS = "/pg/v1/pay", f"/pg/v1/status/SHOPONE/{bodies.REF}"
ORDER = Push(
    ref=bodies.REF,
    amount=PRICE,
    account="BK7",
    description="Puja",
    expires_at=NOW,
    callback_url="https://shop.in/cb",
    redirect_url="https://shop.in/after",
)
PAGE = {"type": "PAY_PAGE", "redirectInfo": {"url": bodies.PAGE, "method": "GET"}}


def client(gateway: ScriptedGateway) -> PhonePeV1:
    return PhonePeV1(CREDENTIALS, gateway.url)


def status(gateway: ScriptedGateway, answer: Reply | HangUp) -> StatusAnswer:
    gateway.on(STATUS, answer)
    return client(gateway).status(StatusQuery(bodies.REF, None, PRICE), now=NOW, timeout_s=5)


def test_a_payment_page_is_asked_for_with_a_checksum_over_body_and_path(gateway: ScriptedGateway) -> None:
    gateway.on(PAY, reply(bodies.v1_body("PAYMENT_INITIATED", None, success=True, instrumentResponse=PAGE)))
    answer = client(gateway).push(ORDER, now=NOW, timeout_s=5)
    assert answer == Accepted(bodies.REF, payment_url=bodies.PAGE)
    (seen,) = gateway.seen
    content = seen.body["request"]
    expected = hashlib.sha256(f"{content}/pg/v1/paysalt-of-the-earth".encode()).hexdigest()
    assert seen.headers["X-VERIFY"] == f"{expected}###2"
    assert json.loads(base64.b64decode(content)) == {
        "merchantId": "SHOPONE",
        "merchantTransactionId": bodies.REF,
        "merchantUserId": bodies.REF,
        "amount": 99_900,
        "redirectUrl": "https://shop.in/after",
        "redirectMode": "REDIRECT",
        "callbackUrl": "https://shop.in/cb",
        "paymentInstrument": {"type": "PAY_PAGE"},
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Money(99, Currency.INR)},
        {"amount": Money(99_900, Currency.KES)},
        {"ref": "x" * 35},
        {"callback_url": None},
        {"redirect_url": None},
    ],
)
def test_what_v1_cannot_take_is_an_error_before_anything_is_sent(gateway: ScriptedGateway, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="PhonePe"):
        client(gateway).push(replace(ORDER, **changes), now=NOW, timeout_s=5)
    assert gateway.seen == []


@pytest.mark.parametrize(
    ("http_status", "body", "code", "retryable", "alarm"),
    [
        (400, bodies.error("BAD_REQUEST"), "misconfigured", False, True),
        (401, bodies.error("AUTHORIZATION_FAILED"), "misconfigured", False, True),
        (429, {}, "gateway_busy", True, False),
    ],
)
def test_each_definite_no_has_its_word(
    gateway: ScriptedGateway, *, http_status: int, body: object, code: str, retryable: bool, alarm: bool
) -> None:
    gateway.on(PAY, reply(body, http_status))
    answer = client(gateway).push(ORDER, now=NOW, timeout_s=5)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.retryable, answer.configuration) == (code, retryable, alarm)


@pytest.mark.parametrize(
    "loss",
    [
        reply(bodies.error("INTERNAL_SERVER_ERROR"), 500),
        reply(bodies.error("DUPLICATE_TXN_REQUEST"), 400),
        reply(bodies.error("INVALID_TRANSACTION_ID"), 417),
        reply({}),
        Reply(502, b"<html>"),
        HangUp(),
        Silence(5),
    ],
)
def test_what_proves_nothing_is_unknown_and_sent_once(gateway: ScriptedGateway, loss: Reply | HangUp | Silence) -> None:
    gateway.on(PAY, loss)
    assert isinstance(client(gateway).push(ORDER, now=NOW, timeout_s=0.5), Unknown)
    assert len(gateway.seen) == 1


def test_the_status_is_asked_with_a_checksum_over_its_path(gateway: ScriptedGateway) -> None:
    answer = status(gateway, reply(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True)))
    assert answer == Captured(PRICE, "T2605031015001234567890", merchant="SHOPONE")
    (seen,) = gateway.seen
    expected = hashlib.sha256(f"{STATUS}salt-of-the-earth".encode()).hexdigest()
    assert seen.headers["X-VERIFY"] == f"{expected}###2"
    assert seen.headers["X-MERCHANT-ID"] == "SHOPONE"


@pytest.mark.parametrize(
    ("code", "state", "success", "kind"),
    [
        ("PAYMENT_SUCCESS", "COMPLETED", True, Captured),
        ("PAYMENT_PENDING", "PENDING", True, Pending),
        ("PAYMENT_ERROR", "FAILED", False, Declined),
        ("PAYMENT_DECLINED", "FAILED", False, Declined),
        ("TIMED_OUT", "FAILED", False, Declined),
        ("TRANSACTION_NOT_FOUND", None, False, Absent),
        ("PAYMENT_SUCCESS", "PENDING", True, NoAnswer),
        ("PAYMENT_SUCCESS", "FAILED", True, NoAnswer),
        ("PAYMENT_PENDING", "COMPLETED", True, NoAnswer),
        ("PAYMENT_ERROR", "COMPLETED", False, NoAnswer),
        ("SOMETHING_NEW", "COMPLETED", True, NoAnswer),
    ],
)
def test_code_and_state_decide_together_and_success_decides_nothing(
    gateway: ScriptedGateway, *, code: str, state: str | None, success: bool, kind: type[StatusAnswer]
) -> None:
    assert isinstance(status(gateway, reply(bodies.v1_body(code, state, success=success))), kind)


@pytest.mark.parametrize(
    ("answer", "alarm"),
    [
        (reply(bodies.error("INTERNAL_SERVER_ERROR"), 500), False),
        (reply(bodies.error("AUTHORIZATION_FAILED"), 401), True),
        (Reply(502, b"<html>"), False),
        (reply({}), False),
        (HangUp(), False),
        (
            reply(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True, merchantTransactionId="MTelse")),
            False,
        ),
    ],
)
def test_a_status_that_proves_nothing_is_no_answer(gateway: ScriptedGateway, *, answer: Reply | HangUp, alarm: bool) -> None:
    found = status(gateway, answer)
    assert isinstance(found, NoAnswer)
    assert found.configuration is alarm


REFUND, REFUND_STATUS = "/pg/v1/refund", f"/pg/v1/status/SHOPONE/{bodies.REFUND_REF}"


def refunded(gateway: ScriptedGateway, answer: Reply | HangUp) -> PushAnswer:
    gateway.on(REFUND, answer)
    wanted = bodies.pay_back(bodies.REFUND_REF, bodies.REF, PRICE, notice_url="https://shop.in/cb")
    return client(gateway).refund(wanted, now=NOW, timeout_s=5)


def test_a_refund_is_asked_for_with_a_checksum_over_body_and_path(gateway: ScriptedGateway) -> None:
    answer = refunded(gateway, reply(bodies.v1_body("PAYMENT_PENDING", "PENDING", success=True)))
    assert answer == Accepted("T2605031015001234567890")
    (seen,) = gateway.seen
    content = seen.body["request"]
    expected = hashlib.sha256(f"{content}/pg/v1/refundsalt-of-the-earth".encode()).hexdigest()
    assert seen.headers["X-VERIFY"] == f"{expected}###2"
    assert json.loads(base64.b64decode(content)) == {
        "merchantId": "SHOPONE",
        "merchantUserId": bodies.REF,
        "originalTransactionId": bodies.REF,
        "merchantTransactionId": bodies.REFUND_REF,
        "amount": 99_900,
        "callbackUrl": "https://shop.in/cb",
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True)), Accepted),
        (reply(bodies.v1_body("PAYMENT_ERROR", "FAILED", success=False)), Rejected),
        (reply(bodies.error("BAD_REQUEST"), 400), Rejected),
        (reply(bodies.error("DUPLICATE_TXN_REQUEST"), 400), Unknown),
        (reply(bodies.v1_body("SOMETHING_NEW", None, success=True)), Unknown),
        (reply(bodies.error("INTERNAL_SERVER_ERROR"), 500), Unknown),
        (Reply(502, b"<html>"), Unknown),
        (HangUp(), Unknown),
    ],
)
def test_each_answer_to_a_refund_has_its_kind(gateway: ScriptedGateway, answer: Reply | HangUp, kind: type[PushAnswer]) -> None:
    assert isinstance(refunded(gateway, answer), kind)
    assert len(gateway.seen) == 1


def test_a_refund_that_was_turned_away_for_load_may_be_sent_later(gateway: ScriptedGateway) -> None:
    answer = refunded(gateway, reply(bodies.error("TOO_MANY_REQUESTS"), 429))
    assert isinstance(answer, Unknown)
    assert not answer.sent


@pytest.mark.parametrize(
    ("code", "state", "expected"),
    [
        ("PAYMENT_SUCCESS", "COMPLETED", Refunded(PRICE, "T2605031015001234567890")),
        ("PAYMENT_PENDING", "PENDING", Pending()),
        ("TRANSACTION_NOT_FOUND", None, Absent()),
        (
            "PAYMENT_ERROR",
            "FAILED",
            Declined("refund_failed", "PhonePe could not make this refund.", retryable=True),
        ),
    ],
)
def test_the_status_of_a_refund_is_that_of_its_transaction(
    gateway: ScriptedGateway, code: str, state: str | None, expected: RefundStatusAnswer
) -> None:
    body = bodies.v1_body(code, state, success=True, merchantTransactionId=bodies.REFUND_REF)
    gateway.on(REFUND_STATUS, reply(body))
    assert client(gateway).refund_status(bodies.about(bodies.REFUND_REF), now=NOW, timeout_s=5) == expected


def test_a_notice_with_the_right_checksum_is_recognised_and_read() -> None:
    raw, content = bodies.v1_notice(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True))
    for header in (
        checksum(content, CREDENTIALS),
        checksum(content, CREDENTIALS).upper(),
        f" {checksum(content, CREDENTIALS)} ",
    ):
        assert CREDENTIALS.recognises(header, raw)
    assert CREDENTIALS.read_notice(raw) == OrderNotice("PAYMENT_SUCCESS", bodies.REF, "SHOPONE", is_refund=False, done=True)


def test_a_notice_of_a_refund_says_so() -> None:
    body = bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True, merchantTransactionId=bodies.REFUND_REF)
    notice = CREDENTIALS.read_notice(bodies.v1_notice(body)[0])
    assert notice is not None
    assert notice.is_refund


def test_a_notice_whose_body_was_changed_is_refused() -> None:
    _, content = bodies.v1_notice(bodies.v1_body("PAYMENT_ERROR", "FAILED", success=False))
    forged, _ = bodies.v1_notice(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True))
    assert not CREDENTIALS.recognises(checksum(content, CREDENTIALS), forged)


@pytest.mark.parametrize("header", [None, "", "###2", "é", "0" * 64 + "###2"])
def test_a_notice_without_the_right_checksum_is_refused(header: str | None) -> None:
    raw, _ = bodies.v1_notice(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True))
    assert not CREDENTIALS.recognises(header, raw)


def test_while_the_key_is_changed_the_index_says_which_of_two_keys_signed() -> None:
    changing = replace(CREDENTIALS, previous_salt_key="salt-of-yore", previous_salt_index="1")
    raw, content = bodies.v1_notice(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True))
    by_current, by_previous = checksum(content, CREDENTIALS), hashlib.sha256(f"{content}salt-of-yore".encode()).hexdigest()
    assert changing.recognises(by_current, raw)
    assert changing.recognises(f"{by_previous}###1", raw)
    assert not changing.recognises(f"{by_previous}###2", raw)
    assert not changing.recognises(by_current.replace("###2", "###1"), raw)
    assert not CREDENTIALS.recognises(f"{by_previous}###1", raw)


def test_without_a_salt_key_nobody_is_recognised() -> None:
    keyless = replace(CREDENTIALS, salt_key="")
    raw, content = bodies.v1_notice(bodies.v1_body("PAYMENT_SUCCESS", "COMPLETED", success=True))
    assert not keyless.recognises(checksum(content, keyless), raw)
    assert not keyless.recognises(f"{hashlib.sha256(content.encode()).hexdigest()}###", raw)  # nor by the absent previous key


@pytest.mark.parametrize("content", ["not base64", "e30=", "bnVsbA==", "éé", ""])
def test_a_content_that_is_no_result_is_none_even_with_its_checksum(content: str) -> None:
    assert CREDENTIALS.read_notice(json.dumps({"response": content}).encode()) is None


@given(st.binary(), st.text())
def test_no_bytes_raise(raw: bytes, header: str) -> None:
    assert not CREDENTIALS.recognises(header, raw)
    assert CREDENTIALS.read_notice(raw) is None


@pytest.mark.parametrize(
    ("answer", "known", "configuration"),
    [
        (reply(bodies.error("TRANSACTION_NOT_FOUND"), 404), True, False),
        (reply(bodies.v1_body("PAYMENT_PENDING", "PENDING", success=True, merchantTransactionId=None)), True, False),
        (reply(bodies.error("AUTHORIZATION_FAILED"), 401), False, True),
        (reply(bodies.error("KEY_NOT_CONFIGURED"), 400), False, True),
        (Reply(502, b"<html>"), False, False),
        (HangUp(), False, False),
    ],
)
def test_credentials_are_tried_by_asking_about_a_transaction_that_nobody_made(
    gateway: ScriptedGateway, answer: Reply | HangUp, *, known: bool, configuration: bool
) -> None:
    gateway.on(f"/pg/v1/status/SHOPONE/CHECK{NOW:%Y%m%d%H%M%S%f}", answer)
    refusal = client(gateway).refusal_of_credentials(now=NOW, timeout_s=5)
    assert (refusal is None) is known
    if refusal is not None:
        assert refusal.configuration is configuration


def test_no_salt_shows_in_a_repr(gateway: ScriptedGateway) -> None:
    assert "salt-of-the-earth" not in repr([CREDENTIALS, client(gateway)])
