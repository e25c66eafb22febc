"""When an attempt is looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from payfirst.domain.attempt import next_check

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def _ladder(gateway: str) -> list[int]:
    seconds, check, now = [], 0, START
    while (following := next_check(gateway, START, check, now)) is not None:
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

    assert next_check("MPESA", START, 1, late) == (5, START + timedelta(seconds=300))
    assert next_check("MPESA", START, 1, START + timedelta(days=2)) is None
