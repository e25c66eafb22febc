"""The tables of moves: what may follow what, and nothing else."""

from __future__ import annotations

from payfirst.domain.moves import (
    ATTEMPT_MOVES,
    ORDER_MOVES,
    SESSION_MOVES,
    UNRESOLVED,
    AttemptStatus,
    OrderStatus,
    SessionStatus,
    attempt_sources,
    session_sources,
)


def test_sessions_show_exactly_the_documents_six_words() -> None:
    words = {"pending", "payment_initiated", "paid", "failed", "expired", "order_created"}

    assert {status.value for status in SessionStatus} == words
    assert set(SESSION_MOVES) == set(SessionStatus)


def test_an_order_is_final() -> None:
    assert SESSION_MOVES[SessionStatus.ORDER_CREATED] == frozenset()


def test_only_a_paid_session_becomes_an_order() -> None:
    assert session_sources(SessionStatus.ORDER_CREATED) == {SessionStatus.PAID}


def test_an_unpaid_session_expires_only_while_nothing_was_tried() -> None:
    assert session_sources(SessionStatus.EXPIRED) == {SessionStatus.PENDING}


def test_a_success_is_never_taken_back() -> None:
    assert ATTEMPT_MOVES[AttemptStatus.SUCCEEDED] == {AttemptStatus.REFUND_DUE, AttemptStatus.NEEDS_REVIEW}
    assert attempt_sources(AttemptStatus.FAILED) == UNRESOLVED | {AttemptStatus.NEEDS_REVIEW}


def test_an_order_takes_each_step_to_the_door_and_may_be_cancelled_before_it() -> None:
    assert {status: set(ORDER_MOVES[status]) for status in OrderStatus} == {
        OrderStatus.CONFIRMED: {OrderStatus.PACKED, OrderStatus.CANCELLED},
        OrderStatus.PACKED: {OrderStatus.OUT_FOR_DELIVERY, OrderStatus.CANCELLED},
        OrderStatus.OUT_FOR_DELIVERY: {OrderStatus.DELIVERED, OrderStatus.CANCELLED},
        OrderStatus.DELIVERED: set(),
        OrderStatus.CANCELLED: set(),
    }
