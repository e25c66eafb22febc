"""Both gateways as one server that answers at once: every prompt is taken, and every payment asked about is paid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from benchmarks.loopback import Answered


class Gateways:
    """What they were asked for: prompts by CheckoutRequestID, orders and the amounts of refunds by our references."""

    def __init__(self) -> None:
        self.pushed: dict[str, dict[str, Any]] = {}
        self.ordered: dict[str, dict[str, Any]] = {}
        self.refunded: dict[str, int] = {}
        self._numbers = count(1)

    def serve(self, _method: str, path: str, _headers: Mapping[str, str], raw: bytes) -> Answered:
        """What a request is answered with, for `serving`."""
        body = json.loads(raw) if raw.startswith(b"{") else {}
        return 200, {"Content-Type": "application/json"}, json.dumps(self.answer(path, body)).encode()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON body that a request is answered with."""
        if "/oauth/" in path:
            return {"access_token": f"token-{next(self._numbers)}", "expires_in": "3599", "expires_at": 3_000_000_000}
        if path.endswith("/stkpush/v1/processrequest"):
            return self._push(body)
        if path.endswith("/stkpushquery/v1/query"):
            known = {"ResponseCode": "0", "ResultCode": "0", "ResultDesc": "The service request is processed successfully."}
            return {**known, "CheckoutRequestID": body["CheckoutRequestID"]}
        if path.endswith("/checkout/v2/pay"):
            return self._order(body)
        if "/checkout/v2/order/" in path:
            ref = path.partition("?")[0].split("/")[-2]
            told = {"orderId": f"OMO{ref}", "merchantOrderId": ref, "state": "COMPLETED"}
            return {**told, "amount": self.ordered[ref]["amount"]}
        if path.endswith("/payments/v2/refund"):
            refund = body["merchantRefundId"]
            self.refunded[refund] = body["amount"]
            return {"refundId": f"OMR{refund}", "state": "PENDING", "amount": body["amount"]}
        if "/payments/v2/refund/" in path:
            refund = path.split("/")[-2]
            return {
                "merchantRefundId": refund,
                "refundId": f"OMR{refund}",
                "state": "COMPLETED",
                "amount": self.refunded[refund],
            }
        raise LookupError(path)

    def _push(self, body: dict[str, Any]) -> dict[str, Any]:
        checkout = f"ws_CO_{next(self._numbers):011d}{body['PhoneNumber']}"
        self.pushed[checkout] = body
        return {
            "MerchantRequestID": f"29115-{checkout}",
            "CheckoutRequestID": checkout,
            "ResponseCode": "0",
            "ResponseDescription": "Success. Request accepted for processing",
            "CustomerMessage": "Success. Request accepted for processing",
        }

    def _order(self, body: dict[str, Any]) -> dict[str, Any]:
        self.ordered[body["merchantOrderId"]] = body
        ref = body["merchantOrderId"]
        return {"orderId": f"OMO{ref}", "state": "PENDING", "redirectUrl": f"https://pay.example/{ref}"}
