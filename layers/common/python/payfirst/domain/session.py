"""A payment session: a cart's content and price, frozen, and how far its payment got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Final

from payfirst.domain.calendar import Slot
from payfirst.domain.errors import PayFirstError, PaymentInProgressError, RefusedError, SessionExpiredError
from payfirst.domain.money import Money
from payfirst.domain.moves import SessionStatus
from payfirst.domain.paid_back import NOTHING, PaidBack, PaymentStatus

MAX_EXTENSIONS: Final = 4


class Kind(StrEnum):
    """What a paid session becomes."""

    BOOKING = "booking"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays: `sub` owns everything, `user_id` is the shop's own integer for the same person, if the token has one.

    `phone` is the token's; no session keeps it.
    """

    sub: str
    user_id: int | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None

    @property
    def shown(self) -> int | str:
        """The customer as answers show them: the integer where there is one, else the `sub`."""
        return self.user_id if self.user_id is not None else self.sub


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One listing in an order, at the price of the moment it was put into the cart.

    With `hold` its quantity is held from the moment a payment is asked for.
    """

    cart_item_id: int
    listing_id: int
    product_name: str
    farm_name: str
    unit: str
    quantity: Decimal
    price: Money
    subtotal: Money
    hold: bool = False


def quantities(lines: Iterable[OrderLine]) -> dict[int, Decimal]:
    """How much of each listing the lines ask for together; one listing may stand in several lines."""
    asked: dict[int, Decimal] = {}
    for line in lines:
        asked[line.listing_id] = asked.get(line.listing_id, Decimal(0)) + line.quantity
    return asked


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where and when an order goes; texts as the customer gave them."""

    full_name: str
    phone_number: str
    county_id: int
    subcounty_id: int
    detailed_address: str
    special_instructions: str = ""
    delivery_time_slot: str = ""
    estimated_delivery_date: date | None = None


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """Document B's cart at the moment the session was made; `rounding` brings the total to whole shillings.

    `discount` is what `promo_code` takes off `items_total`, `promo_limit` how often one customer may use the code.
    """

    lines: tuple[OrderLine, ...]
    delivery: Delivery
    items_total: Money
    delivery_fee: Money
    rounding: Money
    taken_at: datetime
    discount: Money | None = None
    promo_code: str | None = None
    promo_limit: int | None = None

    @property
    def total_items(self) -> Decimal:
        """The sum of the quantities."""
        return sum((line.quantity for line in self.lines), Decimal(0))

    @property
    def total(self) -> Money:
        """What is to be paid: the lines less the discount, the delivery, and the rounding."""
        less = self.discount or Money(0, self.items_total.currency)
        return self.items_total - less + self.delivery_fee + self.rounding


Address = str | Mapping[str, str]
"""Where a service takes place, in the customer's own words: one text, or named parts of it."""


@dataclass(frozen=True, slots=True)
class BookingSnapshot:
    """Document A's cart at the moment of payment; `time_given` is the customer's own writing of `at`.

    `capacity` is what its slot takes and `minutes` how long it lasts, None where the service has no calendar; with `hold` the
    slot is held from the moment a payment is asked for. `promo_limit` is how often one customer may use the promo code, None
    for as often as they like. `customer_name` and `phone_number` say whom the shop expects and where it can call them.
    """

    cart_id: int
    cart_uuid: str
    service_type: str
    service_id: int
    service_name: str
    package_id: int | None
    package_name: str | None
    day: date
    at: time
    time_given: str
    zone: str
    price: Money
    discount: Money
    promo_code: str | None
    address: Address | None
    capacity: int | None = None
    hold: bool = False
    promo_limit: int | None = None
    minutes: int | None = None
    customer_name: str | None = None
    phone_number: str | None = None

    @property
    def slot(self) -> Slot | None:
        """The slot that it takes; None where the service has no calendar."""
        return None if self.capacity is None else Slot(self.service_type, self.service_id, self.day, self.at)


@dataclass(frozen=True, slots=True)
class CartGuard:
    """The item that lets one cart version be paid for once: a key and, where the key does not say it, the version."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last attempt collected nothing: a stable word, a sentence for the customer, and whether trying again helps."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class RefundShown:
    """The latest refund as a customer sees it beside the session; `by_hand` where the shop pays it back without its gateway.

    `total` is what of its payment has gone back or is on its way in all; None in what earlier releases stored.
    """

    amount: Money
    status: str
    reason: str
    by_hand: bool = False
    total: Money | None = None


@dataclass(frozen=True, slots=True)
class AttemptCodes:
    """The names of the session's latest attempt: A's `TXN…` and `MT…`, B's integer, and the gateway's word."""

    ref: str
    transaction: str
    number: int
    gateway: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one booking or order of a session; `status` is None where an earlier release left it unsaid."""

    number: int
    code: str
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One payment session; `sequence` counts its writes, so that a decision is only ever applied to what it was made from."""

    customer: Customer
    number: int
    uuid: str
    kind: Kind
    status: SessionStatus
    amount: Money
    snapshot: OrderSnapshot | BookingSnapshot
    guard: CartGuard
    created_at: datetime
    expires_at: datetime
    sequence: int
    extensions: int = 0
    attempts: int = 0
    latest: AttemptCodes | None = None
    live_attempt: str | None = None
    captured: str | None = None
    outcome: Outcome | None = None
    failure: Failure | None = None
    refund: RefundShown | None = None
    paid_back: PaidBack = NOTHING
    writer: str = ""

    @property
    def about(self) -> str:
        """What is bought, in a few words of the shop's own, with nothing of its customer's."""
        if isinstance(self.snapshot, BookingSnapshot):
            return self.snapshot.service_name
        first, *others = self.snapshot.lines
        return f"{first.product_name} and {len(others)} more" if others else first.product_name

    @property
    def payment_status(self) -> PaymentStatus:
        """How the payment that this session was fulfilled for stands."""
        return self.paid_back.status(self.amount)

    def status_at(self, now: datetime) -> SessionStatus:
        """The status as clients see it: a pending session past `expires_at` reads `expired` at once, swept or not."""
        overdue = self.status is SessionStatus.PENDING and now >= self.expires_at
        return SessionStatus.EXPIRED if overdue else self.status


def why_not_payable(session: Session, now: datetime) -> PayFirstError | None:
    """What keeps `session` from being initiated at `now`; None when nothing does. The claim's conditions say the same."""
    if session.live_attempt is not None:
        return PaymentInProgressError("A payment for this session is in progress.", ref=session.live_attempt)
    if session.captured is not None or session.status in (SessionStatus.PAID, SessionStatus.ORDER_CREATED):
        return RefusedError("This session is closed: it has been paid.", code="SESSION_CLOSED")
    if session.status is SessionStatus.EXPIRED or now >= session.expires_at:
        return SessionExpiredError("Session has expired")
    return None


def why_not_extendable(session: Session, now: datetime) -> PayFirstError | None:
    """What keeps `session` from being extended at `now`; None when nothing does. The write's conditions say the same."""
    problem = why_not_payable(session, now)
    if problem is None and session.extensions >= MAX_EXTENSIONS:
        return RefusedError(f"A session can be extended {MAX_EXTENSIONS} times.", code="EXTENSION_LIMIT")
    return problem
