"""What `make run` shows of what customers and gateways sent: one line each, with nothing that a terminal obeys."""

from __future__ import annotations

from typing import Any

import pytest

from local.console import readable

HOSTILE = "a\nFAKE  order.created\x1b[2J\u202eb[/bold]"


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "log", "function": "site", "record": {"event": "order.created", "reason": HOSTILE}},
        {"kind": "log", "function": "site", "record": {"message": HOSTILE, "level": "ERROR"}},
        {"kind": "problem", "text": HOSTILE},
        {"kind": "simulator", "text": HOSTILE},
        {"kind": "simulator", "text": f"10:00:00 {HOSTILE}"},
    ],
)
def test_a_line_that_was_told_is_one_line_and_data(told: dict[str, Any]) -> None:
    line = readable({"time": "2026-01-01T10:00:00+00:00", **told})
    assert line is not None
    assert line.plain.isprintable()
    assert "[/bold]" in line.plain


IDLE = {"event": "reconcile.ran", "examined": 0, "complete": True, "oldest_due": {"settle": 0, "refund": 0}}


@pytest.mark.parametrize(
    ("report", "is_shown"),
    [(IDLE, False), (IDLE | {"examined": 1}, True), (IDLE | {"oldest_due": {"settle": 0, "refund": 7}}, True)],
)
def test_a_sweep_is_shown_where_it_found_something_to_do(report: dict[str, Any], *, is_shown: bool) -> None:
    line = readable({"kind": "log", "function": "reconcile_payments", "time": "2026-01-01T10:00:00+00:00", "record": report})
    assert (line is not None) is is_shown
