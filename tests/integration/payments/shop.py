"""The shop of the payment tests: real use cases, a real table, real gateway clients; only the clock stands still."""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import requests

from payfirst.api.addresses import NoticeAddresses
from payfirst.domain.attempt import Attempt
from payfirst.domain.booking import AS_USUAL, ChangeRules
from payfirst.domain.calendar import Calendar
from payfirst.domain.cart import BookingCart, ProduceCart
from payfirst.domain.catalogue import Package, Service, ServiceType
from payfirst.domain.clock import Deadline
from payfirst.domain.days import ANY_DAY
from payfirst.domain.ids import GivenId, new_identifier
from payfirst.domain.money import Currency, Money
from payfirst.domain.session import BookingSnapshot, Customer, Delivery, OrderLine, Session
from payfirst.gateways.base import Gateway
from payfirst.gateways.mpesa.client import Mpesa
from payfirst.gateways.mpesa.credentials import MpesaCredentials
from payfirst.gateways.phonepe.client import PhonePe
from payfirst.gateways.phonepe.credentials import PhonePeCredentials
from payfirst.settings import ConfirmWithQuery, LatePayment
from payfirst.storage import attempts, sessions
from payfirst.storage.carts import booking_cart_to_item, produce_cart_to_item
from payfirst.storage.catalogue import service_to_item
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item, Put, from_wire
from payfirst.storage.dynamodb.table import Table, get, write
from payfirst.storage.queue import Queue
from payfirst.usecases.checkout.create_session import create_session
from payfirst.usecases.checkout.initiate_payment import initiate_payment
from payfirst.usecases.checkout.process_cart import CartPayment, process_cart
from payfirst.usecases.checkout.start_attempt import Started
from payfirst.usecases.context import NoticeContext, PaymentContext
from payfirst.usecases.settlement.take_notice import Taken, take_callback, take_signed_notice

WEBHOOK_USERNAME: Final = "payfirst_tests"
WEBHOOK_PASSWORD: Final = secrets.token_hex(8)
PASSKEY: Final = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
LIFETIME: Final = timedelta(minutes=15)
_phones = itertools.count(700_000_000 + secrets.randbelow(50_000_000))


def new_phone() -> str:
    """A Kenyan number that no other test prompts."""
    return f"0{next(_phones)}"


SEARCH_KEY: Final = b"search-key"


def new_customer() -> Customer:
    """Somebody who has never been here."""
    return Customer(sub=secrets.token_hex(8), user_id=secrets.randbelow(10**6) + 1, email="a@example.com")


