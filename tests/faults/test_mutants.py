"""The suite notices every guard that is missing, or it is written down that it does not, and why."""

from __future__ import annotations

from typing import Final

from tests.faults import mutants, suite
from tests.faults.mutation import Mutant
from tests.faults.survivors import REASONS, reason_for, still_open

FEWEST: Final = 70


def test_the_suite_is_content_with_the_package_as_it_is() -> None:
    assert [name for name in suite.tries() if suite.noticed(name)] == []


def test_every_missing_guard_is_noticed() -> None:
    every = mutants.expected()
    assert len(every) >= FEWEST
    assert [str(mutant) for mutant, killer in mutants.killers(every) if killer is None] == []


def test_nothing_is_excused_twice() -> None:
    assert not still_open() & set(REASONS)
    assert not still_open() & set(mutants.known_killers())


def test_a_guard_that_nobody_knows_is_not_excused() -> None:
    assert reason_for(Mutant("clause", "captures.money Update attempt: something … new")) is None
