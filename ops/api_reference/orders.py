"""The words of document B's operations: its cart, sessions and orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ops.api_reference import samples
from ops.api_reference.errors import PROMO_CODES
from ops.api_reference.operation import PAGING, Body, Listed, Operation, one
from payfirst.api.wire.carts import ApplyPromoIn
from payfirst.api.wire.initiate import InitiatedOut, InitiateIn
from payfirst.api.wire.new_session import CreateSessionIn
from payfirst.api.wire.produce_cart import AddItemIn, ProduceCartOut, RemoveItemIn, UpdateQuantityIn
from payfirst.api.wire.sessions import ExtendedOut, SessionListed, SessionOut, StatusOut
from payfirst.api.wire.timeline import TimelineOut
from payfirst.api.wire.tracking import CancelOrderIn, OrderListed, OrderOut, OwnOrderOut
from payfirst.domain.moves import OrderStatus
from payfirst.domain.session import RefundShown, Session

ORDERS: Final = "Produce orders"

_NOW: Final = samples.NOW
_PRODUCE: Final = ProduceCartOut.of(samples.PRODUCE)


def _status(session: Session) -> StatusOut:
    return StatusOut.of(session, _NOW)


_DELIVERY: Final = {
    "full_name": "John Doe",
    "phone_number": "0712345678",
    "county_id": 1,
    "subcounty_id": 5,
    "detailed_address": "123 Main Street, Apartment 4B",
}

_GIVEN_UP: Final = replace(samples.ROTTEN, code=samples.ORDER.code)

OPERATIONS: Final[Mapping[str, Operation]] = {
    "my_cart": Operation(
        ORDERS,
        "Show the cart of produce",
        {200: {"example": _PRODUCE, "with a promo code": ProduceCartOut.of(samples.CHEAPER_PRODUCE)}},
        description=(
            "`available` and `price_changed` are those of this moment. A cart that nobody has changed or paid from for thirty "
            "days is empty again."
        ),
    ),
    "add_item": Operation(
        ORDERS,
        "Put produce into the cart",
        one(200, _PRODUCE),
        Body(AddItemIn, {"listing_id": 123, "quantity": 2}),
        ("NOT_FOUND", "OUT_OF_STOCK", "CART_FULL", "CURRENCY_MIXED"),
        description="A listing that is in the cart already gets more of it, at the price that its line has.",
    ),
    "update_quantity": Operation(
        ORDERS,
        "Set a line's quantity",
        one(200, _PRODUCE),
        Body(UpdateQuantityIn, {"cart_item_id": 1, "quantity": 2}),
        ("NOT_FOUND", "OUT_OF_STOCK", "CURRENCY_MIXED"),
        description="The line takes today's price, which is how a changed price is accepted.",
    ),
    "remove_item": Operation(
        ORDERS,
        "Take a line out of the cart",
        one(200, ProduceCartOut.of(samples.EMPTIED)),
        Body(RemoveItemIn, {"cart_item_id": 1}),
        ("NOT_FOUND",),
    ),
    "apply_produce_promo": Operation(
        ORDERS,
        "Take a promo code",
        one(200, ProduceCartOut.of(samples.CHEAPER_PRODUCE)),
        Body(ApplyPromoIn, {"promo_code": "FRESH10"}),
        ("CART_EMPTY", *PROMO_CODES),
        description="Taking a code again accepts what it takes off now. Its use is counted when a payment begins, not here.",
    ),
    "remove_produce_promo": Operation(ORDERS, "Take the promo code off", one(200, _PRODUCE)),
    "create_session": Operation(
        ORDERS,
        "Create a payment session from the cart",
        one(201, SessionOut.of(samples.SESSION, _NOW)),
        Body(
            CreateSessionIn,
            {
                "delivery_details": _DELIVERY,
                "special_instructions": "Leave at the gate",
                "delivery_time_slot": "morning",
                "estimated_delivery_date": "2024-01-15",
            },
        ),
        (
            *("CART_EMPTY", "AMOUNT_NOT_CHARGEABLE", "PRICE_CHANGED", "OUT_OF_STOCK", "CURRENCY_MIXED", "NOT_DELIVERED"),
            *PROMO_CODES,
            *("CANNOT_BE_PROVIDED", "TOO_MANY_REQUESTS"),
        ),
        description="Freezes the cart's content and price for 15 minutes. An order follows only from its payment.",
    ),
    "initiate_payment": Operation(
        ORDERS,
        "Prompt the customer's phone",
        {
            200: {"example": InitiatedOut.of(samples.PROMPTED)},
            202: {"answer lost": InitiatedOut.of(samples.UNSURE)},
        },
        Body(InitiateIn, {"phone_number": "0712345678"}),
        (
            *("NOT_FOUND", "SESSION_EXPIRED", "SESSION_CLOSED", "PAYMENT_IN_PROGRESS", "WRONG_METHOD"),
            *("PHONE_BUSY", "TOO_MANY_REQUESTS", "GATEWAY_REJECTED"),
            *("OUT_OF_STOCK", "PROMO_USED_UP", "PROMO_LIMIT_REACHED", "CANNOT_BE_PROVIDED"),
        ),
        description="M-Pesa asks for the PIN on the phone. A session whose payment failed may be initiated again. "
        "One whose gateway prompts no phone is paid through process-cart.",
    ),
    "session_status": Operation(
        ORDERS,
        "Ask how far a session's payment got",
        {200: {"ordered": _status(samples.ORDERED), "failed": _status(samples.CANCELLED), "refund": _status(samples.REFUNDED)}},
        codes=("NOT_FOUND",),
    ),
    "session_events": Operation(
        ORDERS,
        "Show what happened to a session, oldest first",
        one(200, TimelineOut.of(samples.ORDERED, samples.EVENTS)),
        codes=("NOT_FOUND",),
    ),
    "extend_session": Operation(
        ORDERS,
        "Give a session more time",
        one(200, ExtendedOut.of(samples.SESSION)),
        codes=("NOT_FOUND", "SESSION_EXPIRED", "SESSION_CLOSED", "PAYMENT_IN_PROGRESS", "EXTENSION_LIMIT"),
        description="Four times at most, and not while a payment is open.",
    ),
    "list_sessions": Operation(
        ORDERS,
        "List sessions, newest first",
        one(200, Listed(SessionListed.of(samples.ORDERED, _NOW))),
        query={**PAGING, "session_status": "One of the six words, in any case; looks through 500 entries a page."},
    ),
    "get_session": Operation(ORDERS, "Show a session", one(200, SessionOut.of(samples.ORDERED, _NOW)), codes=("NOT_FOUND",)),
    "list_orders": Operation(
        ORDERS, "List orders, newest first", one(200, Listed(OrderListed.of(samples.ORDER))), query=PAGING
    ),
    "get_order": Operation(
        ORDERS,
        "Track an order",
        {
            200: {
                "example": OwnOrderOut.of(samples.ORDER),
                "asked what cancelling gives back": OwnOrderOut.with_cancellation(
                    replace(samples.ORDER, status=OrderStatus.CONFIRMED, timeline=samples.ORDER.timeline[:1]),
                    None,
                    samples.ORDER.amount,
                ),
            }
        },
        codes=("NOT_FOUND",),
        query={"cancellation": "`true` adds what cancelling would give back now."},
        description="An order goes by its integer and by its ORD-… number.",
    ),
    "cancel_order": Operation(
        ORDERS,
        "Cancel an order before it is packed",
        one(200, OrderOut.of(_GIVEN_UP, RefundShown(samples.ORDER.amount, "due", "order_cancelled"))),
        Body(CancelOrderIn, {"reason": "Change of plans"}),
        ("NOT_FOUND", "ORDER_NOT_CANCELLABLE", "REFUND_IN_PROGRESS", "REFUND_CHANGED", "STOCK_DISAGREES"),
        description="Where the shop lets its customers. All of its payment that is left goes back. Where `refund` is sent "
        "along, as `cancellation` said it, exactly that goes back or nothing happens. Once more changes nothing.",
    ),
}
