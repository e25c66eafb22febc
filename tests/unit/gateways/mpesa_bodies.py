"""Bodies as Daraja sends them, one builder per shape, with numbers that belong to nobody."""

from __future__ import annotations

import json
from typing import Any

CHECKOUT_REQUEST_ID = "ws_CO_03052026101500123708374149"
MERCHANT_REQUEST_ID = "7001-4c2e-9b11-aa02d7f0e1c55120"
RECEIPT = "TE37Q1XYZ9"


def access_token(value: str = "tokenOneFromTheGateway", expires_in: int | str | None = 3599) -> dict[str, Any]:
    return {"access_token": value, "expires_in": expires_in}


def error(code: str, message: str) -> dict[str, str]:
    return {"requestId": "8801-5512-1", "errorCode": code, "errorMessage": message}


def fault(message: str) -> dict[str, Any]:
    return {"fault": {"faultstring": message, "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"}}}


def push_accepted(**changes: object) -> dict[str, object]:
    return {
        "MerchantRequestID": MERCHANT_REQUEST_ID,
        "CheckoutRequestID": CHECKOUT_REQUEST_ID,
        "ResponseCode": "0",
        "ResponseDescription": "Success. Request accepted for processing",
        "CustomerMessage": "Success. Request accepted for processing",
    } | changes


def query_result(result_code: object, **changes: object) -> dict[str, object]:
    return {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": MERCHANT_REQUEST_ID,
        "CheckoutRequestID": CHECKOUT_REQUEST_ID,
        "ResultCode": result_code,
        "ResultDesc": "what happened, in words that nobody should read",
    } | changes


def stk_notice(result_code: object, items: object = None, **changes: object) -> bytes:
    callback: dict[str, object] = {
        "MerchantRequestID": MERCHANT_REQUEST_ID,
        "CheckoutRequestID": CHECKOUT_REQUEST_ID,
        "ResultCode": result_code,
        "ResultDesc": "[STK_CB - ]what happened",
    } | changes
    if items is not None:
        callback["CallbackMetadata"] = {"Item": items}
    return json.dumps({"Body": {"stkCallback": callback}}).encode()


def success_items(amount: object = 250.00) -> list[dict[str, object]]:
    return [
        {"Name": "Balance"},
        {"Name": "PhoneNumber", "Value": 254708374149},
        {"Name": "TransactionDate", "Value": 20260503101530},
        {"Name": "MpesaReceiptNumber", "Value": RECEIPT},
        {"Name": "Amount", "Value": amount},
    ]


def acknowledged(**changes: object) -> dict[str, object]:
    return {
        "OriginatorConversationID": "2c4e-4f7b-8e21-b7fa0d6c115599001",
        "ConversationID": "AG_20260503_2010aa11bb22cc33dd44",
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    } | changes


def result(result_code: object, parameters: object = None, **changes: object) -> bytes:
    content: dict[str, object] = {
        "ResultType": 0,
        "ResultCode": result_code,
        "ResultDesc": "what happened",
        "OriginatorConversationID": "2c4e-4f7b-8e21-b7fa0d6c115599001",
        "ConversationID": "AG_20260503_2010aa11bb22cc33dd44",
        "TransactionID": "TE39REVERS",
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "https://gateway.invalid/x"}},
    } | changes
    if parameters is not None:
        content["ResultParameters"] = {"ResultParameter": parameters}
    return json.dumps({"Result": content}).encode()
