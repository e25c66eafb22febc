"""Logs as facts with keys, one line for each outcome; never a body, a token or a whole phone number."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """This process's logger; JSON lines on standard output, with the function's name and the request's id if there is one."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "payfirst")
    return Logger(service="payfirst", location=None, use_rfc3339=True, function=function)


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
    """Counts of one run as CloudWatch metrics, by function, in the namespace PayFirst; the log carries them."""
    from aws_lambda_powertools import Metrics  # noqa: PLC0415 - only the functions of the schedules count
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

    metrics = Metrics(namespace="PayFirst", service=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "payfirst"))
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    metrics.flush_metrics()
