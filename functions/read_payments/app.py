"""Every question about sessions and payments; reads only, and may ask for a check of an open attempt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from payfirst.api.app import build_app
from payfirst.api.errors import Reply
from payfirst.api.paging import page_size, paged, position
from payfirst.api.request import Request
from payfirst.api.resources import cursor_key, customer, public_origin, queue, table
from payfirst.api.values import given
from payfirst.api.wire.bookings import BookingOut
from payfirst.api.wire.payments import WORDS, CheckedOut, PaymentOut
from payfirst.api.wire.sessions import SessionListed, SessionOut, StatusOut
from payfirst.api.wire.timeline import TimelineOut
from payfirst.domain.errors import FieldProblem, InvalidInputError
from payfirst.domain.moves import SessionStatus
from payfirst.domain.session import Session
from payfirst.usecases.fulfilment.bookings import read_booking
from payfirst.usecases.lookup import find_session, find_timeline, list_sessions, sessions_with
from payfirst.usecases.settlement.request_check import request_check

NO_PAYMENT = "Payment not found"


def _session(request: Request, text: str, message: str) -> Session:
    return find_session(given(text, message), customer=customer(request), table=table(request.deadline), message=message)


def get_session(request: Request, session_id: str) -> Reply:
    """`GET /api/payments/sessions/{session_id}/`"""
    return Reply(200, SessionOut.of(_session(request, session_id, "Session not found"), request.now))


def status(request: Request, session_id: str) -> Reply:
    """`GET /api/payments/sessions/{session_id}/status/`"""
    session = _session(request, session_id, "Session not found")
    request_check(queue(), session, request.now)
    return Reply(200, StatusOut.of(session, request.now))


def events(request: Request, session_id: str) -> Reply:
    """`GET /api/payments/sessions/{session_id}/events/`"""
    wanted = given(session_id, "Session not found")
    return Reply(200, TimelineOut.of(*find_timeline(wanted, customer=customer(request), table=table(request.deadline))))


def get_payment(request: Request, payment_id: str) -> Reply:
    """`GET /api/payments/{payment_id}/`"""
    return Reply(200, PaymentOut.of(_session(request, payment_id, NO_PAYMENT), request.now))


def check_booking(request: Request, payment_id: str) -> Reply:
    """`GET /api/payments/{payment_id}/check-booking/`"""
    session = _session(request, payment_id, NO_PAYMENT)
    request_check(queue(), session, request.now)
    booking = read_booking(session, table=table(request.deadline))
    return Reply(200, CheckedOut.of(session, BookingOut.of(booking) if booking else None, request.now))


def _list(request: Request, show: Callable[[Session, datetime], BaseModel], words: Sequence[SessionStatus] | None) -> Reply:
    who, where, at = customer(request), table(request.deadline), position(request, cursor_key)
    if words is None:
        found = list_sessions(who, table=where, size=page_size(request), position=at)
    else:
        found = sessions_with(words, who, table=where, now=request.now, position=at)
    results = [show(session, request.now) for session in found.sessions]
    return Reply(200, paged(request, cursor_key, public_origin(request), found.page, results, is_filtered=words is not None))


def list_of_sessions(request: Request) -> Reply:
    """`GET /api/payments/sessions/`, with `?session_status=` in any case."""
    return _list(request, SessionListed.of, _wanted(request, "session_status", {word.value: [word] for word in SessionStatus}))


def list_of_payments(request: Request) -> Reply:
    """`GET /api/payments/`, with `?status=` in any case."""
    words: dict[str, list[SessionStatus]] = {}
    for inner, word in WORDS.items():
        words.setdefault(word.lower(), []).append(inner)
    return _list(request, PaymentOut.of, _wanted(request, "status", words))


def _wanted(request: Request, name: str, words: dict[str, list[SessionStatus]]) -> list[SessionStatus] | None:
    text = request.parameter(name) or request.parameter("status")
    if text is None:
        return None
    if text.lower() not in words:
        raise InvalidInputError(FieldProblem(name, f"One of these is expected: {', '.join(words)}."))
    return words[text.lower()]


handlers: dict[str, Any] = {
    "list_sessions": list_of_sessions,
    "get_session": get_session,
    "session_status": status,
    "session_events": events,
    "list_payments": list_of_payments,
    "list_payments_doubled": list_of_payments,
    "get_payment": get_payment,
    "get_payment_doubled": get_payment,
    "check_booking": check_booking,
    "check_booking_doubled": check_booking,
}

handler = build_app("read_payments", handlers)
