"""Reversals and transaction status requests: what is sent, and what each acknowledgement means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Accepted, PushAnswer, Rejected, Unknown
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.mpesa.refunds import ResultAddresses, ask_transaction, reverse

from . import mpesa_bodies as bodies
from .scripted_gateway import HangUp, Reply, ScriptedGateway, reply

NOW = datetime(2026, 5, 3, 21, 30, 5, tzinfo=UTC)
AMOUNT = Money(25_000, Currency.KES)
ADDRESSES = ResultAddresses("https://pay.shop.co.ke/cb/result/feed0001", "https://pay.shop.co.ke/cb/late/feed0001")
CREDENTIALS = MpesaCredentials("key", "secret", "600111", "passkey", None, "the-initiator", "the-credential==")
REVERSAL, LOOK = "/mpesa/reversal/v1/request", "/mpesa/transactionstatus/v1/query"


def client(gateway: ScriptedGateway, credentials: MpesaCredentials = CREDENTIALS) -> Mpesa:
    gateway.on("/oauth/v1/generate", reply(bodies.access_token()))
    return Mpesa(credentials, gateway.url, None, "a")


def reversed_by(mpesa: Mpesa, amount: Money = AMOUNT, remarks: str = "Out of stock") -> PushAnswer:
    return reverse(mpesa, bodies.RECEIPT, amount, ADDRESSES, remarks=remarks, now=NOW, timeout_s=5)


def asked_by(mpesa: Mpesa) -> PushAnswer:
    return ask_transaction(mpesa, ADDRESSES, conversation="R-1", remarks="Look", now=NOW, timeout_s=5)


Request = Callable[[Mpesa], PushAnswer]
REQUESTS: list[tuple[str, Request]] = [(REVERSAL, reversed_by), (LOOK, asked_by)]


def test_a_reversal_says_what_the_api_asks_for(gateway: ScriptedGateway) -> None:
    gateway.on(REVERSAL, reply(bodies.acknowledged()))
    answer = reversed_by(client(gateway))
    assert answer == Accepted("AG_20260503_2010aa11bb22cc33dd44", merchant_request_id="2c4e-4f7b-8e21-b7fa0d6c115599001")
    assert gateway.asked(REVERSAL)[0].body == {
        "Initiator": "the-initiator",
        "SecurityCredential": "the-credential==",
        "CommandID": "TransactionReversal",
        "TransactionID": bodies.RECEIPT,
        "Amount": "250",
        "ReceiverParty": "600111",
        "RecieverIdentifierType": "11",
        "ResultURL": ADDRESSES.result_url,
        "QueueTimeOutURL": ADDRESSES.timeout_url,
        "Remarks": "Out of stock",
        "Occasion": "",
    }


def test_a_request_is_asked_about_by_its_conversation(gateway: ScriptedGateway) -> None:
    gateway.on(LOOK, reply(bodies.acknowledged()))
    assert isinstance(asked_by(client(gateway)), Accepted)
    body = gateway.asked(LOOK)[0].body
    assert (body["OriginalConversationID"], "TransactionID" in body) == ("R-1", False)
    assert (body["CommandID"], body["PartyA"], body["IdentifierType"]) == ("TransactionStatusQuery", "600111", "4")


def test_a_request_without_a_conversation_cannot_be_asked_about(gateway: ScriptedGateway) -> None:
    with pytest.raises(ValueError, match="conversation"):
        ask_transaction(client(gateway), ADDRESSES, conversation=None, remarks="Look", now=NOW, timeout_s=5)


@pytest.mark.parametrize("minor", [25_050, 0])
def test_a_reversal_of_no_whole_shillings_is_an_error_before_anything_is_sent(gateway: ScriptedGateway, minor: int) -> None:
    with pytest.raises(ValueError, match="shillings"):
        reversed_by(client(gateway), Money(minor, Currency.KES))
    assert gateway.seen == []


@pytest.mark.parametrize(("remarks", "sent"), [("", "Refund"), ("x", "Refund"), ("a  b", "a b"), ("y" * 300, "y" * 100)])
def test_remarks_fit_the_api(gateway: ScriptedGateway, remarks: str, sent: str) -> None:
    gateway.on(REVERSAL, reply(bodies.acknowledged()))
    reversed_by(client(gateway), remarks=remarks)
    assert gateway.asked(REVERSAL)[0].body["Remarks"] == sent


@pytest.mark.parametrize(("path", "request_it"), REQUESTS)
@pytest.mark.parametrize("missing", ["initiator_name", "security_credential"])
def test_without_an_initiator_a_person_has_to_pay_back(
    gateway: ScriptedGateway, path: str, request_it: Request, missing: str
) -> None:
    answer = request_it(client(gateway, replace(CREDENTIALS, **{missing: None})))  # type: ignore[arg-type]
    assert isinstance(answer, Rejected)
    assert answer.code == "manual_refund_required"
    assert gateway.asked(path) == []


NOES: list[tuple[int, dict[str, str], str, bool, bool]] = [
    (400, bodies.error("400.002.02", "Bad Request - Invalid TransactionID"), "refund_rejected", False, True),
    (404, bodies.error("404.001.01", "Resource not found"), "misconfigured", False, True),
    (401, bodies.error("401.003.01", "no apiproduct match found"), "misconfigured", False, True),
]


@pytest.mark.parametrize(("path", "request_it"), REQUESTS)
@pytest.mark.parametrize(("status", "body", "code", "retryable", "alarm"), NOES)
def test_each_definite_no_has_its_word(
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


@pytest.mark.parametrize(("path", "request_it"), REQUESTS)
@pytest.mark.parametrize(
    ("status", "body", "alarm"),
    [
        (500, bodies.error("500.003.02", "System is busy"), False),
        (429, {}, False),
        (404, bodies.error("404.001.03", "Invalid Access Token"), True),
    ],
)
def test_what_was_turned_away_at_the_gate_may_be_sent_later(
    gateway: ScriptedGateway, *, path: str, request_it: Request, status: int, body: object, alarm: bool
) -> None:
    gateway.on(path, reply(body, status))
    answer = request_it(client(gateway))
    assert isinstance(answer, Unknown)
    assert (answer.sent, answer.configuration) == (False, alarm)


@pytest.mark.parametrize(("path", "request_it"), REQUESTS)
@pytest.mark.parametrize(
    "loss",
    [
        reply(bodies.error("500.002.1001", "Duplicate OriginatorConversationID."), 500),
        reply(bodies.error("500.003.1001", "Internal Server Error"), 500),
        reply(bodies.acknowledged(ConversationID="")),
        reply(bodies.acknowledged(ResponseCode="1")),
        reply({}),
        Reply(502, b"<html>"),
        HangUp(),
    ],
)
def test_what_proves_nothing_is_unknown_and_sent_once(
    gateway: ScriptedGateway, path: str, request_it: Request, loss: Reply | HangUp
) -> None:
    gateway.on(path, loss)
    answer = request_it(client(gateway))
    assert isinstance(answer, Unknown)
    assert answer.sent
    assert len(gateway.asked(path)) == 1


def test_a_reference_that_m_pesa_has_seen_is_to_be_looked_up(gateway: ScriptedGateway) -> None:
    gateway.on(REVERSAL, reply(bodies.error("500.002.1001", "Duplicate OriginatorConversationID."), 500))
    assert reversed_by(client(gateway)) == Unknown("reference already used")


def test_without_a_token_nothing_is_sent(gateway: ScriptedGateway) -> None:
    mpesa = client(gateway)
    gateway.on("/oauth/v1/generate", Reply(503))
    answer = reversed_by(mpesa)
    assert isinstance(answer, Unknown)
    assert (answer.sent, answer.configuration) == (False, False)
    gateway.on("/oauth/v1/generate", Reply(400))
    refused = reversed_by(mpesa)
    assert isinstance(refused, Unknown)
    assert (refused.sent, refused.configuration) == (False, True)


def test_no_secret_shows_in_a_repr() -> None:
    shown = repr([CREDENTIALS, ADDRESSES])
    assert [word for word in ("the-credential", "the-initiator", "feed0001") if word in shown] == []
