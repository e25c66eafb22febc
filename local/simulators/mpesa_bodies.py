"""The bodies that Daraja posts to merchants: STK callbacks in all their shapes, and results of reversals and of questions."""

from __future__ import annotations

import json
import random
from typing import Any, Final

from local.simulators.ids import amount_text, merchant_request_id, mpesa_receipt, nairobi_time
from local.simulators.outcomes import State, callback_text
from local.simulators.records import Attempt, Refund
from local.simulators.rules import Kind, Variant

_SUCCESS_SHAPES: Final = (
    Variant.PLAIN,
    Variant.BALANCE_WITHOUT_VALUE,
    Variant.BALANCE_AS_TEXT,
    Variant.OTHER_ORDER,
    Variant.WHOLE_AMOUNT,
)
_FAILURE_SHAPES: Final = (Variant.PLAIN, Variant.PREFIXED, Variant.OTHER_ORDER)
_NO_SUCH_RECEIPT: Final = "ZZ0000FAKE"


def push_accepted(attempt: Attempt) -> dict[str, Any]:
    """The answer to a push that put a prompt on the phone."""
    text = "Success. Request accepted for processing"
    ids = {"MerchantRequestID": attempt.gateway_id, "CheckoutRequestID": attempt.ref}
    return {**ids, "ResponseCode": "0", "ResponseDescription": text, "CustomerMessage": text}


def accepted(originator_id: str, conversation_id: str) -> dict[str, Any]:
    """The answer to a request whose result is posted later."""
    ids = {"OriginatorConversationID": originator_id, "ConversationID": conversation_id}
    return {**ids, "ResponseCode": "0", "ResponseDescription": "Accept the service request successfully."}


def _items(attempt: Attempt, receipt: str, shillings: int, variant: Variant) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [
        {"Name": "Amount", "Value": shillings if variant is Variant.WHOLE_AMOUNT else float(shillings)},
        {"Name": "MpesaReceiptNumber", "Value": receipt},
        {
            "Name": "TransactionDate",
            "Value": int(f"{nairobi_time(attempt.decided_at or attempt.created_at):%Y%m%d%H%M%S}"),
        },
        {"Name": "PhoneNumber", "Value": int(attempt.phone)},
    ]
    if variant is Variant.BALANCE_WITHOUT_VALUE:
        items.insert(2, {"Name": "Balance"})
    if variant is Variant.BALANCE_AS_TEXT:
        basic = amount_text(shillings * 100)
        text = f"{{Amount={{CurrencyCode=KES, MinimumAmount={shillings * 100}, BasicAmount={basic}}}}}"
        items.insert(2, {"Name": "Balance", "Value": text})
    if variant is Variant.OTHER_ORDER:
        items = [{key: item[key] for key in reversed(item)} for item in reversed(items)]
    return items


def stk_callback(
    attempt: Attempt, kind: Kind, variant: Variant | None, *, draw: random.Random, other_receipt: str | None
) -> bytes:
    """The callback for a prompt that has ended, or a lie about it; without `variant` each prompt takes the next shape."""
    code = attempt.result_code or "0"
    if kind is Kind.FAILED:
        code = "1032"
    elif kind is not Kind.TRUE and (kind is not Kind.WRONG_TOKEN or attempt.receipt is None):
        code = "0"
    shapes = _SUCCESS_SHAPES if code == "0" else _FAILURE_SHAPES
    shape = variant or shapes[attempt.seq % len(shapes)]
    text = callback_text(code)
    callback: dict[str, Any] = {
        "MerchantRequestID": attempt.gateway_id,
        "CheckoutRequestID": attempt.ref,
        "ResultCode": int(code) if code.isdigit() and shape is not Variant.CODE_AS_TEXT else code,
        "ResultDesc": f"[STK_CB - ]{text}" if shape is Variant.PREFIXED else text,
    }
    if kind is Kind.WRONG_IDS:
        callback["MerchantRequestID"] = merchant_request_id(draw)
        callback["CheckoutRequestID"] = f"{attempt.ref[:-12]}000{attempt.ref[-9:]}"
    if code == "0":
        receipt = attempt.receipt or mpesa_receipt(draw, attempt.created_at)
        if kind in {Kind.WRONG_RECEIPT, Kind.PAID}:
            receipt = _NO_SUCH_RECEIPT if kind is Kind.WRONG_RECEIPT else mpesa_receipt(draw, attempt.created_at)
        if kind is Kind.USED_RECEIPT:
            receipt = other_receipt or _NO_SUCH_RECEIPT
        shillings = attempt.amount // 100 + (1 if kind is Kind.WRONG_AMOUNT else 0)
        callback["CallbackMetadata"] = {"Item": _items(attempt, receipt, shillings, shape)}
    if shape is Variant.OTHER_ORDER:
        callback = {key: callback[key] for key in reversed(callback)}
    return json.dumps({"Body": {"stkCallback": callback}}).encode()


