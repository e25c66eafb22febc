"""The simulators' clock and what waits for it."""

from __future__ import annotations

import threading
import time

from local.simulators.timers import Timers

from .merchant import eventually


def test_moving_the_clock_runs_what_has_become_due_in_its_order_before_it_returns() -> None:
    timers = Timers()
    ran: list[str] = []
    now = timers.now()
    timers.at(now + 20, lambda: ran.append("second"))
    timers.at(now + 10, lambda: ran.append("first"))
    timers.at(now + 40, lambda: ran.append("not yet"))
    assert timers.advance(30) == 30
    assert ran == ["first", "second"]
    assert timers.now() - time.time() > 29


def test_jobs_run_by_themselves_and_a_failing_one_stops_no_other() -> None:
    timers = Timers()
    ran = threading.Event()
    timers.start()
    try:
        timers.at(timers.now(), lambda: 1 / 0)
        timers.at(timers.now() + 0.05, ran.set)
        assert eventually(ran.is_set)
    finally:
        timers.close()
