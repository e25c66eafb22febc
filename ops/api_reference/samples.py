"""The objects that the API reference shows: those of the documents, made by the code that answers real requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from payfirst.domain.attempt import Attempt
from payfirst.domain.booking import Booking, Step
from payfirst.domain.calendar import SLOT_FULL, Calendar, Opening
from payfirst.domain.cart import BookingCart, ProduceCart, TakenPromo
from payfirst.domain.catalogue import Listing, Package, Service, ServiceType
from payfirst.domain.errors import RefusedError
from payfirst.domain.event import Event
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus, BookingStatus, OrderStatus, SessionStatus
from payfirst.domain.order import Order
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.refund import OUT_OF_STOCK
from payfirst.domain.session import (
    AttemptCodes,
    BookingSnapshot,
    CartGuard,
    Customer,
    Delivery,
    Failure,
    Kind,
    OrderLine,
    OrderSnapshot,
    Outcome,
    RefundShown,
    Session,
)
from payfirst.gateways.base import Declined, StatusAnswer
from payfirst.gateways.mpesa.results import declined_by
from payfirst.gateways.phonepe.answers import order_answer
from payfirst.gateways.wire import Answered
from payfirst.storage.dynamodb import keys
from payfirst.usecases.carts.offer import Offered
from payfirst.usecases.carts.produce_cart import CartView, PromoView
from payfirst.usecases.carts.service_carts import BookingCartView
from payfirst.usecases.catalogue import FreeSlot
from payfirst.usecases.checkout.start_attempt import Started

NOW: Final = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
CUSTOMER: Final = Customer("sub", user_id=1, email="user@example.com")
CART_UUID: Final = "018d0cab-7500-7b00-8f1e-2d3c4b5a6978"
CART_NUMBER: Final = 521805004800000
PAYMENT_NUMBER: Final = 521805250560456
BOOKING_NUMBER: Final = 521805496320789
ORDER_NUMBER: Final = 521805742080789
ATTEMPT_NUMBER: Final = 521805987840456

TOMATOES: Final = Listing(123, "Fresh Tomatoes", "Green Valley Farm", "kg", Money(15000, Currency.KES), Decimal(9998))
LINE: Final = OrderLine(
    cart_item_id=1,
    listing_id=123,
    product_name="Fresh Tomatoes",
    farm_name="Green Valley Farm",
    unit="kg",
    quantity=Decimal("2.0"),
    price=Money(15000, Currency.KES),
    subtotal=Money(30000, Currency.KES),
)
PRODUCE: Final = CartView(ProduceCart("v1", (LINE,), 1, NOW), {123: TOMATOES})
CHEAPER_PRODUCE: Final = CartView(
    ProduceCart("v3", (LINE,), 1, NOW, promo=TakenPromo("FRESH10", "10%")),
    {123: TOMATOES},
    PromoView(Money(3000, Currency.KES)),
)
EMPTIED: Final = CartView(ProduceCart("v2", (), 1, NOW), {})

PUJA: Final = Service(
    kind=ServiceType.PUJA,
    number=1,
    name="Ganesh Puja",
    description="A puja for new beginnings, held at your home or on your behalf.",
    zone="Asia/Kolkata",
    currency=Currency.INR,
    packages=(
        Package(1, "Basic", Money(51000, Currency.INR)),
        Package(2, "Complete", Money(99900, Currency.INR)),
    ),
)

BY_CALENDAR: Final = replace(
    PUJA,
    calendar=Calendar(
        weekdays={day: (Opening(time(9), time(12)),) for day in range(7)}, slot_minutes=45, capacity=3, lead_minutes=120
    ),
)
FREE: Final = FreeSlot(
    at=time(10, 30),
    starts_at=datetime(2025, 7, 20, 5, 0, tzinfo=UTC),
    ends_at=datetime(2025, 7, 20, 5, 45, tzinfo=UTC),
    capacity=3,
    free=2,
)

DELIVERY: Final = Delivery(
    full_name="John Doe",
    phone_number="0712345678",
    county_id=1,
    subcounty_id=5,
    detailed_address="123 Main Street, Apartment 4B",
    special_instructions="Leave at the gate",
    delivery_time_slot="morning",
    estimated_delivery_date=date(2024, 1, 15),
)

_BOOKED: Final = BookingSnapshot(
    cart_id=CART_NUMBER,
    cart_uuid=CART_UUID,
    service_type=ServiceType.PUJA,
    service_id=1,
    service_name="Ganesh Puja",
    package_id=2,
    package_name="Complete",
    day=date(2025, 7, 20),
    at=time(10, 30),
    time_given="10:30",
    zone="Asia/Kolkata",
    price=Money(99900, Currency.INR),
    discount=Money(0, Currency.INR),
    promo_code=None,
    address=None,
    customer_name="Jane Doe",
    phone_number="+91 98765 43210",
)
CART: Final = BookingCart(CART_NUMBER, CART_UUID, _BOOKED, "v1", NOW)
IN_CART: Final = BookingCartView(CART, Offered(_BOOKED.price, _BOOKED.discount))
_TEN: Final = Money(1000, Currency.INR)
CHEAPER: Final = BookingCartView(
    replace(CART, content=replace(_BOOKED, promo_code="DISCOUNT10", discount=_TEN)), Offered(_BOOKED.price, _TEN)
)
DEARER: Final = BookingCartView(
    CART, Offered(Money(109900, Currency.INR), _BOOKED.discount, RefusedError(SLOT_FULL, code="SLOT_FULL"))
)

SESSION: Final = Session(
    customer=CUSTOMER,
    number=PAYMENT_NUMBER,
    uuid="018d0cab-9c10-7c80-8a55-446655440000",
    kind=Kind.ORDER,
    status=SessionStatus.PENDING,
    amount=Money(35000, Currency.KES),
    snapshot=OrderSnapshot(
        (LINE,), DELIVERY, Money(30000, Currency.KES), Money(5000, Currency.KES), Money(0, Currency.KES), NOW
    ),
    guard=CartGuard(keys.cart_version("v1"), "v1"),
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
    sequence=0,
)
ORDERED: Final = replace(SESSION, status=SessionStatus.ORDER_CREATED, outcome=Outcome(ORDER_NUMBER, "ORD-20240115-001"))
_INITIATED: Final = {"amount": 35000, "gateway": "MPESA", "attempt": ATTEMPT_NUMBER, "ordinal": 1}
_RECEIVED: Final = {"attempt": ATTEMPT_NUMBER, "amount": 35000, "receipt": "NLJ7RT61SV"}
_CREATED: Final = {"order": ORDER_NUMBER, "order_number": "ORD-20240115-001"}
EVENTS: Final = (
    Event(0, "session.created", NOW, "customer", {"amount": 35000}, delivered=True),
    Event(1, "payment.initiated", NOW + timedelta(seconds=20), "customer", _INITIATED, delivered=True),
    Event(2, "payment.received", NOW + timedelta(seconds=45), "gateway", _RECEIVED, delivered=True),
    Event(3, "order.created", NOW + timedelta(seconds=45), "payfirst", _CREATED, delivered=False),
)


def _failure(answer: StatusAnswer) -> Failure:
    """What a session keeps of a gateway's refusal; TypeError for any other answer."""
    if not isinstance(answer, Declined):
        raise TypeError(f"{answer} is no refusal")
    return Failure(answer.code, answer.message, answer.retryable)


