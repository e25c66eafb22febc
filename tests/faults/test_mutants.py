"""The suite notices every guard that is missing."""

from __future__ import annotations

from typing import Final

import pytest

from tests.faults import mutants, suite

FEWEST: Final = 350


def test_the_suite_is_content_with_the_package_as_it_is() -> None:
    assert [name for name in suite.tries() if suite.noticed(name)] == []


@pytest.mark.short_form
def test_every_missing_guard_is_noticed() -> None:
    every = mutants.mutants()
    assert len(every) >= FEWEST
    assert [str(mutant) for mutant, killer in mutants.killers(every) if killer is None] == []


def test_no_guard_is_gone_that_was_there() -> None:
    assert mutants.gone(mutants.mutants()) == [], "left out on purpose? `python -m tests.faults kill` writes the list anew"
