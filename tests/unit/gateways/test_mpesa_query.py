"""The STK query: every result code, both ways of saying "not yet", and answers that prove nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Captured, Declined, NoAnswer, Pending, StatusAnswer, StatusQuery
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.mpesa.notices import read_stk_notice
from payfirst.gateways.mpesa.results import STK_RESULTS

from . import mpesa_bodies as bodies
from .scripted_gateway import HangUp, Reply, ScriptedGateway, Silence, reply

NOW = datetime(2026, 5, 3, 21, 30, 5, tzinfo=UTC)
QUERY = "/mpesa/stkpushquery/v1/query"
ASKED = StatusQuery("MT5f0a1b2c3d4e5", bodies.CHECKOUT_REQUEST_ID, Money(25_000, Currency.KES))

# code: our word, may the customer try again, must we mend something
CODES: dict[str, tuple[str, bool, bool]] = {
    "1": ("insufficient_funds", True, False),
    "2": ("limit", False, False),
    "3": ("limit", False, False),
    "4": ("limit", True, False),
    "8": ("limit", False, True),
    "17": ("retry_later", True, False),
    "26": ("gateway_busy", True, False),
    "1001": ("subscriber_busy", True, False),
    "1019": ("expired", True, False),
    "1025": ("push_error", True, False),
    "9999": ("push_error", True, False),
    "1031": ("cancelled", True, False),
    "1032": ("cancelled", True, False),
    "1036": ("unreachable", True, False),
    "1037": ("unreachable", True, False),
    "2001": ("wrong_pin", True, False),
    "2002": ("misconfigured", False, True),
    "2028": ("misconfigured", False, True),
    "SFC_IC0003": ("misconfigured", False, True),
    "8006": ("customer_locked", False, False),
}


def asked(
    gateway: ScriptedGateway, *replies: Reply | HangUp | Silence, query: StatusQuery = ASKED, timeout_s: float = 5
) -> StatusAnswer:
    gateway.on("/oauth/v1/generate", reply(bodies.access_token("first")), reply(bodies.access_token("second")))
    gateway.on(QUERY, *replies)
    mpesa = Mpesa(MpesaCredentials("key", "secret", "600111", "passkey"), gateway.url, None, "a")
    return mpesa.status(query, now=NOW, timeout_s=timeout_s)


def test_the_table_of_codes_has_no_code_that_is_not_tested_here() -> None:
    assert set(STK_RESULTS) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_each_documented_failure_means_the_same_in_a_query_and_in_a_notice(gateway: ScriptedGateway, code: str) -> None:
    written = int(code) if code.isdigit() else code
    notice = read_stk_notice(bodies.stk_notice(written))
    assert notice is not None
    for answer in (asked(gateway, reply(bodies.query_result(code))), notice.answer):
        assert isinstance(answer, Declined)
        assert (answer.code, answer.retryable, answer.configuration) == CODES[code]
        assert answer.message.endswith(".")
        assert answer.final


def test_zero_is_captured_without_amount_or_receipt(gateway: ScriptedGateway) -> None:
    assert asked(gateway, reply(bodies.query_result("0"))) == Captured(amount=None, receipt=None)
    body = gateway.asked(QUERY)[0].body
    assert body["CheckoutRequestID"] == bodies.CHECKOUT_REQUEST_ID
    assert body["Timestamp"] == "20260504003005"
    assert set(body) == {"BusinessShortCode", "Password", "Timestamp", "CheckoutRequestID"}


@pytest.mark.parametrize("code", [0, "0", " 0 "])
def test_a_result_code_counts_as_number_and_as_text(gateway: ScriptedGateway, code: object) -> None:
    assert isinstance(asked(gateway, reply(bodies.query_result(code))), Captured)


@pytest.mark.parametrize(
    "still",
    [
        reply(bodies.query_result("4999")),
        reply(bodies.query_result(4999)),
        reply(bodies.error("500.001.1001", "The transaction is being processed"), 500),
    ],
)
def test_both_ways_of_saying_not_yet_are_pending(gateway: ScriptedGateway, still: Reply) -> None:
    assert asked(gateway, still) == Pending()


@pytest.mark.parametrize(
    "nothing",
    [
        reply(bodies.error("500.001.1001", "The transaction does not Exist"), 500),
        reply(bodies.error("500.003.02", "System is busy"), 500),
        reply(bodies.error("500.003.1001", "Internal Server Error"), 500),
        reply(bodies.fault("Spike arrest violation"), 429),
        reply(bodies.query_result("E3008")),
        reply(bodies.query_result("77777")),
        reply(bodies.query_result(None)),
        reply(bodies.query_result(False)),  # noqa: FBT003 - JSON's false is no zero
        reply(bodies.query_result("0", ResponseCode="1")),
        reply(bodies.query_result("0", CheckoutRequestID="ws_CO_somebody_else")),
        reply(bodies.query_result("0"), 500),
        reply({}),
        Reply(500),
        Reply(502, b"<html>"),
        Reply(200, b""),
        Reply(302, b"", {"Location": "/x"}),
        HangUp(),
    ],
)
def test_what_proves_nothing_is_no_answer_and_never_success_or_failure(
    gateway: ScriptedGateway, nothing: Reply | HangUp
) -> None:
    answer = asked(gateway, nothing)
    assert isinstance(answer, NoAnswer)
    assert not answer.configuration
    assert "708374149" not in answer.reason


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (reply(bodies.error("500.001.1001", "The transaction does not Exist"), 500), True),
        (reply(bodies.query_result("E3008")), True),
        (reply(bodies.query_result(None)), True),
        (reply(bodies.query_result("0", CheckoutRequestID="ws_CO_somebody_else")), True),
        (reply(bodies.error("500.003.02", "System is busy"), 500), False),
        (reply(bodies.error("500.003.1001", "Internal Server Error"), 500), False),
        (Reply(502, b"<html>"), False),
        (HangUp(), False),
    ],
)
def test_an_answer_about_this_payment_was_heard_and_trouble_of_the_gateway_was_not(
    gateway: ScriptedGateway, answer: Reply | HangUp, *, heard: bool
) -> None:
    found = asked(gateway, answer)
    assert isinstance(found, NoAnswer)
    assert found.heard is heard


def test_silence_is_no_answer(gateway: ScriptedGateway) -> None:
    assert isinstance(asked(gateway, Silence(5), timeout_s=0.5), NoAnswer)


@pytest.mark.parametrize(
    "fault",
    [
        reply(bodies.error("500.001.1001", "Merchant does not exist"), 500),
        reply(bodies.error("500.001.1001", "Wrong credentials"), 500),
        reply(bodies.error("404.001.03", "Invalid Access Token"), 404),
        reply(bodies.error("400.002.02", "Bad Request - Invalid BusinessShortCode"), 400),
        reply(bodies.error("401.003.01", "no apiproduct match found"), 401),
    ],
)
def test_a_fault_of_ours_is_no_answer_with_an_alarm(gateway: ScriptedGateway, fault: Reply) -> None:
    answer = asked(gateway, fault)
    assert isinstance(answer, NoAnswer)
    assert answer.configuration


def test_a_dead_token_is_renewed_and_the_question_asked_again(gateway: ScriptedGateway) -> None:
    dead = reply(bodies.error("404.001.03", "Invalid Access Token"), 404)
    assert asked(gateway, dead, reply(bodies.query_result("4999"))) == Pending()


def test_wrong_keys_are_no_answer_with_an_alarm(gateway: ScriptedGateway) -> None:
    gateway.on("/oauth/v1/generate", Reply(400))
    mpesa = Mpesa(MpesaCredentials("key", "secret", "600111", "passkey"), gateway.url, None, "a")
    answer = mpesa.status(ASKED, now=NOW, timeout_s=5)
    assert isinstance(answer, NoAnswer)
    assert answer.configuration


def test_without_a_checkout_request_id_there_is_nothing_to_ask(gateway: ScriptedGateway) -> None:
    query = StatusQuery("MT5f0a1b2c3d4e5", None, ASKED.amount)
    assert isinstance(asked(gateway, reply({}), query=query), NoAnswer)
    assert gateway.seen == []


def test_a_query_shows_no_phone_number_in_its_repr() -> None:
    assert "708374149" not in repr(ASKED)
