"""Both gateways in memory, behind the `requests` adapter that their clients are given: a book of payments and refunds."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from payfirst.domain.ids import ref_of_callback_token

MPESA, PHONEPE = "MPESA", "PHONEPE"
_LIFE_S: Final = 3_000_000_000


@dataclass(slots=True)
class Payment:
    """One prompt or order as its gateway knows it; amounts are minor units. `state` is open, paid or declined."""

    gateway: str
    ref: str
    gateway_id: str
    amount: int
    token: str = ""
    phone: str = ""
    state: str = "open"
    code: str = "1032"
    receipt: str = ""
    collected: int = 0


@dataclass(slots=True)
class PaidBack:
    """Money that went back: `original` is the payment's reference."""

    refund: str
    original: str
    amount: int


@dataclass(slots=True)
class Notice:
    """What a gateway posts: to which of our routes, with which token in its address, and the body."""

    route: str
    token: str
    raw: bytes

    @property
    def path(self) -> str:
        """Where it is posted to."""
        return {"stk": f"/cb/stk/{self.token}", "result": f"/cb/result/{self.token}"}.get(
            self.route, "/api/payments/webhook/phonepe/"
        )

    @property
    def headers(self) -> dict[str, str]:
        """PhonePe's own word for it; M-Pesa has none."""
        return {"authorization": hashlib.sha256(b"shop:hook-word").hexdigest()} if self.route == "phonepe" else {}