CANCELLED: Final = replace(
    SESSION,
    status=SessionStatus.FAILED,
    failure=_failure(declined_by("1032")),
)
REFUNDED: Final = replace(
    SESSION,
    status=SessionStatus.FAILED,
    failure=OUT_OF_STOCK,
    refund=RefundShown(Money(35000, Currency.KES), "due", "out_of_stock"),
)

PAYMENT: Final = replace(
    SESSION,
    kind=Kind.BOOKING,
    amount=Money(99900, Currency.INR),
    snapshot=_BOOKED,
    status=SessionStatus.PAYMENT_INITIATED,
    latest=AttemptCodes("MT7a8b9c0d1e2f3", "TXN46B5EE6E7D", ATTEMPT_NUMBER, "PHONEPE"),
)
PAID: Final = replace(PAYMENT, status=SessionStatus.PAID)
BOOKED: Final = replace(
    PAYMENT, status=SessionStatus.ORDER_CREATED, outcome=Outcome(BOOKING_NUMBER, "BK-449034CB", "CONFIRMED")
)
DECLINED: Final = replace(
    PAYMENT,
    status=SessionStatus.FAILED,
    failure=_failure(order_answer(Answered(200, {"state": "FAILED", "errorCode": "INVALID_MPIN"}), "MT7a8b9c0d1e2f3")),
)

