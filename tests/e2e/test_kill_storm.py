"""Workers are killed with `kill -9` while customers pay: when the sweeps have run, every capture is in exactly one place."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Final

import pytest
from rich.console import Console

from tests.conftest import RunningStack
from tests.faults.two_ledgers import REFUND_WRONGS, refunded_once
from tests.proofs.kill_storm import Killed, run, unfinished, workers_of
from tests.tools import need

SECONDS: Final = 20.0
FEWEST_KILLS: Final = 4


@pytest.fixture(scope="module")
def stormed() -> Killed:
    need("aws")
    return run(Console(file=StringIO()), seconds=SECONDS, seed=7)


def test_killed_workers_cost_no_payment_and_no_refund(stormed: Killed) -> None:
    assert stormed.problems == []
    assert stormed.kills >= FEWEST_KILLS
    assert len(stormed.books.lines) > 0


@pytest.mark.parametrize("wrong", REFUND_WRONGS)
def test_one_refund_that_is_dropped_doubled_or_halved_is_a_problem(stormed: Killed, wrong: str) -> None:
    two = refunded_once(stormed.ledger, stormed.items)
    REFUND_WRONGS[wrong](two, "refunded")

    problems = replace(stormed, ledger=two.ledger, items=two.items).problems

    assert [problem for problem in problems if f"{two.refs['refunded']}, refunded: ours" in problem]


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
        {"pk": "ATT#MT1", "sk": "INBOX#0#1"},
    ],
    ids=lambda item: item["sk"],
)
def test_what_waits_is_not_called_settled(item: dict[str, str]) -> None:
    assert len(list(unfinished([item]))) == 1