@dataclass(slots=True)
class Shop:
    """What tests do with the shop; `now` is its clock."""

    table: Table
    queue: Queue
    simulators: str
    now: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    late_payment: LatePayment = LatePayment.HONOUR
    confirm: ConfirmWithQuery = ConfirmWithQuery.OFF
    pace: timedelta = timedelta(0)
    hold: bool = False
    calendar: Calendar | None = None
    changes: ChangeRules = AS_USUAL
    gateways: dict[str, Gateway] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mpesa = MpesaCredentials("key", "secret", "174379", PASSKEY)
        phonepe = replace(self.phonepe_credentials)
        base = self.simulators
        self.gateways = {
            "MPESA": Mpesa(mpesa, f"{base}/mpesa", None, "tests"),
            "PHONEPE": PhonePe(phonepe, f"{base}/phonepe", f"{base}/phonepe/v1/oauth/token", None, "tests"),
        }

    @property
    def phonepe_credentials(self) -> PhonePeCredentials:
        return PhonePeCredentials("client", "secret", "1", webhook_username=WEBHOOK_USERNAME, webhook_password=WEBHOOK_PASSWORD)

    # What customers do

    def stock(self, *, listing: int, price: int, available: str) -> None:
        item = {
            **shop_keys.listing(listing),
            "product_name": "Fresh Tomatoes",
            "farm_name": "Green Valley Farm",
            "unit": "kg",
            "price": price,
            "currency": "KES",
            "available": Decimal(available),
            "held": 0,
            "sold": 0,
        }
        write(self.table, Put("listing", item))

    def fill_cart(self, customer: Customer, *, quantity: str = "2", listing: int = 123, price: int = 15000) -> ProduceCart:
        amount = Decimal(quantity)
        unit_price = Money(price, Currency.KES)
        subtotal = Money(int(price * amount), Currency.KES)
        line = OrderLine(1, listing, "Fresh Tomatoes", "Green Valley Farm", "kg", amount, unit_price, subtotal, self.hold)
        cart = ProduceCart(secrets.token_hex(8), (line,), 1, self.now)
        write(self.table, Put("cart", produce_cart_to_item(customer.sub, cart)))
        return cart

    def session(self, customer: Customer, *, phone: str | None = None, quantity: str = "2") -> Session:
        self.fill_cart(customer, quantity=quantity)
        return self.session_from_cart(customer, phone=phone)

    def session_from_cart(self, customer: Customer, *, phone: str | None = None) -> Session:
        delivery = Delivery("John Doe", phone or new_phone(), 1, 5, "123 Main Street")
        return create_session(
            delivery,
            customer=customer,
            table=self.table,
            now=self.now,
            entropy=secrets.token_bytes,
            lifetime=LIFETIME,
        )

    def initiate(self, session: Session, phone: str | None = None) -> Started:
        return initiate_payment(GivenId(session.number), phone, customer=session.customer, context=self.payment_context())

    def offer(self, *, price: int = 51000, currency: Currency = Currency.INR) -> None:
        """The puja as it is offered now, by the shop's `calendar` and `changes`."""
        package = Package(1, "Standard", Money(price, currency))
        service = Service(
            kind=ServiceType.PUJA,
            number=1,
            name="Ganesh Puja",
            description="",
            zone="Asia/Kolkata",
            currency=currency,
            packages=(package,),
            calendar=self.calendar,
            changes=self.changes,
        )
        write(self.table, Put("service", service_to_item(service)))

    def booking_cart(
        self,
        customer: Customer,
        *,
        price: int = 51000,
        promo: str | None = None,
        discount: int = 0,
        day: date = date(2026, 7, 20),
        at: time = time(10, 30),
        currency: Currency = Currency.INR,
    ) -> BookingCart:
        self.offer(price=price, currency=currency)
        identifier = new_identifier(self.now, secrets.token_bytes)
        content = BookingSnapshot(
            cart_id=identifier.number,
            cart_uuid=str(identifier.uuid),
            service_type="PUJA",
            service_id=1,
            service_name="Ganesh Puja",
            package_id=1,
            package_name="Standard",
            day=day,
            at=at,
            time_given=at.isoformat("minutes"),
            zone="Asia/Kolkata",
            price=Money(price, currency),
            discount=Money(discount, currency),
            promo_code=promo,
            address=None,
        )
        cart = BookingCart(identifier.number, str(identifier.uuid), content, secrets.token_hex(8), self.now)
        write(self.table, Put("cart", booking_cart_to_item(customer.sub, cart)))
        return cart

    def process(
        self, cart: BookingCart, customer: Customer, *, phone: str | None = None, context: PaymentContext | None = None
    ) -> Started:
        wanted = CartPayment(GivenId(cart.number), None, None, phone)
        return process_cart(wanted, customer=customer, context=context or self.payment_context(), lifetime=LIFETIME)

    # What gateways do

    def decide(self, started: Started, outcome: str = "pay") -> None:
        """The payer decides; no notice is sent by itself."""
        gateway = started.attempt.gateway.lower()
        ref = started.attempt.gateway_id if gateway == "mpesa" else started.attempt.ref
        answer = requests.post(
            f"{self.simulators}/control/{gateway}/{ref}", json={"outcome": outcome, "notices": 0}, timeout=10
        )
        assert answer.ok, answer.text

    def end_refund(self, refund_id: str, outcome: str = "pay") -> None:
        """PhonePe's own end of a refund; one that is open for long is paid back by itself."""
        answer = requests.post(f"{self.simulators}/control/refunds/{refund_id}", json={"outcome": outcome}, timeout=10)
        assert answer.ok or (outcome, answer.status_code) == ("pay", 409), answer.text

    def given(self, session: Session) -> GivenId:
        return GivenId(session.number)

    def address(self, started: Started) -> str:
        """The token of the address that M-Pesa was given."""
        seen = requests.get(f"{self.simulators}/control/attempts", timeout=10).json()
        found = next(entry for entry in seen if entry["ref"] == started.attempt.gateway_id)
        return str(found["callback_url"]).rsplit("/", 1)[1]

    def notice(self, started: Started, *, amount: str = "350.00", receipt: str | None = None, code: int = 0) -> bytes:
        """The body that M-Pesa posts."""
        result: dict[str, Any] = {
            "MerchantRequestID": started.attempt.merchant_request_id,
            "CheckoutRequestID": started.attempt.gateway_id,
            "ResultCode": code,
            "ResultDesc": "The service request is processed successfully." if code == 0 else "Request cancelled by user",
        }
        if code == 0:
            result["CallbackMetadata"] = {
                "Item": [
                    {"Name": "Amount", "Value": float(amount)},
                    {"Name": "MpesaReceiptNumber", "Value": receipt or new_receipt()},
                    {"Name": "Balance"},
                    {"Name": "TransactionDate", "Value": 20260302110000},
                    {"Name": "PhoneNumber", "Value": 254708374149},
                ]
            }
        return json.dumps({"Body": {"stkCallback": result}}).encode()

    def tell(self, started: Started, raw: bytes | None = None, *, token: str | None = None) -> Taken:
        """M-Pesa posts `raw` (its success by default) to the attempt's own address."""
        return take_callback(self.notice_context(), token or self.address(started), raw or self.notice(started))

    def tell_phonepe(
        self,
        started: Started,
        *,
        state: str = "COMPLETED",
        header: str | None = None,
        merchant: str = "MERCHANT",
        credentials: PhonePeCredentials | None = None,
        context: NoticeContext | None = None,
    ) -> Taken:
        payload = {"merchantId": merchant, "merchantOrderId": started.attempt.ref, "state": state}
        body = {"event": f"checkout.order.{state.lower()}", "payload": payload | {"amount": started.attempt.amount.minor}}
        return self._post_as_phonepe(body, header=header, credentials=credentials, context=context)

    def tell_phonepe_refund(self, refund_id: str, state: str = "COMPLETED") -> Taken:
        """PhonePe posts what became of a refund."""
        payload = {"merchantId": "MERCHANT", "merchantRefundId": refund_id, "state": state, "amount": 51000}
        return self._post_as_phonepe({"event": f"pg.refund.{state.lower()}", "payload": payload})

    def _post_as_phonepe(
        self,
        body: dict[str, Any],
        *,
        header: str | None = None,
        credentials: PhonePeCredentials | None = None,
        context: NoticeContext | None = None,
    ) -> Taken:
        secret = hashlib.sha256(f"{WEBHOOK_USERNAME}:{WEBHOOK_PASSWORD}".encode()).hexdigest()
        given = secret if header is None else header
        return take_signed_notice(
            context or self.notice_context(),
            "PHONEPE",
            given,
            json.dumps(body).encode(),
            credentials or self.phonepe_credentials,
        )

    # What the shop looks like afterwards

    def payment_context(self) -> PaymentContext:
        return PaymentContext(
            table=self.table,
            queue=self.queue,
            gateway=self.gateways.__getitem__,
            addresses=NoticeAddresses("https://shop.example"),
            return_url="https://shop.example/paid",
            pace=self.pace,
            now=self.now,
            entropy=secrets.token_bytes,
            deadline=Deadline(lambda: 25.0),
            longest_call_s=10.0,
            search_key=lambda: SEARCH_KEY,
        )

    def notice_context(self) -> NoticeContext:
        return NoticeContext(
            table=self.table,
            now=self.now,
            entropy=secrets.token_bytes,
            late_payment=self.late_payment,
            days=ANY_DAY,
            gateway=self.gateways.__getitem__,
            queue=self.queue,
            confirm=lambda _: self.confirm,
            sent_by=lambda _: True,
            addresses=NoticeAddresses("https://shop.example"),
            deadline=Deadline(lambda: 25.0),
        )

    def read(self, session: Session) -> Session:
        found = sessions.read(self.table, session.customer.sub, session.number)
        assert found is not None
        return found

    def attempt(self, started: Started) -> Attempt:
        found = attempts.read(self.table, started.attempt.ref)
        assert found is not None
        return found

    def slot(self, day: date = date(2026, 7, 20), at: time = time(10, 30)) -> tuple[int, int]:
        """How many places of the puja's slot are taken, and how many of them are only held."""
        found = get(self.table, shop_keys.slot("PUJA", 1, day, at))
        return (int(found["used"]), int(found["held"])) if found else (0, 0)

    def listing(self, number: int = 123) -> Item:
        found = get(self.table, shop_keys.listing(number))
        assert found is not None
        return found

    def items(self) -> list[Item]:
        """Everything that the table holds, in one order."""
        pages = self.table.client.get_paginator("scan").paginate(TableName=self.table.name, ConsistentRead=True)
        found = [from_wire(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda item: (item["pk"], item["sk"]))

    def of_kind(self, customer: Customer, what: str) -> list[Item]:
        """The customer's sessions, carts, orders or bookings."""
        mine = [item for item in self.items() if item["pk"] == keys.owner(customer.sub)]
        return [item for item in mine if item["sk"].startswith(f"{what}#") and not item["sk"].endswith("#~")]

    def refunds(self, started: Started) -> list[Item]:
        ref = f"ATT#{started.attempt.ref}"
        return [item for item in self.items() if item["pk"] == ref and item["sk"].startswith("R#")]

    def due(self) -> Mapping[str, list[str]]:
        """What still needs work, by kind.

        The outbox and bookings to come are left out, and the one check of a success that only a notice told of.
        """
        found: dict[str, list[str]] = {}
        for item in self.items():
            kind = str(item.get("due_pk", "")).split("#")[0]
            if kind not in ("", due_index.OUTBOX, due_index.COMPLETE) and ("confirm_at" not in item or "next_check_at" in item):
                found.setdefault(kind, []).append(item["pk"])
        return found


def new_receipt() -> str:
    """A receipt number as M-Pesa makes them."""
    return f"N{secrets.token_hex(5).upper()[:9]}"
