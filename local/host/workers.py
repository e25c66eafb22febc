"""The worker processes of one function: real `awslambdaric`, one invocation at a time each, replaced when they end."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from local.host.application import Function
from local.host.children import DIE_WITH_PARENT
from local.host.config import HostConfig
from local.host.environment import runtime_module, worker_environment
from local.host.invocation import Failure, Invocation, Outcome, failed
from local.host.tell import FunctionLog, tell

INIT_SECONDS: Final = 30.0
GROW_AFTER_SECONDS: Final = 0.03
"""How long a call waits for a busy worker before another is started: shorter waits are cheaper than a process."""


class Slot:
    """One worker's place; at most one process and one invocation at a time."""

    def __init__(self, pool: WorkerPool, listener: socket.socket) -> None:
        self._pool = pool
        self.listener = listener
        self.port: int = listener.getsockname()[1]
        self.process: asyncio.subprocess.Process | None = None
        self.current: Invocation | None = None
        self.starting = False
        self._asked: asyncio.Future[Invocation | None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._started_at = 0.0
        self._last_words: Outcome | None = None

    @property
    def idle(self) -> bool:
        """Whether the worker waits for work."""
        return self._asked is not None

    async def start(self) -> None:
        """Start the worker and watch it until it ends; the caller has set `starting`."""
        function = self._pool.function
        loop = asyncio.get_running_loop()
        self._last_words = None
        try:
            self.process = process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                runtime_module(),
                function.handler,
                cwd=function.folder,
                env=worker_environment(function, self._pool.config, self.port),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                preexec_fn=DIE_WITH_PARENT,
            )
        except OSError as exc:
            self._last_words = failed(Failure.INIT, "Runtime.NoProcess", str(exc))
            self._ended(1)
            return
        self._timer = loop.call_later(INIT_SECONDS, self._end, failed(Failure.INIT, "Sandbox.Timedout", "Init timed out"))
        try:
            await self._copy_output(process)
        except BaseException:
            self.kill()
            raise
        finally:
            self._ended(await process.wait())

    async def next(self) -> Invocation | None:
        """The worker asks for work: the next invocation, as soon as there is one; None once the worker is gone."""
        self.starting = False
        self._stop_timer()
        self.current = None
        asked: asyncio.Future[Invocation | None] = asyncio.get_running_loop().create_future()
        self._asked = asked
        self._pool.worker_is_free(self)
        return await asked

    def give(self, invocation: Invocation) -> None:
        """Hand an invocation to the idle worker; its time runs from now."""
        if self._asked is None:
            raise RuntimeError("work was given to a worker that did not ask")
        asked, self._asked = self._asked, None
        timeout = self._pool.function.timeout
        invocation.deadline_ms = int((time.time() + timeout) * 1000)
        self.current = invocation
        self._started_at = time.monotonic()
        self._pool.log.note(f"START RequestId: {invocation.request_id} Version: $LATEST")
        self._timer = asyncio.get_running_loop().call_later(timeout, self._timed_out, invocation)
        asked.set_result(invocation)

    def answered(self, request_id: str, outcome: Outcome) -> bool:
        """The worker says what became of `request_id`; False if that is not what it works on."""
        invocation = self.current
        if invocation is None or invocation.request_id != request_id:
            return False
        self._stop_timer()
        self._report(invocation)
        invocation.finish(outcome)
        return True

    def init_failed(self, outcome: Outcome) -> None:
        """The worker says that the function cannot be loaded; it ends by itself afterwards."""
        self._last_words = outcome

    def kill(self) -> None:
        """End the worker at once."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()

    def _timed_out(self, invocation: Invocation) -> None:
        seconds = f"{self._pool.function.timeout:.2f}"
        message = f"{invocation.request_id} Task timed out after {seconds} seconds"
        tell("log", function=self._pool.function.name, record={"level": "ERROR", "message": message})
        self._pool.log.note(message)
        self._end(failed(Failure.TIMEOUT, "Sandbox.Timedout", f"RequestId: {message}"))

    def _end(self, outcome: Outcome) -> None:
        self._last_words = outcome
        self.kill()

    async def _copy_output(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("a worker was started without a pipe for its output")
        rest = b""
        while chunk := await process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._pool.log.line(line)
        if rest:
            self._pool.log.line(rest)

    def _ended(self, code: int) -> None:
        """The process is gone: whoever waited for it learns why."""
        never_ready = self.starting
        self._stop_timer()
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)
        self._asked = None
        self.starting = False
        self.process = None
        invocation, self.current = self.current, None
        outcome = self._last_words or failed(
            Failure.CRASH, "Runtime.ExitError", f"the worker ended with {describe_exit(code)} before it answered"
        )
        if invocation is not None and not invocation.outcome.done():
            self._report(invocation)
            invocation.finish(outcome)
        self._pool.worker_is_gone(self, outcome if never_ready else None)

    def _report(self, invocation: Invocation) -> None:
        milliseconds = (time.monotonic() - self._started_at) * 1000
        self._pool.log.note(f"REPORT RequestId: {invocation.request_id} Duration: {milliseconds:.2f} ms")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class WorkerPool:
    """All workers of one function and the calls that wait for one."""

    def __init__(self, function: Function, config: HostConfig) -> None:
        self.function = function
        self.config = config
        self.log = FunctionLog(function.name, config.log_dir)
        self.slots = [Slot(self, _listen()) for _ in range(config.max_workers)]
        self._waiting: deque[Invocation] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def invoke(self, payload: bytes) -> Outcome:
        """Call the function with an event (JSON) and wait for what becomes of it; never raises for the function's faults."""
        loop = asyncio.get_running_loop()
        invocation = Invocation(str(uuid4()), payload, loop.create_future())
        idle = next((slot for slot in self.slots if slot.idle), None)
        if idle is not None:
            idle.give(invocation)
        else:
            self._waiting.append(invocation)
            if any(slot.process is not None for slot in self.slots):
                loop.call_later(GROW_AFTER_SECONDS, self._grow)
            else:
                self._grow()
        try:
            return await invocation.outcome
        finally:
            if invocation in self._waiting:
                self._waiting.remove(invocation)

    def warm(self) -> None:
        """Start a first worker if there is none."""
        if not any(slot.starting or slot.process for slot in self.slots):
            self._start_one()

    async def ready(self) -> None:
        """Wait until no worker is starting: each is ready, or could not start."""
        while any(slot.starting for slot in self.slots):
            await asyncio.sleep(0.02)

    def worker_is_free(self, slot: Slot) -> None:
        """A worker asks for work: the call that has waited longest gets it."""
        while self._waiting:
            invocation = self._waiting.popleft()
            if not invocation.outcome.done():
                slot.give(invocation)
                return

    def worker_is_gone(self, slot: Slot, never_ready: Outcome | None) -> None:
        """A worker ended; if it never became ready, the call it was started for fails, else a new one takes its place."""
        if self._closing:
            return
        if never_ready is not None:
            tell("problem", text=f"{self.function.name} could not start: {never_ready.reason}")
            if self._waiting:
                self._waiting.popleft().finish(never_ready)
            self._grow()
        elif not any(other.process or other.starting for other in self.slots if other is not slot) or self._waiting:
            self._start_one()

    async def close(self) -> None:
        """End every worker; calls under way fail."""
        self._closing = True
        for slot in self.slots:
            slot.kill()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        self.log.close()

    def _grow(self) -> None:
        starting = sum(slot.starting for slot in self.slots)
        if len(self._waiting) > starting and not self._closing:
            self._start_one()

    def _start_one(self) -> None:
        slot = next((slot for slot in self.slots if slot.process is None and not slot.starting), None)
        if slot is None:
            return
        slot.starting = True
        task = asyncio.get_running_loop().create_task(slot.start(), name=f"{self.function.name} worker")
        self._tasks.add(task)
        task.add_done_callback(self._watched)

    def _watched(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            tell("problem", text=f"the watch over a worker of {self.function.name} broke: {fault!r}")


def describe_exit(code: int) -> str:
    """`exit status 3` or `signal 9`."""
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


def by_port(pools: Mapping[str, WorkerPool]) -> dict[int, Slot]:
    """Every slot of every pool by the port on which its worker asks."""
    return {slot.port: slot for pool in pools.values() for slot in pool.slots}
