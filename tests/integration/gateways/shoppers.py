"""Customers of the running stack: what they send, what they are told, and what their gateway has really taken."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from tests.clients import client_of
from tests.conftest import RunningStack
from tests.contract.exchanges import document
from tests.contract.walk import new_customer, new_phone, wait_until

DOCUMENTED_CALLBACK: Final = "/api/payments/transactions/mpesa_callback/"
PHONEPE_WEBHOOK: Final = "/api/payments/webhook/phonepe/"
JSON_TYPE: Final = {"Content-Type": "application/json;charset=UTF-8"}


class ProduceShopper:
    """Document B: one customer, one phone, one session."""

    def __init__(self, stack: RunningStack, quantity: float = 2) -> None:
        self.stack = stack
        self.customer = new_customer(stack)
        self.phone = new_phone()
        self.customer.add_tomatoes(quantity)
        body = deepcopy(document("payment_sessions")["create_session"].body)
        body["delivery_details"]["phone_number"] = self.phone
        self.session_id: str = self.customer.post("/api/payments/sessions", body)["session_id"]

    # What the customer does and is told

    def initiate(self, phone: str | None = None) -> requests.Response:
        body = {"phone_number": phone} if phone else None
        return self.customer.send("POST", f"/api/payments/sessions/{self.session_id}/initiate_payment", body)

    def status(self) -> Any:
        return self.customer.get(f"/api/payments/sessions/{self.session_id}/status")

    def until(self, word: str) -> Any:
        """The status as soon as it is `word`."""
        return wait_until(self.status, lambda answer: answer["session_status"] == word)

    def orders(self) -> list[Any]:
        return list(self.customer.get("/api/orders")["results"])

    # What M-Pesa knows

    def rule(self, **rule: Any) -> None:
        """Script M-Pesa for this phone alone."""
        add_rule(self.stack, gateway="mpesa", phone=f"254{self.phone[1:]}", **rule)

    def prompts(self) -> list[Any]:
        """The prompts that this phone has shown, newest first."""
        return [prompt for prompt in seen(self.stack, "mpesa") if prompt["ref"].endswith(self.phone[1:])]

    def charges(self) -> list[Any]:
        """What was taken from this phone's account."""
        return [entry for entry in ledger(self.stack) if entry["ref"].endswith(self.phone[1:])]

    def decide(self, outcome: str = "pay", **more: Any) -> None:
        """The owner of the phone answers its newest prompt."""
        self.stack.decide("mpesa", self.prompts()[0]["ref"], outcome, **more)

    def notice(self, *, code: int = 0, receipt: str | None = None, checkout: str | None = None) -> bytes:
        """M-Pesa's body about the newest prompt, as the ledger has it unless told otherwise."""
        prompt = self.prompts()[0]
        stated: dict[str, Any] = {
            "MerchantRequestID": prompt["gateway_id"],
            "CheckoutRequestID": checkout or prompt["ref"],
            "ResultCode": code,
            "ResultDesc": "The service request is processed successfully." if code == 0 else "Request cancelled by user",
        }
        if code == 0:
            items = {"Amount": 350.00, "MpesaReceiptNumber": receipt or prompt["receipt"], "PhoneNumber": 254708374149}
            stated["CallbackMetadata"] = {"Item": [{"Name": name, "Value": value} for name, value in items.items()]}
        return json.dumps({"Body": {"stkCallback": stated}}).encode()

    def address(self) -> str:
        """Where M-Pesa was told to post the result of the newest prompt."""
        return str(self.prompts()[0]["callback_url"])

    def end_well(self) -> None:
        """One order, one charge, and nothing that could charge once more."""
        paid = self.until("order_created")
        assert paid["order"]["payment_status"] == "paid"
        assert paid.get("refund") is None
        assert [order["order_id"] for order in self.orders()] == [paid["order"]["order_id"]]
        assert len(self.charges()) == 1
        again = self.initiate()
        assert (again.status_code, again.json()["error_code"]) == (409, "SESSION_CLOSED")
        assert len(self.charges()) == 1


