"""PhonePe's notices: who sent one, and what it says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.money import Currency, Money
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.gateways.phonepe.webhook import PhonePeNotice, read_webhook

from . import phonepe_bodies as bodies

CURRENT = PhonePeCredentials("id", "secret", "1", None, "hook_name", "Password1")
ROTATING = replace(CURRENT, previous_webhook_username="old_name", previous_webhook_password="Password0")


def digest(username: str, password: str) -> str:
    return hashlib.sha256(f"{username}:{password}".encode()).hexdigest()


GOOD = digest("hook_name", "Password1")
OLD = digest("old_name", "Password0")


@pytest.mark.parametrize("header", [GOOD, GOOD.upper(), f"SHA256 {GOOD}", f"sha256 {GOOD.upper()}", f" {GOOD} "])
def test_the_digest_is_recognised_in_each_of_its_spellings(header: str) -> None:
    assert CURRENT.recognises(header, b"")


def test_the_digest_is_that_of_name_colon_password() -> None:
    credentials = replace(CURRENT, webhook_username="shopkeeper", webhook_password="letmein12")
    assert credentials.recognises("80a3bcac40631abbd3721ecfb8710d74587f24cb77ad8a0a102f1faaf2a8c743", b"")


def test_while_the_password_changes_both_pairs_are_recognised() -> None:
    assert ROTATING.recognises(GOOD, b"")
    assert ROTATING.recognises(OLD, b"")
    assert not CURRENT.recognises(OLD, b"")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "SHA256",
        "SHA256 ",
        GOOD[:-1],
        GOOD + "0",
        digest("hook_name", "password1"),
        digest("hook_name", ""),
        "hook_name:Password1",
        f"Bearer {GOOD}",
        f"SHA256 SHA256 {GOOD}",
        "é" * 64,
        "\udcff" * 64,
    ],
)
@pytest.mark.parametrize("credentials", [CURRENT, ROTATING])
def test_anything_else_is_refused(header: str | None, credentials: PhonePeCredentials) -> None:
    assert not credentials.recognises(header, b"")


@pytest.mark.parametrize(("username", "password"), [("", ""), ("hook_name", ""), ("", "Password1"), (" ", " ")])
def test_without_a_name_and_a_password_nobody_is_recognised(username: str, password: str) -> None:
    credentials = replace(CURRENT, webhook_username=username, webhook_password=password)
    for header in (None, "", digest(username, password), GOOD):
        assert not credentials.recognises(header, b"")


@given(st.text())
def test_no_header_raises(header: str) -> None:
    assert not ROTATING.recognises(header, b"")


def read(raw: bytes) -> PhonePeNotice:
    notice = read_webhook(raw)
    assert notice is not None
    return notice


def test_an_order_notice_is_read() -> None:
    notice = read(bodies.webhook("checkout.order.completed", bodies.order_payload("COMPLETED")))
    assert notice == PhonePeNotice(
        event="checkout.order.completed",
        state="COMPLETED",
        merchant_order_id=bodies.REF,
        order_id=bodies.ORDER_ID,
        amount=Money(99_900, Currency.INR),
        merchant="SHOPONE",
        merchant_refund_id=None,
        refund_id=None,
        original_merchant_order_id=None,
        error_code=None,
    )
    assert not notice.is_refund


def test_the_root_state_is_read_and_not_that_of_a_payment_try() -> None:
    payload = bodies.order_payload("PENDING", paymentDetails=[bodies.payment_try("COMPLETED")])
    assert read(bodies.webhook("checkout.transaction.attempt.failed", payload)).state == "PENDING"


def test_a_refund_notice_is_read() -> None:
    notice = read(bodies.webhook("pg.refund.failed", bodies.refund("FAILED", errorCode="AUTHORIZATION_ERROR")))
    assert notice.is_refund
    assert notice.merchant_refund_id == bodies.REFUND_REF
    assert notice.refund_id == "OMR2605031100009999999999"
    assert notice.original_merchant_order_id == bodies.REF
    assert (notice.state, notice.error_code) == ("FAILED", "AUTHORIZATION_ERROR")


def test_a_key_that_comes_twice_keeps_its_last_value() -> None:
    raw = b'{"event": "pg.refund.failed", "payload": {"refundId": "first", "state": "FAILED", "refundId": "last"}}'
    assert read(raw).refund_id == "last"


def test_an_event_that_is_not_known_is_read_all_the_same() -> None:
    assert read(bodies.webhook("pg.order.completed", {"merchantOrderId": bodies.REF})).state is None


@pytest.mark.parametrize(
    ("kind", "payload", "is_refund", "done"),
    [
        ("CHECKOUT_ORDER_COMPLETED", {"merchantOrderId": bodies.REF, "state": "COMPLETED"}, False, True),
        ("PG_ORDER_FAILED", {"merchantOrderId": bodies.REF, "state": "FAILED"}, False, False),
        ("PG_TRANSACTION_ATTEMPT_FAILED", {"merchantOrderId": bodies.REF, "state": "PENDING"}, False, None),
        ("PG_REFUND_COMPLETED", {"originalMerchantOrderId": bodies.REF, "state": "COMPLETED"}, True, True),
        ("PG_REFUND_FAILED", {"merchantRefundId": bodies.REFUND_REF, "state": "FAILED"}, True, False),
    ],
)
def test_a_notice_that_names_its_event_only_as_type_is_read_alike(
    kind: str,
    payload: dict[str, str],
    is_refund: bool,  # noqa: FBT001 - pytest names it
    done: bool | None,  # noqa: FBT001 - likewise
) -> None:
    order = read(json.dumps({"type": kind, "payload": payload}).encode()).as_order
    assert (order.event, order.is_refund, order.done) == (kind, is_refund, done)
    assert order.ended_refund == payload.get("merchantRefundId")


def test_where_a_notice_has_both_its_event_counts() -> None:
    raw = json.dumps({"event": "checkout.order.failed", "type": "PG_REFUND_COMPLETED", "payload": {"state": "FAILED"}})
    assert read(raw.encode()).event == "checkout.order.failed"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b"event=checkout.order.completed",
        b'{"type": "CHECKOUT_ORDER_COMPLETED"}',
        b'{"type": {"a": 1}, "payload": {"state": "COMPLETED"}}',
        bodies.webhook("checkout.order.completed", None),
        bodies.webhook("checkout.order.completed", []),
        json.dumps({"event": None, "payload": bodies.order_payload("COMPLETED")}).encode(),
        json.dumps({"event": {"a": 1}, "payload": bodies.order_payload("COMPLETED")}).encode(),
        b'{"payload":' * 20_000,
    ],
)
def test_what_is_no_notice_is_none(raw: bytes) -> None:
    assert read_webhook(raw) is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
KEYS = ["state", "amount", "merchantOrderId", "orderId", "merchantId", "refundId", "errorCode"]


@given(st.binary())
def test_no_bytes_raise(raw: bytes) -> None:
    assert read_webhook(raw) is None


@given(JSON_VALUES, st.dictionaries(st.sampled_from(KEYS), JSON_VALUES) | JSON_VALUES)
def test_no_body_raises(event: Any, payload: Any) -> None:
    notice = read_webhook(json.dumps({"event": event, "payload": payload}).encode())
    if notice is not None:
        json.dumps([notice.event, notice.state, notice.merchant_order_id]).encode()
