"""The words of document A's operations: carts of services, payments and bookings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ops.api_reference import samples
from ops.api_reference.errors import PROMO_CODES
from ops.api_reference.operation import PAGING, Body, Listed, Operation, Raw, one
from payfirst.api.wire.bookings import BookingOut, CancelIn, OwnBookingOut, RescheduledOut, RescheduleIn
from payfirst.api.wire.carts import ApplyPromoIn, CreateCartIn, ServiceCartOut
from payfirst.api.wire.payments import CheckedOut, PaymentOut, ProcessCartIn, ProcessedOut
from payfirst.domain.session import Session

CARTS, PAYMENTS, BOOKINGS = "Booking carts", "Payments", "Bookings"

SLOT_CODES: Final = ("SLOT_NOT_OFFERED", "SLOT_TOO_SOON", "SLOT_TOO_FAR", "SLOT_FULL")
CART_CODES: Final = ("NOT_FOUND", "CART_LOCKED", "CART_CONVERTED")
PROMO_CART_CODES: Final = (*CART_CODES, "CART_EXPIRED")

_NOW: Final = samples.NOW
_CART: Final = ServiceCartOut.of(samples.IN_CART, samples.CUSTOMER, _NOW)
_DEARER: Final = ServiceCartOut.of(samples.DEARER, samples.CUSTOMER, _NOW)


def _checked(session: Session, *, booked: bool = False) -> CheckedOut:
    return CheckedOut.of(session, BookingOut.of(samples.BOOKING) if booked else None, _NOW)


_PROCESS_CART: Final = Operation(
    PAYMENTS,
    "Pay for a cart",
    {
        201: {"example": ProcessedOut.of(samples.TO_PAY, samples.CART_NUMBER)},
        200: {"already open": ProcessedOut.of(samples.TO_PAY, samples.CART_NUMBER)},
    },
    Body(ProcessCartIn, {"cart_id": samples.CART_NUMBER, "method": "PHONEPE"}),
    (
        *("NOT_FOUND", "AMOUNT_MISMATCH", "AMOUNT_NOT_CHARGEABLE", "PRICE_CHANGED", "CART_CHANGED", "SESSION_CLOSED"),
        *PROMO_CODES,
        *SLOT_CODES,
        *("PAYMENT_IN_PROGRESS", "PHONE_BUSY", "TOO_MANY_REQUESTS", "GATEWAY_REJECTED", "CANNOT_BE_PROVIDED"),
    ),
    description=(
        "Starts a payment and answers the page to send the customer to. While a payment is open the same one is answered "
        "with 200. `payment_url` is null while PhonePe's answer is being looked up; ask check-booking. "
        "The booking exists once the payment has succeeded, never before."
    ),
)
_LIST_PAYMENTS: Final = Operation(
    PAYMENTS,
    "List payments, newest first",
    one(200, Listed(PaymentOut.of(samples.BOOKED, _NOW))),
    query={**PAGING, "status": "PENDING, SUCCESS, FAILED or EXPIRED, in any case; looks through 500 entries a page."},
)
_GET_PAYMENT: Final = Operation(
    PAYMENTS,
    "Show a payment",
    {200: {"booked": PaymentOut.of(samples.BOOKED, _NOW), "failed": PaymentOut.of(samples.DECLINED, _NOW)}},
    codes=("NOT_FOUND",),
    description="A payment goes by its integer, its UUID, and its TXN… and MT… codes.",
)
_CHECK_BOOKING: Final = Operation(
    PAYMENTS,
    "Ask whether a payment became a booking",
    {
        200: {
            "booked": _checked(samples.BOOKED, booked=True),
            "pending": _checked(samples.PAYMENT),
            "booking follows": _checked(samples.PAID),
            "failed": _checked(samples.DECLINED),
        }
    },
    codes=("NOT_FOUND",),
)
OPERATIONS: Final[Mapping[str, Operation]] = {
    "create_cart": Operation(
        CARTS,
        "Put a service into a new cart",
        one(201, _CART),
        Body(
            CreateCartIn,
            {
                "service_type": "PUJA",
                "puja_service": 1,
                "package_id": 2,
                "selected_date": "2025-07-20",
                "selected_time": "10:30",
            },
        ),
        (*PROMO_CODES, *SLOT_CODES),
    ),
    "list_carts": Operation(
        CARTS,
        "List carts, newest first",
        one(200, Listed(_CART)),
        query={**PAGING, "status": "ACTIVE, CONVERTED or EXPIRED, in any case; looks through 500 entries a page."},
    ),
    "list_active_carts": Operation(CARTS, "List the carts that can be paid for", one(200, Listed(_CART, paged=False))),
    "get_cart": Operation(
        CARTS,
        "Show a cart",
        {200: {"example": _CART, "price and slot changed since": _DEARER}},
        codes=("NOT_FOUND",),
        description=(
            "Price and availability are those of this moment; a payment of a cart whose price changed is refused. A cart "
            "expires when nobody has changed it, or begun to pay for it, for thirty days; it can be deleted then, and no more."
        ),
    ),
    "delete_cart": Operation(CARTS, "Delete a cart", one(204, Raw(None, None)), codes=CART_CODES),
    "apply_promo": Operation(
        CARTS,
        "Take a promo code",
        one(200, ServiceCartOut.of(samples.CHEAPER, samples.CUSTOMER, _NOW)),
        Body(ApplyPromoIn, {"promo_code": "DISCOUNT10"}),
        (*PROMO_CART_CODES, *PROMO_CODES),
    ),
    "remove_promo": Operation(CARTS, "Take the promo code off", one(200, _CART), codes=PROMO_CART_CODES),
    "process_cart": _PROCESS_CART,
    "process_cart_doubled": _PROCESS_CART,
    "list_payments": _LIST_PAYMENTS,
    "list_payments_doubled": _LIST_PAYMENTS,
    "get_payment": _GET_PAYMENT,
    "get_payment_doubled": _GET_PAYMENT,
    "check_booking": _CHECK_BOOKING,
    "check_booking_doubled": _CHECK_BOOKING,
    "list_bookings": Operation(
        BOOKINGS, "List bookings, newest first", one(200, Listed(BookingOut.of(samples.BOOKING))), query=PAGING
    ),
    "get_booking": Operation(
        BOOKINGS,
        "Show a booking",
        {
            200: {
                "example": OwnBookingOut.of(samples.BOOKING),
                "asked what cancelling gives back": OwnBookingOut.with_cancellation(samples.BOOKING, samples.BOOKING.amount),
            }
        },
        codes=("NOT_FOUND",),
        query={"cancellation": "`true` adds what cancelling would give back now."},
        description="A booking goes by its integer and by its BK-… code.",
    ),
    "reschedule_booking": Operation(
        BOOKINGS,
        "Move a booking to another slot",
        one(200, RescheduledOut.of(samples.MOVED)),
        Body(
            RescheduleIn,
            {"selected_date": "2025-07-22", "selected_time": "11:00 AM", "reason": "Change of plans"},
        ),
        ("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "RESCHEDULE_LIMIT", "RESCHEDULE_TOO_LATE", *SLOT_CODES),
        description="Nothing is charged again. The same slot changes nothing; a slot that cannot be had leaves the old one.",
    ),
    "cancel_booking": Operation(
        BOOKINGS,
        "Cancel a booking",
        one(200, BookingOut.of(samples.GIVEN_UP)),
        Body(CancelIn, {"reason": "Change of plans"}),
        ("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "REFUND_IN_PROGRESS", "REFUND_CHANGED"),
        description=(
            "`refund` is what the service's rule gives back, null for nothing; its payment shows how far it has got. Where it "
            "is sent along, as `cancellation` said it, exactly that goes back or nothing happens. Once more changes nothing."
        ),
    ),
}
