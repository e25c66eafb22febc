"""What the shop's own people do with payments and orders: the same use cases as `payfirst`, recorded with who and why."""

from __future__ import annotations

import secrets
from datetime import date
from itertools import islice
from zoneinfo import ZoneInfo

from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.operators_wire import (
    MOST_SHOWN,
    DayOut,
    GivenBackOut,
    MovedOut,
    MoveOrderIn,
    RefundIn,
    RefundPaidIn,
    ResolvedOut,
    ResolveIn,
    StoryOut,
    StuckOut,
)
from payfirst.api.request import Request
from payfirst.api.resources import operator, table
from payfirst.api.values import NAIROBI
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.money import Money
from payfirst.domain.moves import OrderStatus
from payfirst.domain.times import read_day
from payfirst.settings import settings
from payfirst.storage import orders
from payfirst.usecases import move_orders, operate
from payfirst.usecases.settling import Settling

DOUBTS_CLOSED = "doubts_closed"


def stuck(request: Request) -> Reply:
    """`GET /api/operators/stuck/`"""
    found = operate.stuck(table(request.deadline), request.now)
    return Reply(200, StuckOut.of(list(islice(found, MOST_SHOWN + 1))))


def payment(request: Request, which: str) -> Reply:
    """`GET /api/operators/payments/{which}/`, with `?customer=` for what has no public code."""
    where = table(request.deadline)
    return Reply(200, StoryOut.of(operate.story(where, operate.find(where, which, owner=request.parameter("customer")))))


def resolve(request: Request, attempt: str) -> Reply:
    """`POST /api/operators/payments/{attempt}/resolve/`"""
    said, by, where = request.body(ResolveIn), operator(request), table(request.deadline)
    closed = operate.close_doubts(where, attempt, request.now, by=by, why=said.why)
    if said.found is None:
        if not closed:
            raise InvalidInputError(FieldProblem("found", "No doubt is open; say whether it was paid or unpaid."))
        return Reply(200, ResolvedOut(attempt=attempt, result=DOUBTS_CLOSED, doubts_closed=closed))
    work = Settling(where, request.now, secrets.token_bytes, settings().late_payment)
    paid = said.found == "paid"
    became = operate.resolve_as_found(work, attempt, paid=paid, receipt=said.receipt, by=by, why=said.why)
    return Reply(200, ResolvedOut(attempt=attempt, result=became, doubts_closed=closed))


def refund(request: Request, attempt: str) -> Reply:
    """`POST /api/operators/payments/{attempt}/refund/`"""
    wanted, by, where = request.body(RefundIn), operator(request), table(request.deadline)
    currency = operate.case(where, attempt).attempt.amount.currency
    amount = None if wanted.amount is None else Money.of(wanted.amount, currency)
    return Reply(200, GivenBackOut.of(operate.refund_payment(where, attempt, amount, request.now, by=by, why=wanted.why)))


def refund_paid(request: Request, refund: str) -> Reply:
    """`POST /api/operators/refunds/{refund}/resolve/`"""
    said, by = request.body(RefundPaidIn), operator(request)
    ref, number = operate.parts_of_refund(refund)
    return Reply(
        200, GivenBackOut.of(operate.resolve_refund(table(request.deadline), ref, number, request.now, by=by, why=said.why))
    )


def orders_of_day(request: Request) -> Reply:
    """`GET /api/operators/orders/`, with `?day=` (today in Nairobi if absent) and `?status=`."""
    day, status = _day(request), _status(request)
    all_of_day = orders.of_day(table(request.deadline), day.strftime("%Y%m%d"))
    wanted = (order for order in all_of_day if status in (None, order.status))
    return Reply(200, DayOut.of(day, list(islice(wanted, MOST_SHOWN + 1))))


def _day(request: Request) -> date:
    text = request.parameter("day")
    if text is None:
        return request.now.astimezone(ZoneInfo(NAIROBI)).date()
    try:
        return read_day(text)
    except ValueError as error:
        raise InvalidInputError(FieldProblem("day", str(error))) from error


def _status(request: Request) -> OrderStatus | None:
    text = request.parameter("status")
    try:
        return None if text is None else OrderStatus(text.lower())
    except ValueError as error:
        raise InvalidInputError(FieldProblem("status", f"One of these is expected: {', '.join(OrderStatus)}.")) from error


def move_order(request: Request, order_number: str) -> Reply:
    """`POST /api/operators/orders/{order_number}/move/`"""
    wanted, by, where = request.body(MoveOrderIn), operator(request), table(request.deadline)
    to = OrderStatus(wanted.status)
    if to is OrderStatus.CANCELLED:
        owed = move_orders.cancel_order(where, order_number, request.now, by=by, why=wanted.why or "")
        return Reply(200, MovedOut.of(order_number, to, owed))
    return Reply(200, MovedOut.of(order_number, move_orders.move_order(where, order_number, to, request.now, by=by).status))


handler = build_app(
    "operators",
    {
        "operators_stuck": stuck,
        "operators_payment": payment,
        "operators_resolve": resolve,
        "operators_refund": refund,
        "operators_refund_paid": refund_paid,
        "operators_orders": orders_of_day,
        "operators_move_order": move_order,
    },
)
