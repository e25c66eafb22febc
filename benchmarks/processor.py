"""How much of the processor processes have had, read from Linux: to the nanosecond, of every thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def used(pid: int) -> int:
    """Nanoseconds that a process and its children have run; those of children that have ended are not in it."""
    return sum(_threads(one) for one in _family(pid))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in thread.read_text().split():
            yield from _family(int(child))


def _threads(pid: int) -> int:
    return sum(int(thread.read_text().split()[0]) for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"))
