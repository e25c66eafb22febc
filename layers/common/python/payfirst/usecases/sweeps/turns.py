"""Whose turn it is in one run: each kind of work has its share of the time, however much is due of the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from payfirst.storage.due import Entry

LOOK_AHEAD: Final = 4000
"""How many entries of the one kind are held at most while the next of the other is looked for: a page of each shard."""

Stream = Iterator[Entry | None]
"""Entries; None while there is none at hand."""


def apart(entries: Iterator[Entry], is_first: Callable[[Entry], bool]) -> tuple[Stream, Stream]:
    """`entries` as two streams, each in its order: those of which `is_first` says so, and the others."""
    held: dict[bool, deque[Entry]] = {True: deque(), False: deque()}

    def stream(wanted: bool) -> Stream:  # noqa: FBT001 - which of the two
        mine, others = held[wanted], held[not wanted]
        while True:
            if mine:
                yield mine.popleft()
            elif len(others) >= LOOK_AHEAD:
                yield None
            else:
                entry = next(entries, None)
                if entry is None:
                    return
                held[is_first(entry)].append(entry)

    return stream(wanted=True), stream(wanted=False)
