"""Both gateways in memory, behind what their clients send by: a book of payments and refunds.

What a gateway says, and in which words, is the simulators' own; here is only what became of each payment, and when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from local.simulators import faults, mpesa_bodies, phonepe_bodies
from local.simulators.outcomes import MPESA_CODES, Outcome, State
from local.simulators.records import Refund
from payfirst.domain.ids import ref_of_callback_token
from payfirst.gateways.base import Gateway
from payfirst.gateways.wire import Send
from tests.faults.told import (
    MPESA,
    PHONEPE,
    SHORTCODE,
    STATES,
    Answer,
    Notice,
    Payment,
    answer_of,
    order_notice,
    phonepe_refund,
    reversal,
    said,
    stk_notice,
    told_of,
)

_LIFE_S: Final = 3_000_000_000


@dataclass(slots=True)
class PaidBack:
    """Money that went back: `original` is the payment's reference."""

    refund: str
    original: str
    amount: int


@dataclass(frozen=True, slots=True)
class Model:
    """Another gateway as the machine knows it: what it answers at `host`, what it posts, and what its shop is given.

    `answer` takes the ledger, the method, the path and the body. `made` is its client that sends by what it is
    given; `secret` and `settings` are what the shop keeps for it.
    """

    host: str
    answer: Callable[[Ledger, str, str, dict[str, Any]], Answer]
    notice: Callable[[Payment], Notice]
    made: Callable[[Send], Gateway]
    secret: dict[str, str]
    settings: dict[str, str]


MODELS: Final[dict[str, Model]] = {}
"""By the gateway's name; a test adds one beside the gateway's line in the registry."""


