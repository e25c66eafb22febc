"""The storm's customers: they fill carts, start payments, and pay, refuse or say nothing; gateways and lines misbehave."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import requests

PATIENCE_S: Final = 30.0
SETTLED_WITHIN_S: Final = 150.0
"""How long the last payments may take to settle: a few rungs of both gateways' ladders, and a sweep."""

LATE_S: Final = 12.0
"""How long a late notice is late: more than M-Pesa's first look at ten seconds, so that the notice finds the money known."""

PACE: Final = 1.5
"""Payments begun each second, unless there are too few seconds for as many as are wanted of each outcome."""

LISTING: Final = 123
PUJA: Final = {"service_type": "PUJA", "puja_service": 1, "package_id": 2, "selected_time": "10:30"}
FAILING: Final = ("cancel", "wrong_pin", "insufficient_funds", "timeout", "fail", "forged_notice")
PAYING: Final = ("pay", "late_notice", "lost_notice", "doubled_notice", "lost_answer", "query_only", "given_back")
OUTCOMES: Final = ("pay", *FAILING, *PAYING[1:])
"""`forged_notice` claims a success and the payer cancels; `query_only` is a lost notice and a query that says nothing at first;
with `given_back` what was booked or ordered is cancelled, and its money goes back.

An M-Pesa answer that is lost together with its notice is left out: nothing but a statement tells of it.
"""
FORGERIES: Final = {"mpesa": ("wrong_token", "wrong_ids"), "phonepe": ("wrong_token",)}
"""What needs nobody: a false success in PhonePe's own name, which its status denies, comes before a person."""

DECISIONS: Final[dict[str, dict[str, Any]]] = {
    "late_notice": {"outcome": "pay", "delay_s": LATE_S},
    "lost_notice": {"outcome": "pay", "notices": 0},
    "doubled_notice": {"outcome": "pay", "notices": 2},
    "lost_answer": {"outcome": "pay"},
    "query_only": {"outcome": "pay", "notices": 0},
    "forged_notice": {"outcome": "cancel"},
    "given_back": {"outcome": "pay", "notices": 2},
}


class StormError(Exception):
    """An answer that no payment of the storm may get; the message holds no token and no whole phone number."""


@dataclass(slots=True)
class Payment:
    """One payment of the storm. `ended` is `paid`, `failed` or empty; `complaint` is what is wrong about it."""

    outcome: str
    gateway: str
    token: str = field(repr=False)
    where: str = ""
    begun_at: float = 0.0
    took_s: float = 0.0
    ended: str = ""
    cancelled: bool = False
    complaint: str | None = None

    @property
    def expected(self) -> str:
        return "failed" if self.outcome in FAILING else "paid"


