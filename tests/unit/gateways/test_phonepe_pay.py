"""PhonePe's Standard Checkout: an order with a payment page, and refunds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Accepted, Push, PushAnswer, Rejected, Unknown
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials

from . import phonepe_bodies as bodies
from .scripted_gateway import HangUp, Reply, ScriptedGateway, Silence, reply
from .shared_tokens import MemoryTokenStore

NOW = datetime(2026, 5, 3, 4, 45, tzinfo=UTC)
TOKEN, PAY, REFUND = "/v1/oauth/token", "/checkout/v2/pay", "/payments/v2/refund"
CREDENTIALS = PhonePeCredentials("the-client", "the-secret", "1", "SHOPONE", "hookname", "hookpass1")
ORDER = Push(
    ref=bodies.REF,
    amount=Money(99_900, Currency.INR),
    account="BK 7, puja",
    description="Puja at home",
    expires_at=NOW + timedelta(minutes=15),
    redirect_url="https://shop.in/after?session=7",
)


def client(gateway: ScriptedGateway, store: MemoryTokenStore | None = None) -> PhonePe:
    gateway.scripts.setdefault(TOKEN, [reply(bodies.access_token(int(NOW.timestamp()) + 3600))])
    return PhonePe(CREDENTIALS, gateway.url, gateway.url + TOKEN, store, "container-a")


def paid(phonepe: PhonePe, **changes: Any) -> PushAnswer:
    return phonepe.push(replace(ORDER, **changes), now=NOW, timeout_s=5)


def refunded(phonepe: PhonePe, ref: str = bodies.REFUND_REF, minor: int = 99_900) -> PushAnswer:
    wanted = bodies.pay_back(ref, bodies.REF, Money(minor, Currency.INR))
    return phonepe.refund(wanted, now=NOW, timeout_s=5)


Request = Callable[[PhonePe], PushAnswer]
REQUESTS: list[tuple[str, Request]] = [(PAY, paid), (REFUND, refunded)]


def test_a_push_is_an_order_whose_page_is_handed_on_unmodified(gateway: ScriptedGateway) -> None:
    gateway.on(PAY, reply(bodies.page_made()))
    assert paid(client(gateway)) == Accepted(bodies.ORDER_ID, payment_url=bodies.PAGE)
    (token,) = gateway.asked(TOKEN)
    assert token.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(token.raw.decode()) == {
        "client_id": ["the-client"],
        "client_version": ["1"],
        "client_secret": ["the-secret"],
        "grant_type": ["client_credentials"],
    }
    (sent,) = gateway.asked(PAY)
    assert sent.headers["Authorization"] == "O-Bearer phonepeTokenNumberOne"
    assert sent.body == {
        "merchantOrderId": bodies.REF,
        "amount": 99_900,
        "expireAfter": 900,
        "paymentFlow": {
            "type": "PG_CHECKOUT",
            "message": "Puja at home",
            "merchantUrls": {"redirectUrl": "https://shop.in/after?session=7"},
        },
        "metaInfo": {"udf1": "BK 7 puja"},
    }


@pytest.mark.parametrize("account", ["", "  ", "ॐ", "###"])
def test_fields_of_our_own_that_would_be_empty_are_left_out(gateway: ScriptedGateway, account: str) -> None:
    gateway.on(PAY, reply(bodies.page_made()))
    paid(client(gateway), account=account, description=" ")
    body = gateway.asked(PAY)[0].body
    assert "metaInfo" not in body
    assert "message" not in body["paymentFlow"]


@pytest.mark.parametrize(
    ("left", "expire_after"),
    [(-60, 300), (0, 300), (299, 300), (300, 300), (899.9, 899), (3600, 3600), (3601, 3600), (10**7, 3600)],
)
def test_the_page_lives_as_long_as_the_push_within_what_phonepe_takes(
    gateway: ScriptedGateway, left: float, expire_after: int
) -> None:
    gateway.on(PAY, reply(bodies.page_made()))
    paid(client(gateway), expires_at=NOW + timedelta(seconds=left))
    assert gateway.asked(PAY)[0].body["expireAfter"] == expire_after


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Money(99, Currency.INR)},
        {"amount": Money(99_900, Currency.KES)},
        {"ref": ""},
        {"ref": "x" * 64},
        {"ref": "a/b"},
        {"ref": "a\n"},
        {"redirect_url": None},
    ],
)
def test_what_phonepe_cannot_take_is_an_error_before_anything_is_sent(
    gateway: ScriptedGateway, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="PhonePe"):
        paid(client(gateway), **changes)
    assert gateway.seen == []


def test_a_refund_says_what_the_api_asks_for(gateway: ScriptedGateway) -> None:
    gateway.on(REFUND, reply({"refundId": "OMR1", "amount": 50_000, "state": "PENDING"}))
    assert refunded(client(gateway), minor=50_000) == Accepted("OMR1")
    assert gateway.asked(REFUND)[0].body == {
        "merchantRefundId": bodies.REFUND_REF,
        "originalMerchantOrderId": bodies.REF,
        "amount": 50_000,
    }


@pytest.mark.parametrize("state", ["PENDING", "CONFIRMED", "COMPLETED"])
def test_a_refund_under_way_is_accepted(gateway: ScriptedGateway, state: str) -> None:
    gateway.on(REFUND, reply({"refundId": "OMR1", "amount": 50_000, "state": state}))
    assert refunded(client(gateway)) == Accepted("OMR1")


def test_a_refund_that_failed_at_once_may_be_tried_with_a_new_reference(gateway: ScriptedGateway) -> None:
    gateway.on(REFUND, reply({"refundId": "OMR1", "amount": 50_000, "state": "FAILED"}))
    answer = refunded(client(gateway))
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.retryable) == ("refund_failed", True)


REFUSALS: list[tuple[int, dict[str, object], str, bool, bool]] = [
    (400, bodies.error("BAD_REQUEST", "Please check the inputs"), "bad_request", False, True),
    (400, bodies.error("INVALID_CLIENT"), "misconfigured", False, True),
    (400, bodies.error("SOMETHING_NEW"), "misconfigured", False, True),
    (404, bodies.error("NOT_FOUND", "Api Mapping Not Found"), "misconfigured", False, True),
    (403, bodies.error("FORBIDDEN"), "misconfigured", False, True),
]
TURNED_AWAY: list[tuple[int, dict[str, object], str, bool, bool]] = [
    (401, bodies.error("AUTHORIZATION_FAILED", success=False), "token_refused", False, True),
    (429, bodies.error("TOO_MANY_REQUESTS"), "gateway_busy", True, False),
    (429, {}, "gateway_busy", True, False),
]
NOES = [(*refusal, *request) for refusal in REFUSALS for request in REQUESTS]
NOES += [(*refusal, PAY, paid) for refusal in TURNED_AWAY]


@pytest.mark.parametrize(("status", "body", "code", "retryable", "alarm", "path", "request_it"), NOES)
def test_each_definite_no_has_its_word_and_a_sentence(
    gateway: ScriptedGateway,
    *,
    path: str,
    request_it: Request,
    status: int,
    body: object,
    code: str,
    retryable: bool,
    alarm: bool,
) -> None:
    gateway.on(path, reply(body, status))
    answer = request_it(client(gateway))
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.retryable, answer.configuration) == (code, retryable, alarm)
    assert answer.message.endswith(".")
    assert ("charged" in answer.message) is (path == PAY and code != "gateway_busy")
    assert answer.detail


@pytest.mark.parametrize(("status", "body", "alarm"), [(status, body, alarm) for status, body, _, _, alarm in TURNED_AWAY])
def test_a_refund_that_was_turned_away_at_the_gate_may_be_sent_later(
    gateway: ScriptedGateway, *, status: int, body: dict[str, object], alarm: bool
) -> None:
    gateway.on(REFUND, reply(body, status))
    answer = refunded(client(gateway))
    assert isinstance(answer, Unknown)
    assert (answer.sent, answer.configuration) == (False, alarm)
    assert answer.reason.startswith("not taken: ")


@pytest.mark.parametrize(("status", "alarm"), [(400, True), (429, False), (503, False)])
def test_a_refund_without_a_token_is_not_sent(gateway: ScriptedGateway, *, status: int, alarm: bool) -> None:
    gateway.on(TOKEN, Reply(status))
    answer = refunded(client(gateway))
    assert isinstance(answer, Unknown)
    assert (answer.sent, answer.configuration) == (False, alarm)
    assert gateway.asked(REFUND) == []


@pytest.mark.parametrize(("path", "request_it"), REQUESTS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (417, bodies.error("INVALID_TRANSACTION_ID", "Order ID has already been used", success=False)),
        (417, bodies.error("INVALID_MERCHANT_ORDER_ID")),
        (417, {}),
        (400, bodies.error("INVALID_TRANSACTION_ID")),
        (400, bodies.error("DUPLICATE_TXN_REQUEST")),
    ],
)
def test_a_reference_that_phonepe_has_seen_is_to_be_looked_up(
    gateway: ScriptedGateway, path: str, request_it: Request, status: int, body: object
) -> None:
    gateway.on(path, reply(body, status))
    assert request_it(client(gateway)) == Unknown("reference already used")


@pytest.mark.parametrize(("path", "request_it"), REQUESTS)
@pytest.mark.parametrize(
    "loss",
    [
        reply(bodies.error("INTERNAL_SERVER_ERROR"), 500),
        reply(bodies.error("BAD_REQUEST"), 503),
        Reply(502, b"<html><h1>502 Bad Gateway</h1></html>"),
        Reply(503),
        Reply(400, b"<html>"),
        Reply(200),
        Reply(200, b"<html>"),
        Reply(302, b"", {"Location": "/x"}),
        reply({}),
        reply([]),
        HangUp(),
    ],
)
def test_an_answer_that_proves_nothing_is_unknown_and_sent_once(
    gateway: ScriptedGateway, path: str, request_it: Request, loss: Reply | HangUp
) -> None:
    gateway.on(path, loss)
    answer = request_it(client(gateway))
    assert isinstance(answer, Unknown)
    assert answer.sent
    assert len(gateway.asked(path)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"redirectUrl": None},
        {"redirectUrl": ""},
        {"redirectUrl": "javascript:alert(1)"},
        {"redirectUrl": "https://x\r\nSet-Cookie: a"},
        {"orderId": None},
        {"state": "FAILED"},
        {"state": "COMPLETED"},
    ],
)
def test_an_order_without_a_page_that_a_browser_may_be_sent_to_is_unknown(
    gateway: ScriptedGateway, changes: dict[str, object]
) -> None:
    gateway.on(PAY, reply(bodies.page_made(**changes)))
    assert isinstance(paid(client(gateway)), Unknown)


def test_silence_is_unknown_and_sent_once(gateway: ScriptedGateway) -> None:
    gateway.on(PAY, Silence(5))
    answer = client(gateway).push(ORDER, now=NOW, timeout_s=0.5)
    assert answer == Unknown("maybe processed: no answer in time", sent=True)
    assert len(gateway.asked(PAY)) == 1


@pytest.mark.parametrize("refused", [bodies.error("AUTHORIZATION_FAILED", success=False, data={}), {}, None])
def test_a_refused_token_is_renewed_once_and_the_order_sent_once_more(gateway: ScriptedGateway, refused: object) -> None:
    expires_at = int(NOW.timestamp()) + 3600
    gateway.on(TOKEN, reply(bodies.access_token(expires_at, "first")), reply(bodies.access_token(expires_at, "second")))
    gateway.on(PAY, reply(refused, 401), reply(bodies.page_made()))
    assert isinstance(paid(client(gateway)), Accepted)
    assert [seen.headers["Authorization"] for seen in gateway.asked(PAY)] == ["O-Bearer first", "O-Bearer second"]


def test_a_token_refused_twice_ends_the_order_with_an_alarm(gateway: ScriptedGateway) -> None:
    gateway.on(PAY, reply(bodies.error("AUTHORIZATION_FAILED"), 401))
    answer = paid(client(gateway))
    assert isinstance(answer, Rejected)
    assert answer.configuration
    assert len(gateway.asked(PAY)) == 2


@pytest.mark.parametrize(
    ("refused", "alarm"),
    [
        (reply(bodies.error("INVALID_CLIENT", errorCode="OIM000"), 400), True),
        (Reply(401), True),
        (Reply(404, b"<html>"), True),
        (Reply(429), False),
        (Reply(503), False),
        (Reply(200, b"<html>"), False),
        (HangUp(), False),
    ],
)
def test_without_a_token_nothing_is_sent(gateway: ScriptedGateway, *, refused: Reply | HangUp, alarm: bool) -> None:
    gateway.on(TOKEN, refused)
    gateway.on(PAY, reply(bodies.page_made()))
    answer = paid(client(gateway))
    if alarm:
        assert isinstance(answer, Rejected)
        assert (answer.code, answer.configuration) == ("misconfigured", True)
    else:
        assert isinstance(answer, Unknown)
        assert not answer.sent
    assert gateway.asked(PAY) == []


@pytest.mark.parametrize(
    ("expires_at", "life"),
    [
        (int(NOW.timestamp()) + 3600, timedelta(hours=1)),
        (str(int(NOW.timestamp()) + 3600), timedelta(hours=1)),
        (None, timedelta(minutes=10)),
        ("soon", timedelta(minutes=10)),
        (10**14, timedelta(days=30)),
        (1_706_697_605, timedelta(0)),
    ],
)
def test_the_life_of_a_token_is_its_expires_at(gateway: ScriptedGateway, expires_at: Any, life: timedelta) -> None:
    body = bodies.access_token(0) | {"expires_at": expires_at}
    gateway.on(TOKEN, reply(body))
    gateway.on(PAY, reply(bodies.page_made()))
    store = MemoryTokenStore()
    assert isinstance(paid(client(gateway, store)), Accepted)
    assert store.tokens["PHONEPE"].expires_at - NOW == life


def test_one_token_serves_many_calls(gateway: ScriptedGateway) -> None:
    gateway.on(PAY, reply(bodies.page_made()))
    phonepe = client(gateway)
    for _ in range(3):
        paid(phonepe)
    assert len(gateway.asked(TOKEN)) == 1


def test_no_secret_and_no_page_address_shows_in_a_repr(gateway: ScriptedGateway) -> None:
    gateway.on(PAY, reply(bodies.page_made()))
    phonepe = client(gateway)
    shown = repr([CREDENTIALS, phonepe, paid(phonepe)])
    secrets = ("the-secret", "hookpass1", "hookname", "phonepeToken", "page%2Btoken")
    assert [secret for secret in secrets if secret in shown] == []
