"""Logs as facts with keys, one line for each outcome, and traces; never a body, a token or a whole phone number."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from payfirst.settings import Watching, settings

Lambda = Callable[[dict[str, Any], Any], dict[str, Any]]
"""What Lambda calls, with an event and its context."""


@cache
def logger() -> Logger:
    """This process's logger; JSON lines on standard output, with the facts of the run if there is one."""
    return Logger(service="payfirst", location=None, use_rfc3339=True)


def observed(handler: Lambda) -> Lambda:
    """`handler`, of whose runs each line of log has the function's name, `function_request_id` and `cold_start`.

    Its calls to AWS are subsegments where the stack is traced. The event is never logged, whatever the environment asks for.
    """
    _recorder()
    decorated: Lambda = logger().inject_lambda_context(handler, log_event=False, clear_state=True)
    return decorated


@cache
def _recorder() -> Any:  # noqa: ANN401 - X-Ray's recorder has no type
    """What writes subsegments, from now on for each call to AWS; None where the stack is not traced, which costs no import."""
    if os.environ.get("POWERTOOLS_TRACE_DISABLED") != "false":
        return None
    from payfirst.tracing import recorder  # noqa: PLC0415 - only a traced stack pays for it

    return recorder()


@contextmanager
def call_to(host: str) -> Iterator[Callable[[int], None]]:
    """A subsegment, where the stack is traced, of one call to a host outside AWS; what it gives takes the answer's status.

    Host and status are all that it tells: a path may carry a token, and a body a phone number.
    """
    if _recorder() is None:
        yield lambda _: None
        return
    with _recorder().in_subsegment(host, namespace="remote") as part:
        yield lambda status: part.put_http_meta("status", status)


def note(event: str, **facts: Any) -> None:  # noqa: ANN401 - facts are whatever JSON can hold
    """One fact for the log: `event` is its stable name (`order.created`), `facts` its keys."""
    logger().info(event, extra={"event": event, **facts})


def warn(event: str, **facts: Any) -> None:  # noqa: ANN401
    """A fact that somebody may want to look at."""
    logger().warning(event, extra={"event": event, **facts})


def alarm(event: str, **facts: Any) -> None:  # noqa: ANN401
    """A fact that an operator has to act upon; with the exception that is being handled, if one is."""
    logger().error(event, extra={"event": event, **facts}, exc_info=sys.exc_info()[0] is not None)


def measure(**counts: int) -> None:
    """Counts of one run as CloudWatch metrics, by function, in the namespace PayFirst; the log carries them.

    Each costs money from its first value on, so a shop that is watched by what AWS counts anyway gives none.
    """
    if settings().watching is Watching.SMALL:
        return
    from aws_lambda_powertools import Metrics  # noqa: PLC0415 - only the functions of the schedules count
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

    metrics = Metrics(namespace="PayFirst", service=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "payfirst"))
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    metrics.flush_metrics()
