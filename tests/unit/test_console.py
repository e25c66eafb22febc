"""What `make run` shows of what customers and gateways sent: one line each, with nothing that a terminal obeys."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.console import Moves, Screen, readable
from ops import logs
from ops.running import LOGS, MOVES, tell_console
from payfirst.observability import note

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


def test_a_session_is_named_by_what_it_is_about_once_that_is_known() -> None:
    screen, shown = Screen(Console(file=(file := io.StringIO()), width=200)), file
    for record in (
        {"event": "session.created", "session": "01a2-beef", "about": "Fresh Tomatoes and 1 more"},
        {"event": "payment.received", "session": "01a2-beef", "amount": "350.00"},
        {"event": "payment.received", "session": "01a2-cafe"},
    ):
        screen.show({"kind": "log", "function": "webhook", "record": record})
    first, second, other = shown.getvalue().splitlines()
    assert first.endswith("session.created  session=Fresh Tomatoes and 1 more (…beef)")
    assert second.endswith("payment.received  session=Fresh Tomatoes and 1 more (…beef)  amount=350.00")
    assert other.endswith("session=01a2-cafe")


def test_what_a_command_does_is_shown_by_the_console_of_the_stack_that_it_does_it_to(tmp_path: Path) -> None:
    (folder := tmp_path / LOGS).mkdir()
    moves = Moves(folder / MOVES)
    assert list(moves.since()) == []
    with logs.aside(shown=False):
        tell_console(folder)
        note("order.packed", order="ORD-20260720-001")
    [told] = moves.since()
    line = readable(told)
    assert line is not None
    assert "order.packed  order=ORD-20260720-001" in line.plain
    assert list(moves.since()) == []
    with (folder / MOVES).open("a", encoding="utf-8") as half:
        half.write('{"event": "order.deli')
    assert list(moves.since()) == [], "a line that is not whole yet waits"
