"""Workers are killed with `kill -9` while customers pay: when the sweeps have run, every capture is in exactly one place."""

from __future__ import annotations

from io import StringIO
from typing import Final

import pytest
from rich.console import Console

from local.kill_storm import run, unfinished, workers_of
from tests.conftest import RunningStack

SECONDS: Final = 20.0
FEWEST_KILLS: Final = 4


def test_killed_workers_cost_no_payment() -> None:
    killed = run(Console(file=StringIO()), seconds=SECONDS, seed=7)

    assert killed.problems == []
    assert killed.kills >= FEWEST_KILLS
    assert len(killed.books.lines) > 0


def test_only_the_workers_of_one_stack_are_found(stack: RunningStack) -> None:
    found = workers_of(stack.host_pid)
    assert found
    assert stack.host_pid not in found
    assert workers_of(1) == []


@pytest.mark.parametrize(
    "item",
    [
        {"pk": "ATT#MT1", "sk": "ATT", "status": "unknown"},
        {"pk": "ATT#MT1", "sk": "R#001", "status": "sending"},
        {"pk": "U#a", "sk": "S#1", "status": "paid"},
        {"pk": "INBOX#1", "sk": "INBOX"},
    ],
    ids=lambda item: item["sk"],
)
def test_what_waits_is_not_called_settled(item: dict[str, str]) -> None:
    assert len(list(unfinished([item]))) == 1
