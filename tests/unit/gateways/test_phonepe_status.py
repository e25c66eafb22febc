"""PhonePe's order and refund status: the root state alone decides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import (
    Absent,
    Captured,
    Declined,
    NoAnswer,
    Pending,
    Refunded,
    RefundStatusAnswer,
    StatusAnswer,
    StatusQuery,
)
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials

from . import phonepe_bodies as bodies
from .scripted_gateway import HangUp, Reply, ScriptedGateway, reply

NOW = datetime(2026, 5, 3, 4, 45, tzinfo=UTC)
ORDER = f"/checkout/v2/order/{bodies.REF}/status"
REFUND = f"/payments/v2/refund/{bodies.REFUND_REF}/status"
PRICE = Money(99_900, Currency.INR)


def client(gateway: ScriptedGateway) -> PhonePe:
    gateway.scripts.setdefault("/token", [reply(bodies.access_token(int(NOW.timestamp()) + 3600))])
    return PhonePe(PhonePeCredentials("id", "secret", "1"), gateway.url, gateway.url + "/token", None, "a")


def order(gateway: ScriptedGateway, *replies: Reply | HangUp) -> StatusAnswer:
    gateway.on(ORDER, *replies)
    return client(gateway).status(StatusQuery(bodies.REF, None, PRICE), now=NOW, timeout_s=5)


def refund(gateway: ScriptedGateway, *replies: Reply | HangUp) -> RefundStatusAnswer:
    gateway.on(REFUND, *replies)
    return client(gateway).refund_status(bodies.about(bodies.REFUND_REF), now=NOW, timeout_s=5)


def test_a_completed_order_states_amount_and_receipt(gateway: ScriptedGateway) -> None:
    assert order(gateway, reply(bodies.order("COMPLETED"))) == Captured(PRICE, bodies.ORDER_ID)
    (seen,) = gateway.asked(ORDER)
    assert (seen.method, seen.path) == ("GET", ORDER + "?details=false&errorContext=true")
    assert seen.headers["Authorization"] == "O-Bearer phonepeTokenNumberOne"


def test_the_payee_is_named_where_phonepe_states_it(gateway: ScriptedGateway) -> None:
    answer = order(gateway, reply(bodies.order_payload("COMPLETED")))
    assert answer == Captured(PRICE, bodies.ORDER_ID, merchant="SHOPONE")


@pytest.mark.parametrize(("amount", "minor"), [(99_900, 99_900), ("99900", 99_900), (99_900.0, 99_900)])
def test_an_amount_is_paisa_in_any_notation(gateway: ScriptedGateway, amount: object, minor: int) -> None:
    answer = order(gateway, reply(bodies.order("COMPLETED", amount=amount)))
    assert answer == Captured(Money(minor, Currency.INR), bodies.ORDER_ID)


@pytest.mark.parametrize("amount", [-5, 10.5, "ten", True, 10**30])
def test_a_success_whose_amount_cannot_be_one_proves_nothing(gateway: ScriptedGateway, amount: object) -> None:
    answer = order(gateway, reply(bodies.order("COMPLETED", amount=amount)))
    assert answer == NoAnswer("the amount that was collected cannot be read", heard=True)


def test_a_success_need_not_state_an_amount(gateway: ScriptedGateway) -> None:
    assert order(gateway, reply(bodies.order("COMPLETED", amount=None))) == Captured(None, bodies.ORDER_ID)


def test_a_pending_order_is_pending_whatever_its_payment_tries_say(gateway: ScriptedGateway) -> None:
    assert order(gateway, reply(bodies.order("PENDING"))) == Pending()
    assert order(gateway, reply(bodies.order("PENDING", paymentDetails=[]))) == Pending()


@pytest.mark.parametrize(
    ("error_code", "description", "code", "message"),
    [
        ("INVALID_MPIN", "Wrong MPIN was entered", "wrong_pin", "The UPI PIN was wrong."),
        ("AUTHORIZATION_ERROR", "The bank declined the payment", "payment_failed", "The bank declined the payment."),
        ("AUTHORIZATION_ERROR", None, "payment_failed", "The payment was not completed."),
        ("SOMETHING_NEW", "", "payment_failed", "The payment was not completed."),
    ],
)
def test_a_failed_order_says_why(
    gateway: ScriptedGateway, error_code: str, description: str | None, code: str, message: str
) -> None:
    answer = order(gateway, reply(bodies.failed_order(error_code, description)))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.retryable, answer.configuration, answer.final) == (code, True, False, True)
    assert answer.message.startswith(message)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, bodies.no_entry()),
        (404, bodies.no_entry()),
        (417, bodies.no_entry()),
        (400, bodies.error("ORDER_UNKNOWN", "No entry found for given merchant order id")),
    ],
)
def test_an_order_that_never_reached_phonepe_is_absent(gateway: ScriptedGateway, status: int, body: object) -> None:
    assert order(gateway, reply(body, status)) == Absent()


@pytest.mark.parametrize(
    "nothing",
    [
        reply(bodies.error("INTERNAL_SERVER_ERROR"), 500),
        reply(bodies.no_entry(), 500),
        reply(bodies.error("TOO_MANY_REQUESTS"), 429),
        reply(bodies.no_entry()),
        reply(bodies.order("SOMETHING_NEW")),
        reply(bodies.order("completed")),
        reply(bodies.order(None)),
        reply(bodies.order("COMPLETED", merchantOrderId="MT-somebody-else")),
        reply(bodies.order("COMPLETED"), 500),
        reply({}),
        reply([bodies.order("COMPLETED")]),
        Reply(502, b"<html>"),
        Reply(200),
        Reply(302, b"", {"Location": "/x"}),
        HangUp(),
    ],
)
def test_what_proves_nothing_is_no_answer(gateway: ScriptedGateway, nothing: Reply | HangUp) -> None:
    answer = order(gateway, nothing)
    assert isinstance(answer, NoAnswer)
    assert not answer.configuration


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (reply(bodies.order("SOMETHING_NEW")), True),
        (reply(bodies.order("COMPLETED", amount="all of it")), True),
        (reply(bodies.order("COMPLETED", merchantOrderId="MT-somebody-else")), True),
        (reply(bodies.error("INTERNAL_SERVER_ERROR"), 500), False),
        (HangUp(), False),
    ],
)
def test_an_answer_about_this_order_was_heard_and_trouble_of_the_gateway_was_not(
    gateway: ScriptedGateway, answer: Reply | HangUp, *, heard: bool
) -> None:
    found = order(gateway, answer)
    assert isinstance(found, NoAnswer)
    assert found.heard is heard


@pytest.mark.parametrize(
    "fault",
    [reply(bodies.error("AUTHORIZATION_FAILED"), 401), reply(bodies.error("BAD_REQUEST", "Api Mapping Not Found"), 400)],
)
def test_a_fault_of_ours_is_no_answer_with_an_alarm(gateway: ScriptedGateway, fault: Reply) -> None:
    answer = order(gateway, fault)
    assert isinstance(answer, NoAnswer)
    assert answer.configuration


@pytest.mark.parametrize(("refused", "alarm"), [(Reply(400), True), (Reply(503), False)])
def test_without_a_token_there_is_no_answer(gateway: ScriptedGateway, *, refused: Reply, alarm: bool) -> None:
    gateway.on("/token", refused)
    answer = order(gateway, reply(bodies.order("COMPLETED")))
    assert isinstance(answer, NoAnswer)
    assert answer.configuration is alarm


def test_a_refused_token_is_renewed_and_the_question_asked_again(gateway: ScriptedGateway) -> None:
    assert order(gateway, reply({}, 401), reply(bodies.order("PENDING"))) == Pending()
    assert len(gateway.asked("/token")) == 2


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (bodies.refund("COMPLETED"), Refunded(PRICE, "OMR2605031100009999999999")),
        (bodies.refund("CONFIRMED"), Pending()),
        (bodies.refund("PENDING"), Pending()),
    ],
)
def test_a_refund_is_made_only_when_its_root_state_says_so(
    gateway: ScriptedGateway, body: object, answer: RefundStatusAnswer
) -> None:
    assert refund(gateway, reply(body)) == answer


def test_a_failed_refund_is_declined(gateway: ScriptedGateway) -> None:
    answer = refund(gateway, reply(bodies.refund("FAILED", errorCode="AUTHORIZATION_ERROR")))
    assert answer == Declined("refund_failed", "PhonePe could not make this refund.", retryable=True)


def test_an_unknown_refund_is_absent(gateway: ScriptedGateway) -> None:
    assert refund(gateway, reply(bodies.error("INVALID_MERCHANT_REFUND_ID", "No entry found"), 400)) == Absent()


@pytest.mark.parametrize(
    "nothing",
    [
        reply(bodies.refund("SOMETHING_NEW")),
        reply(bodies.refund("COMPLETED", merchantRefundId="R-somebody-else")),
        reply(bodies.refund("COMPLETED", amount="all of it")),
        reply(bodies.refund("COMPLETED", amount=-1)),
        Reply(502, b"<html>"),
        HangUp(),
    ],
)
def test_a_refund_that_cannot_be_asked_about_has_no_answer(gateway: ScriptedGateway, nothing: Reply | HangUp) -> None:
    assert isinstance(refund(gateway, nothing), NoAnswer)