_QUEUE_REFERENCE: Final = {"Key": "QueueTimeoutURL", "Value": "https://internal.example/mpesa/results/v1/submit"}


def result_body(
    *,
    code: str,
    text: str,
    originator_id: str,
    conversation_id: str,
    transaction_id: str,
    parameters: list[dict[str, Any]],
    reference: dict[str, str] | None = None,
) -> bytes:
    """The envelope of every asynchronous result; `parameters` are left out of a failure."""
    result: dict[str, Any] = {
        "ResultType": 0,
        "ResultCode": int(code) if code.isdigit() else code,
        "ResultDesc": text,
        "OriginatorConversationID": originator_id,
        "ConversationID": conversation_id,
        "TransactionID": transaction_id,
    }
    if code == "0":
        result["ResultParameters"] = {"ResultParameter": parameters}
    result["ReferenceData"] = {"ReferenceItem": reference or _QUEUE_REFERENCE}
    return json.dumps({"Result": result}).encode()


RESULT_TEXTS: Final = {
    "0": "The service request is processed successfully.",
    "1": "The balance is insufficient for the transaction.",
    "2001": "The initiator information is invalid.",
    "2032": "The transaction receipt number does not exist.",
    "R000001": "The transaction has already been reversed.",
    "R000002": "The OriginalTransactionID is invalid.",
}


def reversal_result(refund: Refund, shortcode: str, payer: str) -> bytes:
    """The result of a reversal that has ended."""
    moment = nairobi_time(refund.decided_at or refund.created_at)
    shillings = float(refund.amount // 100)
    parameters: list[dict[str, Any]] = [
        {"Key": "DebitAccountBalance", "Value": "Utility Account|KES|7722179.62|7722179.62|0.00|0.00"},
        {"Key": "Amount", "Value": shillings},
        {"Key": "TransCompletedTime", "Value": int(f"{moment:%Y%m%d%H%M%S}")},
        {"Key": "OriginalTransactionID", "Value": refund.original_receipt},
        {"Key": "Charge", "Value": 0.0},
        {"Key": "CreditPartyPublicName", "Value": f"{payer} - TEST CUSTOMER"},
        {"Key": "DebitPartyPublicName", "Value": f"{shortcode} - Test Merchant"},
    ]
    code = refund.result_code or "0"
    return result_body(
        code=code,
        text=RESULT_TEXTS.get(code, "The request could not be completed."),
        originator_id=refund.ref,
        conversation_id=refund.conversation_id,
        transaction_id=refund.receipt or "0000000000",
        parameters=parameters,
    )


_STATUS_WORDS: Final = {State.COMPLETED: "Completed", State.FAILED: "Failed"}


def transaction_status_result(
    found: Attempt | Refund | None, merchant: str, *, originator_id: str, own_id: str, occasion: str
) -> bytes:
    """The result of a transaction status request; some entries have no Value, and DebitPartyName comes twice."""
    code = "0" if found is not None else "2032"
    return result_body(
        code=code,
        text=RESULT_TEXTS[code],
        originator_id=originator_id,
        conversation_id=own_id,
        transaction_id="0000000000",
        parameters=[] if found is None else _status_parameters(found, merchant),
        reference={"Key": "Occasion", "Value": occasion},
    )


def _status_parameters(found: Attempt | Refund, merchant: str) -> list[dict[str, Any]]:
    incoming = isinstance(found, Attempt)
    moment = int(f"{nairobi_time(found.decided_at or found.created_at):%Y%m%d%H%M%S}")
    conversation = found.gateway_id if isinstance(found, Attempt) else found.conversation_id
    return [
        {"Key": "DebitPartyName", "Value": f"{merchant} - Test Merchant"},
        {"Key": "DebitPartyName", "Value": f"{found.phone or '254700000000'} - TEST CUSTOMER"},
        {"Key": "OriginatorConversationID", "Value": found.ref},
        {"Key": "InitiatedTime", "Value": int(f"{nairobi_time(found.created_at):%Y%m%d%H%M%S}")},
        {"Key": "CreditPartyCharges"},
        {"Key": "DebitAccountType", "Value": "MMF Account For Customer" if incoming else "Utility Account"},
        {"Key": "TransactionReason"},
        {"Key": "ReasonType", "Value": "Pay Bill Online" if incoming else "Business Payment to Customer via API"},
        {"Key": "TransactionStatus", "Value": _STATUS_WORDS.get(found.state, "Pending")},
        {"Key": "FinalisedTime", "Value": moment},
        {"Key": "Amount", "Value": float(found.amount // 100)},
        {"Key": "ConversationID", "Value": conversation},
        {"Key": "ReceiptNo", "Value": found.receipt},
    ]
