"""Puts the parts of the host together and runs them until somebody asks it to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Final

import uvicorn

from local.host.application import Application, read_application
from local.host.authorizer import CognitoAuthorizer
from local.host.config import HostConfig
from local.host.environment import function_arn
from local.host.front import Front
from local.host.queues import QueuePoller
from local.host.runtime_api import RuntimeApi
from local.host.schedules import fire_for_ever
from local.host.sign_in import SignIn
from local.host.streams import StreamPoller
from local.host.tell import tell
from local.host.workers import WorkerPool, by_port

KEEP_ALIVE_SECONDS: Final = 75
BACKLOG: Final = 512


class _Server(uvicorn.Server):
    """uvicorn without hands on the process's signals: the host has two servers and stops both itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Host:
    """One running host; `run` serves until `stop` is called."""

    def __init__(self, config: HostConfig) -> None:
        self._config = config
        self._application: Application = read_application(config)
        self._stop = asyncio.Event()
        self._fault: BaseException | None = None

    def stop(self) -> None:
        """Ask the host to stop."""
        self._stop.set()

    def fail(self, fault: BaseException, what: str) -> None:
        """Say that a part of the host broke, and stop rather than go on without it."""
        if not self._stop.is_set():
            tell("problem", text=f"the {what} broke: {fault!r}")
            self._fault = fault
            self._stop.set()

    async def run(self) -> None:
        """Serve until stopped; every process it started has ended when it returns. Raises what broke a part of it."""
        config, application = self._config, self._application
        pools = {name: WorkerPool(function, config) for name, function in application.functions.items()}
        slots = by_port(pools)
        arns = {slot.port: function_arn(pool.function, config.region) for pool in pools.values() for slot in pool.slots}
        runtime = _server(RuntimeApi(slots, arns))
        authorizer = CognitoAuthorizer(config.issuer, config.audience, config.jwks_url)
        sign_in = SignIn(config.sign_in, config.simulators) if config.sign_in else None
        front = _server(Front(application, pools, authorizer, sign_in))
        listener = _front_socket(config.port)
        loop = asyncio.get_running_loop()
        pollers: list[QueuePoller | StreamPoller] = []
        if not config.requests_only:
            pollers += [QueuePoller(source, pools[source.function], config, loop) for source in application.queues]
            fed = [source for source in application.streams if source.table in config.streams]
            pollers += [StreamPoller(source, pools[source.function], config, loop) for source in fed]
        tasks = [
            self._guarded(runtime.serve(sockets=[slot.listener for slot in slots.values()]), "runtime API"),
            self._guarded(front.serve(sockets=[listener]), "HTTP front"),
        ]
        try:
            while not (runtime.started and front.started) and not self._stop.is_set():
                await asyncio.sleep(0.01)
            tell("ready", port=listener.getsockname()[1], functions=len(pools), routes=len(application.routes))
            if config.warm:
                await self._warm([pools[name] for name in application.behind_routes()])
            for poller in pollers:
                poller.start()
            schedules = () if config.requests_only else application.schedules
            tasks += [
                self._guarded(fire_for_ever(schedule, pools[schedule.function], config.region), schedule.name)
                for schedule in schedules
            ]
            await self._stop.wait()
        finally:
            for poller in pollers:
                poller.stop()
            await asyncio.gather(*(pool.close() for pool in pools.values()))
            runtime.should_exit = runtime.force_exit = front.should_exit = front.force_exit = True
            await asyncio.wait(tasks[:2], timeout=3)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._fault is not None:
            raise self._fault

    async def _warm(self, pools: list[WorkerPool]) -> None:
        """Start one worker of each, two at a time: more would only slow each other down."""
        for first in range(0, len(pools), 2):
            pair = pools[first : first + 2]
            for pool in pair:
                pool.warm()
            for pool in pair:
                ready = asyncio.ensure_future(pool.ready())
                stopped = asyncio.ensure_future(self._stop.wait())
                await asyncio.wait({ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
                ready.cancel()
                stopped.cancel()
            if self._stop.is_set():
                return
        tell("warm", workers=len(pools))

    def _guarded(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        """Run a part of the host that may not end by itself."""
        task = asyncio.get_running_loop().create_task(work, name=what)

        def ended(done: asyncio.Task[None]) -> None:
            if not done.cancelled() and (fault := done.exception()) is not None:
                self.fail(fault, what)

        task.add_done_callback(ended)
        return task


def _server(app: RuntimeApi | Front) -> _Server:
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
        backlog=BACKLOG,
    )
    return _Server(config)


def _front_socket(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


async def serve(config: HostConfig) -> None:
    """Run a host until SIGINT, SIGTERM or the end of standard input."""
    host = Host(config)
    loop = asyncio.get_running_loop()
    for asked in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(asked, host.stop)

    def watch_parent() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass  # nobody writes there
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(host.stop)

    def thread_broke(raised: threading.ExceptHookArgs) -> None:
        if raised.exc_value is not None and not loop.is_closed():
            name = raised.thread.name if raised.thread else "thread"
            loop.call_soon_threadsafe(host.fail, raised.exc_value, name)

    threading.excepthook = thread_broke
    threading.Thread(target=watch_parent, name="parent watch", daemon=True).start()
    await host.run()
    tell("stopped")
