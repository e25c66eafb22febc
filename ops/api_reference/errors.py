"""One error of each stable code, as the API reference shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from payfirst.api.errors import (
    MalformedError,
    NoSuchRouteError,
    RepeatConflictError,
    StillRunningError,
    TooLargeError,
    UnauthorizedError,
    code_of,
)
from payfirst.domain.calendar import SLOT_FULL
from payfirst.domain.errors import (
    CartEmptyError,
    ContentionError,
    FairUseError,
    FieldProblem,
    GatewayRejectedError,
    InvalidInputError,
    NotChargeableError,
    NotFoundError,
    PayFirstError,
    PaymentInProgressError,
    PriceChangedError,
    RefusedError,
    SessionExpiredError,
    TooSoonError,
)
from payfirst.domain.promo import NOT_TAKEN

PROMO_CODES: Final = (
    *("PROMO_UNKNOWN", "PROMO_EXPIRED", "PROMO_USED_UP", "PROMO_LIMIT_REACHED", "PROMO_BELOW_MINIMUM"),
    "PROMO_NOT_APPLICABLE",
)


def _in_progress() -> PaymentInProgressError:
    error = PaymentInProgressError("A payment for this session is in progress.", ref="MT7a8b9c0d1e2f3")
    error.details = {"checkout_request_id": "ws_CO_15012024103045123"}
    return error


_PRICED: Final = {
    "listing_id": 123,
    "product_name": "Fresh Tomatoes",
    "price_at_addition": "150.00",
    "current_price": "170.00",
}

_ALL: Final[tuple[PayFirstError, ...]] = (
    InvalidInputError(FieldProblem("amount", "Payment amount must be exactly 999.00"), code="AMOUNT_MISMATCH"),
    InvalidInputError(
        FieldProblem("delivery_details.county_id", "We do not deliver to Turkana; we deliver to: Mombasa, Kilifi."),
        code="NOT_DELIVERED",
    ),
    MalformedError("The body is not JSON in UTF-8."),
    UnauthorizedError("Please sign in and send your ID token."),
    NotFoundError("Not found"),
    NoSuchRouteError("Not found"),
    TooLargeError("The body is larger than 65536 bytes."),
    RepeatConflictError("This Idempotency-Key was used for another body or query."),
    StillRunningError("The first request with this Idempotency-Key is still running."),
    ContentionError("Too many requests at the same time; please try again."),
    SessionExpiredError("Session has expired"),
    CartEmptyError("Cart is empty"),
    NotChargeableError("The total is 0.50. PhonePe can collect 1.00 rupee and more."),
    _in_progress(),
    PriceChangedError(
        "A price changed since it was added to the cart; set its quantity again to accept the new one.",
        details={"lines": [_PRICED]},
    ),
    RefusedError(
        "There is not enough in stock.",
        code="OUT_OF_STOCK",
        details={"listing_id": 123, "available": "1.5", "quantity": "2"},
    ),
    RefusedError("This session is closed: it has been paid.", code="SESSION_CLOSED"),
    RefusedError("This session is paid through its cart.", code="WRONG_METHOD"),
    RefusedError("A session can be extended 4 times.", code="EXTENSION_LIMIT"),
    RefusedError("The cart was changed; please start again.", code="CART_CHANGED"),
    RefusedError("A cart can hold 50 different listings.", code="CART_FULL"),
    RefusedError("This cannot be provided as it is; nothing was charged.", code="CANNOT_BE_PROVIDED"),
    RefusedError("A payment for this cart is in progress; it cannot change meanwhile.", code="CART_LOCKED"),
    RefusedError("This cart has expired; please make it anew.", code="CART_EXPIRED"),
    RefusedError(
        "This cart is in KES and Basmati Rice is sold in INR; please buy it by itself.",
        code="CURRENCY_MIXED",
        details={"listing_id": 201, "currency": "INR"},
    ),
    RefusedError("This cart has become a booking.", code="CART_CONVERTED", details={"booking": "BK-449034CB"}),
    *(RefusedError(NOT_TAKEN, code=code) for code in PROMO_CODES),
    RefusedError("This booking is CANCELLED; only a CONFIRMED one can be rescheduled.", code="BOOKING_NOT_CONFIRMED"),
    RefusedError("A booking can be rescheduled 100 times.", code="RESCHEDULE_LIMIT"),
    RefusedError("A booking can be rescheduled until 24 hours before it.", code="RESCHEDULE_TOO_LATE"),
    RefusedError("A refund of this payment is under way; please try again later.", code="REFUND_IN_PROGRESS"),
    RefusedError(
        "Cancelling gives back 499.50, not 999.00; please look again before you decide.",
        code="REFUND_CHANGED",
        details={"refund": "499.50"},
    ),
    RefusedError("MT7a8b9c0d1e2f3 is failed: only what needs review is resolved.", code="NOT_UNDER_REVIEW"),
    RefusedError("999.00 INR of MT7a8b9c0d1e2f3 are recorded: refund them instead.", code="ALREADY_CAPTURED"),
    RefusedError("it cannot be settled: OverflowError: date value out of range. Refund it instead.", code="NOT_FULFILLABLE"),
    RefusedError("MT7a8b9c0d1e2f3 waits for a decision: resolve, refund or complete it.", code="NEEDS_DECISION"),
    RefusedError("This booking has not begun yet.", code="BOOKING_NOT_OVER"),
    RefusedError("0.00 KES of this payment can be refunded.", code="NOT_REFUNDABLE"),
    RefusedError("ORD-20240115-001 is delivered: from there it cannot become packed.", code="ORDER_NOT_MOVABLE"),
    RefusedError("It is being prepared, or on its way; please call the shop.", code="ORDER_NOT_CANCELLABLE"),
    RefusedError("The stock of listing 123 does not count what this order bought as sold.", code="STOCK_DISAGREES"),
    RefusedError(
        "Somebody was faster: this entry changed since you looked at it. Look again, and decide anew.",
        code="CHANGED_MEANWHILE",
        details={"version": "5-9990"},
    ),
    RefusedError("Only 3 can be bought now; less can be taken away.", code="STOCK_TOO_LOW"),
    RefusedError(SLOT_FULL, code="SLOT_FULL"),
    RefusedError("No slot of this service starts at this day and time.", code="SLOT_NOT_OFFERED"),
    RefusedError("It is too late to book this slot; please choose another.", code="SLOT_TOO_SOON"),
    RefusedError("Slots can be booked 60 days ahead.", code="SLOT_TOO_FAR"),
    FairUseError("You have started as many payments as an hour allows; please try again later.", retry_after_seconds=1800),
    TooSoonError("A prompt is open on this phone.", retry_after_seconds=60),
    GatewayRejectedError("The payment could not be started.", detail="Invalid merchant ID", gateway="PhonePe"),
)

ERRORS: Final[Mapping[str, PayFirstError]] = {code_of(error): error for error in _ALL}
"""The sample error of each stable code."""
