"""Rules: gateways that answer late, wrongly or not at all, and payments that end by themselves."""

from __future__ import annotations

import time

import pytest
import requests

from .merchant import PHONE, Merchant, eventually

ORDER = "MT0000000000001"


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ("lock", 500, "500.001.1001"),
        ("wrong_credentials", 500, "500.001.1001"),
        ("merchant_missing", 500, "500.001.1001"),
        ("busy", 500, "500.003.02"),
        ("spike_arrest", 500, "500.003.02"),
        ("quota", 500, "500.003.03"),
        ("internal_error", 500, "500.003.1001"),
        ("no_product", 401, "401.003.01"),
    ],
)
def test_a_push_can_be_refused_with_each_documented_error(merchant: Merchant, answer: str, status: int, code: str) -> None:
    merchant.script(gateway="mpesa", call="push", answer=answer, times=1)
    refused = merchant.push()
    assert (refused.status_code, refused.json()["errorCode"]) == (status, code)
    assert merchant.attempts() == []
    assert merchant.push().status_code == 200


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ("duplicate_order", 417, "INVALID_TRANSACTION_ID"),
        ("rate_limit", 429, "TOO_MANY_REQUESTS"),
        ("internal_error", 500, "INTERNAL_SERVER_ERROR"),
        ("token_dead", 401, "AUTHORIZATION_FAILED"),
    ],
)
def test_a_pay_request_can_be_refused_with_each_documented_error(
    merchant: Merchant, answer: str, status: int, code: str
) -> None:
    merchant.script(gateway="phonepe", call="pay", answer=answer, times=1)
    refused = merchant.pay()
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert merchant.attempts() == []
    merchant.forget_tokens()
    assert merchant.pay().status_code == 200


