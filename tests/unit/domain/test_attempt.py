"""When an attempt is looked at again, and what it has brought."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from payfirst.domain.attempt import Attempt
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import AttemptStatus
from payfirst.domain.session import CartGuard, Kind
from payfirst.gateways.mpesa.terms import MPESA
from payfirst.gateways.registry import terms_of

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def _ladder(gateway: str) -> list[int]:
    seconds, check, now = [], 0, START
    while (following := terms_of(gateway).next_check(START, check, now)) is not None:
        check, now = following[0] + 1, following[1]
        seconds.append(int((now - START).total_seconds()))
    return seconds


def test_mpesa_is_asked_ten_times_within_a_day() -> None:
    assert _ladder("MPESA") == [10, 20, 40, 75, 120, 300, 900, 3600, 21600, 86400]


def test_phonepe_is_asked_at_the_pace_it_demands() -> None:
    ladder = _ladder("PHONEPE")
    steps = [later - earlier for earlier, later in pairwise(ladder)]

    assert 20 <= ladder[0] <= 25
    assert steps[:10] == [3] * 10
    assert steps[10:20] == [6] * 10
    assert steps[20:26] == [10] * 6
    assert steps[26:28] == [30] * 2
    assert set(steps[28:-3]) == {60}
    assert ladder[-4] >= 3600


def test_looks_that_were_missed_are_made_up_by_one() -> None:
    late = START + timedelta(minutes=4)

    assert MPESA.next_check(START, 1, late) == (5, START + timedelta(seconds=300))
    assert MPESA.next_check(START, 1, START + timedelta(days=2)) is None


def test_what_an_attempt_has_brought_is_only_said_once_it_has_brought_something() -> None:
    asked = Money(35000, Currency.KES)
    attempt = Attempt(
        ref="MT0123456789abc",
        number=1,
        transaction="TX",
        owner="sub",
        session_number=1,
        kind=Kind.ORDER,
        guard=CartGuard("V#1", "1"),
        gateway="MPESA",
        amount=asked,
        status=AttemptStatus.SENT,
        created_at=START,
    )

    assert replace(attempt, captured=asked).collected == asked
    with pytest.raises(ValueError, match="has brought nothing"):
        _ = attempt.collected
