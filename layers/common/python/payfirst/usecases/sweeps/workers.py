"""Workers that share one run: each takes up what is next in the lanes, and reads on where nothing in them can begin now."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from payfirst.gateways.circuit_breaker import About
from payfirst.storage.due import Entry
from payfirst.storage.dynamodb.table import MOST_READ

POLL_S: Final = 0.02
"""How long a worker waits that finds nothing to begin while others are at work."""

FEW: Final = 2
"""How many are at work at once of those that could not be read: any of them may wait for a gateway that does not answer."""

LONGEST_LANE: Final = 5000
"""What waits in one lane at most: more than a run gets through. What is read beyond it is left to the next run."""


def in_threads(work: Callable[[], None], count: int) -> None:
    """Do `work` in `count` threads at once, in the caller's alone for one. Raises the first error once all have ended."""
    if count == 1:
        work()
        return
    with ThreadPoolExecutor(count) as threads:
        begun = [threads.submit(work) for _ in range(count)]
    for each in begun:
        each.result()


@dataclass(frozen=True, slots=True)
class Crew:
    """At most `size` workers, how they run, and the clock that they wait by, in seconds. One works in its caller's thread."""

    size: int = 1
    run: Callable[[Callable[[], None], int], None] = in_threads
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Lane:
    """What takes turns with the rest: entries that wait for one gateway's word about one thing, for sessions of one kind.

    What needs nobody's word has no gateway. A stored notice (`is_notice`) may need none: it is taken up all the same where its
    gateway cannot be asked.
    """

    gateway: str | None = None
    about: About = About.PAYMENTS
    kind: str = ""
    is_notice: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One entry and its lane (None: it could not be read yet); `failed_before` says that failures of it are counted."""

    entry: Entry
    lane: Lane | None = None
    failed_before: bool = False

    @property
    def place(self) -> tuple[str | None, About] | None:
        """What it is at work for: a gateway, if there is one, and for what; None where nobody knows yet."""
        return (self.lane.gateway, self.lane.about) if self.lane else None


@dataclass(slots=True)
class Lanes:
    """What was read and waits. Each lane has its turn after the others.

    `has_room(lane, calls, refunds)`: whether one more may begin beside so many of its gateway, of which so many are refunds.
    """

    has_room: Callable[[Lane, int, int], bool]
    _waiting: dict[Lane | None, deque[Task]] = field(default_factory=dict)
    _busy: Counter[tuple[str | None, About] | None] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, task: Task) -> bool:
        """Whether `task` waits now; not where its lane is as long as it gets."""
        with self._lock:
            waiting = self._waiting.setdefault(task.lane, deque())
            if len(waiting) >= LONGEST_LANE:
                return False
            waiting.append(task)
            return True

    def __len__(self) -> int:
        """How many wait."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def take(self) -> Task | None:
        """The next that may begin, which has its place until it is `done`; None while there is none."""
        with self._lock:
            for lane, waiting in self._waiting.items():
                if waiting and self._can_begin(lane):
                    self._waiting[lane] = self._waiting.pop(lane)  # the last from now on
                    task = waiting.popleft()
                    self._busy[task.place] += 1
                    return task
        return None

    def done(self, task: Task) -> None:
        """Give the place of `task` back."""
        with self._lock:
            self._busy[task.place] -= 1

    def _can_begin(self, lane: Lane | None) -> bool:
        if lane is None:
            return self._busy[None] < FEW
        if lane.gateway is None:
            return True
        refunds = self._busy[lane.gateway, About.REFUNDS]
        return self.has_room(lane, refunds + self._busy[lane.gateway, About.PAYMENTS], refunds)


@dataclass(slots=True)
class Sweep:
    """One run over `found`: `sort` makes tasks of entries, `take_up` does one, both as long as the run `goes_on`.

    Neither is called in two workers about the same entry. What one of them raises ends the run for all.
    """

    found: Iterator[Entry]
    sort: Callable[[Sequence[Entry]], list[Task]]
    take_up: Callable[[Task], None]
    goes_on: Callable[[], bool]
    lanes: Lanes
    crew: Crew
    _read_all: bool = False
    _left_out: bool = False
    _stopped: bool = False
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> bool:
        """Whether the run got to the end of what was due."""
        while not self._read_all and not len(self.lanes) and self.goes_on():
            self._read()
        if len(self.lanes) or not self._read_all:
            self.crew.run(self._work, max(1, min(self.crew.size, len(self.lanes))))
        return self._read_all and not self._left_out and not len(self.lanes)

    def _work(self) -> None:
        try:
            while not self._stopped and (len(self.lanes) or not self._read_all):
                if not self.goes_on():
                    return
                task = self.lanes.take()
                if task is not None:
                    self._do(task)
                elif not self._read():
                    self.crew.pause(POLL_S)
        except BaseException:
            self._stopped = True
            raise

    def _do(self, task: Task) -> None:
        try:
            self.take_up(task)
        finally:
            self.lanes.done(task)

    def _read(self) -> bool:
        """Whether more was read into the lanes; not while another worker reads."""
        if self._read_all or not self._reading.acquire(blocking=False):
            return False
        try:
            entries = list(islice(self.found, MOST_READ))
            for task in self.sort(entries) if entries else ():
                if not self.lanes.add(task):
                    self._left_out = True
            self._read_all = len(entries) < MOST_READ
        finally:
            self._reading.release()
        return bool(entries)
