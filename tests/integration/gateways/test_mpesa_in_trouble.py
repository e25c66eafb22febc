"""M-Pesa misbehaves in every way that is known of it: one order, one charge, and the customer is told the truth throughout."""

from __future__ import annotations

import time

import pytest

from tests.conftest import RunningStack
from tests.contract.walk import new_phone
from tests.integration.gateways.shoppers import (
    DOCUMENTED_CALLBACK,
    JSON_TYPE,
    ProduceShopper,
    kill_tokens,
    post,
    post_at_once,
)

CHECKING = "We are checking with M-Pesa."
SENT = "STK Push sent successfully. Please check your phone."


@pytest.mark.parametrize("answer", ["lost", "html_502", "empty_500", "internal_error"])
def test_an_answer_that_is_lost_after_the_push_was_taken_ends_in_one_order(a_buyer: ProduceShopper, answer: str) -> None:
    a_buyer.rule(call="push", answer=answer, done=True, times=1)

    told = a_buyer.initiate()

    assert (told.status_code, told.json()["status"], told.json()["message"]) == (202, "pending", CHECKING)
    assert told.json()["checkout_request_id"] is None
    assert a_buyer.status()["session_status"] == "payment_initiated"
    again = a_buyer.initiate()
    assert (again.status_code, again.json()["error_code"]) == (409, "PAYMENT_IN_PROGRESS")
    assert again.json()["checkout_request_id"] is None
    assert len(a_buyer.prompts()) == 1
    assert a_buyer.orders() == []
    a_buyer.decide()
    a_buyer.end_well()


def test_a_callback_before_the_response_is_the_payment(a_buyer: ProduceShopper) -> None:
    a_buyer.rule(call="push", outcome="pay", early=True, times=1)

    told = a_buyer.initiate()

    assert (told.status_code, told.json()["message"]) == (200, SENT)
    assert told.json()["checkout_request_id"] == a_buyer.prompts()[0]["ref"]
    a_buyer.end_well()


def test_a_refusal_before_the_response_fails_the_session_which_can_be_paid_again(a_buyer: ProduceShopper) -> None:
    a_buyer.rule(call="push", outcome="cancel", early=True, times=1)

    assert a_buyer.initiate().status_code == 200

    failed = a_buyer.until("failed")
    assert failed["failure"]["code"] == "cancelled"
    assert a_buyer.charges() == []
    assert a_buyer.initiate().status_code == 200
    assert a_buyer.status()["session_status"] == "payment_initiated"
    a_buyer.decide()
    a_buyer.end_well()


def test_a_callback_that_never_comes_is_asked_for(a_buyer: ProduceShopper) -> None:
    assert a_buyer.initiate().json()["message"] == SENT
    a_buyer.decide(notices=0)

    assert a_buyer.status()["session_status"] == "payment_initiated"  # nobody has told us yet
    assert a_buyer.initiate().json()["error_code"] == "PAYMENT_IN_PROGRESS"
    a_buyer.end_well()


def test_a_query_that_says_nothing_is_asked_again(a_buyer: ProduceShopper) -> None:
    buyers = {answer: ProduceShopper(a_buyer.stack) for answer in ("being_processed", "does_not_exist", "html_502", "lost")}
    for answer, buyer in buyers.items():
        buyer.rule(call="query", answer=answer, times=1)
        buyer.initiate()
        buyer.decide(notices=0)

    time.sleep(12)
    # The first look, after ten seconds, said nothing; one that is lost on a kept connection is made again at once.
    said = {answer: buyer.status()["session_status"] for answer, buyer in buyers.items() if answer != "lost"}
    assert said == dict.fromkeys(said, "payment_initiated")
    for buyer in buyers.values():
        buyer.end_well()