class BookingShopper:
    """Document A: one customer, one cart of 999.00 INR."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.customer = new_customer(stack)
        self.cart = self.customer.post("/api/cart/carts", document("bookings")["create_cart"].body)
        self.refs: list[str] = []
        self.payment_id = 0

    def process(self) -> requests.Response:
        answer = self.customer.send("POST", "/api/payments/process-cart", {"cart_id": self.cart["id"]})
        if answer.ok:
            self.payment_id = answer.json()["payment_id"]
            if answer.json()["merchant_transaction_id"] not in self.refs:
                self.refs.append(answer.json()["merchant_transaction_id"])
        return answer

    def check(self) -> Any:
        return self.customer.get(f"/api/payments/{self.payment_id}/check-booking")

    def bookings(self) -> list[Any]:
        return list(self.customer.get("/api/booking/bookings")["results"])

    def rule(self, **rule: Any) -> None:
        """Script PhonePe for the newest order alone, or for the next call where there is none yet."""
        add_rule(self.stack, gateway="phonepe", **({"ref": self.refs[-1]} if self.refs else {}), **rule)

    def charges(self) -> list[Any]:
        return [entry for entry in ledger(self.stack) if entry["ref"] in self.refs]

    def decide(self, outcome: str = "pay", **more: Any) -> None:
        self.stack.decide("phonepe", self.refs[-1], outcome, **more)

    def notice(self, state: str = "COMPLETED") -> bytes:
        """PhonePe's body about the newest order."""
        payload = {"merchantOrderId": self.refs[-1], "state": state, "amount": 99900}
        return json.dumps({"event": f"checkout.order.{state.lower()}", "payload": payload}).encode()

    def end_well(self) -> None:
        """One booking, one charge, a cart that cannot be paid for again."""
        booked = wait_until(self.check, lambda answer: answer["booking_created"])
        assert booked["payment_status"] == "SUCCESS"
        assert "refund" not in booked
        assert [booking["id"] for booking in self.bookings()] == [booked["booking"]["id"]]
        assert len(self.charges()) == 1
        assert self.process().status_code == 404
        assert len(self.charges()) == 1


def add_rule(stack: RunningStack, **rule: Any) -> None:
    answer = requests.post(f"{stack.simulator_url}/control/script", json=rule, timeout=10)
    assert answer.ok, answer.text


def seen(stack: RunningStack, gateway: str) -> list[Any]:
    answer = requests.get(f"{stack.simulator_url}/control/attempts", params={"gateway": gateway}, timeout=10)
    return list(answer.json())


def ledger(stack: RunningStack) -> list[Any]:
    return list(requests.get(f"{stack.simulator_url}/control/ledger", timeout=10).json())


def kill_tokens(stack: RunningStack) -> None:
    requests.post(f"{stack.simulator_url}/control/tokens/kill", json={}, timeout=10).raise_for_status()


def webhook_header(stack: RunningStack) -> dict[str, str]:
    """What PhonePe sends to prove that it is PhonePe."""
    environment = stack.environment
    keeper = client_of(environment, "secretsmanager")
    kept = json.loads(keeper.get_secret_value(SecretId=environment["GATEWAYS_SECRET_ID"])["SecretString"])["phonepe"]
    pair = f"{kept['webhook_username']}:{kept['webhook_password']}"
    return {**JSON_TYPE, "Authorization": hashlib.sha256(pair.encode()).hexdigest()}


def post(stack: RunningStack, address: str, raw: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
    """Post a notice to a path of the API, or to a whole address."""
    url = address if address.startswith("http") else f"{stack.base_url}{address}"
    return requests.post(url, data=raw, headers=dict(JSON_TYPE if headers is None else headers), timeout=15)


def post_at_once(address: str, raw: bytes, headers: Mapping[str, str], times: int) -> list[tuple[int, bytes]]:
    """The same notice over `times` connections that are open already and send at the same instant."""
    parts = urlsplit(address)
    barrier = threading.Barrier(times)

    def one(_: int) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(parts.netloc, timeout=15)
        try:
            connection.connect()
            barrier.wait(10)
            connection.request("POST", parts.path, raw, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))