_ATTEMPT: Final = Attempt(
    ref="MT7a8b9c0d1e2f3",
    number=ATTEMPT_NUMBER,
    transaction="TXN46B5EE6E7D",
    owner="sub",
    session_number=PAYMENT_NUMBER,
    kind=Kind.ORDER,
    guard=CartGuard(keys.cart_version("v1"), "v1"),
    gateway="MPESA",
    amount=Money(35000, Currency.KES),
    status=AttemptStatus.SENT,
    created_at=NOW,
    phone="254712345678",
    gateway_id="ws_CO_15012024103045123",
)
SETTLED: Final = replace(_ATTEMPT, status=AttemptStatus.SUCCEEDED, captured=SESSION.amount, receipt="NLJ7RT61SV")
PROMPTED: Final = Started(SESSION, _ATTEMPT, is_new=True, lost=False)
UNSURE: Final = Started(SESSION, _ATTEMPT, is_new=True, lost=True)
_PAGE: Final = replace(
    _ATTEMPT,
    gateway="PHONEPE",
    kind=Kind.BOOKING,
    amount=Money(99900, Currency.INR),
    phone=None,
    gateway_id="OMO2401151030451234567890",
    payment_url="https://mercury-t2.phonepe.com/transact/pgv3?token=AbCd",
)
TO_PAY: Final = Started(PAYMENT, _PAGE, is_new=True, lost=False)

BOOKING: Final = Booking(
    number=BOOKING_NUMBER,
    code="BK-449034CB",
    owner="sub",
    user_id=1,
    email="user@example.com",
    session_number=PAYMENT_NUMBER,
    status=BookingStatus.CONFIRMED,
    amount=Money(99900, Currency.INR),
    content=_BOOKED,
    version=1,
    created_at=NOW + timedelta(minutes=2),
    timeline=(Step("CONFIRMED", NOW + timedelta(minutes=2)),),
    receipt="T2401151030450000000001",
)
MOVED: Final = replace(
    BOOKING,
    content=replace(_BOOKED, day=date(2025, 7, 22), at=time(11), time_given="11:00 AM"),
    version=2,
    timeline=(
        *BOOKING.timeline,
        Step(
            "CONFIRMED",
            NOW + timedelta(days=1),
            moved_from=(date(2025, 7, 20), time(10, 30)),
            moved_to=(date(2025, 7, 22), time(11)),
            reason="Change of plans",
        ),
    ),
)

GIVEN_UP: Final = replace(
    BOOKING,
    status=BookingStatus.CANCELLED,
    reason="Change of plans",
    refund=Money(99900, Currency.INR),
    timeline=(*BOOKING.timeline, Step(BookingStatus.CANCELLED, NOW + timedelta(days=1), reason="Change of plans")),
)

ORDER: Final = Order(
    number=ORDER_NUMBER,
    code="ORD-20240115-001",
    owner=SESSION.customer.sub,
    session=SESSION.uuid,
    session_number=SESSION.number,
    status=OrderStatus.PACKED,
    payment_status=PaymentStatus.PAID,
    amount=SESSION.amount,
    lines=(LINE,),
    delivery=DELIVERY,
    items_total=Money(30000, Currency.KES),
    delivery_fee=Money(5000, Currency.KES),
    rounding=Money(0, Currency.KES),
    created_at=NOW + timedelta(minutes=1),
    timeline=(
        Step(OrderStatus.CONFIRMED, NOW + timedelta(minutes=1)),
        Step(OrderStatus.PACKED, NOW + timedelta(hours=2)),
    ),
    receipt="NLJ7RT61SV",
)

OTHER_SESSION: Final = "018d0b7a-5c00-7c3e-8a00-4d0e1b2c3d4e"
ROTTEN: Final = replace(
    ORDER,
    session="018d0b7a-6a10-7b2d-9c11-2b3c4d5e6f70",
    code="ORD-20240115-002",
    status=OrderStatus.CANCELLED,
    payment_status=PaymentStatus.REFUND_DUE,
    timeline=(ORDER.timeline[0], Step(OrderStatus.CANCELLED, NOW + timedelta(hours=3), reason="The tomatoes were rotten")),
)
