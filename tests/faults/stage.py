"""Actors that take turns: each runs until its next call, and a schedule decides who goes on.

A schedule is the default order, in which an actor goes on until it ends and the next one follows, with departures from it: at
such a step another actor goes on. With the seed of the shop that is all there is, so a schedule can be run again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from payfirst.domain.errors import PayFirstError
from tests.faults.seam import Boundary, Fault, Killed
from tests.faults.world import World

PATIENCE_S: Final = 20.0
"""An actor that has not made its next call by then waits for something that nobody gives it."""

Work = Callable[[World], Any]
Choice = Callable[[int, Sequence[str], "str | None"], "str | None"]
"""Who goes on: from the step, those who can, and the default."""

Departures = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Actor:
    """What somebody does, once `ready`."""

    work: Work
    ready: Callable[[World], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who goes on where the default order says otherwise, which call meets a fault, and whether side work is done late."""

    departures: Departures = ()
    fault: tuple[int, Fault] | None = None
    late: bool = False

    def __str__(self) -> str:
        switches = " ".join(f"{step}:{actor}" for step, actor in self.departures) or "-"
        fault = f"{self.fault[0]}:{self.fault[1].name}" if self.fault else "-"
        return f"{switches}/{fault}/{'late' if self.late else 'at-once'}"

    @staticmethod
    def read(text: str) -> Schedule:
        """The inverse of `str`."""
        switches, fault, late = text.split("/")
        pairs = [] if switches == "-" else [pair.split(":") for pair in switches.split(" ")]
        departures = tuple((int(step), actor) for step, actor in pairs)
        step, _, name = fault.partition(":")
        return Schedule(departures, None if fault == "-" else (int(step), Fault[name]), late == "late")


@dataclass(slots=True)
class Trace:
    """What happened: at each step who could go on and who did, the calls, and errors that nobody may cause."""

    steps: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    calls: list[Boundary] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class _Player(threading.Thread):
    def __init__(self, name: str, actor: Actor, stage: Stage) -> None:
        super().__init__(name=name, daemon=True)
        self.actor, self.stage = actor, stage
        self.go, self.waits = threading.Semaphore(0), threading.Semaphore(0)
        self.over = self.begun = False

    def run(self) -> None:
        self.go.acquire()
        try:
            self.actor.work(self.stage.world)
        except (PayFirstError, Killed):
            pass
        except BaseException as error:  # noqa: BLE001 - it is a finding, and the stage must not wait for ever
            self.stage.trace.errors.append(f"{self.name}: {type(error).__name__}: {error}")
        self.over = True
        self.waits.release()

    def stop_here(self) -> None:
        """Called by the actor itself, right before a call: hand over and wait."""
        self.waits.release()
        self.go.acquire()

    def advance(self) -> None:
        """Called by the stage: let the actor make its call and run to the next one."""
        if not self.begun:
            self.begun = True
            self.start()
        self.go.release()
        if not self.waits.acquire(timeout=PATIENCE_S):
            raise AssertionError(f"{self.name} waits for somebody who waits for it")


class Stage:
    """One run of a schedule."""

    def __init__(self, world: World, actors: Mapping[str, Actor], schedule: Schedule) -> None:
        self.world, self.schedule, self.trace = world, schedule, Trace()
        self._players = {name: _Player(name, actor, self) for name, actor in actors.items()}
        world.seam.turn = self._turn
        world.seam.actor = lambda: threading.current_thread().name
        fault = schedule.fault
        world.faulted = fault is not None
        world.seam.plan = lambda boundary: fault[1] if fault and boundary.number == fault[0] else None

    def _turn(self, _: Boundary) -> None:
        player = threading.current_thread()
        if isinstance(player, _Player):
            player.stop_here()

    def play(self, choose: Choice | None = None) -> Trace:
        """Run until nobody can go on. `choose` may depart from the default order at any step."""
        departures = dict(self.schedule.departures)
        self.world.seam.active = True
        current: str | None = None
        while True:
            enabled = self._enabled()
            if not enabled:
                break
            step = len(self.trace.steps)
            default = current if current in enabled else enabled[0]
            wished = choose(step, enabled, default) if choose else departures.get(step)
            current = wished if wished in enabled else default
            self.trace.steps.append((enabled, str(current)))
            self._players[str(current)].advance()
        self.world.seam.active = False
        self.trace.calls = list(self.world.seam.made)
        return self.trace

    def _enabled(self) -> tuple[str, ...]:
        return tuple(
            name
            for name, player in self._players.items()
            if not player.over and (player.begun or player.actor.ready(self.world))
        )