@dataclass(slots=True)
class Ledger:
    """What the gateways know. `notices` are those that they have not posted yet; `broken` is what no gateway may ever see.

    PhonePe states the `merchant` it collected for where one is given. The next `refuse_refunds` refunds and `reject_pushes`
    pushes are refused, and `lose_pushes` more are answered to nobody. With `refuse_status` PhonePe says nothing about refunds.
    About a payment in `says` a gateway that is asked says that state, whatever it has collected. `asked` counts what was asked
    about each payment, `refunds_unknown` how often a refund was asked about that is none.
    """

    payments: dict[str, Payment] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
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
    conversations: dict[str, Refund] = field(default_factory=dict)
    _count: int = 0

    # What payers do

    def pay(self, ref: str, *, amount: int | None = None, receipt: str | None = None) -> bool:
        """The payer pays, if the payment is still open; says whether."""
        payment = self.payments.get(ref)
        if payment is None or payment.state != "open":
            return False
        payment.state, payment.collected = "paid", payment.amount if amount is None else amount
        payment.receipt = receipt or f"N{self.next():09d}"
        self._tell(payment)
        return True

    def decline(self, ref: str, code: str = MPESA_CODES[Outcome.CANCEL]) -> bool:
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
            self.decline(ref, MPESA_CODES[Outcome.TIMEOUT])

    def next(self) -> int:
        """A number that was never given before."""
        self._count += 1
        return self._count

    def _tell(self, payment: Payment) -> None:
        if payment.gateway == MPESA:
            self.notices.append(stk_notice(payment))
        elif payment.gateway in MODELS:
            self.notices.append(MODELS[payment.gateway].notice(payment))
        else:
            self.notices.append(order_notice(payment, self.merchant or ""))

    # What the shop asks

    def answer(self, operation: str, path: str, body: dict[str, Any]) -> Answer:
        """What is answered to a request."""
        known: dict[str, Callable[[str, dict[str, Any]], Answer]] = {
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

    def _mpesa_token(self, _: str, __: dict[str, Any]) -> Answer:
        return said({"access_token": f"mpesa-token-{self.next()}", "expires_in": "3599"})

    def _phonepe_token(self, _: str, __: dict[str, Any]) -> Answer:
        return said({"access_token": f"phonepe-token-{self.next()}", "expires_at": _LIFE_S})

    def _push(self, _: str, body: dict[str, Any]) -> Answer:
        token = body["CallBackURL"].rsplit("/", 1)[1]
        ref = ref_of_callback_token(token)
        if ref is None or ref in self.payments:
            self.broken.append(f"{ref} was pushed twice, or under no reference")
            return 500, {}
        if self.reject_pushes:
            self.reject_pushes -= 1
            return answer_of(faults.invalid_field("PhoneNumber"))
        checkout = f"ws_CO_{self.next():06d}_{body['PhoneNumber']}"
        self.payments[ref] = Payment(MPESA, ref, checkout, int(body["Amount"]) * 100, "KES", token, body["PhoneNumber"])
        return said(mpesa_bodies.push_accepted(told_of(self.payments[ref])))

    def _query(self, _: str, body: dict[str, Any]) -> Answer:
        found = [payment for payment in self.payments.values() if payment.gateway_id == body["CheckoutRequestID"]]
        if not found:
            return answer_of(faults.does_not_exist())
        self.asked[found[0].ref] += 1
        codes = {"open": faults.UNDER_WAY, "paid": MPESA_CODES[Outcome.PAY], "declined": found[0].code}
        told, code = told_of(found[0]), codes[self.says.get(found[0].ref, found[0].state)]
        return answer_of(faults.query_answer(told.gateway_id, told.ref, code))

    def _reverse(self, _: str, body: dict[str, Any]) -> Answer:
        payment = next(payment for payment in self.payments.values() if payment.receipt == body["TransactionID"])
        conversation = f"AG_{self.next()}"
        if self.refuse_reversals:
            return answer_of(faults.invalid_field("Initiator"))
        refund = body["Remarks"].removeprefix("Refund ")
        self.give_back(refund, payment, int(body["Amount"]) * 100)
        made = reversal(payment, conversation, self.paid_back[refund].amount, f"R{self.next():09d}")
        self.conversations[made.ref] = made
        self._result(body, mpesa_bodies.reversal_result(made, SHORTCODE, payment.phone))
        return said(mpesa_bodies.accepted(made.ref, conversation))

    def _transaction(self, _: str, body: dict[str, Any]) -> Answer:
        conversation = f"AG_{self.next()}"
        ids = {"originator_id": f"o{conversation}", "own_id": conversation, "occasion": ""}
        reversal = self.conversations[body["OriginalConversationID"]]
        self._result(body, mpesa_bodies.transaction_status_result(reversal, SHORTCODE, **ids))
        return said(mpesa_bodies.accepted(f"o{conversation}", conversation))

    def _result(self, asked: dict[str, Any], raw: bytes) -> None:
        self.notices.append(Notice("result", asked["ResultURL"].rsplit("/", 1)[1], raw))

    def _pay(self, _: str, body: dict[str, Any]) -> Answer:
        ref = body["merchantOrderId"]
        if ref in self.payments:
            self.broken.append(f"{ref} was sent to PhonePe twice")
            return 500, {}
        if self.reject_pushes:
            self.reject_pushes -= 1
            return answer_of(faults.bad_request())
        order = f"OMO{self.next():012d}"
        self.payments[ref] = Payment(PHONEPE, ref, order, body["amount"], "INR")
        return said({"orderId": order, "state": State.PENDING, "redirectUrl": f"https://pay.example/{order}"})

    def _order(self, path: str, _: dict[str, Any]) -> Answer:
        payment = self.payments.get(path.split("/")[-2])
        if payment is None:
            return answer_of(faults.order_not_found())
        amount = payment.collected if payment.state == "paid" else payment.amount
        told = replace(told_of(payment, amount), state=STATES[self.says.get(payment.ref, payment.state)])
        merchant = {"merchantId": self.merchant} if self.merchant else {}
        return said(phonepe_bodies.order_status(told) | merchant)

    def _refund(self, _: str, body: dict[str, Any]) -> Answer:
        refund, payment = body["merchantRefundId"], self.payments[body["originalMerchantOrderId"]]
        if refund in self.refused or refund in self.paid_back:
            # Sent once more because it was not known yet; PhonePe makes each of our ids once.
            return answer_of(faults.refund_used_before())
        if self.refuse_refunds:
            self.refuse_refunds -= 1
            self.refused[refund] = body["amount"]
        else:
            self.give_back(refund, payment, body["amount"])
        raw = phonepe_bodies.refund_webhook(self._told_refund(refund, body["amount"]), self.merchant or "")
        self.notices.append(Notice("phonepe", "", raw))
        return said({"refundId": f"OMR{refund}", "state": State.PENDING, "amount": body["amount"]})

    def _refund_status(self, path: str, _: dict[str, Any]) -> Answer:
        refund = path.split("/")[-2]
        if self.refuse_status:
            return 503, {}
        if refund not in self.refused and refund not in self.paid_back:
            self.refunds_unknown += 1
            return answer_of(faults.refund_not_found())
        amount = self.refused[refund] if refund in self.refused else self.paid_back[refund].amount
        return said(phonepe_bodies.refund_status(self._told_refund(refund, amount), self.merchant or ""))

    def _told_refund(self, refund: str, amount: int) -> Refund:
        return phonepe_refund(refund, amount, State.FAILED if refund in self.refused else State.COMPLETED)

    def give_back(self, refund: str, payment: Payment, amount: int) -> None:
        """Money goes back; more than a payment has brought is `broken`."""
        before = sum(entry.amount for entry in self.paid_back.values() if entry.original == payment.ref)
        if payment.state != "paid" or before + amount > payment.collected or refund in self.paid_back:
            self.broken.append(f"more is paid back than {payment.ref} has brought")
            return
        self.paid_back[refund] = PaidBack(refund, payment.ref, amount)