def test_other_shapes_of_a_rate_limit_and_a_refusal(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", call="push", answer="refused", times=1)
    merchant.script(gateway="mpesa", call="push", answer="spike_arrest_fault", times=1)
    fault = merchant.push()
    assert (fault.status_code, fault.json()["fault"]["faultstring"][:12]) == (429, "Spike arrest")
    refused = merchant.push()
    assert (refused.status_code, refused.json()["ResponseCode"]) == (200, "1")


def test_what_stands_between_can_answer_html_or_nothing(merchant: Merchant) -> None:
    for call, send in (("push", merchant.push), ("pay", merchant.pay)):
        merchant.script(call=call, answer="html_502", times=1)
        bad = send()
        assert (bad.status_code, bad.headers["content-type"]) == (502, "text/html; charset=utf-8")
        for answer, status in (("empty_500", 500), ("empty_503", 503)):
            merchant.script(call=call, answer=answer, times=1)
            empty = send()
            assert (empty.status_code, empty.content) == (status, b"")
    assert merchant.attempts() == []


def test_a_token_can_die_between_two_calls(merchant: Merchant) -> None:
    merchant.prompt()
    merchant.script(gateway="mpesa", call="push", answer="token_dead", times=1)
    for _ in range(2):
        assert merchant.push("254711000001").json()["errorCode"] == "404.001.03"
    merchant.forget_tokens()
    merchant.prompt("254711000001")


def test_oauth_itself_can_fail(merchant: Merchant) -> None:
    merchant.script(call="token", answer="wrong_keys", times=2)
    assert (merchant.mpesa_token_response().status_code, merchant.mpesa_token_response().content) == (400, b"")
    merchant.script(gateway="phonepe", call="token", answer="wrong_keys", times=1)
    assert merchant.phonepe_token_response().json()["code"] == "INVALID_CLIENT"
    assert merchant.phonepe_token_response().status_code == 200


@pytest.mark.parametrize(("said", "recorded"), [({}, 1), ({"done": True}, 1), ({"done": False}, 0)])
def test_an_answer_can_be_lost_after_or_before_the_prompt_was_opened(
    merchant: Merchant, said: dict[str, bool], recorded: int
) -> None:
    merchant.mpesa_token_response()
    merchant.script(gateway="mpesa", call="push", answer="lost", times=1, **said)
    with pytest.raises(requests.ConnectionError):
        merchant.push()
    assert len(merchant.attempts()) == recorded
    if recorded:
        ref = merchant.attempts()[0]["ref"]
        merchant.decide("mpesa", ref, outcome="pay")
        assert merchant.inbox.wait_for(1)[0].body["Body"]["stkCallback"]["CheckoutRequestID"] == ref


def test_a_prompt_whose_answer_was_lost_is_paid_and_told_all_the_same(merchant: Merchant) -> None:
    merchant.mpesa_token_response()
    merchant.script(gateway="mpesa", call="push", answer="lost", outcome="pay", times=1)
    with pytest.raises(requests.ConnectionError):
        merchant.push()
    merchant.inbox.wait_for(1)
    assert [entry["amount"] for entry in merchant.ledger()] == [35000]


def test_an_order_whose_answer_was_lost_exists(merchant: Merchant) -> None:
    merchant.status()
    merchant.script(gateway="phonepe", call="pay", answer="lost", times=1)
    with pytest.raises(requests.ConnectionError):
        merchant.pay()
    assert merchant.status().json()["state"] == "PENDING"
    assert merchant.pay().status_code == 417


def test_a_bad_gateway_can_hide_a_prompt_that_was_opened(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", call="push", answer="html_502", done=True, times=1)
    assert merchant.push().status_code == 502
    assert len(merchant.attempts()) == 1


def test_an_answer_can_come_late_while_the_notice_does_not_wait(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", call="push", answer_delay_s=0.6, times=1)
    merchant.script(gateway="mpesa", call="push", outcome="pay", times=1)
    merchant.mpesa_token_response()
    begun = time.monotonic()
    assert merchant.push().status_code == 200
    answered = time.monotonic()
    assert answered - begun >= 0.6
    assert merchant.inbox.wait_for(1)[0].at < answered


def test_an_early_notice_arrives_before_the_push_is_answered(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", call="push", outcome="pay", early=True)
    merchant.script(gateway="phonepe", call="pay", outcome="cancel", early=True)
    ref = merchant.prompt()
    assert [notice.path[:8] for notice in merchant.inbox.received] == ["/cb/stk/"]
    assert merchant.attempt(ref)["state"] == "COMPLETED"
    merchant.order()
    assert len(merchant.inbox.received) == 2
    assert merchant.inbox.stays_at(2, for_s=0.2)


def test_a_merchant_that_asks_back_during_an_early_notice_is_answered(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", call="push", outcome="pay", early=True)
    merchant.prompt("254711000001")
    answers: list[str] = []
    other = Merchant(merchant.address, merchant.inbox)
    known = merchant.attempts()[0]["ref"]
    merchant.inbox.on_arrival = lambda: answers.append(other.query(known).json()["ResultCode"])
    merchant.prompt()
    other.close()
    assert answers == ["0"]


def test_the_query_can_hide_the_truth_in_three_ways(merchant: Merchant) -> None:
    ref = merchant.prompt()
    merchant.decide("mpesa", ref, outcome="pay", notices=0)
    merchant.script(call="query", answer="pending", times=1)
    assert merchant.query(ref).json()["ResultCode"] == "4999"
    merchant.script(call="query", answer="being_processed", times=1)
    processing = merchant.query(ref)
    assert (processing.status_code, processing.json()["errorMessage"]) == (500, "The transaction is being processed")
    merchant.script(call="query", answer="result", result_code="1032", times=1)
    assert merchant.query(ref).json()["ResultCode"] == "1032"
    assert merchant.query(ref).json()["ResultCode"] == "0"


def test_every_fourth_query_can_deny_that_the_prompt_exists(merchant: Merchant) -> None:
    ref = merchant.prompt()
    merchant.script(gateway="mpesa", call="query", answer="does_not_exist", every=4)
    statuses = [merchant.query(ref).status_code for _ in range(8)]
    assert statuses == [200, 200, 200, 500, 200, 200, 200, 500]


def test_an_order_is_pending_for_a_while_and_then_completed(merchant: Merchant) -> None:
    merchant.script(gateway="phonepe", call="pay", outcome="pay", after_s=30)
    merchant.order()
    merchant.advance(29)
    assert merchant.status().json()["state"] == "PENDING"
    merchant.advance(2)
    assert merchant.status().json()["state"] == "COMPLETED"
    merchant.inbox.wait_for(1)


def test_a_status_can_say_pending_although_the_order_is_paid(merchant: Merchant) -> None:
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    merchant.script(call="status", answer="pending", times=1)
    hidden = merchant.status().json()
    assert (hidden["state"], hidden["paymentDetails"]) == ("PENDING", [])
    assert merchant.status().json()["state"] == "COMPLETED"


def test_success_can_be_known_from_the_query_only(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", outcome="pay", notices=0)
    ref = merchant.prompt()
    eventually(lambda: merchant.query(ref).json()["ResultCode"] == "0")
    assert merchant.inbox.stays_at(0, for_s=0.2)


def test_rules_hold_for_the_phone_and_the_amount_that_they_name(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", phone="254711000001", outcome="cancel")
    merchant.script(gateway="mpesa", amount="75.00", outcome="insufficient_funds")
    cancelled = merchant.prompt("254711000001")
    poor = merchant.prompt("254711000002", Amount="75")
    untouched = merchant.prompt("254711000003")
    eventually(lambda: merchant.attempt(cancelled)["outcome"] == "cancel")
    eventually(lambda: merchant.attempt(poor)["outcome"] == "insufficient_funds")
    assert merchant.attempt(untouched)["state"] == "PENDING"
    merchant.script(call="query", phone="254711000001", answer="does_not_exist")
    assert merchant.query(cancelled).status_code == 500
    assert merchant.query(poor).status_code == 200


def test_the_newest_rule_wins_and_each_counts_its_uses(merchant: Merchant) -> None:
    merchant.script(gateway="mpesa", call="push", answer="busy")
    merchant.script(gateway="mpesa", call="push", answer="quota", times=1)
    codes = [merchant.push().json()["errorCode"] for _ in range(2)]
    assert codes == ["500.003.03", "500.003.02"]
    assert [entry["used"] for entry in merchant.send("GET", "/control/script").json()] == [1, 1]
    merchant.send("DELETE", "/control/script")
    assert merchant.push().status_code == 200


def test_automatic_outcomes_hold_for_both_gateways_until_they_are_ended(merchant: Merchant) -> None:
    assert merchant.send("POST", "/control/auto", json={"outcome": "pay"}).status_code == 200
    ref = merchant.prompt()
    merchant.order()
    eventually(lambda: len(merchant.ledger()) == 2)
    assert merchant.attempt(ref)["outcome"] == "pay"
    assert merchant.send("POST", "/control/auto", json={"outcome": None}).status_code == 200
    last = merchant.prompt()
    assert merchant.inbox.wait_for(2)
    assert merchant.attempt(last)["state"] == "PENDING"


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({}, "answer"),
        ({"answer": "odd"}, "answer"),
        ({"call": "push", "answer": "does_not_exist"}, "query"),
        ({"call": "query", "answer": "result"}, "result_code"),
        ({"answer": "duplicate_order"}, "mpesa"),
        ({"gateway": "phonepe", "answer": "lock"}, "phonepe"),
        ({"gateway": "phonepe", "call": "query", "answer": "being_processed"}, "phonepe"),
        ({"phone": PHONE[1:], "outcome": "pay"}, "phone"),
        ({"outcome": "pay", "every": 0}, "every"),
        ({"call": "push", "answer": "pending"}, "pending"),
        ({"gateway": "phonepe", "call": "push", "outcome": "pay"}, "push"),
        ({"outcome": "pay", "early": True, "after_s": 1}, "early"),
        ({"call": "refund", "outcome": "pay", "notices": [{"kind": "wrong_amount"}]}, "notices"),
        ({"outcome": "pay", "otcome": "pay"}, "otcome"),
        ({"outcome": "pay", "result_code": "1032"}, "result_code"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_the_reason(shared: Merchant, rule: dict[str, object], named: str) -> None:
    refused = shared.send("POST", "/control/script", json=rule)
    assert refused.status_code == 400
    assert named in refused.json()["error"]
    assert shared.send("GET", "/control/script").json() == []
