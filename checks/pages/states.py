"""The diagrams of states, from the one table of moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from payfirst.domain import moves


def diagram(table: Mapping[Any, frozenset[Any]]) -> str:
    """What may follow what; a thing begins as the first status of its table, and ends as one that nothing follows."""
    lines = [f"[*] --> {next(iter(table))}"]
    for source, targets in table.items():
        lines += [f"{source} --> {target}" for target in table if target in targets] or [f"{source} --> [*]"]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"  {line}" for line in lines), "```"])


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    f"the statuses of {name}": partial(diagram, table)
    for name, table in (
        ("a session", moves.SESSION_MOVES),
        ("an attempt", moves.ATTEMPT_MOVES),
        ("a refund", moves.REFUND_MOVES),
        ("a booking", moves.BOOKING_MOVES),
        ("an order", moves.ORDER_MOVES),
    )
}
