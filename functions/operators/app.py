"""What the shop's own people do with payments and orders: the same use cases as `payfirst`, recorded with who and why."""

from __future__ import annotations

import re
import secrets
from typing import Final

from payfirst.api import asked
from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.paging import page_size
from payfirst.api.request import Request
from payfirst.api.resources import operator, search_key, settlement_context, table
from payfirst.api.values import check_start, given_number
from payfirst.api.wire.by_hand import KeptListingOut, KeptServiceOut, ListingChangeIn, ServiceChangeIn
from payfirst.api.wire.fields import NothingIn
from payfirst.api.wire.funnel import FunnelOut
from payfirst.api.wire.operators import (
    MOST_SHOWN,
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
from payfirst.domain.booking import Actor
from payfirst.domain.clock import BOOKINGS_ZONE
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.ids import read_order_number
from payfirst.domain.money import Money
from payfirst.domain.moves import BookingStatus, OrderStatus
from payfirst.domain.session import Kind
from payfirst.domain.times import read_back
from payfirst.settings import settings
from payfirst.usecases import catalogue
from payfirst.usecases.fulfilment import bookings, orders
from payfirst.usecases.operators import appointments, deliveries, edit_catalogue, review, waiting
from payfirst.usecases.operators import funnel as funnels
from payfirst.usecases.operators import search as searching
from payfirst.usecases.operators import totals as money

PLACE: Final = re.compile(r"[0-9:]{8}#BK-[0-9A-Z]{1,20}")


def stuck(request: Request) -> Reply:
    """`GET /api/operators/stuck/`, with `?list=` (both if absent) and `?after=`."""
    of, text = asked.word(request, "list", waiting.List), request.parameter("after")
    try:
        after = waiting.read_place(text, of, request.now) if text else None
    except ValueError as error:
        said = "The `next` of an earlier answer about the same list is expected."
        raise InvalidInputError(FieldProblem("after", said)) from error
    return Reply(200, StuckOut.of(waiting.page(table(request.deadline), request.now, of, most=MOST_SHOWN, after=after)))


def payment(request: Request, which: str) -> Reply:
    """`GET /api/operators/payments/{which}/`, with `?customer=` for what has no public code, and `?notices=true`."""
    with_notices, where = asked.flag(request, "notices"), table(request.deadline)
    story = review.story(where, review.find(where, which, owner=request.parameter("customer")), which)
    return Reply(200, StoryOut.of(story, review.notices_of(where, story) if with_notices else None))


def resolve(request: Request, which: str) -> Reply:
    """`POST /api/operators/payments/{which}/resolve/`"""
    said, by = request.body(ResolveIn), operator(request)
    paid = None if said.found is None else said.found == "paid"
    became = review.resolve(settlement_context(request), which, paid=paid, receipt=said.receipt, by=by, why=said.why)
    return Reply(200, ResolvedOut(attempt=which, result=became.result, doubts_closed=became.doubts_closed))


def refund(request: Request, which: str) -> Reply:
    """`POST /api/operators/payments/{which}/refund/`"""
    wanted, by, where = request.body(RefundIn), operator(request), table(request.deadline)
    which = review.attempt_of(where, which)
    currency = review.case(where, which).attempt.amount.currency
    amount = None if wanted.amount is None else Money.of(wanted.amount, currency)
    return Reply(200, GivenBackOut.of(review.refund_payment(where, which, amount, request.now, by=by, why=wanted.why)))


def refund_paid(request: Request, refund: str) -> Reply:
    """`POST /api/operators/refunds/{refund}/resolve/`"""
    said, by = request.body(RefundPaidIn), operator(request)
    ref, number = review.parts_of_refund(refund)
    return Reply(
        200, GivenBackOut.of(review.resolve_refund(table(request.deadline), ref, number, request.now, by=by, why=said.why))
    )


def replay(request: Request) -> Reply:
    """`POST /api/operators/stuck/replay/`"""
    which = request.body(ReplayIn).which
    operator(request)
    return Reply(200, TakenUpOut(which=which, result=waiting.take_up(settlement_context(request), which)))


def close(request: Request) -> Reply:
    """`POST /api/operators/stuck/close/`"""
    said, by = request.body(CloseIn), operator(request)
    result = waiting.close(table(request.deadline), said.which, request.now, by=by, why=said.why)
    return Reply(200, TakenUpOut(which=said.which, result=result))


def bookings_of_day(request: Request) -> Reply:
    """`GET /api/operators/bookings/`, with `?day=` (today in India if absent), `?status=` and `?after=`."""
    day, status = asked.day_in(request, BOOKINGS_ZONE), asked.word(request, "status", BookingStatus)
    where, after = table(request.deadline), request.parameter("after") or ""
    if after and not PLACE.fullmatch(after):
        raise InvalidInputError(FieldProblem("after", "The `next` of an earlier answer is expected."))
    return Reply(200, BookingsOut.of(appointments.of_day(day, status, table=where, most=MOST_SHOWN, after=after)))


def booking(request: Request, book_id: str) -> Reply:
    """`GET /api/operators/bookings/{book_id}/`"""
    return Reply(200, BookingDetailOut.of_standing(appointments.show(table(request.deadline), book_id, request.now)))


def complete_booking(request: Request, book_id: str) -> Reply:
    """`POST /api/operators/bookings/{book_id}/complete/`"""
    request.body(NothingIn)
    by, where = operator(request), table(request.deadline)
    done = appointments.complete_by_code(where, book_id, request.now, by=by)
    return Reply(200, CompletedOut(book_id=done.code, booking_status=done.status))


def move_booking(request: Request, book_id: str) -> Reply:
    """`POST /api/operators/bookings/{book_id}/move/`"""
    wanted, by, where = request.body(MoveBookingIn), operator(request), table(request.deadline)
    found, day, at = appointments.find(where, book_id), wanted.selected_date, wanted.selected_time
    check_start(day, at.at, request.now, found.content.zone)
    actor, days = Actor(by, wanted.why), settings().days
    moved = bookings.reschedule(found, day, at, None, table=where, now=request.now, days=days, actor=actor)
    return Reply(200, ShopBookingOut.of(moved))


def cancel_booking(request: Request, book_id: str) -> Reply:
    """`POST /api/operators/bookings/{book_id}/cancel/`"""
    wanted, by, where = request.body(CallOffIn), operator(request), table(request.deadline)
    found = appointments.find(where, book_id)
    said, actor = Money.of(wanted.refund, found.amount.currency), Actor(by, wanted.why)
    ended = bookings.cancel(found, None, table=where, now=request.now, actor=actor, in_full=wanted.in_full, said=said)
    return Reply(200, ShopBookingOut.of(ended))


def orders_of_days(request: Request) -> Reply:
    """`GET /api/operators/orders/`, with `?from=` and `?to=` or `?day=` (today in Nairobi if absent), `?status=`, `?after=`."""
    (first, last), status = asked.days(request), asked.word(request, "status", OrderStatus)
    where, after = table(request.deadline), request.parameter("after") or ""
    seen = read_order_number(after)
    if after and (seen is None or not f"{first:%Y%m%d}" <= seen[0] <= f"{last:%Y%m%d}"):
        said = "The `next` of an earlier answer about the same days is expected."
        raise InvalidInputError(FieldProblem("after", said))
    page = deliveries.of_days(first, last, status, table=where, most=MOST_SHOWN, after=after)
    return Reply(200, OrdersOut.of(first, last, page))


def order(request: Request, order_number: str) -> Reply:
    """`GET /api/operators/orders/{order_number}/`"""
    return Reply(200, OrderDetailOut.of_found(deliveries.show(table(request.deadline), order_number)))


def move_order(request: Request, order_number: str) -> Reply:
    """`POST /api/operators/orders/{order_number}/move/`"""
    wanted, by, where = request.body(MoveOrderIn), operator(request), table(request.deadline)
    to = OrderStatus(wanted.status)
    if to is OrderStatus.CANCELLED:
        owed = orders.cancel_order(where, order_number, request.now, by=by, why=wanted.why or "", said=wanted.refund)
        return Reply(200, MovedOut.of(order_number, to, owed))
    return Reply(200, MovedOut.of(order_number, orders.move_order(where, order_number, to, request.now, by=by).status))


def undo_step(request: Request, order_number: str) -> Reply:
    """`POST /api/operators/orders/{order_number}/undo/`"""
    step, by = OrderStatus(request.body(UndoStepIn).step), operator(request)
    order = orders.undo_step(table(request.deadline), order_number, step, request.now, by=by)
    return Reply(200, MovedOut.of(order.code, order.status))


def search(request: Request) -> Reply:
    """`GET /api/operators/search/`, with `?q=`; `?before=` and `?page_size=` for pages."""
    by, wanted = operator(request), request.parameter("q")
    if not wanted:
        raise InvalidInputError(FieldProblem("q", "This parameter is required."))
    found = searching.search(
        table(request.deadline),
        search_key,
        wanted,
        request.now,
        by=by,
        token=secrets.token_bytes(8).hex(),
        size=page_size(request),
        before=asked.before(request),
    )
    return Reply(200, SearchOut.of(found))


def funnel(request: Request) -> Reply:
    """`GET /api/operators/funnel/`, with `?since=` (24h if absent) and `?kind=` (both if absent)."""
    by_name = {kind.value: kind for kind in Kind}
    kind = request.parameter("kind")
    if kind is not None and kind not in by_name:
        raise InvalidInputError(FieldProblem("kind", f"One of these is expected: {', '.join(by_name)}."))
    try:
        back = read_back(request.parameter("since") or "24h")
    except ValueError as error:
        raise InvalidInputError(FieldProblem("since", str(error))) from error
    if back > asked.MOST_DAYS:
        raise InvalidInputError(FieldProblem("since", "At most 31d is expected here; `payfirst funnel` looks back a year."))
    return Reply(200, FunnelOut.of(funnels.funnel(table(request.deadline), request.now, back, by_name.get(kind or ""))))


def totals(request: Request) -> Reply:
    """`GET /api/operators/totals/`, with `?from=` and `?to=` or `?day=` (today in Nairobi if absent)."""
    first, last = asked.days(request)
    return Reply(200, TotalsOut.of(first, last, money.of_days(table(request.deadline), first, last)))


def listing(request: Request, listing_id: str) -> Reply:
    """`GET /api/operators/listings/{listing_id}/`"""
    number = given_number(listing_id, "Listing not found")
    return Reply(200, KeptListingOut.of(catalogue.find_listing(number, table=table(request.deadline))))


def change_listing(request: Request, listing_id: str) -> Reply:
    """`POST /api/operators/listings/{listing_id}/`"""
    wanted, by = request.body(ListingChangeIn), operator(request)
    number, where = given_number(listing_id, "Listing not found"), table(request.deadline)
    change, version = wanted.change(), wanted.version
    _, now_is = edit_catalogue.change_listing(where, number, change, version=version, by=by, now=request.now)
    return Reply(200, KeptListingOut.of(now_is))


def service(request: Request, service_id: str) -> Reply:
    """`GET /api/operators/services/{service_id}/`; `?service_type=` where two kinds have the number, else the puja is meant."""
    number = given_number(service_id, "Service not found")
    return Reply(
        200, KeptServiceOut.of(catalogue.find_service(number, asked.service_type(request), table=table(request.deadline)))
    )


def change_service(request: Request, service_id: str) -> Reply:
    """`POST /api/operators/services/{service_id}/`; `?service_type=` as in `service`."""
    wanted, by = request.body(ServiceChangeIn), operator(request)
    number, where, kind = given_number(service_id, "Service not found"), table(request.deadline), asked.service_type(request)
    change, version = wanted.change(), wanted.version
    _, now_is = edit_catalogue.change_service(where, number, kind, change, version=version, by=by, now=request.now)
    return Reply(200, KeptServiceOut.of(now_is))


handler = build_app(
    "operators",
    {
        "operators_stuck": stuck,
        "operators_payment": payment,
        "operators_resolve": resolve,
        "operators_refund": refund,
        "operators_refund_paid": refund_paid,
        "operators_replay": replay,
        "operators_close": close,
        "operators_bookings": bookings_of_day,
        "operators_booking": booking,
        "operators_complete_booking": complete_booking,
        "operators_move_booking": move_booking,
        "operators_cancel_booking": cancel_booking,
        "operators_orders": orders_of_days,
        "operators_order": order,
        "operators_move_order": move_order,
        "operators_undo_step": undo_step,
        "operators_search": search,
        "operators_listing": listing,
        "operators_change_listing": change_listing,
        "operators_service": service,
        "operators_change_service": change_service,
        "operators_funnel": funnel,
        "operators_totals": totals,
    },
)
