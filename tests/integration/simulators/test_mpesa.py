"""Daraja's OAuth, push and query, as gateways.md describes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from .merchant import Merchant, password


def test_any_pair_of_keys_gets_a_token_that_lives_an_hour(merchant: Merchant) -> None:
    answer = merchant.mpesa_token_response().json()
    assert int(answer["expires_in"]) == 3599
    assert len(answer["access_token"]) > 20


def test_configured_keys_are_insisted_on_with_an_empty_400(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of(mpesa_credentials="key:right")
    refused = merchant.mpesa_token_response(("key", "wrong"))
    assert (refused.status_code, refused.content) == (400, b"")
    assert merchant.mpesa_token_response(("key", "right")).status_code == 200


def test_oauth_names_a_wrong_scheme_and_a_wrong_grant(merchant: Merchant) -> None:
    no_basic = merchant.send("GET", "/mpesa/oauth/v1/generate?grant_type=client_credentials")
    assert (no_basic.status_code, no_basic.json()["errorCode"]) == (400, "400.008.01")
    no_grant = merchant.send("GET", "/mpesa/oauth/v1/generate", auth=("key", "secret"))
    assert (no_grant.status_code, no_grant.json()["errorCode"]) == (400, "400.008.02")


@pytest.mark.parametrize("how", ["unknown", "killed", "expired"])
def test_a_token_that_does_not_live_is_404(merchant: Merchant, how: str) -> None:
    merchant.prompt("254711000001")
    if how == "killed":
        assert merchant.send("POST", "/control/tokens/kill", json={"gateway": "mpesa"}).json() == {"killed": 1}
    if how == "expired":
        merchant.advance(3601)
    if how == "unknown":
        body, headers = merchant.push_body(), {"Authorization": "Bearer nobody-gave-this"}
        refused = merchant.send("POST", "/mpesa/mpesa/stkpush/v1/processrequest", json=body, headers=headers)
    else:
        refused = merchant.push()
    assert (refused.status_code, refused.json()["errorCode"]) == (404, "404.001.03")
    assert refused.json()["errorMessage"] == "Invalid Access Token"
    assert len(merchant.attempts()) == 1
    merchant.forget_tokens()
    merchant.prompt()


def test_a_push_opens_a_prompt_that_the_controls_show(merchant: Merchant) -> None:
    answer = merchant.push().json()
    assert set(answer) == {
        "MerchantRequestID",
        "CheckoutRequestID",
        "ResponseCode",
        "ResponseDescription",
        "CustomerMessage",
    }
    assert answer["ResponseCode"] == "0"
    assert re.fullmatch(r"ws_CO_\d{17}708374149", answer["CheckoutRequestID"])
    shown = merchant.attempts()
    assert len(shown) == 1
    assert shown[0]["gateway"] == "mpesa"
    assert shown[0]["ref"] == answer["CheckoutRequestID"]
    assert shown[0]["amount"] == "350.00"
    assert (shown[0]["state"], shown[0]["receipt"]) == ("PENDING", None)
    assert shown[0]["callback_url"] == merchant.push_body()["CallBackURL"]
    assert merchant.ledger() == []


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("BusinessShortCode", "12", "BusinessShortCode"),
        ("BusinessShortCode", None, "BusinessShortCode"),
        ("Timestamp", "2026-03-01", "Timestamp"),
        ("Timestamp", "20261301000000", "Timestamp"),
        ("Password", None, "Password"),
        ("TransactionType", "CustomerPays", "TransactionType"),
        ("Amount", 0, "Amount"),
        ("Amount", "12.50", "Amount"),
        ("Amount", 12.5, "Amount"),
        ("Amount", 250_001, "Amount"),
        ("PartyA", "0708374149", "PartyA"),
        ("PartyB", "shop", "PartyB"),
        ("PhoneNumber", "254208374149", "PhoneNumber"),
        ("CallBackURL", "ftp://shop.example/cb", "CallBackURL"),
        ("CallBackURL", "https://shop.example/a b", "CallBackURL"),
        ("CallBackURL", "https://shop.example:port/", "CallBackURL"),
        ("CallBackURL", None, "CallBackURL"),
        ("AccountReference", "THIRTEENCHARS", "AccountReference"),
        ("AccountReference", "ORD-1", "AccountReference"),
        ("TransactionDesc", None, "Remarks"),
        ("TransactionDesc", "fourteen chars", "Remarks"),
    ],
)
def test_a_push_with_a_wrong_field_is_refused_by_its_name(shared: Merchant, field: str, value: object, named: str) -> None:
    before = shared.attempts()
    refused = shared.mpesa("stkpush/v1/processrequest", shared.push_body(**{field: value}))
    assert refused.status_code == 400
    assert refused.json()["errorCode"] == "400.002.02"
    assert refused.json()["errorMessage"] == f"Bad Request - Invalid {named}"
    assert shared.attempts() == before


@pytest.mark.parametrize("amount", ["1", 1, 1.0, 250_000])
def test_whole_shillings_are_taken_as_number_or_text(merchant: Merchant, amount: object) -> None:
    assert merchant.push(Amount=amount).status_code == 200


@pytest.mark.parametrize(
    "wrong", [password(passkey="another"), password(timestamp="20260301101113"), "not base64!", password("174380")]
)
def test_the_password_must_hold_shortcode_passkey_and_timestamp(shared: Merchant, wrong: str) -> None:
    refused = shared.push(Password=wrong)
    assert (refused.status_code, refused.json()["errorCode"]) == (500, "500.001.1001")
    assert refused.json()["errorMessage"] == "Wrong credentials"


def test_a_passkey_of_ones_own_is_checked_for_every_shortcode(merchant_of: Callable[..., Merchant]) -> None:
    merchant = merchant_of(mpesa_passkey="our-own")
    assert merchant.push(Password=password()).status_code == 500
    assert merchant.push(Password=password(passkey="our-own")).status_code == 200


def test_a_phone_shows_one_prompt_at_a_time(merchant: Merchant) -> None:
    first = merchant.prompt()
    locked = merchant.push()
    assert (locked.status_code, locked.json()["errorCode"]) == (500, "500.001.1001")
    assert locked.json()["errorMessage"].startswith("Unable to lock subscriber")
    merchant.prompt("254711000003")
    merchant.decide("mpesa", first, outcome="cancel")
    merchant.prompt()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("pay", "0"),
        ("cancel", "1032"),
        ("wrong_pin", "2001"),
        ("insufficient_funds", "1"),
        ("timeout", "1037"),
        ("fail", "1025"),
    ],
)
def test_the_query_and_the_callback_tell_the_same_code(merchant: Merchant, outcome: str, code: str) -> None:
    ref = merchant.prompt()
    before = merchant.query(ref).json()
    assert (before["ResponseCode"], before["ResultCode"]) == ("0", "4999")
    merchant.decide("mpesa", ref, outcome=outcome)
    after = merchant.query(ref).json()
    assert (after["ResultCode"], after["CheckoutRequestID"]) == (code, ref)
    callback = merchant.inbox.wait_for(1)[0].body["Body"]["stkCallback"]
    assert (callback["ResultCode"], callback["CheckoutRequestID"]) == (int(code), ref)
    assert ("CallbackMetadata" in callback) == (outcome == "pay")


def test_a_query_for_an_id_that_was_never_given_out_is_500(merchant: Merchant) -> None:
    answer = merchant.query("ws_CO_01012026000000000708374149")
    assert (answer.status_code, answer.json()["errorCode"]) == (500, "500.001.1001")
    assert answer.json()["errorMessage"] == "The transaction does not Exist"


def test_a_prompt_stays_open(merchant: Merchant) -> None:
    ref = merchant.prompt()
    merchant.advance(3000)
    assert merchant.attempt(ref)["state"] == "PENDING"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/mpesa/mpesa/nothing/v1/here", 404, "404.001.01"),
        ("GET", "/mpesa/mpesa/stkpush/v1/processrequest", 405, "405.001"),
    ],
)
def test_a_wrong_path_and_a_wrong_method_have_their_codes(
    shared: Merchant, method: str, path: str, status: int, code: str
) -> None:
    answer = shared.send(method, path)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def reversal(merchant: Merchant, receipt: str, amount: int = 350, **changes: Any) -> dict[str, Any]:
    return {
        "Initiator": "testapi",
        "SecurityCredential": "c2VjcmV0",
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": str(amount),
        "ReceiverParty": "174379",
        "RecieverIdentifierType": "11",
        "ResultURL": f"{merchant.inbox.url}/reversal/result",
        "QueueTimeOutURL": f"{merchant.inbox.url}/reversal/timeout",
        "Remarks": "Refund",
    } | changes


def paid_receipt(merchant: Merchant) -> str:
    ref = merchant.prompt()
    return str(merchant.decide("mpesa", ref, outcome="pay", notices=0).json()["receipt"])


def parameters(result: dict[str, Any]) -> dict[str, Any]:
    return {item["Key"]: item.get("Value") for item in result["ResultParameters"]["ResultParameter"]}


def test_a_reversal_pays_back_once_and_then_says_that_it_did(merchant: Merchant) -> None:
    receipt = paid_receipt(merchant)
    acknowledged = merchant.mpesa("reversal/v1/request", reversal(merchant, receipt)).json()
    assert acknowledged["ResponseCode"] == "0"
    first = merchant.inbox.wait_for(1)[0]
    result = first.body["Result"]
    assert first.path == "/reversal/result"
    assert result["ResultCode"] == 0
    assert result["OriginatorConversationID"] == acknowledged["OriginatorConversationID"]
    assert result["ConversationID"] == acknowledged["ConversationID"]
    assert parameters(result)["OriginalTransactionID"] == receipt
    merchant.mpesa("reversal/v1/request", reversal(merchant, receipt))
    again = merchant.inbox.wait_for(2)[1].body["Result"]
    assert again["ResultCode"] == "R000001"
    assert "ResultParameters" not in again
    book = merchant.ledger()[0]
    assert (book["amount"], book["refunded"], len(book["refunds"])) == (35000, 35000, 1)


def test_parts_are_paid_back_up_to_what_was_captured(merchant: Merchant) -> None:
    receipt = paid_receipt(merchant)
    for number, amount in enumerate((100, 250, 1), start=1):
        merchant.mpesa("reversal/v1/request", reversal(merchant, receipt, amount))
        merchant.inbox.wait_for(number)
    codes = [notice.body["Result"]["ResultCode"] for notice in merchant.inbox.received]
    assert codes == [0, 0, "R000001"]
    assert merchant.ledger()[0]["refunded"] == 35000


def test_a_receipt_that_does_not_exist_cannot_be_reversed(merchant: Merchant) -> None:
    assert merchant.mpesa("reversal/v1/request", reversal(merchant, "SKE52PAWR9")).status_code == 200
    assert merchant.inbox.wait_for(1)[0].body["Result"]["ResultCode"] == "R000002"


def test_reversal_fields_are_checked(merchant: Merchant) -> None:
    refused = merchant.mpesa("reversal/v1/request", reversal(merchant, "short"))
    assert refused.json()["errorMessage"] == "Bad Request - Invalid TransactionID"
    refused = merchant.mpesa("reversal/v1/request", reversal(merchant, "SKE52PAWR9", RecieverIdentifierType="4"))
    assert refused.json()["errorMessage"] == "Bad Request - Invalid RecieverIdentifierType"


@pytest.mark.parametrize("known", [True, False])
def test_transaction_status_tells_what_a_receipt_stands_for(merchant: Merchant, *, known: bool) -> None:
    receipt = paid_receipt(merchant) if known else "SKE52PAWR9"
    asked = reversal(merchant, receipt, CommandID="TransactionStatusQuery", PartyA="174379", IdentifierType="4")
    assert merchant.mpesa("transactionstatus/v1/query", asked).status_code == 200
    result = merchant.inbox.wait_for(1)[0].body["Result"]
    if not known:
        assert result["ResultCode"] == 2032
        return
    items = result["ResultParameters"]["ResultParameter"]
    assert sum(item["Key"] == "DebitPartyName" for item in items) == 2
    assert any("Value" not in item for item in items)
    told = parameters(result)
    assert (told["ReceiptNo"], told["Amount"], told["TransactionStatus"]) == (receipt, 350.0, "Completed")
