"""PhonePe's OAuth, Standard Checkout, order status and refunds, as gateways.md describes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .merchant import Merchant, eventually

ORDER = "MT0000000000001"


def test_a_token_says_when_it_ends_in_seconds_since_1970(merchant: Merchant) -> None:
    answer = merchant.phonepe_token_response().json()
    assert answer["expires_at"] - answer["issued_at"] == 3600
    assert (answer["expires_in"], answer["token_type"]) == (None, "O-Bearer")
    other_path = merchant.send(
        "POST",
        "/phonepe/apis/identity-manager/v1/oauth/token",
        data={"client_id": "a", "client_secret": "b", "client_version": "1", "grant_type": "client_credentials"},
    )
    assert other_path.status_code == 200


def test_configured_credentials_are_insisted_on(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of(phonepe_credentials="id:right")
    refused = merchant.phonepe_token_response(client_secret="wrong")
    assert (refused.status_code, refused.json()["code"], refused.json()["errorCode"]) == (400, "INVALID_CLIENT", "OIM000")
    assert merchant.phonepe_token_response(client_secret="right").status_code == 200


@pytest.mark.parametrize("how", ["killed", "expired", "other scheme"])
def test_a_token_that_does_not_live_is_401(merchant: Merchant, how: str) -> None:
    merchant.order()
    if how == "killed":
        merchant.send("POST", "/control/tokens/kill", json={"gateway": "phonepe"})
    if how == "expired":
        merchant.advance(3601)
    refused = merchant.status()
    if how == "other scheme":
        token = merchant.phonepe_token_response().json()["access_token"]
        path = f"/phonepe/checkout/v2/order/{ORDER}/status"
        refused = merchant.send("GET", path, headers={"Authorization": f"Bearer {token}"})
    assert (refused.status_code, refused.json()["code"]) == (401, "AUTHORIZATION_FAILED")


def test_pay_answers_with_an_order_and_the_address_of_its_page(merchant: Merchant) -> None:
    answer = merchant.pay().json()
    assert set(answer) == {"orderId", "state", "expireAt", "redirectUrl"}
    assert answer["state"] == "PENDING"
    assert answer["orderId"].startswith("OMO")
    assert answer["redirectUrl"].startswith(f"{merchant.address}/phonepe/pay/")
    status = merchant.status().json()
    assert (status["state"], status["amount"], status["paymentDetails"]) == ("PENDING", 99900, [])
    assert status["expireAt"] == answer["expireAt"]
    shown = merchant.attempt(ORDER)
    assert (shown["gateway"], shown["amount"], shown["page_url"]) == ("phonepe", "999.00", answer["redirectUrl"])
    assert shown["callback_url"] == f"{merchant.inbox.url}/webhook/phonepe/"


def test_an_order_id_serves_once_whatever_became_of_it(merchant: Merchant) -> None:
    merchant.order()
    for _ in range(2):
        refused = merchant.pay(amount=500)
        assert (refused.status_code, refused.json()["code"]) == (417, "INVALID_TRANSACTION_ID")
        merchant.decide("phonepe", ORDER, outcome="cancel")
    assert [attempt["amount"] for attempt in merchant.attempts()] == ["999.00"]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 99},
        {"amount": "99900"},
        {"amount": 999.0},
        {"amount": True},
        {"expireAfter": 299},
        {"expireAfter": 3601},
        {"merchantOrderId": "has space"},
        {"merchantOrderId": "x" * 64},
        {"merchantOrderId": ""},
        {"paymentFlow": {"type": "PG", "merchantUrls": {"redirectUrl": ""}}},
        {"paymentFlow": {"type": "PG_CHECKOUT"}},
        {"metaInfo": {"udf1": ""}},
        {"metaInfo": {"udf1": "x" * 257}},
        {"metaInfo": {"udf11": "no/slash"}},
        {"metaInfo": {"udf16": "x"}},
    ],
)
def test_a_pay_request_that_breaks_a_rule_is_a_bad_request(shared: Merchant, changes: dict[str, Any]) -> None:
    before = shared.attempts()
    refused = shared.pay(**{"order_id": "MT-refused", **changes})
    assert (refused.status_code, refused.json()["code"]) == (400, "BAD_REQUEST")
    assert shared.attempts() == before


def test_the_limits_themselves_are_allowed_and_udfs_come_back(merchant: Merchant) -> None:
    merchant.order("A" * 63, amount=100, expireAfter=300, metaInfo={"udf1": "x" * 256, "udf15": "a+b@c.d"})
    merchant.order("b_-1", expireAfter=3600)
    assert merchant.status("A" * 63).json()["metaInfo"]["udf15"] == "a+b@c.d"


def test_an_unknown_order_has_no_entry_and_an_unknown_path_no_mapping(merchant: Merchant) -> None:
    unknown = merchant.status("MT-never")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "INVALID_MERCHANT_ORDER_ID")
    assert unknown.json()["message"] == "No entry found for given merchant order id"
    assert merchant.phonepe("GET", "checkout/v9/nothing").json()["message"] == "Api Mapping Not Found"


def test_paying_on_the_page_leads_back_to_the_shop_and_completes_the_order(merchant: Merchant) -> None:
    page = merchant.order()
    shown = merchant.session.get(page, timeout=5)
    assert shown.status_code == 200
    assert "₹ 999.00" in shown.text
    back = merchant.session.post(page, data={"outcome": "pay"}, allow_redirects=False, timeout=5)
    assert (back.status_code, back.headers["location"]) == (303, "http://127.0.0.1:9/back?x=1")
    status = merchant.status().json()
    assert (status["state"], status["paymentDetails"][0]["state"]) == ("COMPLETED", "COMPLETED")
    again = merchant.session.post(page, data={"outcome": "cancel"}, allow_redirects=False, timeout=5)
    assert again.status_code == 303
    assert merchant.status().json()["state"] == "COMPLETED"
    webhook = merchant.inbox.wait_for(1)[0].body
    assert webhook["event"] == "checkout.order.completed"
    assert webhook["payload"]["merchantOrderId"] == ORDER
    assert (webhook["payload"]["state"], webhook["payload"]["amount"]) == ("COMPLETED", 99900)


def test_a_wrong_pin_is_explained_in_the_error_context(merchant: Merchant) -> None:
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="wrong_pin")
    status = merchant.status().json()
    assert (status["state"], status["errorCode"], status["detailedErrorCode"]) == ("FAILED", "INVALID_MPIN", "ZM")
    assert status["errorContext"]["description"] == "Wrong MPIN was entered"
    webhook = merchant.inbox.wait_for(1)[0].body
    assert (webhook["event"], webhook["payload"]["state"]) == ("checkout.order.failed", "FAILED")
    plain = merchant.phonepe("GET", f"checkout/v2/order/{ORDER}/status").json()
    assert "errorContext" not in plain


def test_an_order_expires_by_itself(merchant: Merchant) -> None:
    page = merchant.order(expireAfter=300)
    merchant.advance(299)
    assert merchant.status().json()["state"] == "PENDING"
    merchant.advance(2)
    assert merchant.status().json()["state"] == "FAILED"
    assert merchant.inbox.wait_for(1)[0].body["event"] == "checkout.order.failed"
    merchant.session.post(page, data={"outcome": "pay"}, allow_redirects=False, timeout=5)
    assert merchant.ledger() == []


def test_a_paid_order_does_not_expire(merchant: Merchant) -> None:
    merchant.order(expireAfter=300)
    merchant.decide("phonepe", ORDER, outcome="pay")
    merchant.advance(301)
    assert merchant.status().json()["state"] == "COMPLETED"


def test_a_refund_is_accepted_then_completed_and_told(merchant: Merchant) -> None:
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    accepted = merchant.refund("R1-1", 99900).json()
    assert (accepted["state"], accepted["amount"]) == ("PENDING", 99900)
    eventually(lambda: merchant.refund_state("R1-1") == "COMPLETED")
    webhook = merchant.inbox.wait_for(1)[0].body
    assert webhook["event"] == "pg.refund.completed"
    assert webhook["payload"]["refundId"] == accepted["refundId"]
    book = merchant.ledger()[0]
    assert (book["amount"], book["refunded"]) == (99900, 99900)
    assert [refund["ref"] for refund in book["refunds"]] == ["R1-1"]


def test_a_refund_in_progress_is_confirmed_before_it_is_completed(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of(refund_after_s=100.0)
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    merchant.refund("R1-1", 100)
    assert merchant.refund_state("R1-1") == "PENDING"
    merchant.advance(60)
    assert merchant.refund_state("R1-1") == "CONFIRMED"
    assert merchant.refund("R1-2", 100).status_code == 400
    assert merchant.refund("R1-1", 100).status_code == 417, "who repeats a refund is told so, though it is open"
    merchant.advance(50)
    assert merchant.refund_state("R1-1") == "COMPLETED"
    assert merchant.refund("R1-2", 100).status_code == 200


def test_more_than_was_captured_is_never_refunded(merchant: Merchant) -> None:
    merchant.order()
    assert merchant.refund("R0", 100).status_code == 400
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    assert merchant.refund("R1-1", 99901).status_code == 400
    assert merchant.refund("R1-2", 99000).status_code == 200
    eventually(lambda: merchant.refund_state("R1-2") == "COMPLETED")
    assert merchant.refund("R1-3", 901).status_code == 400
    assert merchant.refund("R1-4", 900).status_code == 200
    eventually(lambda: merchant.ledger()[0]["refunded"] == 99900)
    assert merchant.refund("R1-5", 1).status_code == 400


def test_a_refund_id_serves_once_and_an_unknown_order_has_no_refund(merchant: Merchant) -> None:
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    merchant.refund("R1-1", 100)
    eventually(lambda: merchant.refund_state("R1-1") == "COMPLETED")
    assert merchant.refund("R1-1", 100).status_code == 417
    assert merchant.refund("R9", 100, order_id="MT-never").json()["code"] == "INVALID_MERCHANT_ORDER_ID"
    assert merchant.phonepe("GET", "payments/v2/refund/R-never/status").status_code == 400


def test_a_refund_that_failed_can_be_asked_for_again_under_a_new_id(merchant: Merchant) -> None:
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    merchant.script(gateway="phonepe", call="refund", outcome="fail", times=1)
    merchant.refund("R1-1", 99900)
    eventually(lambda: merchant.refund_state("R1-1") == "FAILED")
    assert merchant.inbox.wait_for(1)[0].body["event"] == "pg.refund.failed"
    assert merchant.ledger()[0]["refunded"] == 0
    merchant.refund("R1-2", 99900)
    eventually(lambda: merchant.refund_state("R1-2") == "COMPLETED")


def test_a_refund_left_open_by_a_rule_is_ended_by_hand_once(merchant: Merchant) -> None:
    merchant.order()
    merchant.decide("phonepe", ORDER, outcome="pay", notices=0)
    merchant.script(gateway="phonepe", call="refund", outcome="pending")
    merchant.refund("R1-1", 100)
    assert merchant.refund_state("R1-1") == "PENDING"
    assert merchant.send("POST", "/control/refunds/R1-1", json={"outcome": "pay"}).status_code == 200
    assert merchant.send("POST", "/control/refunds/R1-1", json={"outcome": "fail"}).status_code == 409
    assert merchant.send("POST", "/control/refunds/R-never", json={"outcome": "pay"}).status_code == 404
    assert merchant.refund_state("R1-1") == "COMPLETED"
