"""Which status may follow which. The same table writes the conditions of the writes and the diagram in the documents."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SessionStatus(StrEnum):
    """Document B's six words; nothing else is ever shown as `session_status`."""

    PENDING = "pending"
    PAYMENT_INITIATED = "payment_initiated"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    ORDER_CREATED = "order_created"


class AttemptStatus(StrEnum):
    """Where one try to collect the money stands."""

    CREATED = "created"
    SENT = "sent"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEEDS_REVIEW = "needs_review"
    REFUND_DUE = "refund_due"


class RefundStatus(StrEnum):
    """Where the way back of a captured amount stands."""

    DUE = "due"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUNDED = "refunded"
    FAILED = "failed"
    NEEDS_REVIEW = "needs_review"


class BookingStatus(StrEnum):
    """Document A's booking."""

    CONFIRMED = "CONFIRMED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class OrderStatus(StrEnum):
    """Document B's order, from the payment to the door."""

    CONFIRMED = "confirmed"
    PACKED = "packed"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


S, T, R, K, D = SessionStatus, AttemptStatus, RefundStatus, BookingStatus, OrderStatus

UNRESOLVED: Final = frozenset({T.CREATED, T.SENT, T.UNKNOWN})
"""An attempt whose outcome nobody knows yet."""

SESSION_MOVES: Final[Mapping[SessionStatus, frozenset[SessionStatus]]] = {
    S.PENDING: frozenset({S.PAYMENT_INITIATED, S.EXPIRED}),
    S.PAYMENT_INITIATED: frozenset({S.PAID, S.FAILED}),
    S.FAILED: frozenset({S.PAYMENT_INITIATED, S.PAID}),
    S.EXPIRED: frozenset({S.PAID}),
    S.PAID: frozenset({S.ORDER_CREATED, S.FAILED}),
    S.ORDER_CREATED: frozenset(),
}

ATTEMPT_MOVES: Final[Mapping[AttemptStatus, frozenset[AttemptStatus]]] = {
    T.CREATED: frozenset({T.SENT, T.UNKNOWN, T.SUCCEEDED, T.FAILED, T.NEEDS_REVIEW}),
    T.SENT: frozenset({T.SUCCEEDED, T.FAILED, T.NEEDS_REVIEW}),
    T.UNKNOWN: frozenset({T.SUCCEEDED, T.FAILED, T.NEEDS_REVIEW}),
    T.FAILED: frozenset({T.SUCCEEDED, T.NEEDS_REVIEW}),
    T.NEEDS_REVIEW: frozenset({T.SUCCEEDED, T.FAILED, T.REFUND_DUE}),
    T.SUCCEEDED: frozenset({T.REFUND_DUE, T.NEEDS_REVIEW}),  # needs review: nothing can be made of its money
    T.REFUND_DUE: frozenset(),
}

REFUND_MOVES: Final[Mapping[RefundStatus, frozenset[RefundStatus]]] = {
    R.DUE: frozenset(
        {R.SENDING, R.REFUNDED, R.NEEDS_REVIEW}
    ),  # refunded: by hand while a dead letter, or by a sending that seemed lost
    R.SENDING: frozenset({R.DUE, R.ACCEPTED, R.REFUNDED, R.FAILED, R.NEEDS_REVIEW}),
    R.ACCEPTED: frozenset({R.REFUNDED, R.FAILED, R.NEEDS_REVIEW}),
    R.FAILED: frozenset(),  # what is owed anew is the next number: a refund of its own
    R.NEEDS_REVIEW: frozenset({R.REFUNDED}),
    R.REFUNDED: frozenset(),
}

BOOKING_MOVES: Final[Mapping[BookingStatus, frozenset[BookingStatus]]] = {
    K.CONFIRMED: frozenset({K.CONFIRMED, K.COMPLETED, K.CANCELLED}),
    K.COMPLETED: frozenset(),
    K.CANCELLED: frozenset(),
}

ORDER_MOVES: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    D.CONFIRMED: frozenset({D.PACKED, D.CANCELLED}),
    D.PACKED: frozenset({D.OUT_FOR_DELIVERY, D.CANCELLED}),
    D.OUT_FOR_DELIVERY: frozenset({D.DELIVERED, D.CANCELLED}),
    D.DELIVERED: frozenset(),
    D.CANCELLED: frozenset(),
}


ORDER_UNDO: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    D.PACKED: frozenset({D.CONFIRMED}),
    D.OUT_FOR_DELIVERY: frozenset({D.PACKED}),
    D.DELIVERED: frozenset({D.OUT_FOR_DELIVERY}),
}
"""Where the shop takes an order back to that it has moved by mistake: one step, and never out of a cancellation."""


def session_sources(target: SessionStatus) -> frozenset[SessionStatus]:
    """The statuses from which a session may become `target`."""
    return frozenset(source for source, targets in SESSION_MOVES.items() if target in targets)


def refund_sources(target: RefundStatus) -> frozenset[RefundStatus]:
    """The statuses from which a refund may become `target`."""
    return frozenset(source for source, targets in REFUND_MOVES.items() if target in targets)


def attempt_sources(target: AttemptStatus) -> frozenset[AttemptStatus]:
    """The statuses from which an attempt may become `target`."""
    return frozenset(source for source, targets in ATTEMPT_MOVES.items() if target in targets)


def booking_sources(target: BookingStatus) -> frozenset[BookingStatus]:
    """The statuses from which a booking may become `target`."""
    return frozenset(source for source, targets in BOOKING_MOVES.items() if target in targets)


def order_sources(target: OrderStatus) -> frozenset[OrderStatus]:
    """The statuses from which an order may become `target`."""
    return frozenset(source for source, targets in ORDER_MOVES.items() if target in targets)


def order_undo_sources(target: OrderStatus) -> frozenset[OrderStatus]:
    """The statuses from which an order may be taken back to `target`."""
    return frozenset(source for source, targets in ORDER_UNDO.items() if target in targets)


def order_before(status: OrderStatus) -> OrderStatus | None:
    """Where an order stood before the step that made it `status`; None for what is no step."""
    return next(iter(ORDER_UNDO.get(status, ())), None)
