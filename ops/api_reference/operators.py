"""The words of the operators' routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from ops.api_reference import samples
from ops.api_reference.bookings import SLOT_CODES
from ops.api_reference.operation import PAGING, Body, Operation, one
from ops.api_reference.public import EITHER
from payfirst.api.wire.by_hand import KeptListingOut, KeptServiceOut, ListingChangeIn, ServiceChangeIn
from payfirst.api.wire.funnel import FunnelOut
from payfirst.api.wire.operators import (
    CloseIn,
    CompletedOut,
    GivenBackOut,
    RefundIn,
    RefundPaidIn,
    ReplayIn,
    ResolvedOut,
    ResolveIn,
    StoryOut,
    StuckOut,
    TakenUpOut,
)
from payfirst.api.wire.operators_bookings import BookingDetailOut, BookingsOut, CallOffIn, MoveBookingIn, ShopBookingOut
from payfirst.api.wire.operators_orders import MovedOut, MoveOrderIn, OrderDetailOut, OrdersOut, UndoStepIn
from payfirst.api.wire.search import SearchOut
from payfirst.api.wire.totals import TotalsOut
from payfirst.domain.booking import Step
from payfirst.domain.catalogue import Edits
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import BookingStatus, OrderStatus, RefundStatus, SessionStatus
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.refund import Refund
from payfirst.domain.session import RefundShown
from payfirst.domain.totals import Column, Totals, together
from payfirst.storage.dynamodb import due_index, keys
from payfirst.usecases.fulfilment.bookings import GivesBack, Standing
from payfirst.usecases.operators.appointments import DayPage
from payfirst.usecases.operators.deliveries import OrderFound, OrdersPage
from payfirst.usecases.operators.funnel import Funnel, Stage
from payfirst.usecases.operators.review import Notice, Story
from payfirst.usecases.operators.search import Found, Search
from payfirst.usecases.operators.totals import Report
from payfirst.usecases.operators.waiting import Stuck, StuckPage

OPERATORS: Final = "Operators"

_DAY: Final = date(2024, 1, 15)
_ONLY: Final = "For the group `operators`; to everybody else this route does not exist."
_ACT: Final = f"{_ONLY} Recorded with who and why."
_REF: Final = samples.SETTLED.ref
_REFUND: Final = Refund(
    ref=_REF,
    number=1,
    owner=samples.CUSTOMER.sub,
    session_number=samples.SESSION.number,
    gateway="MPESA",
    amount=samples.SESSION.amount,
    status=RefundStatus.DUE,
    reason="operator",
    created_at=samples.NOW + timedelta(hours=1),
)
_FOUND: Final = Found(
    "order", "ORD-20240115-001", "packed", samples.SESSION.amount, samples.SESSION.created_at, samples.CUSTOMER.sub
)
_STORY: Final = Story(samples.ORDERED, (samples.SETTLED,), (), samples.EVENTS)
_NOTICED: Final = Notice(
    _REF, samples.NOW, samples.NOW, 40, '{\n "Amount": "350",\n "PhoneNumber": "\N{HORIZONTAL ELLIPSIS}678"\n}'
)
_STUCK: Final = StuckPage(
    (Stuck("needs review", _REF, due_index.named(keys.attempt(_REF)), samples.NOW),),
    due_index.text_of_place(
        {**keys.attempt(_REF), **due_index.place(due_index.partition(due_index.REVIEW, 3), samples.NOW)},
    ),
)
_FUNNEL: Final = Funnel(
    samples.NOW - timedelta(hours=24),
    samples.NOW,
    {Stage.CREATED: 40, Stage.INITIATED: 36, Stage.PAID: 32, Stage.FULFILLED: 32, Stage.EXPIRED: 4},
    {**dict.fromkeys(SessionStatus, 0), SessionStatus.ORDER_CREATED: 32, SessionStatus.FAILED: 4, SessionStatus.EXPIRED: 4},
)
_MONEY: Final = (
    Totals(_DAY, "MPESA", Currency.KES, dict(zip(Column, (1234500, 35000, 10000, 0), strict=True))),
    Totals(_DAY, "PHONEPE", Currency.INR, dict(zip(Column, (899100, 0, 0, 99900), strict=True))),
)
_NOTICE: Final = f"INBOX#{'0' * 64}"
_BY_HAND: Final = replace(_REFUND, status=RefundStatus.REFUNDED, detail="paid back from the till, receipt NLJ9XK2QWE")
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
        description=f"On sale or not, with who changed it last. {_ONLY}",
    ),
    "operators_change_listing": Operation(
        OPERATORS,
        "Change a listing's stock, price, words or picture",
        one(200, _KEPT),
        Body(ListingChangeIn, {"version": "4-10000", "price": "160.00", "add_stock": "250"}),
        ("NOT_FOUND", "CHANGED_MEANWHILE", "STOCK_TOO_LOW"),
        description=f"{_SEEN} `set_stock` is refused also where some was bought since; `add_stock` is not. {_ONLY} "
        "Recorded with who.",
    ),
    "operators_service": Operation(
        OPERATORS,
        "Show a service as its shop keeps it",
        one(200, _KEPT_PUJA),
        codes=("NOT_FOUND",),
        query=EITHER,
        description=f"Offered or not, with who changed it last. {_ONLY}",
    ),
    "operators_change_service": Operation(
        OPERATORS,
        "Change a service's prices, words or picture",
        one(200, _KEPT_PUJA),
        Body(ServiceChangeIn, {"version": "4", "packages": [{"id": 2, "price": "1100.00"}]}),
        ("NOT_FOUND", "CHANGED_MEANWHILE"),
        query=EITHER,
        description=f"{_SEEN} Its calendar comes from a catalogue file. {_ONLY} Recorded with who.",
    ),
    "operators_stuck": Operation(
        OPERATORS,
        "List what waits for a person",
        {200: {"more follow": StuckOut.of(_STUCK), "the last of them": StuckOut.of(replace(_STUCK, next=None))}},
        query={
            "list": "`review` (what a person decides) or `overdue` (what sweeps have left lying); both if absent.",
            "after": "Where the list goes on: the `next` of the answer before.",
        },
        description=f"Cases that no rule can settle, then work that sweeps should have done two minutes ago. {_ONLY}",
    ),
    "operators_payment": Operation(
        OPERATORS,
        "Show one payment's whole story",
        {200: {"its notices too": StoryOut.of(_STORY, ((_NOTICED,), False)), "without them": StoryOut.of(_STORY)}},
        codes=("NOT_FOUND",),
        query={
            "customer": "Whose it is, for a session's number or UUID; the public codes need none.",
            "notices": "true: what its gateway sent about these attempts as well, without what says who paid: at most 50 "
            "notices of each, in no order of time where there are more. What earlier releases stored is not among them, nor "
            "are notices of refunds.",
        },
        description="By MT…, TXN…, BK-…, ORD-… or R…, or by a session's number with its customer. Its latest attempt, the one "
        f"that has the money, and the one that was asked for. {_ONLY}",
    ),
    "operators_resolve": Operation(
        OPERATORS,
        "Say what a payment under review turned out to be",
        one(200, ResolvedOut(attempt=_REF, result="fulfilled", doubts_closed=0)),
        Body(ResolveIn, {"found": "paid", "receipt": "NLJ7RT61SV", "why": "it is on the statement of 15 January"}),
        ("NOT_FOUND", "NOT_UNDER_REVIEW", "ALREADY_CAPTURED", "NOT_FULFILLABLE"),
        description="The payment then goes on by itself. Doubts beside it are closed with it; without `found` only they are. "
        "Money that is here already, of which nothing could be made, is tried once more by `paid`; it goes back by a refund. "
        f"What is refused changes nothing. {_ACT}",
    ),
    "operators_refund": Operation(
        OPERATORS,
        "Give a payment back, in full or in part",
        one(200, GivenBackOut.of(_REFUND)),
        Body(RefundIn, {"amount": "100.00", "why": "two tomatoes were green"}),
        ("NOT_FOUND", "REFUND_IN_PROGRESS", "NOT_REFUNDABLE"),
        description="The next sweep sends it. M-Pesa pays back whole shillings, PhonePe 1.00 rupee and more. "
        f"Its order or booking stays as it is; a payment of which nothing could be made goes back as a whole. {_ACT}",
    ),
    "operators_refund_paid": Operation(
        OPERATORS,
        "Record that a refund was paid back by hand",
        one(200, GivenBackOut.of(_BY_HAND)),
        Body(RefundPaidIn, {"why": "paid back from the till, receipt NLJ9XK2QWE"}),
        ("NOT_FOUND", "NOT_UNDER_REVIEW"),
        description="One that its gateway had paid back stays as it is: `detail` says that the money may have gone back twice, "
        f"and the payment comes on the list. {_ACT}",
    ),
    "operators_replay": Operation(
        OPERATORS,
        "Take something that waits up again",
        one(200, TakenUpOut(which=_REF, result="due for the next sweep")),
        Body(ReplayIn, {"which": _REF}),
        ("NOT_FOUND", "NEEDS_DECISION"),
        description="It is due for the next sweep; money of which nothing could be made is tried at once. "
        f"By the `key` of what waits. {_ONLY}",
    ),
    "operators_close": Operation(
        OPERATORS,
        "Close a notice, an event or an e-mail that is on the list",
        one(200, TakenUpOut(which=_NOTICE, result="closed")),
        Body(CloseIn, {"which": _NOTICE, "why": "its address does not exist"}),
        ("NOT_FOUND", "NEEDS_DECISION", "NOT_UNDER_REVIEW"),
        description=f"Nobody tries it any more. By the `key` of what waits. {_ACT}",
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
        description=f"By their time, 200 at most. {_ONLY}",
    ),
    "operators_booking": Operation(
        OPERATORS,
        "Show a booking, and what cancelling it would give back",
        one(200, BookingDetailOut.of_standing(Standing(samples.BOOKING, samples.BOOKED, (), _GIVES))),
        codes=("NOT_FOUND",),
        description=f"`cancellation`: by the service's rule, and in full; null once it cannot be cancelled. {_ONLY}",
    ),
    "operators_move_booking": Operation(
        OPERATORS,
        "Move a booking to another slot",
        one(200, ShopBookingOut.of(samples.MOVED)),
        Body(MoveBookingIn, {"selected_date": "2025-07-22", "selected_time": "11:00 AM", "why": "the pandit is ill"}),
        ("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "RESCHEDULE_LIMIT", *SLOT_CODES),
        description="What a service allows its customers (how often, how late) does not bind the shop; its calendar does, and "
        "what has begun stays where it is. "
        f"Its customer is written to; no customer reads `why`. {_ACT}",
    ),
    "operators_cancel_booking": Operation(
        OPERATORS,
        "Cancel a booking",
        one(200, ShopBookingOut.of(_CALLED_OFF)),
        Body(CallOffIn, {"refund": "999.00", "in_full": True, "why": "the pandit is ill"}),
        ("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "REFUND_IN_PROGRESS", "REFUND_CHANGED"),
        description="`refund` is what the booking's `cancellation` said: exactly that goes back, or nothing happens. "
        f"No customer reads `why`. {_ACT}",
    ),
    "operators_complete_booking": Operation(
        OPERATORS,
        "Say that a booking took place",
        one(200, CompletedOut(book_id="BK-449034CB", booking_status="COMPLETED")),
        codes=("NOT_FOUND", "BOOKING_NOT_CONFIRMED", "BOOKING_NOT_OVER"),
        description=f"It can neither move nor be cancelled afterwards. {_ONLY} Recorded with who.",
    ),
    "operators_orders": Operation(
        OPERATORS,
        "List the orders of some days",
        {
            200: {
                "more follow": OrdersOut.of(_DAY, _DAY, _ORDERS),
                "the last of them": OrdersOut.of(_DAY, _DAY, replace(_ORDERS, next=None)),
            }
        },
        query={
            "day": "A day in Nairobi, YYYY-MM-DD; today if absent.",
            "from": "The first day of several, 31 at most; `to` if absent.",
            "to": "The last day; `from` if absent.",
            "status": "Only orders of this status.",
            "after": "Where the list goes on: the `next` of the answer before.",
        },
        description=f"By their numbers, 200 at most. {_ONLY}",
    ),
    "operators_order": Operation(
        OPERATORS,
        "Show an order",
        one(200, OrderDetailOut.of_found(OrderFound(samples.ORDER, samples.ORDERED, ()))),
        codes=("NOT_FOUND",),
        description=f"With the number to call, its place by name, its receipt and its refunds. {_ONLY}",
    ),
    "operators_search": Operation(
        OPERATORS,
        "Find payments by what a customer has at hand",
        one(200, SearchOut.of(Search("phone", (_FOUND,), before=samples.SESSION.number))),
        codes=("TOO_MANY_REQUESTS",),
        query={
            "q": "A receipt, TXN…, MT…, ORD-…, BK-…, R…, an e-mail address, a phone number or its last four digits.",
            "before": "The `before` of the page before, for older ones.",
            "page_size": PAGING["page_size"],
        },
        description="A payment is found by phone and address from the moment it is begun. Each search is recorded with who "
        f"made it, and nobody makes more than 120 in an hour. {_ONLY}",
    ),
    "operators_funnel": Operation(
        OPERATORS,
        "Show how far sessions came",
        one(200, FunnelOut.of(_FUNNEL)),
        query={"since": "How far back, to the minute: 90m, 24h (if absent), 7d; 31d at most.", "kind": "order or booking."},
        description=f"From counters: its cost depends on the time that is asked for, and not on how much was sold. {_ONLY}",
    ),
    "operators_totals": Operation(
        OPERATORS,
        "Show the money of some days",
        one(200, TotalsOut.of(_DAY, _DAY, Report(_MONEY, together(_MONEY)))),
        query={
            "day": "A day in Nairobi, YYYY-MM-DD; today if absent.",
            "from": "The first day of several, 31 at most; `to` if absent.",
            "to": "The last day; `from` if absent.",
        },
        description="By gateway and currency, from counters that move in the writes that move the money: all days together are "
        f"what `payfirst reconcile` finds. The cost depends on the number of days alone. {_ONLY}",
    ),
    "operators_move_order": Operation(
        OPERATORS,
        "Move an order towards the door, or cancel it",
        one(200, MovedOut.of("ORD-20240115-001", OrderStatus.PACKED)),
        Body(MoveOrderIn, {"status": "packed"}),
        ("NOT_FOUND", "ORDER_NOT_MOVABLE", "STOCK_DISAGREES", "REFUND_IN_PROGRESS", "REFUND_CHANGED"),
        description="A cancelled order's stock is for sale again and its money goes back: where `refund` is sent along, as its "
        f"`cancellation` said it, exactly that, or nothing happens. No customer reads `why`. {_ACT}",
    ),
    "operators_undo_step": Operation(
        OPERATORS,
        "Take back the last step of an order",
        one(200, MovedOut.of("ORD-20240115-001", OrderStatus.CONFIRMED)),
        Body(UndoStepIn, {"step": "packed"}),
        ("NOT_FOUND", "ORDER_NOT_MOVABLE"),
        description="`step` is the one that was taken by mistake. Not after a cancellation, nor where its payment went back or "
        f"is on its way back. No e-mail tells of it. Once more changes nothing. {_ONLY} Recorded with who.",
    ),
}
