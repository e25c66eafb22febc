"""Bodies as PhonePe sends them, one builder per shape."""

from __future__ import annotations

import base64
import json
from typing import Any

from payfirst.domain.money import Money
from payfirst.gateways.base import PayBack, RefundQuery

REF = "MT5f0a1b2c3d4e5"
ORDER_ID = "OMO2605031015001234567890"
REFUND_REF = "R-MT5f0a1b2c3d4e5-1"
PAGE = "https://mercury-uat.phonepe.com/transact/uat_v2?token=eyJhbGciOi.J9.page%2Btoken"


def pay_back(ref: str, original_ref: str, amount: Money, *, notice_url: str = "https://shop.in/notices") -> PayBack:
    """What a refund asks for."""
    return PayBack(ref, original_ref, amount, None, "https://shop.in/result", "https://shop.in/late", notice_url)


def about(ref: str) -> RefundQuery:
    """A question about a refund."""
    return RefundQuery(ref, None, "https://shop.in/result", "https://shop.in/late")


def access_token(expires_at: int | None, value: str = "phonepeTokenNumberOne") -> dict[str, Any]:
    return {
        "access_token": value,
        "encrypted_access_token": value,
        "expires_in": None,
        "issued_at": None if expires_at is None else expires_at - 3600,
        "expires_at": expires_at,
        "session_expires_at": expires_at,
        "token_type": "O-Bearer",
    }


def error(code: str, message: str = "in PhonePe's words", **more: object) -> dict[str, object]:
    return {"code": code, "message": message, **more}


def no_entry() -> dict[str, object]:
    return error("INVALID_MERCHANT_ORDER_ID", "No entry found for given merchant order id")


def page_made(**changes: object) -> dict[str, object]:
    return {"orderId": ORDER_ID, "state": "PENDING", "expireAt": 1777803600000, "redirectUrl": PAGE} | changes


def payment_try(state: str, amount: int = 99900) -> dict[str, object]:
    return {
        "transactionId": "OM2605031016001111111111",
        "paymentMode": "UPI_QR",
        "timestamp": 1777803400000,
        "amount": amount,
        "state": state,
        "rail": {"type": "UPI", "utr": "000000000000"},
    }


def order(state: object, **changes: object) -> dict[str, object]:
    return {
        "orderId": ORDER_ID,
        "state": state,
        "amount": 99900,
        "payableAmount": 99900,
        "feeAmount": 0,
        "expireAt": 1777803600000,
        "paymentDetails": [payment_try("COMPLETED")],
        "metaInfo": {"udf1": ""},
    } | changes


def failed_order(error_code: str, description: str | None) -> dict[str, object]:
    context = {"errorCode": error_code, "source": "CUSTOMER", "stage": "AUTHENTICATION", "description": description}
    return order("FAILED", errorCode=error_code, errorContext=context)


def refund(state: object, **changes: object) -> dict[str, object]:
    return {
        "merchantId": "SHOPONE",
        "merchantRefundId": REFUND_REF,
        "originalMerchantOrderId": REF,
        "amount": 99900,
        "state": state,
        "refundId": "OMR2605031100009999999999",
        "paymentDetails": [payment_try("COMPLETED")],
    } | changes


def webhook(event: object, payload: object) -> bytes:
    return json.dumps({"event": event, "type": "DEPRECATED", "payload": payload}).encode()


def order_payload(state: str, **changes: object) -> dict[str, object]:
    return order(state) | {"merchantId": "SHOPONE", "merchantOrderId": REF} | changes


def v1_body(code: str, state: str | None, *, success: bool, **changes: object) -> dict[str, object]:
    data: dict[str, object] = {
        "merchantId": "SHOPONE",
        "merchantTransactionId": REF,
        "transactionId": "T2605031015001234567890",
        "amount": 99900,
        "state": state,
        "responseCode": "SUCCESS",
        "paymentInstrument": None,
    }
    return {"success": success, "code": code, "message": "in PhonePe's words", "data": data | changes}


def v1_notice(body: dict[str, object]) -> tuple[bytes, str]:
    """The notice that holds `body`, and its base64 content, which the checksum covers."""
    content = base64.b64encode(json.dumps(body).encode()).decode("ascii")
    return json.dumps({"response": content}).encode(), content