def test_the_same_callback_on_ten_connections_at_once_makes_one_order(a_buyer: ProduceShopper) -> None:
    a_buyer.initiate()
    a_buyer.decide(notices=0)

    answers = post_at_once(a_buyer.address(), a_buyer.notice(), JSON_TYPE, times=10)

    assert {status for status, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1
    a_buyer.end_well()


@pytest.mark.parametrize("lost", [False, True], ids=["its own id known", "its own id lost"])
def test_a_callback_on_another_attempts_address_books_nothing_there(
    stack: RunningStack,
    a_buyer: ProduceShopper,
    lost: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    neighbour = ProduceShopper(stack)
    if lost:
        neighbour.rule(call="push", answer="lost", times=1)
    assert neighbour.initiate().status_code == (202 if lost else 200)
    a_buyer.initiate()
    a_buyer.decide(notices=0)

    answer = post(stack, neighbour.address(), a_buyer.notice())

    assert answer.json()["ResultCode"] == 0
    assert neighbour.status()["session_status"] == "payment_initiated"
    a_buyer.end_well()
    assert neighbour.status()["session_status"] == "payment_initiated"
    assert neighbour.orders() == []
    assert neighbour.charges() == []
    neighbour.decide("cancel")
    neighbour.until("failed")


def test_a_token_that_dies_between_two_calls_is_replaced_and_nothing_is_sent_twice(a_buyer: ProduceShopper) -> None:
    warm = ProduceShopper(a_buyer.stack)
    warm.initiate()
    warm.decide("cancel")
    kill_tokens(a_buyer.stack)

    told = a_buyer.initiate()

    assert (told.status_code, told.json()["message"]) == (200, SENT)
    assert len(a_buyer.prompts()) == 1
    kill_tokens(a_buyer.stack)
    a_buyer.decide()
    a_buyer.end_well()


def test_a_phone_with_an_open_prompt_is_told_so_and_can_be_prompted_later(a_buyer: ProduceShopper) -> None:
    a_buyer.rule(call="push", answer="lock", times=1)

    told = a_buyer.initiate()

    assert (told.status_code, told.json()["error_code"]) == (429, "PHONE_BUSY")
    assert int(told.headers["Retry-After"]) > 0
    failed = a_buyer.status()
    assert (failed["session_status"], failed["failure"]["code"]) == ("failed", "subscriber_busy")
    assert a_buyer.prompts() == []
    assert a_buyer.initiate().status_code == 200
    a_buyer.decide()
    a_buyer.end_well()


@pytest.mark.parametrize("answer", ["wrong_credentials", "merchant_missing"])
def test_a_shop_that_is_not_set_up_charges_nobody_and_says_so(a_buyer: ProduceShopper, answer: str) -> None:
    a_buyer.rule(call="push", answer=answer, times=1)

    told = a_buyer.initiate()

    assert (told.status_code, told.json()["error_code"]) == (502, "GATEWAY_REJECTED")
    assert "not been charged" in told.json()["message"]
    failed = a_buyer.status()
    assert (failed["session_status"], failed["failure"]["code"]) == ("failed", "misconfigured")
    assert a_buyer.prompts() == []
    assert a_buyer.charges() == []


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b'{"Body": "' + b"x" * (64 * 1024) + b'"}', "application/json"),
        (b"not JSON at all", "application/json"),
        (b'{"Body": {"stkCallback": {"ResultCode": 0, "ResultDesc": "\xff\xfe"}}}', "application/json"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"", "application/json"),
        (b"[" * 30_000, "application/json"),
    ],
    ids=["over 64 KB", "not JSON", "not UTF-8", "base64", "empty", "nested too deep"],
)
def test_a_notice_that_nobody_can_read_is_answered_like_any_other_and_changes_nothing(
    a_buyer: ProduceShopper, raw: bytes, content_type: str
) -> None:
    a_buyer.initiate()
    for address in (a_buyer.address(), DOCUMENTED_CALLBACK):
        answer = post(a_buyer.stack, address, raw, {"Content-Type": content_type})
        assert (answer.status_code, answer.json()["ResultCode"]) == (200, 0)
    assert a_buyer.status()["session_status"] == "payment_initiated"
    a_buyer.decide()
    a_buyer.end_well()


def test_a_true_notice_that_comes_as_base64_is_read(a_buyer: ProduceShopper) -> None:
    a_buyer.initiate()
    a_buyer.decide(notices=0)

    post(a_buyer.stack, a_buyer.address(), a_buyer.notice(), {"Content-Type": "application/octet-stream"})

    assert a_buyer.status()["session_status"] == "order_created"
    a_buyer.end_well()


def test_a_forged_success_on_the_documented_address_books_nothing(a_buyer: ProduceShopper) -> None:
    a_buyer.initiate()

    forged = a_buyer.notice(receipt="SKE52PAWR9")
    unknown = a_buyer.notice(receipt="SKE52PAWR9", checkout="ws_CO_010120260000000000000000000")
    for raw in (forged, unknown):
        assert post(a_buyer.stack, DOCUMENTED_CALLBACK, raw).json()["ResultCode"] == 0
    time.sleep(13)  # M-Pesa has been asked once by then

    assert a_buyer.status()["session_status"] == "payment_initiated"
    assert a_buyer.orders() == []
    a_buyer.decide("cancel")
    a_buyer.until("failed")


def test_a_true_success_on_the_documented_address_leads_to_a_query_and_then_the_order(a_buyer: ProduceShopper) -> None:
    a_buyer.initiate()
    a_buyer.decide(notices=0)

    assert post(a_buyer.stack, DOCUMENTED_CALLBACK, a_buyer.notice()).json()["ResultCode"] == 0

    assert a_buyer.status()["session_status"] == "payment_initiated"  # nothing of it is believed
    a_buyer.end_well()


def test_a_second_try_from_another_phone_after_a_refusal_pays_once(a_buyer: ProduceShopper) -> None:
    a_buyer.initiate()
    a_buyer.decide("insufficient_funds")
    a_buyer.until("failed")

    other = new_phone()
    assert a_buyer.initiate(other).status_code == 200
    a_buyer.phone = other
    a_buyer.decide()
    a_buyer.end_well()
