"""Each guard's mutant meets the suite, which has to notice it: none is excused."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.faults import suite
from tests.faults.mutation import Mutant, all_checks, all_moves, of_writes

KILLERS: Final = Path(__file__).with_name("killers.json")
"""Which try notices each mutant: it is asked first, and the whole suite only where it is silent."""


def mutants() -> list[Mutant]:
    """Every guard, in a stable order."""
    seen = suite.guards()
    clauses = sorted(seen.clauses)
    found = [Mutant("clause", name) for name in clauses] + [Mutant("write", name) for name in of_writes(clauses)]
    found += [Mutant("count", name) for name in sorted(seen.counts)]
    found += [Mutant("move", name) for name in all_moves()]
    return found + [Mutant("check", name) for name in all_checks()]


def known_killers() -> dict[str, str]:
    known: dict[str, str] = json.loads(KILLERS.read_text())
    return known


def gone(every: list[Mutant]) -> list[str]:
    """The guards that were there when the killers were written down, and that nobody finds any more."""
    return sorted(known_killers().keys() - {str(mutant) for mutant in every})


def keep(killers: dict[str, str | None]) -> None:
    """Write down who noticed what."""
    found = {name: killer for name, killer in sorted(killers.items()) if killer is not None}
    KILLERS.write_text(json.dumps(found, indent=0, ensure_ascii=False) + "\n")


def killers(every: list[Mutant]) -> Iterator[tuple[Mutant, str | None]]:
    """Who notices each mutant, as they come; None for one that nobody notices."""
    suite.warm()
    with multiprocessing.get_context("fork").Pool(min(2, os.cpu_count() or 1)) as pool:
        yield from pool.imap_unordered(_killer, every)


def _killer(mutant: Mutant) -> tuple[Mutant, str | None]:
    return mutant, suite.killer_of(mutant, known_killers().get(str(mutant)))
