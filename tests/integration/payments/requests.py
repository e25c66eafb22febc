"""Count what a use case asks of DynamoDB, where it really leaves the client."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from payfirst.storage.dynamodb.table import Table


@dataclass(slots=True)
class Requests:
    """The operations in the order of their sending, and how many had to wait for another one's answer."""

    operations: list[str] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)

    @property
    def counted(self) -> Counter[str]:
        return Counter(self.operations)

    @property
    def rounds(self) -> int:
        """The longest chain of requests that each began after the one before had ended."""
        last_end, rounds = float("-inf"), 0
        for begun, ended in sorted(self.spans, key=lambda span: span[1]):
            if begun >= last_end:
                rounds, last_end = rounds + 1, ended
        return rounds


@contextmanager
def counted(table: Table, *, each_takes_s: float = 0.0) -> Iterator[Requests]:
    """Everything that `table`'s client sends inside the block.

    Where rounds are counted each request has to take its time: those sent side by side then overlap on a busy machine as well.
    """
    seen = Requests()
    events = table.client.meta.events

    def sent(model: Any, context: Any, **_: Any) -> None:
        context["began"] = time.monotonic()
        seen.operations.append(model.name)
        time.sleep(each_takes_s)

    def answered(model: Any, context: Any, **_: Any) -> None:
        del model
        seen.spans.append((context["began"], time.monotonic()))

    events.register("before-call.dynamodb", sent)
    events.register("after-call.dynamodb", answered)
    try:
        yield seen
    finally:
        events.unregister("before-call.dynamodb", sent)
        events.unregister("after-call.dynamodb", answered)
