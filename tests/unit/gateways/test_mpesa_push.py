"""An STK push: what is sent, and what each answer means."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Accepted, Push, PushAnswer, Rejected, Unknown
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials

from . import mpesa_bodies as bodies
from .scripted_gateway import HangUp, Reply, ScriptedGateway, Silence, reply
from .shared_tokens import MemoryTokenStore

NOW = datetime(2026, 5, 3, 21, 30, 5, tzinfo=UTC)
OAUTH = "/oauth/v1/generate"
PUSH = "/mpesa/stkpush/v1/processrequest"
CREDENTIALS = MpesaCredentials("the-key", "the-secret", "600111", "the-passkey")
TOKEN_DEAD = reply(bodies.error("404.001.03", "Invalid Access Token"), 404)
ORDER = Push(
    ref="MT5f0a1b2c3d4e5",
    amount=Money(25_000, Currency.KES),
    account="ORDER 7/A",
    description="Tomatoes & more",
    expires_at=NOW + timedelta(minutes=15),
    phone="254708374149",
    callback_url="https://pay.shop.co.ke/cb/stk/cafe0123cafe",
)


def client(gateway: ScriptedGateway, credentials: MpesaCredentials = CREDENTIALS) -> Mpesa:
    gateway.scripts.setdefault(OAUTH, [reply(bodies.access_token())])
    return Mpesa(credentials, gateway.url, MemoryTokenStore(), "container-a")


def pushed(gateway: ScriptedGateway, *replies: Reply | Silence | HangUp, timeout_s: float = 5) -> PushAnswer:
    gateway.on(PUSH, *replies)
    return client(gateway).push(ORDER, now=NOW, timeout_s=timeout_s)


def test_a_paybill_push_says_what_the_api_asks_for(gateway: ScriptedGateway) -> None:
    answer = pushed(gateway, reply(bodies.push_accepted()))
    assert answer == Accepted(
        bodies.CHECKOUT_REQUEST_ID,
        merchant_request_id=bodies.MERCHANT_REQUEST_ID,
        customer_message="Success. Request accepted for processing",
    )
    (token,) = gateway.asked(OAUTH)
    assert token.path == OAUTH + "?grant_type=client_credentials"
    assert token.headers["Authorization"] == "Basic " + base64.b64encode(b"the-key:the-secret").decode()
    (sent,) = gateway.asked(PUSH)
    assert sent.headers["Authorization"] == "Bearer tokenOneFromTheGateway"
    password = base64.b64decode(sent.body["Password"])
    assert password == b"600111the-passkey20260504003005"
    assert {k: v for k, v in sent.body.items() if k != "Password"} == {
        "BusinessShortCode": "600111",
        "Timestamp": "20260504003005",  # Nairobi is three hours ahead
        "TransactionType": "CustomerPayBillOnline",
        "Amount": "250",
        "PartyA": "254708374149",
        "PartyB": "600111",
        "PhoneNumber": "254708374149",
        "CallBackURL": "https://pay.shop.co.ke/cb/stk/cafe0123cafe",
        "AccountReference": "ORDER7A",
        "TransactionDesc": "Tomatoes more",
    }


def test_a_till_is_paid_through_its_head_office(gateway: ScriptedGateway) -> None:
    gateway.on(PUSH, reply(bodies.push_accepted()))
    client(gateway, replace(CREDENTIALS, till="512345")).push(ORDER, now=NOW, timeout_s=5)
    body = gateway.asked(PUSH)[0].body
    assert (body["TransactionType"], body["BusinessShortCode"], body["PartyB"]) == (
        "CustomerBuyGoodsOnline",
        "600111",
        "512345",
    )


@pytest.mark.parametrize("account", ["", "***", "a very long account reference"])
@pytest.mark.parametrize("description", ["", "  ", "ünïcödé only", "a very long description", "£"])
def test_account_and_description_fit_the_api_and_are_never_empty(
    gateway: ScriptedGateway, account: str, description: str
) -> None:
    gateway.on(PUSH, reply(bodies.push_accepted()))
    client(gateway).push(replace(ORDER, account=account, description=description), now=NOW, timeout_s=5)
    body = gateway.asked(PUSH)[0].body
    assert 1 <= len(body["AccountReference"]) <= 12
    assert body["AccountReference"].isalnum()
    assert 1 <= len(body["TransactionDesc"]) <= 13
    assert body["TransactionDesc"].isascii()


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Money(25_050, Currency.KES)},
        {"amount": Money(0, Currency.KES)},
        {"amount": Money(-100, Currency.KES)},
        {"amount": Money(25_000, Currency.INR)},
        {"phone": None},
        {"phone": "0708374149"},
        {"phone": "254208374149"},
        {"callback_url": None},
    ],
)
def test_what_m_pesa_cannot_take_is_an_error_before_anything_is_sent(
    gateway: ScriptedGateway, changes: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"whole shillings|phone number|callback"):
        client(gateway).push(replace(ORDER, **changes), now=NOW, timeout_s=5)  # type: ignore[arg-type]
    assert gateway.seen == []


def test_a_time_without_a_zone_is_an_error(gateway: ScriptedGateway) -> None:
    with pytest.raises(ValueError, match="zone"):
        client(gateway).push(ORDER, now=NOW.replace(tzinfo=None), timeout_s=5)


INVALID = "Bad Request - Invalid "
REFUSALS: list[tuple[int, object, str, bool, bool, str | None]] = [
    (400, bodies.error("400.002.02", INVALID + "PhoneNumber"), "invalid_phone", True, False, "phone_number"),
    (400, bodies.error("400.002.02", INVALID + "PartyA"), "invalid_phone", True, False, "phone_number"),
    (400, bodies.error("400.002.02", INVALID + "Amount"), "invalid_amount", False, False, "amount"),
    (400, bodies.error("400.002.02", INVALID + "BusinessShortCode"), "misconfigured", False, True, None),
    (400, bodies.error("400.002.02", INVALID + "CallBackURL"), "misconfigured", False, True, None),
    (400, bodies.error("400.002.02", INVALID + "Remarks"), "misconfigured", False, True, None),
    (404, bodies.error("404.001.01", "Resource not found"), "misconfigured", False, True, None),
    (405, bodies.error("405.001", "Method Not Allowed"), "misconfigured", False, True, None),
    (401, bodies.error("401.003.01", "Error Occurred - no apiproduct match found"), "misconfigured", False, True, None),
    (500, bodies.error("500.001.1001", "Merchant does not exist"), "misconfigured", False, True, None),
    (500, bodies.error("500.001.1001", "Wrong credentials"), "misconfigured", False, True, None),
    (
        500,
        bodies.error("500.001.1001", "Unable to lock subscriber, a transaction is already in process"),
        "subscriber_busy",
        True,
        False,
        None,
    ),
    (500, bodies.error("500.003.02", "System is busy. Please try again"), "gateway_busy", True, False, None),
    (500, bodies.error("500.003.02", "Error Occurred: Spike Arrest Violation"), "gateway_busy", True, False, None),
    (500, bodies.error("500.003.03", "Error Occurred: Quota Violation"), "gateway_busy", True, False, None),
    (429, bodies.fault("Spike arrest violation. Allowed rate : 5ps"), "gateway_busy", True, False, None),
    (500, bodies.fault("Spike arrest violation. Allowed rate : 5ps"), "gateway_busy", True, False, None),
    (429, {}, "gateway_busy", True, False, None),
    (200, {"ResponseCode": "1", "ResponseDescription": "Rejected"}, "rejected", False, True, None),
]


@pytest.mark.parametrize(("status", "body", "code", "retryable", "alarm", "named"), REFUSALS)
def test_each_definite_no_has_its_word_and_a_sentence(
    gateway: ScriptedGateway, *, status: int, body: object, code: str, retryable: bool, alarm: bool, named: str | None
) -> None:
    answer = pushed(gateway, reply(body, status))
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.retryable, answer.configuration, answer.field) == (code, retryable, alarm, named)
    assert answer.message.endswith(".")
    assert answer.detail
    assert len(gateway.asked(PUSH)) == 1


@pytest.mark.parametrize(
    "loss",
    [
        reply(bodies.error("500.003.1001", "Internal Server Error"), 500),
        reply(bodies.error("500.001.1001", "The transaction is being processed"), 500),
        reply(bodies.error("500.001.1001", "The transaction does not Exist"), 500),
        reply(bodies.error("599.000.01", "who knows"), 500),
        Reply(500),
        Reply(502, b"<html><h1>502 Bad Gateway</h1></html>"),
        Reply(503),
        Reply(403, b"<html>blocked</html>"),
        Reply(302, b"", {"Location": "/elsewhere"}),
        Reply(200),
        Reply(200, b"<html>fine</html>"),
        Reply(200, b'{"ResponseCode": "0", "Checkout', declared_length=900),
        reply({}),
        reply(bodies.push_accepted(), 500),
        reply(bodies.push_accepted(CheckoutRequestID="")),
        reply(bodies.push_accepted(CheckoutRequestID=None)),
        reply(bodies.push_accepted(ResponseCode="1")),
        reply([bodies.push_accepted()]),
        HangUp(),
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_push_unknown_and_unrepeated(
    gateway: ScriptedGateway, loss: Reply | HangUp
) -> None:
    answer = pushed(gateway, loss)
    assert isinstance(answer, Unknown)
    assert answer.sent
    assert answer.reason.startswith("maybe processed")
    assert len(gateway.asked(PUSH)) == 1


def test_silence_leaves_the_push_unknown_and_unrepeated(gateway: ScriptedGateway) -> None:
    assert pushed(gateway, Silence(5), timeout_s=0.5) == Unknown("maybe processed: no answer in time", sent=True)
    assert len(gateway.asked(PUSH)) == 1


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "404.001.03", "Invalid Access Token"),
        (404, "404.001.04", "Invalid Access Token"),
        (400, "400.003.01", "Invalid Access Token"),
        (401, "401.003.01", "Error Occurred - Invalid Access Token - tokenOneFromTheGateway"),
        (401, "", ""),
    ],
)
def test_a_dead_token_is_renewed_once_and_the_push_sent_once_more(
    gateway: ScriptedGateway, status: int, code: str, message: str
) -> None:
    gateway.on(OAUTH, reply(bodies.access_token("first")), reply(bodies.access_token("second")))
    answer = pushed(gateway, reply(bodies.error(code, message), status), reply(bodies.push_accepted()))
    assert isinstance(answer, Accepted)
    assert [seen.headers["Authorization"] for seen in gateway.asked(PUSH)] == ["Bearer first", "Bearer second"]
    assert len(gateway.asked(OAUTH)) == 2


def test_a_token_refused_twice_ends_the_push_with_an_alarm(gateway: ScriptedGateway) -> None:
    answer = pushed(gateway, TOKEN_DEAD)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.configuration) == ("token_refused", True)
    assert len(gateway.asked(PUSH)) == 2
    assert len(gateway.asked(OAUTH)) == 2


@pytest.mark.parametrize("again", [reply({}, 500), HangUp()])
def test_a_push_that_is_lost_on_its_second_sending_is_not_sent_a_third_time(
    gateway: ScriptedGateway, again: Reply | HangUp
) -> None:
    assert isinstance(pushed(gateway, TOKEN_DEAD, again), Unknown)
    assert len(gateway.asked(PUSH)) == 2


@pytest.mark.parametrize(
    "refused",
    [
        reply(bodies.error("400.008.01", "Invalid Authentication passed"), 400),
        reply(bodies.error("400.008.02", "Invalid grant type passed"), 400),
        Reply(400),
        Reply(401),
        Reply(404, b"<html>"),
    ],
)
def test_wrong_keys_are_our_own_fault_and_nothing_is_pushed(gateway: ScriptedGateway, refused: Reply) -> None:
    gateway.on(OAUTH, refused)
    answer = pushed(gateway, reply(bodies.push_accepted()))
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.configuration, answer.retryable) == ("misconfigured", True, False)
    assert gateway.asked(PUSH) == []


@pytest.mark.parametrize(
    "loss", [Reply(503), Reply(429), Reply(200, b"<html>"), reply({"access_token": "ünprintable\n→"}), reply({}), HangUp()]
)
def test_without_a_token_the_push_was_surely_never_sent(gateway: ScriptedGateway, loss: Reply | HangUp) -> None:
    gateway.on(OAUTH, loss)
    answer = pushed(gateway, reply(bodies.push_accepted()))
    assert isinstance(answer, Unknown)
    assert not answer.sent
    assert gateway.asked(PUSH) == []


@pytest.mark.parametrize("expires_in", [3599, "3599", None, "soon", 10**30])
def test_the_life_of_a_token_is_read_as_number_or_text(gateway: ScriptedGateway, expires_in: int | str | None) -> None:
    gateway.on(OAUTH, reply(bodies.access_token(expires_in=expires_in)))
    gateway.on(PUSH, reply(bodies.push_accepted()))
    store = MemoryTokenStore()
    mpesa = Mpesa(CREDENTIALS, gateway.url, store, "a")
    for _ in range(2):
        assert isinstance(mpesa.push(ORDER, now=NOW, timeout_s=5), Accepted)
    assert len(gateway.asked(OAUTH)) == 1
    life = store.tokens["MPESA"].expires_at - NOW
    assert timedelta(minutes=5) < life <= timedelta(days=1)


def test_nobody_listening_is_surely_never_sent() -> None:
    answer = Mpesa(CREDENTIALS, "http://127.0.0.1:1", None, "a").push(ORDER, now=NOW, timeout_s=2)
    assert isinstance(answer, Unknown)
    assert not answer.sent


def test_no_secret_and_no_phone_number_shows_in_any_answer_repr_or_log(
    gateway: ScriptedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    said = "Invalid Access Token tokenOneFromTheGateway1 for 254708374149"
    answers = [
        pushed(gateway, reply(bodies.push_accepted())),
        pushed(gateway, reply(bodies.error("404.001.03", said), 404)),
        pushed(gateway, reply(bodies.error("400.002.02", f"Bad Request - Invalid {bodies.CHECKOUT_REQUEST_ID}"), 400)),
        pushed(gateway, reply(bodies.error("500.003.1001", said), 500)),
    ]
    shown = repr([*answers, ORDER, CREDENTIALS, client(gateway)]) + caplog.text
    secrets = ("the-key", "the-secret", "the-passkey", "tokenOne", "708374149", "cafe0123")
    assert [secret for secret in secrets if secret in shown] == []
