"""Mutants that may survive, with the reason; everything else has to be noticed."""

from __future__ import annotations

from typing import Final

from tests.faults.mutation import Mutant

MOST_SURVIVORS: Final = 0
REASONS: Final[dict[str, str]] = {}


def reason_for(mutant: Mutant) -> str | None:
    """Why it need not be noticed; None where it has to be."""
    return REASONS.get(str(mutant))
