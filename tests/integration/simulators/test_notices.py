"""Notices as they arrive at a merchant: true, late, lost, doubled, reordered and forged."""

from __future__ import annotations

from typing import Any

import pytest

from .merchant import PHONE, Merchant, Received, eventually

ORDER = "MT0000000000001"
VECTOR = "bc842c31a9e54efe320d30d948be61291f3ceee4766e36ab25fa65243cd76e0e"


def stk(notice: Received) -> dict[str, Any]:
    return dict(notice.body["Body"]["stkCallback"])


def items(notice: Received) -> dict[str, Any]:
    return {item["Name"]: item.get("Value") for item in stk(notice)["CallbackMetadata"]["Item"]}


def test_a_callback_carries_what_darajas_carries(merchant: Merchant) -> None:
    answer = merchant.push().json()
    ref = answer["CheckoutRequestID"]
    receipt = merchant.decide("mpesa", ref, outcome="pay").json()["receipt"]
    notice = merchant.inbox.wait_for(1)[0]
    assert notice.path == "/cb/stk/0123456789abcdef0123456789abcdef"
    assert notice.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert notice.headers["Businessshortcode"] == "174379"
    assert stk(notice)["MerchantRequestID"] == answer["MerchantRequestID"]
    told = items(notice)
    assert (told["Amount"], told["MpesaReceiptNumber"], told["PhoneNumber"]) == (350, receipt, int(PHONE))
    assert len(str(told["TransactionDate"])) == 14


def test_successive_callbacks_come_in_every_shape_that_was_seen(merchant: Merchant) -> None:
    for number in range(5):
        merchant.decide("mpesa", merchant.prompt(f"25471100000{number}"), outcome="pay")
    notices = merchant.inbox.wait_for(5)
    shapes = [stk(notice)["CallbackMetadata"]["Item"] for notice in notices]
    balances = [item for shape in shapes for item in shape if item["Name"] == "Balance"]
    assert sorted("Value" in item for item in balances) == [False, True]
    assert {type(items(notice)["Amount"]) for notice in notices} == {int, float}
    assert {shape[0]["Name"] for shape in shapes} == {"Amount", "PhoneNumber"}
    assert {items(notice)["Amount"] for notice in notices} == {350}


@pytest.mark.parametrize(
    ("variant", "code", "text"),
    [("prefixed", 1032, "[STK_CB - ]Request cancelled by user"), ("code_as_text", "1032", "Request cancelled by user")],
)
def test_a_failure_can_be_worded_as_older_callbacks_do(merchant: Merchant, variant: str, code: object, text: str) -> None:
    merchant.decide("mpesa", merchant.prompt(), outcome="cancel", variant=variant)
    callback = stk(merchant.inbox.wait_for(1)[0])
    assert (callback["ResultCode"], callback["ResultDesc"]) == (code, text)


def test_any_result_code_can_be_told(merchant: Merchant) -> None:
    ref = merchant.prompt()
    merchant.decide("mpesa", ref, outcome="fail", result_code="SFC_IC0003")
    assert stk(merchant.inbox.wait_for(1)[0])["ResultCode"] == "SFC_IC0003"
    assert merchant.query(ref).json()["ResultCode"] == "SFC_IC0003"


def test_mpesa_tells_once_whatever_the_merchant_answers(merchant: Merchant) -> None:
    merchant.inbox.answers = [500]
    merchant.decide("mpesa", merchant.prompt(), outcome="pay")
    merchant.inbox.wait_for(1)
    assert merchant.inbox.stays_at(1)
    log = eventually(lambda: merchant.send("GET", "/control/notices").json())
    assert [(entry["state"], entry["tries"], entry["http_status"]) for entry in log] == [("refused", 1, 500)]


def test_mpesa_does_not_come_back_to_a_merchant_that_is_away(merchant: Merchant) -> None:
    ref = merchant.prompt(CallBackURL="http://127.0.0.1:9/nobody")
    merchant.decide("mpesa", ref, outcome="pay")

    def entry() -> bool:
        return [e["state"] for e in merchant.send("GET", "/control/notices").json()] == ["unreachable"]

    eventually(entry)


def test_phonepe_signs_its_webhook_and_repeats_it_until_it_is_taken(merchant: Merchant) -> None:
    merchant.inbox.answers = [500, 302, 200]
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay")
    notices = merchant.inbox.wait_for(3)
    assert merchant.inbox.stays_at(3)
    assert {notice.headers["Authorization"] for notice in notices} == {VECTOR}
    assert {notice.path for notice in notices} == {"/webhook/phonepe/"}
    assert notices[0].body == notices[1].body == notices[2].body
    assert notices[2].at - notices[1].at > notices[1].at - notices[0].at
    entry = merchant.send("GET", "/control/notices").json()[0]
    assert (entry["state"], entry["tries"]) == ("delivered", 3)