@dataclass(slots=True)
class Ledger:
    """What the gateways know. `notices` are those that they have not posted yet; `broken` is what no gateway may ever see.

    PhonePe states the `merchant` it collected for where one is given. The next `refuse_refunds` refunds and `reject_pushes`
    pushes are refused, and `lose_pushes` more are answered to nobody. With `refuse_status` PhonePe says nothing about refunds.
    `asked` counts what was asked about each payment, `refunds_unknown` how often a refund was asked about that is none.
    """

    payments: dict[str, Payment] = field(default_factory=dict)
    paid_back: dict[str, PaidBack] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    refuse_refunds: int = 0
    reject_pushes: int = 0
    refuse_reversals: bool = False
    refuse_status: bool = False
    refunds_unknown: int = 0
    lose_pushes: int = 0
    merchant: str | None = None
    asked: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    conversations: dict[str, PaidBack] = field(default_factory=dict)
    _count: int = 0

    # What payers do

    def pay(self, ref: str, *, amount: int | None = None, receipt: str | None = None) -> bool:
        """The payer pays, if the payment is still open; says whether."""
        payment = self.payments.get(ref)
        if payment is None or payment.state != "open":
            return False
        payment.state, payment.collected = "paid", payment.amount if amount is None else amount
        payment.receipt = receipt or f"N{self._next():09d}"
        self._tell(payment)
        return True

    def decline(self, ref: str, code: str = "1032") -> bool:
        """The payer refuses, or lets the payment run out; says whether it was open."""
        payment = self.payments.get(ref)
        if payment is None or payment.state != "open":
            return False
        payment.state, payment.code = "declined", code
        self._tell(payment)
        return True

    def close(self) -> None:
        """Whatever is still open runs out."""
        for ref in list(self.payments):
            self.decline(ref, "1037")

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _tell(self, payment: Payment) -> None:
        if payment.gateway == MPESA:
            self.notices.append(Notice("stk", payment.token, json.dumps(stk_body(payment)).encode()))
        else:
            self.notices.append(Notice("phonepe", "", json.dumps(phonepe_body(payment)).encode()))

    # What the shop asks

    def answer(self, operation: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A request's status and JSON body."""
        known: dict[str, Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]] = {
            "mpesa token": self._mpesa_token,
            "push": self._push,
            "query": self._query,
            "reverse": self._reverse,
            "transaction": self._transaction,
            "phonepe token": self._phonepe_token,
            "pay": self._pay,
            "order": self._order,
            "refund": self._refund,
            "refund status": self._refund_status,
        }
        return known[operation](path, body)

    def _mpesa_token(self, _: str, __: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"access_token": f"mpesa-token-{self._next()}", "expires_in": "3599"}

    def _phonepe_token(self, _: str, __: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"access_token": f"phonepe-token-{self._next()}", "expires_at": _LIFE_S}

    def _push(self, _: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        token = body["CallBackURL"].rsplit("/", 1)[1]
        ref = ref_of_callback_token(token)
        if ref is None or ref in self.payments:
            self.broken.append(f"{ref} was pushed twice, or under no reference")
            return 500, {}
        if self.reject_pushes:
            self.reject_pushes -= 1
            return 400, {"requestId": "1", "errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid PhoneNumber"}
        checkout = f"ws_CO_{self._next():06d}_{body['PhoneNumber']}"
        self.payments[ref] = Payment(MPESA, ref, checkout, int(body["Amount"]) * 100, token, body["PhoneNumber"])
        return 200, {
            "MerchantRequestID": f"merchant-{ref}",
            "CheckoutRequestID": checkout,
            "ResponseCode": "0",
            "ResponseDescription": "Success",
            "CustomerMessage": "Success",
        }

    def _query(self, _: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = [payment for payment in self.payments.values() if payment.gateway_id == body["CheckoutRequestID"]]
        if not found:
            return 500, {"requestId": "1", "errorCode": "500.001.1001", "errorMessage": "The transaction does not Exist"}
        self.asked[found[0].ref] += 1
        codes = {"open": "4999", "paid": "0", "declined": found[0].code}
        return 200, {
            "ResponseCode": "0",
            "CheckoutRequestID": found[0].gateway_id,
            "ResultCode": codes[found[0].state],
            "ResultDesc": "…",
        }

    def _reverse(self, _: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        payment = next(payment for payment in self.payments.values() if payment.receipt == body["TransactionID"])
        conversation = f"AG_{self._next()}"
        if self.refuse_reversals:
            return 400, {"requestId": "1", "errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid Initiator"}
        refund = body["Remarks"].removeprefix("Refund ")
        self._give_back(refund, payment, int(body["Amount"]) * 100)
        self.conversations[f"o{conversation}"] = self.paid_back[refund]
        facts = {"OriginalTransactionID": body["TransactionID"], "Amount": body["Amount"]}
        self._result(body["ResultURL"], conversation, facts)
        return 200, {"ConversationID": conversation, "OriginatorConversationID": f"o{conversation}", "ResponseCode": "0"}

    def _transaction(self, _: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        conversation = f"AG_{self._next()}"
        reversal = self.conversations[body["OriginalConversationID"]]
        self._result(body["ResultURL"], conversation, {"TransactionStatus": "Completed", "Amount": reversal.amount / 100})
        return 200, {"ConversationID": conversation, "OriginatorConversationID": f"o{conversation}", "ResponseCode": "0"}

    def _result(self, url: str, conversation: str, facts: Mapping[str, Any]) -> None:
        result = {
            "ResultCode": 0,
            "ResultDesc": "done",
            "ConversationID": conversation,
            "OriginatorConversationID": f"o{conversation}",
            "TransactionID": f"R{self._next():09d}",
            "ResultParameters": {"ResultParameter": [{"Key": name, "Value": value} for name, value in facts.items()]},
        }
        self.notices.append(Notice("result", url.rsplit("/", 1)[1], json.dumps({"Result": result}).encode()))

    def _pay(self, _: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ref = body["merchantOrderId"]
        if ref in self.payments:
            self.broken.append(f"{ref} was sent to PhonePe twice")
            return 500, {}
        if self.reject_pushes:
            self.reject_pushes -= 1
            return 400, {"code": "BAD_REQUEST", "message": "Bad request"}
        order = f"OMO{self._next():012d}"
        self.payments[ref] = Payment(PHONEPE, ref, order, body["amount"])
        return 200, {"orderId": order, "state": "PENDING", "redirectUrl": f"https://pay.example/{order}"}

    def _order(self, path: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        payment = self.payments.get(path.split("/")[-2])
        if payment is None:
            return 400, {"code": "INVALID_MERCHANT_ORDER_ID", "message": "No entry found for given merchant order id"}
        state = {"open": "PENDING", "paid": "COMPLETED", "declined": "FAILED"}[payment.state]
        amount = payment.collected if payment.state == "paid" else payment.amount
        told = {"orderId": payment.gateway_id, "merchantOrderId": payment.ref, "state": state, "amount": amount}
        return 200, told | ({"merchantId": self.merchant} if self.merchant else {})

    def _refund(self, _: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        refund, payment = body["merchantRefundId"], self.payments[body["originalMerchantOrderId"]]
        if refund in self.refused or refund in self.paid_back:
            # Sent once more because it was not known yet; PhonePe makes each of our ids once.
            return 417, {"code": "DUPLICATE_TXN_REQUEST"}
        if self.refuse_refunds:
            self.refuse_refunds -= 1
            self.refused[refund] = body["amount"]
        else:
            self._give_back(refund, payment, body["amount"])
        self.notices.append(Notice("phonepe", "", json.dumps(refund_body(refund, failed=refund in self.refused)).encode()))
        return 200, {"refundId": f"OMR{refund}", "state": "PENDING", "amount": body["amount"]}

    def _refund_status(self, path: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        refund = path.split("/")[-2]
        if self.refuse_status:
            return 503, {}
        if refund in self.refused:
            return 200, {"merchantRefundId": refund, "state": "FAILED", "amount": self.refused[refund]}
        if refund not in self.paid_back:
            self.refunds_unknown += 1
            return 400, {"code": "INVALID_MERCHANT_REFUND_ID", "message": "No entry found"}
        amount = self.paid_back[refund].amount
        return 200, {"merchantRefundId": refund, "refundId": f"OMR{refund}", "state": "COMPLETED", "amount": amount}

    def _give_back(self, refund: str, payment: Payment, amount: int) -> None:
        before = sum(entry.amount for entry in self.paid_back.values() if entry.original == payment.ref)
        if payment.state != "paid" or before + amount > payment.collected or refund in self.paid_back:
            self.broken.append(f"more is paid back than {payment.ref} has brought")
            return
        self.paid_back[refund] = PaidBack(refund, payment.ref, amount)


def stk_body(payment: Payment) -> dict[str, Any]:
    """The body that M-Pesa posts when a prompt has ended."""
    paid = payment.state == "paid"
    result: dict[str, Any] = {
        "MerchantRequestID": f"merchant-{payment.ref}",
        "CheckoutRequestID": payment.gateway_id,
        "ResultCode": 0 if paid else payment.code,
        "ResultDesc": "…",
    }
    if paid:
        amount = {"Name": "Amount", "Value": payment.collected / 100}
        receipt = {"Name": "MpesaReceiptNumber", "Value": payment.receipt}
        result["CallbackMetadata"] = {"Item": [amount, receipt, {"Name": "PhoneNumber", "Value": payment.phone}]}
    return {"Body": {"stkCallback": result}}


def refund_body(refund: str, *, failed: bool) -> dict[str, Any]:
    """The body that PhonePe posts when a refund has ended."""
    state = "FAILED" if failed else "COMPLETED"
    return {"event": f"pg.refund.{state.lower()}", "payload": {"merchantRefundId": refund, "state": state}}


def phonepe_body(payment: Payment) -> dict[str, Any]:
    """The body that PhonePe posts when an order has ended."""
    state = "COMPLETED" if payment.state == "paid" else "FAILED"
    facts = {"merchantOrderId": payment.ref, "orderId": payment.gateway_id, "state": state, "amount": payment.amount}
    return {"event": f"checkout.order.{state.lower()}", "payload": facts}
