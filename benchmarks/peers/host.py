"""A process that is one peer: it is told requests in batches, answers them one after another, and says what that took.

    python -m benchmarks.peers.host NAME

Only the answering is measured: requests are made ready before it and answers are read after it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from typing import Any, Protocol

from benchmarks.walk import Ask, Customer


class Peer(Protocol):
    """One way to build the shop; what is between `prepare` and `read` is the peer's own."""

    def prepare(self, ask: Ask) -> Any:
        """The request as the peer's framework gets it from its server."""

    def serve(self, request: Any) -> Any:
        """Answer it."""

    def read(self, answer: Any) -> tuple[int, Any]:
        """The status and the JSON body of an answer."""


def ask_of(told: dict[str, Any]) -> Ask:
    """A request as it came in JSON."""
    customer = Customer(**told["customer"]) if told["customer"] else None
    return Ask(**{**told, "customer": customer})


def measured(peer: Peer, asks: list[Ask]) -> dict[str, Any]:
    """The answers, nanoseconds of user and system time of this process for all of them, and of the wall for each."""
    requests = [peer.prepare(ask) for ask in asks]
    answers, walls = [], []
    gc.collect()
    began = time.process_time_ns()
    for request in requests:
        start = time.perf_counter_ns()
        answers.append(peer.serve(request))
        walls.append(time.perf_counter_ns() - start)
    cpu = time.process_time_ns() - began
    return {"cpu": cpu, "walls": walls, "answers": [peer.read(answer) for answer in answers]}


def main() -> None:
    """Answer lines until the input ends."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    peer: Peer = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}").make()
    for line in sys.stdin:
        print(json.dumps(measured(peer, [ask_of(one) for one in json.loads(line)["asks"]])), file=told, flush=True)


if __name__ == "__main__":
    main()
