"""Mutants that may survive. `REASONS` are argued: such a guard says what something else says already. `open.json` lists the
others by name: no try of the fast suite has noticed that they are missing, and nobody has shown yet that they need not be.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.faults.mutation import Mutant

OPEN: Final = Path(__file__).with_name("open.json")

_NAMED = "the write that makes this move names the statuses itself, so the table's entry serves the diagram"
_NEVER = "only a session without any attempt expires, so no money can come for it afterwards"
_NEXT = "a refund's next number is a new item, not a move of the refused one"

REASONS: Final[dict[str, str]] = {
    "move SESSION_MOVES expired → paid": _NEVER,
    "move ATTEMPT_MOVES created → failed": _NAMED,
    "move ATTEMPT_MOVES created → sent": _NAMED,
    "move ATTEMPT_MOVES created → unknown": _NAMED,
    "move ATTEMPT_MOVES sent → failed": _NAMED,
    "move ATTEMPT_MOVES unknown → failed": _NAMED,
    "move REFUND_MOVES failed → due": _NEXT,
}


def still_open() -> frozenset[str]:
    """The names of the guards that nobody has noticed or argued yet."""
    return frozenset(json.loads(OPEN.read_text()))


def reason_for(mutant: Mutant) -> str | None:
    """Why it need not be noticed (yet); None where it has to be."""
    if str(mutant) in REASONS:
        return REASONS[str(mutant)]
    return "open" if str(mutant) in still_open() else None
