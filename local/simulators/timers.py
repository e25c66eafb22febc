"""One clock that tests may move, and one thread that does things when their time has come."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import traceback
from collections.abc import Callable

Job = Callable[[], object]


class Timers:
    """Runs jobs at instants of a clock (seconds since 1970) that can be moved forward but never back."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self._offset_s = offset_s
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running = False
        self._thread = threading.Thread(target=self._run, name="simulator-timers", daemon=True)

    def now(self) -> float:
        """The simulators' time."""
        return time.time() + self._offset_s

    def at(self, instant: float, job: Job) -> None:
        """Run `job` once, as soon as the clock has reached `instant`."""
        with self._changed:
            heapq.heappush(self._heap, (instant, next(self._order), job))
            self._changed.notify()

    def forget_all(self) -> None:
        """Drop every job that has not begun."""
        with self._changed:
            self._heap.clear()

    def advance(self, seconds: float) -> float:
        """Move the clock, run what has become due before returning; answers the whole offset from real time."""
        with self._changed:
            self._offset_s += seconds
            self._changed.notify()
        while (job := self._due_job()) is not None:
            job()
        return self._offset_s

    def start(self) -> None:
        """Begin to run jobs."""
        self._running = True
        self._thread.start()

    def close(self) -> None:
        """Stop; jobs that are not yet due are left undone."""
        with self._changed:
            self._running = False
            self._changed.notify()
        self._thread.join()

    def _due_job(self) -> Job | None:
        with self._changed:
            if self._heap and self._heap[0][0] <= self.now():
                return heapq.heappop(self._heap)[2]
            return None

    def _run(self) -> None:
        while self._running:
            job = self._due_job()
            if job is not None:
                try:
                    job()
                except Exception:  # noqa: BLE001 - one failed job must be seen, and must not stop the others
                    traceback.print_exc()
                continue
            with self._changed:
                if not self._running:
                    return
                wait_s = self._heap[0][0] - self.now() if self._heap else None
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
