"""What people of the shop read of a gateway's notice: nothing that says who paid, and nothing that opens anything."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from payfirst.gateways.declaration import Readable
from payfirst.gateways.redaction import LONGEST, redacted
from payfirst.gateways.registry import GATEWAYS, declaration_of

SHOWN: dict[str, Readable] = {"state": "code", "amount": "amount", "at": "time", "words": "words", "id": "code"}
MARKUP = "</pre><img src=x onerror=alert(1)>"

MPESA: dict[str, Any] = {
    "Body": {
        "stkCallback": {
            "MerchantRequestID": "29115-34620561-1",
            "CheckoutRequestID": "ws_CO_191220191020363925712345678",
            "ResultCode": 0,
            "ResultDesc": "The service request is processed successfully.",
            "CallbackMetadata": {
                "Item": [
                    {"Name": "Amount", "Value": 350.0},
                    {"Name": "MpesaReceiptNumber", "Value": "NLJ7RT61SV"},
                    {"Name": "TransactionDate", "Value": 20191219102115},
                    {"Name": "PhoneNumber", "Value": 254712345678},
                    {"Name": "FirstName", "Value": "Wanjiru"},
                ]
            },
        }
    }
}
PHONEPE: dict[str, Any] = {
    "event": "checkout.order.completed",
    "payload": {
        "merchantOrderId": "MT0123456789abc",
        "orderId": "OMO2403282020198651071949",
        "state": "COMPLETED",
        "amount": 99900,
        "metaInfo": {"udf1": "Asha Devi", "udf2": "+91 98765 43210"},
        "paymentDetails": [
            {
                "transactionId": "OM2403282020198651071949",
                "rail": {"type": "UPI", "utr": "416512345678", "vpa": "asha@ybl"},
                "instrument": {"maskedAccountNumber": "******1234", "accountHolderName": "ASHA DEVI"},
            }
        ],
    },
}


def shown_of(body: Any, fields: Mapping[str, Readable] = SHOWN) -> str:
    return redacted(json.dumps(body).encode(), fields)


def test_an_mpesa_notice_says_what_was_paid_and_of_its_number_the_last_three_digits() -> None:
    told = shown_of(MPESA, declaration_of("MPESA").shown)
    for word in (
        "29115-34620561-1",
        '"0"',
        "processed successfully",
        '"350.0"',
        "NLJ7RT61SV",
        "20191219102115",
        "\N{HORIZONTAL ELLIPSIS}678",
    ):
        assert word in told
    for word in ("712345678", "Wanjiru"):
        assert word not in told


def test_a_phonepe_notice_names_its_payment_and_nobody() -> None:
    told = shown_of(PHONEPE, declaration_of("PHONEPE").shown)
    for word in ("MT0123456789abc", "OMO2403282020198651071949", "OM2403282020198651071949", "COMPLETED", "99900", "UPI"):
        assert word in told
    for word in ("Asha", "ASHA", "43210", "41651234", '1234"', "@ybl"):
        assert word not in told


SECRET = "whsec9f8e7d6c5b4a39281706"


@pytest.mark.parametrize(
    "body",
    [
        {"signature": SECRET},
        {"state": f"call https://shop.example/cb/stk/{SECRET} now"},
        {"state": {"token": SECRET}},
        {"state": [[{"Name": "token", "Value": SECRET}]]},
        {"Name": SECRET, "Value": 1},
        {"Name": "state", "Key": "token", "Value": f"x {SECRET}"},
        {SECRET: 1},
        {"words": [f"Bearer {SECRET}"]},
        {"a": {"b": {"c": {"Key": "x", "Value": [SECRET]}}}},
    ],
    ids=str,
)
def test_a_planted_secret_is_shown_nowhere(body: Any) -> None:
    assert SECRET not in shown_of(body)


@pytest.mark.parametrize("value", ["254712345678", 254712345678, "+254 712 345 678", "0712-345-678"])
def test_of_a_number_that_nobody_declared_three_digits_stay(value: Any) -> None:
    told = json.loads(shown_of({"msisdn": value, "words": f"from {value}"}))
    assert told == {"msisdn": "\N{HORIZONTAL ELLIPSIS}678", "words": "from \N{HORIZONTAL ELLIPSIS}678"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"words": "254712345678"}, {"words": "\u2026678"}),
        ({"words": "0712 345 678 asha@ybl"}, {"words": "\u2026678 \u2026"}),
        ({"words": "+254\u00a0712\u2011345\u2011678"}, {"words": "\u2026678"}),
        ({"words": "whsec"}, {"words": "whsec"}),
        ({"id": "254712345678"}, {"id": "\u2026678"}),
        ({"id": 712345678}, {"id": "\u2026678"}),
        ({"id": "0712.345_678"}, {"id": "\u2026678"}),
        ({"id": "0712-345-678"}, {"id": "\u2026678"}),
        ({"id": "+254.712.345.678"}, {"id": "\u2026678"}),
        ({"id": "asha@ybl"}, {"id": "\u2026 (8 characters)"}),
        ({"id": "29115-34620561-1"}, {"id": "29115-34620561-1"}),
        ({"amount": 254712345678}, {"amount": "\u2026678"}),
        ({"amount": "712345678"}, {"amount": "\u2026678"}),
        ({"amount": "asha"}, {"amount": "\u2026 (4 characters)"}),
        ({"amount": 350.0}, {"amount": "350.0"}),
        ({"at": "254712345678"}, {"at": "\u2026678"}),
        ({"at": 1767225600000}, {"at": "1767225600000"}),
        ({"at": "2026-01-01T00:00:00.000Z"}, {"at": "2026-01-01T00:00:00.000Z"}),
        ({"Name": "amount", "Value": "254705912645"}, {"Name": "amount", "Value": "\u2026645"}),
    ],
    ids=str,
)
def test_a_declared_field_shows_what_has_the_form_of_its_kind_and_no_payers_number(body: Any, told: Any) -> None:
    assert json.loads(shown_of(body)) == told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"Customer": {"Name": "Wanjiru Kamau"}}, {"Customer": {"Name": "\u2026 (13 characters)"}}),
        ({"Customer": {"Name": "Wanjiru"}}, {"Customer": {"Name": "\u2026 (7 characters)"}}),
        ({"Key": "a3f9b2c1d4e5f6a7b8"}, {"Key": "\u2026 (18 characters)"}),
        ({"Key": "a3f9b2c1d4e5f6a7b8", "Value": 1}, {"Key": "\u2026 (18 characters)", "Value": "\u2026 (1 characters)"}),
        ({"asha@ybl": 1, "254 712 345 678": 2}, {"\u2026 (8 characters)": "\u2026 (1 characters)"}),
        ({"Wanjiru Kamau": None, "A" * 41: None}, {"\u2026 (13 characters)": None, "\u2026 (41 characters)": None}),
        ({"Name": "udf1", "Value": "Asha"}, {"Name": "udf1", "Value": "\u2026 (4 characters)"}),
    ],
    ids=str,
)
def test_a_name_is_shown_where_it_names_a_value_and_could_be_no_persons(body: Any, told: Mapping[str, Any]) -> None:
    assert json.loads(shown_of(body)).items() >= told.items()


def test_phonepes_first_api_is_read_through_its_wrapping() -> None:
    gateway = declaration_of("PHONEPE")
    data = {"merchantTransactionId": "MT0123456789abc", "amount": 99900, "state": "COMPLETED", "mobileNumber": "9876543210"}
    body = {"success": True, "code": "PAYMENT_SUCCESS", "message": "Your payment is successful.", "data": data}
    raw = json.dumps({"response": base64.b64encode(json.dumps(body).encode()).decode()}).encode()
    told = json.loads(redacted(gateway.readable(raw), gateway.shown))
    assert told == {**body, "data": {**data, "amount": "99900", "mobileNumber": "\u2026210"}}
    for other in (b"", b"{}", b'{"response": "***"}', json.dumps(PHONEPE).encode()):
        assert gateway.readable(other) == other


def test_markup_and_marks_of_direction_are_data() -> None:
    told = shown_of({"words": f"{MARKUP}\u202e", MARKUP: 1, "id": MARKUP, "other": MARKUP})
    assert told.replace("\N{HORIZONTAL ELLIPSIS}", "").isascii()
    assert json.loads(told)["other"] == f"\N{HORIZONTAL ELLIPSIS} ({len(MARKUP)} characters)"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[1, 2]",
        b"null",
        b"<html>254712345678</html>",
        b'{"a": NaN}',
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        json.dumps({f"field{number}": "x" * 100 for number in range(500)}).encode(),
        json.dumps({"state": ["A" * 60] * 1000}).encode(),
        b'{"a": "\\ud800"}',
        b'{"amount": 1e400}',
    ],
    ids=lambda raw: f"{raw[:12]!r}",
)
def test_whatever_came_is_told_in_few_words_and_never_an_exception(raw: bytes) -> None:
    told = redacted(raw, SHOWN)
    assert len(told) <= LONGEST + 1
    assert "254712345678" not in told


def test_what_is_declared_as_harmless_is_no_name_number_address_or_token() -> None:
    for gateway in GATEWAYS:
        for field in gateway.shown:
            lower = field.lower()
            assert not any(word in lower for word in ("phone", "name", "vpa", "token", "signature", "account", "utr", "mobile"))
