"""The words of the operators' routes about what the shop sells: its catalogue, its bookings and its orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ops.api_reference import samples
from ops.api_reference.bookings import SLOT_CODES
from ops.api_reference.operation import Body, Operation, one
from ops.api_reference.operators import ACT, DAY, ONLY, OPERATORS
from ops.api_reference.public import EITHER
from payfirst.api.wire.by_hand import KeptListingOut, KeptServiceOut, ListingChangeIn, ServiceChangeIn
from payfirst.api.wire.operators import CompletedOut
from payfirst.api.wire.operators_bookings import BookingDetailOut, BookingsOut, CallOffIn, MoveBookingIn, ShopBookingOut
from payfirst.api.wire.operators_orders import MovedOut, MoveOrderIn, OrderDetailOut, OrdersOut, UndoStepIn
from payfirst.domain.booking import Step
from payfirst.domain.catalogue import Edits
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import BookingStatus, OrderStatus
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.session import RefundShown
from payfirst.usecases.fulfilment.bookings import GivesBack, Standing
from payfirst.usecases.operators.appointments import DayPage
from payfirst.usecases.operators.deliveries import OrderFound, OrdersPage

_CALLED_OFF: Final = replace(
    samples.BOOKING,
    status=BookingStatus.CANCELLED,
    refund=samples.BOOKING.amount,
    timeline=(*samples.BOOKING.timeline, Step(BookingStatus.CANCELLED, samples.NOW + timedelta(days=1))),
)
_PAGE: Final = DayPage(samples.BOOKING.content.day, (samples.BOOKING,), "10:30:00#BK-449034CB")
_LATE: Final = replace(
    samples.ORDER, code="ORD-20240115-003", session=samples.OTHER_SESSION, payment_status=PaymentStatus.PARTIALLY_REFUNDED
)
_ORDERS: Final = OrdersPage(
    (samples.ORDER, samples.ROTTEN, _LATE),
    {
        samples.ROTTEN.session: RefundShown(samples.ROTTEN.amount, "due", "order_cancelled"),
        _LATE.session: RefundShown(Money(5000, Currency.KES), "refunded", "operator"),
    },
    _LATE.code,
)
_GIVES: Final = GivesBack(by_rule=Money(49950, Currency.INR), in_full=Money(99900, Currency.INR))
_EDITED: Final = Edits(4, "operator:8c5f1d0e-6d0b-4b6e-9a43-0d8a5c9d1e77 (amina@example.com)", samples.NOW)
_KEPT: Final = KeptListingOut.of(replace(samples.TOMATOES, edits=_EDITED))
_KEPT_PUJA: Final = KeptServiceOut.of(replace(samples.PUJA, edits=_EDITED))
_SEEN: Final = (
    "`version` is that of the answer in which the entry was seen: whoever was slower is answered 409 with the present one, and "
    "nothing is changed. What a session froze stays as its customer was told."
)

OPERATIONS: Final[Mapping[str, Operation]] = {
    "operators_listing": Operation(
        OPERATORS,
        "Show a listing as its shop keeps it",
        one(200, _KEPT),
        codes=("NOT_FOUND",),
        description=f"On sale or not, with who changed it last. {ONLY}",
    ),
    "operators_change_listing": Operation(
        OPERATORS,
        "Change a listing's stock, price, words or picture",
        one(200, _KEPT),
        Body(ListingChangeIn, {"version": "4-10000", "price": "160.00", "add_stock": "250"}),
        ("NOT_FOUND", "CHANGED_MEANWHILE", "STOCK_TOO_LOW"),
        description=f"{_SEEN} `set_stock` is refused also where some was bought since; `add_stock` is not. {ONLY} "
        "Recorded with who.",
    ),
    "operators_service": Operation(
        OPERATORS,
        "Show a service as its shop keeps it",
        one(200, _KEPT_PUJA),
        codes=("NOT_FOUND",),
        query=EITHER,
        description=f"Offered or not, with who changed it last. {ONLY}",
    ),
    "operators_change_service": Operation(
        OPERATORS,
        "Change a service's prices, words or picture",
        one(200, _KEPT_PUJA),
        Body(ServiceChangeIn, {"version": "4", "packages": [{"id": 2, "price": "1100.00"}]}),
        ("NOT_FOUND", "CHANGED_MEANWHILE"),
        query=EITHER,
        description=f"{_SEEN} Its calendar comes from a catalogue file. {ONLY} Recorded with who.",
    ),
    "operators_bookings": Operation(
        OPERATORS,
        "List the bookings of a day",
        {200: {"more follow": BookingsOut.of(_PAGE), "the last of them": BookingsOut.of(replace(_PAGE, next=None))}},
        query={
            "day": "A day on the services' clocks, YYYY-MM-DD; today in India if absent.",
            "status": "Only bookings of this status.",
            "after": "Where the list goes on: the `next` of the answer before.",
        },
        description=f"By their time, 200 at most. {ONLY}",
    ),
    "operators_booking": Operation(
        OPERATORS,
        "Show a booking, and what cancelling it would give back",
        one(200, BookingDetailOut.of_standing(Standing(samples.BOOKING, samples.BOOKED, (), _GIVES))),
        codes=("NOT_FOUND",),
        description=f"`cancellation`: by the service's rule, and in full; null once it cannot be cancelled. {ONLY}",
    ),
    "operators_move_booking": Operation(
        OPERATORS,
        "Move a booking to another slot",
        one(200, ShopBookingOut.of(samples.MOVED)),
        Body(MoveBookingIn, {"selected_date": "2025-07-22", "selected_time": "11:00 AM", "why": "the pandit is ill"}),
        ("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "RESCHEDULE_LIMIT", *SLOT_CODES),
        description="What a service allows its customers (how often, how late) does not bind the shop; its calendar does, and "
        "what has begun stays where it is. "
        f"Its customer is written to; no customer reads `why`. {ACT}",
    ),
    "operators_cancel_booking": Operation(
        OPERATORS,
        "Cancel a booking",
        one(200, ShopBookingOut.of(_CALLED_OFF)),
        Body(CallOffIn, {"refund": "999.00", "in_full": True, "why": "the pandit is ill"}),
        ("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "REFUND_IN_PROGRESS", "REFUND_CHANGED"),
        description="`refund` is what the booking's `cancellation` said: exactly that goes back, or nothing happens. "
        f"No customer reads `why`. {ACT}",
    ),
    "operators_complete_booking": Operation(
        OPERATORS,
        "Say that a booking took place",
        one(200, CompletedOut(book_id="BK-449034CB", booking_status="COMPLETED")),
        codes=("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "BOOKING_NOT_OVER"),
        description=f"It can neither move nor be cancelled afterwards. {ONLY} Recorded with who.",
    ),
    "operators_orders": Operation(
        OPERATORS,
        "List the orders of some days",
        {
            200: {
                "more follow": OrdersOut.of(DAY, DAY, _ORDERS),
                "the last of them": OrdersOut.of(DAY, DAY, replace(_ORDERS, next=None)),
            }
        },
        query={
            "day": "A day in Nairobi, YYYY-MM-DD; today if absent.",
            "from": "The first day of several, 31 at most; `to` if absent.",
            "to": "The last day; `from` if absent.",
            "status": "Only orders of this status.",
            "after": "Where the list goes on: the `next` of the answer before.",
        },
        description=f"By their numbers, 200 at most. {ONLY}",
    ),
    "operators_order": Operation(
        OPERATORS,
        "Show an order",
        one(200, OrderDetailOut.of_found(OrderFound(samples.ORDER, samples.ORDERED, ()))),
        codes=("NOT_FOUND",),
        description=f"With the number to call, its place by name, its receipt and its refunds. {ONLY}",
    ),
    "operators_move_order": Operation(
        OPERATORS,
        "Move an order towards the door, or cancel it",
        one(200, MovedOut.of("ORD-20240115-001", OrderStatus.PACKED)),
        Body(MoveOrderIn, {"status": "packed"}),
        ("NOT_FOUND", "ORDER_NOT_MOVABLE", "STOCK_DISAGREES", "REFUND_IN_PROGRESS", "REFUND_CHANGED"),
        description="A cancelled order's stock is for sale again and its money goes back: where `refund` is sent along, as its "
        f"`cancellation` said it, exactly that, or nothing happens. No customer reads `why`. {ACT}",
    ),
    "operators_undo_step": Operation(
        OPERATORS,
        "Take back the last step of an order",
        one(200, MovedOut.of("ORD-20240115-001", OrderStatus.CONFIRMED)),
        Body(UndoStepIn, {"step": "packed"}),
        ("NOT_FOUND", "ORDER_NOT_MOVABLE"),
        description="`step` is the one that was taken by mistake. Not after a cancellation, nor where its payment went back or "
        f"is on its way back. No e-mail tells of it. Once more changes nothing. {ONLY} Recorded with who.",
    ),
}
