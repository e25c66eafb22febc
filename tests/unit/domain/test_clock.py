"""Instants have one form in items and answers, and nothing else is read as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from payfirst.domain.clock import instant, read_instant


def test_an_instant_is_written_in_utc_in_whole_seconds_and_read_again() -> None:
    nairobi = datetime(2026, 3, 1, 2, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=3)))
    assert instant(nairobi) == "2026-02-28T23:59:59Z"
    assert read_instant(instant(nairobi)) == datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    assert read_instant("2026-03-01T00:00:00Z").tzinfo is UTC


@pytest.mark.parametrize(
    "other",
    [
        *("", "2026-03-01", "2026-03-01T00:00:00", "2026-03-01T00:00:00+00:00", "2026-03-01 00:00:00Z", "20260301T000000.000Z"),
        *("2026-03-01T00:00:00Z\n", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-03-01T24:00:00Z"),
        *("\u0662\u0660\u0662\u0666-03-01T00:00:00Z", "2026-03-01t00:00:00z"),
    ],
)
def test_any_other_form_is_no_instant(other: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are Python's own where the form is right and the day is none
        read_instant(other)