class Storm:
    """A storm at one stack; `tokens` are the customers', each of whom does one thing at a time, `operator` is the shop's."""

    def __init__(self, *, base_url: str, simulator_url: str, tokens: Sequence[str], operator: str, draw: random.Random) -> None:
        self._base_url = base_url
        self._simulator_url = simulator_url
        self._tokens = list(tokens)
        self._operator = operator
        self._draw = draw
        self._phones = itertools.count(draw.randrange(10**6))
        self._phonepe_orders = threading.Lock()

    def size(self, seconds: float, each: int) -> int:
        """How many payments a storm of that length begins: as many of every outcome."""
        return max(each, -(-int(seconds * PACE) // len(OUTCOMES))) * len(OUTCOMES)

    def run(self, *, seconds: float, each: int, advance: Callable[[str], None]) -> list[Payment]:
        """Begin the payments over `seconds`, wait until each has settled; all of them, with how each ended."""
        total = self.size(seconds, each)
        outcomes = [OUTCOMES[number % len(OUTCOMES)] for number in range(total)]
        gateways = [("mpesa", "phonepe")[number // len(OUTCOMES) % 2] for number in range(total)]
        plan = list(zip(outcomes, gateways, strict=True))
        self._draw.shuffle(plan)
        begun_at = time.monotonic()
        due = iter([(begun_at + number * seconds / total, *entry) for number, entry in enumerate(plan)])
        lock = threading.Lock()
        payments: list[Payment] = []

        def work(token: str) -> None:
            while True:
                with lock:
                    entry = next(due, None)
                if entry is None:
                    return
                instant, outcome, gateway = entry
                time.sleep(max(0.0, instant - time.monotonic()))
                payment = Payment(outcome, gateway, token)
                self._begin(payment)
                with lock:
                    payments.append(payment)
                advance("begun")

        with ThreadPoolExecutor(len(self._tokens)) as threads:
            customers = [threads.submit(work, token) for token in self._tokens]
            self._watch(payments, lock, total, advance)
            for customer in customers:
                customer.result()
        return payments

    # Beginning

    def _begin(self, payment: Payment) -> None:
        payment.begun_at = time.monotonic()
        try:
            (self._order if payment.gateway == "mpesa" else self._book)(payment)
        except (StormError, requests.RequestException) as exc:
            payment.complaint = f"{payment.gateway} {payment.outcome}: {type(exc).__name__}: {exc}"

    def _order(self, payment: Payment) -> None:
        phone = f"0712{next(self._phones) % 10**6:06d}"
        digits = f"254{phone[1:]}"
        self._empty_cart(payment)
        with_quantity = {"listing_id": LISTING, "quantity": self._draw.randint(1, 3)}
        self._ask(payment, "POST", "/api/carts/add_item/", with_quantity)
        session = self._ask(payment, "POST", "/api/payments/sessions/", {"delivery_details": _delivery(phone)})["session_id"]
        payment.where = f"/api/payments/sessions/{session}/status/"
        lost = payment.outcome == "lost_answer"
        if lost:
            self._rule(gateway="mpesa", call="push", phone=digits, answer="lost", times=1)
        if payment.outcome == "query_only":
            self._rule(gateway="mpesa", call="query", phone=digits, answer="does_not_exist", times=1)
        told = self._ask(payment, "POST", f"/api/payments/sessions/{session}/initiate_payment/")
        if told["status"] != ("pending" if lost else "success"):
            raise StormError(f"the customer is told {told['status']}")
        self._decide(payment, self._prompt_on(digits) if lost else told["checkout_request_id"])

    def _empty_cart(self, payment: Payment) -> None:
        for line in self._ask(payment, "GET", "/api/carts/my_cart/")["items"]:
            # Not found: an order that was paid a moment ago has emptied the cart meanwhile.
            self._ask(payment, "POST", "/api/carts/remove_item/", {"cart_item_id": line["cart_item_id"]}, allowed=(404,))

    def _prompt_on(self, digits: str) -> str:
        seen = requests.get(f"{self._simulator_url}/control/attempts", params={"gateway": "mpesa"}, timeout=PATIENCE_S).json()
        return next(str(prompt["ref"]) for prompt in seen if prompt["ref"].endswith(digits[3:]))

    def _book(self, payment: Payment) -> None:
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 7 * 86_400))
        cart = self._ask(payment, "POST", "/api/cart/carts/", {**PUJA, "selected_date": day})["id"]
        lost = payment.outcome == "lost_answer"
        with self._phonepe_orders:  # a rule for the next order has to meet the order that it was made for
            if lost:
                self._rule(gateway="phonepe", call="pay", answer="lost", times=1)
            told = self._ask(payment, "POST", "/api/payments/process-cart/", {"cart_id": cart})
        payment.where = f"/api/payments/{told['payment_id']}/check-booking/"
        if (told["payment_url"] is None) is not lost:
            raise StormError("the customer has no payment page" if told["payment_url"] is None else "no answer was lost")
        if payment.outcome == "query_only":
            self._rule(gateway="phonepe", call="status", ref=told["merchant_transaction_id"], answer="pending", times=1)
        self._decide(payment, told["merchant_transaction_id"])

    def _decide(self, payment: Payment, ref: str) -> None:
        address = f"{self._simulator_url}/control/{payment.gateway}/{ref}"
        if payment.outcome == "forged_notice":
            for kind in FORGERIES[payment.gateway]:
                self._control(f"{address}/notice", {"kind": kind})
            time.sleep(0.5)  # the forgeries first
        self._control(address, DECISIONS.get(payment.outcome, {"outcome": payment.outcome}))

    def _rule(self, **rule: str | int) -> None:
        self._control(f"{self._simulator_url}/control/script", rule)

    @staticmethod
    def _control(address: str, body: Mapping[str, Any]) -> None:
        answer = requests.post(address, json=body, timeout=PATIENCE_S)
        if not answer.ok:
            raise StormError(f"the simulators answer {answer.status_code}")

    def _ask(
        self,
        payment: Payment,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        allowed: tuple[int, ...] = (),
    ) -> Any:
        headers = {"Authorization": f"Bearer {payment.token}"}
        answer = requests.request(method, f"{self._base_url}{path}", json=body, headers=headers, timeout=PATIENCE_S)
        if not answer.ok and answer.status_code not in allowed:
            raise StormError(f"{method} {path} answers {answer.status_code} {answer.text[:200]}")
        return answer.json()

    # Settling

    def _watch(self, payments: list[Payment], lock: threading.Lock, total: int, advance: Callable[[str], None]) -> None:
        done: set[int] = set()
        quiet_since = time.monotonic()
        while len(done) < total:
            with lock:
                open_ones = [payment for payment in payments if id(payment) not in done]
                all_begun = len(payments) == total
            for payment in open_ones:
                if self._has_ended(payment):
                    done.add(id(payment))
                    quiet_since = time.monotonic()
                    advance("settled")
            if all_begun and time.monotonic() - quiet_since > SETTLED_WITHIN_S:
                _give_up(payment for payment in open_ones if id(payment) not in done)
                return
            time.sleep(1.0)

    def _has_ended(self, payment: Payment) -> bool:
        if payment.complaint:
            return True
        told = self._ask(payment, "GET", payment.where)
        if payment.gateway == "mpesa":
            ended = {"order_created": "paid", "failed": "failed", "expired": "failed"}.get(told["session_status"])
        elif told["booking_created"]:
            ended = "paid"
        else:
            ended = {"FAILED": "failed", "EXPIRED": "failed"}.get(told["payment_status"])
        if ended is None:
            return False
        if payment.outcome == "given_back" and ended == "paid" and not self._is_given_back(payment, told):
            return False
        payment.ended = ended
        payment.took_s = time.monotonic() - payment.begun_at
        if ended != payment.expected:
            payment.complaint = f"{payment.gateway} {payment.outcome}: the customer is told {ended}"
        return True

    def _is_given_back(self, payment: Payment, told: Mapping[str, Any]) -> bool:
        """Whether the money of what was cancelled went back, or a person has it; first of all it is cancelled."""
        if payment.cancelled:
            return (told.get("refund") or {}).get("status") in ("refunded", "needs_review")
        if payment.gateway == "mpesa":
            path, token = f"/api/operators/orders/{told['order']['order_number']}/move/", self._operator
            body = {"status": "cancelled", "why": "the weather"}
        else:
            path, token = f"/api/booking/bookings/{told['booking']['book_id']}/cancel/", payment.token
            body = {"reason": "the weather"}
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.post(f"{self._base_url}{path}", json=body, headers=headers, timeout=PATIENCE_S)
        payment.cancelled = answer.ok
        if not answer.ok and answer.status_code != HTTPStatus.CONFLICT:
            raise StormError(f"POST {path} answers {answer.status_code} {answer.text[:200]}")
        return False


def _give_up(payments: Iterable[Payment]) -> None:
    for payment in payments:
        payment.complaint = f"{payment.gateway} {payment.outcome}: not settled within {SETTLED_WITHIN_S:.0f} s"


def _delivery(phone: str) -> dict[str, Any]:
    return {
        "full_name": "Storm Petrel",
        "phone_number": phone,
        "county_id": 1,
        "subcounty_id": 5,
        "detailed_address": "1 Weather Street",
    }
