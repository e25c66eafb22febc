"""Reading M-Pesa's notices: by name, leniently, and never with an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.money import Currency, Money
from payfirst.gateways.base import Captured, Claim, Declined, Pending, RefundClaim, Refunded
from payfirst.gateways.mpesa.notices import read_stk_notice
from payfirst.gateways.mpesa.result_notices import REFUND_RESULTS, read_result_notice

from . import mpesa_bodies as bodies


def read(raw: bytes) -> Claim:
    claim = read_stk_notice(raw)
    assert claim is not None
    return claim


def captured(raw: bytes) -> Captured:
    answer = read(raw).answer
    assert isinstance(answer, Captured)
    return answer


def refund(raw: bytes) -> RefundClaim:
    claim = read_result_notice(raw)
    assert claim is not None
    return claim


def test_a_success_is_read_by_name_whatever_the_order() -> None:
    paid = Captured(Money(25_000, Currency.KES), bodies.RECEIPT)
    claim = read(bodies.stk_notice(0, bodies.success_items()))
    assert claim == Claim(bodies.CHECKOUT_REQUEST_ID, bodies.MERCHANT_REQUEST_ID, paid)


@pytest.mark.parametrize("amount", [250, 250.0, "250", "250.00"])
def test_an_amount_is_read_from_number_or_text_to_the_cent(amount: object) -> None:
    assert captured(bodies.stk_notice(0, bodies.success_items(amount))).amount == Money(25_000, Currency.KES)


@pytest.mark.parametrize("amount", ["lots", "", None, True, -1, 250.005, "1e400", "NaN", "Infinity", [1], 10**40])
def test_an_amount_that_cannot_be_one_is_not_stated(amount: object) -> None:
    assert captured(bodies.stk_notice(0, bodies.success_items(amount))) == Captured(None, bodies.RECEIPT)


def test_an_amount_never_passes_through_a_float() -> None:
    raw = bodies.stk_notice(0, bodies.success_items()).replace(b"250.0", b"70368744177664.13")
    assert captured(raw).amount == Money(7036874417766413, Currency.KES)


@pytest.mark.parametrize(
    "balance", [{"Name": "Balance"}, {"Name": "Balance", "Value": "{Amount={BasicAmount=89.00}}"}, {"Value": 3}, 7, None]
)
def test_an_item_without_a_value_or_with_a_strange_one_harms_no_other(balance: object) -> None:
    assert captured(bodies.stk_notice(0, [balance, *bodies.success_items()])).receipt == bodies.RECEIPT


@pytest.mark.parametrize(
    ("code", "word"),
    [(1032, "cancelled"), ("1032", "cancelled"), ("SFC_IC0003", "misconfigured"), ("sfc_ic0003", "misconfigured")],
)
def test_a_result_code_is_read_as_text(code: object, word: str) -> None:
    answer = read(bodies.stk_notice(code)).answer
    assert isinstance(answer, Declined)
    assert answer.code == word


@pytest.mark.parametrize("code", [0, "0"])
def test_a_success_may_state_nothing(code: object) -> None:
    assert read(bodies.stk_notice(code)).answer == Captured(None, None)


@pytest.mark.parametrize("code", ["E3008", 77777, "-1"])
def test_an_undocumented_code_is_a_failure_that_may_be_taken_back(code: object) -> None:
    answer = read(bodies.stk_notice(code)).answer
    assert isinstance(answer, Declined)
    assert (answer.code, answer.final) == ("unrecognised", False)


def test_still_processing_is_pending_in_a_notice_too() -> None:
    assert read(bodies.stk_notice(4999)).answer == Pending()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"Body": null}',
        b'{"Body": {"stkCallback": []}}',
        b"<xml/>",
        b"\xff\xfe",
        bodies.stk_notice(None),
        bodies.stk_notice(False),  # noqa: FBT003 - JSON's false is no zero
        bodies.stk_notice({"code": 0}),
        bodies.stk_notice(0.5),
        bodies.stk_notice(0, CheckoutRequestID=None),
        bodies.stk_notice(0, CheckoutRequestID=""),
        bodies.stk_notice(0, CheckoutRequestID="\ud800"),
        bodies.stk_notice(0, CheckoutRequestID="x" * 5000),
        b'{"Body":' * 20_000,
    ],
)
def test_what_is_no_stk_result_is_none(raw: bytes) -> None:
    assert read_stk_notice(raw) is None


def test_a_notice_shows_no_phone_number_in_its_repr() -> None:
    shown = repr(read(bodies.stk_notice(0, bodies.success_items(), ResultDesc="paid by 254708374149")))
    assert "708374149" not in shown


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["0", "Amount", "1e999999"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "Name": st.sampled_from(["Amount", "MpesaReceiptNumber", "TransactionDate", "PhoneNumber"]) | JSON_VALUES,
        "Key": st.sampled_from(["Amount", "OriginalTransactionID", "ReceiptNo"]) | JSON_VALUES,
        "Value": JSON_VALUES,
    },
)
ITEMS = JSON_VALUES | ITEM | st.lists(ITEM | JSON_VALUES, max_size=5)


@given(st.binary())
def test_no_bytes_raise(raw: bytes) -> None:
    assert read_stk_notice(raw) is None
    assert read_result_notice(raw) is None


@given(JSON_VALUES, JSON_VALUES, ITEMS)
def test_no_stk_body_raises(result_code: Any, checkout_request_id: Any, items: Any) -> None:
    callback = {
        "CheckoutRequestID": checkout_request_id,
        "ResultCode": result_code,
        "ResultDesc": result_code,
        "CallbackMetadata": {"Item": items},
    }
    notice = read_stk_notice(json.dumps({"Body": {"stkCallback": callback}}).encode())
    if notice is not None:
        json.dumps([notice.gateway_id, getattr(notice.answer, "receipt", None)]).encode()
        assert notice.answer is not None


@given(JSON_VALUES, JSON_VALUES, ITEMS)
def test_no_result_body_raises(result_code: Any, conversation_id: Any, items: Any) -> None:
    result = {
        "ResultCode": result_code,
        "ConversationID": conversation_id,
        "TransactionID": conversation_id,
        "ResultParameters": {"ResultParameter": items},
    }
    notice = read_result_notice(json.dumps({"Result": result}).encode())
    if notice is not None:
        assert notice.answer is not None


def test_the_result_of_a_reversal_names_receipt_and_amount() -> None:
    parameters = [{"Key": "Amount", "Value": 250.00}, {"Key": "OriginalTransactionID", "Value": bodies.RECEIPT}]
    claim = refund(bodies.result(0, [*parameters, {"Key": "Charge"}]))
    assert claim == RefundClaim(Refunded(Money(25_000, Currency.KES), "TE39REVERS"), bodies.RECEIPT, None)


def test_a_result_shows_nothing_of_the_people_in_it() -> None:
    parameters = [
        {"Key": "TransactionAmount", "Value": 250},
        {"Key": "ReceiverPartyPublicName", "Value": "254708374149 - A PERSON"},
    ]
    claim = refund(bodies.result(0, parameters))
    assert claim.answer == Refunded(Money(25_000, Currency.KES), "TE39REVERS")
    assert "708374149" not in repr(claim)


def test_the_result_of_a_status_request_may_repeat_a_name_and_leave_values_out() -> None:
    parameters = [
        {"Key": "TransactionStatus"},
        {"Key": "TransactionStatus", "Value": "Completed"},
        {"Key": "TransactionStatus", "Value": "Failed"},
        {"Key": "Amount", "Value": "250"},
    ]
    assert refund(bodies.result(0, parameters)).status == "Completed"


def test_a_single_parameter_may_come_without_its_list() -> None:
    claim = refund(bodies.result(0, {"Key": "Amount", "Value": 250}))
    assert claim.answer == Refunded(Money(25_000, Currency.KES), "TE39REVERS")


REFUND_CODES: dict[str, tuple[str, bool, bool]] = {
    "1": ("merchant_funds", True, True),
    "11": ("merchant_account", False, True),
    "21": ("initiator_not_allowed", False, True),
    "2001": ("initiator_refused", False, True),
    "2006": ("merchant_account", False, True),
    "2028": ("misconfigured", False, True),
    "8006": ("initiator_locked", False, True),
    "R000001": ("already_reversed", False, False),
    "R000002": ("original_unknown", False, False),
}


def test_the_table_of_refund_codes_has_no_code_that_is_not_tested_here() -> None:
    assert set(REFUND_RESULTS) == set(REFUND_CODES)


@pytest.mark.parametrize("code", REFUND_CODES)
def test_each_failed_refund_has_its_word(code: str) -> None:
    answer = refund(bodies.result(int(code) if code.isdigit() else code)).answer
    assert isinstance(answer, Declined)
    assert answer.final is (code != "R000001"), "it says rather that something went back"
    assert (answer.code, answer.retryable, answer.configuration) == REFUND_CODES[code]
    assert answer.message.endswith(".")


def test_an_undocumented_refund_code_is_never_final() -> None:
    answer = refund(bodies.result("X1")).answer
    assert isinstance(answer, Declined)
    assert not answer.final


@pytest.mark.parametrize("raw", [b"{}", b"[]", bodies.result(0, ConversationID=None, OriginatorConversationID=None)])
def test_what_names_no_request_is_no_result(raw: bytes) -> None:
    assert read_result_notice(raw) is None