def test_phonepe_gives_up_in_the_end(merchant: Merchant) -> None:
    merchant.inbox.answers = [500] * 9
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay")
    merchant.inbox.wait_for(4)
    assert merchant.inbox.stays_at(4)


@pytest.mark.parametrize("count", [0, 2])
def test_a_decision_can_be_told_never_or_twice(merchant: Merchant, count: int) -> None:
    ref = merchant.prompt()
    merchant.order()
    merchant.decide("mpesa", ref, outcome="pay", notices=count)
    merchant.decide("phonepe", ORDER, outcome="pay", notices=count)
    merchant.inbox.wait_for(2 * count)
    assert merchant.inbox.stays_at(2 * count)
    assert {entry["ref"] for entry in merchant.ledger()} == {ref, ORDER}
    assert merchant.query(ref).json()["ResultCode"] == "0"


def test_a_late_notice_comes_after_the_money(merchant: Merchant) -> None:
    ref = merchant.prompt()
    assert merchant.decide("mpesa", ref, outcome="pay", delay_s=60).json()["state"] == "COMPLETED"
    assert len(merchant.ledger()) == 1
    assert merchant.inbox.stays_at(0, for_s=0.2)
    merchant.advance(61)
    merchant.inbox.wait_for(1)


def test_notices_come_in_the_order_that_is_wanted(merchant: Merchant) -> None:
    wanted = [{"after_s": 60, "kind": "true"}, {"after_s": 30, "kind": "failed"}]
    merchant.decide("mpesa", merchant.prompt(), outcome="pay", notices=wanted)
    merchant.advance(31)
    merchant.inbox.wait_for(1)
    merchant.advance(30)
    assert [stk(notice)["ResultCode"] for notice in merchant.inbox.wait_for(2)] == [1032, 0]


@pytest.mark.parametrize("kind", ["wrong_token", "wrong_amount", "wrong_receipt", "used_receipt", "wrong_ids", "paid"])
def test_a_forged_callback_for_an_open_prompt_claims_success_and_moves_nothing(merchant: Merchant, kind: str) -> None:
    other = merchant.prompt("254711000009", Amount=350)
    used = merchant.decide("mpesa", other, outcome="pay", notices=0).json()["receipt"]
    ref = merchant.prompt()
    assert merchant.send("POST", f"/control/mpesa/{ref}/notice", json={"kind": kind}).json() == {"notices": 1}
    notice = merchant.inbox.wait_for(1)[0]
    assert stk(notice)["ResultCode"] == 0
    told = items(notice)
    right_path = notice.path == "/cb/stk/0123456789abcdef0123456789abcdef"
    assert right_path == (kind != "wrong_token")
    assert len(notice.path) == len("/cb/stk/0123456789abcdef0123456789abcdef")
    assert (told["Amount"] == 350) == (kind != "wrong_amount")
    assert (told["MpesaReceiptNumber"] == used) == (kind == "used_receipt")
    assert (stk(notice)["CheckoutRequestID"] == ref) == (kind != "wrong_ids")
    assert merchant.attempt(ref)["state"] == "PENDING"
    assert [entry["ref"] for entry in merchant.ledger()] == [other]


@pytest.mark.parametrize("kind", ["wrong_token", "wrong_amount", "wrong_receipt", "wrong_ids", "failed"])
def test_a_forged_webhook_differs_from_the_true_one_in_that_point(merchant: Merchant, kind: str) -> None:
    merchant.order()
    receipt = merchant.decide("phonepe", ORDER, outcome="pay", notices=[{"kind": kind}]).json()["receipt"]
    notice = merchant.inbox.wait_for(1)[0]
    payload = notice.body["payload"]
    assert (notice.headers["Authorization"] == VECTOR) == (kind != "wrong_token")
    assert (payload["amount"] == 99900) == (kind != "wrong_amount")
    assert (payload["merchantOrderId"] == ORDER) == (kind != "wrong_ids")
    assert (payload["paymentDetails"][0]["transactionId"] == receipt) == (kind != "wrong_receipt")
    assert (payload["state"] == "COMPLETED") == (kind != "failed")
    assert merchant.status().json()["state"] == "COMPLETED"


def test_there_is_nothing_true_to_tell_of_an_open_prompt(merchant: Merchant) -> None:
    ref = merchant.prompt()
    assert merchant.send("POST", f"/control/mpesa/{ref}/notice", json={}).status_code == 409
    assert merchant.send("POST", "/control/mpesa/ws_CO_0/notice", json={}).status_code == 404


def test_a_failed_try_on_an_open_order_is_told_as_pending(merchant: Merchant) -> None:
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pending", notices=1)
    body = merchant.inbox.wait_for(1)[0].body
    assert (body["event"], body["payload"]["state"]) == ("checkout.transaction.attempt.failed", "PENDING")
    assert merchant.status().json()["state"] == "PENDING"


def test_notices_never_go_through_a_proxy(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    merchant.decide("mpesa", merchant.prompt(), outcome="pay")
    merchant.inbox.wait_for(1)
