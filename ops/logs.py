"""Where the log of what runs in this process goes: to standard error for who asks for it, and nowhere else."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

VARIABLE: Final = "PAYFIRST_LOG"


def asked_for(*, verbose: bool) -> bool:
    """Whether this command's log is wanted: by `--verbose`, or by `PAYFIRST_LOG` with anything but 0 or nothing in it."""
    return verbose or os.environ.get(VARIABLE, "0") not in ("", "0")


@contextmanager
def aside(*, shown: bool) -> Iterator[None]:
    """While the block runs the package's log goes to standard error if it is to be `shown`, and never to standard output."""
    from payfirst.observability import logger  # noqa: PLC0415 - not for `--help`

    log = logging.getLogger(logger().name)
    before = log.handlers[:]
    handler: logging.Handler = logging.StreamHandler(sys.stderr) if shown else logging.NullHandler()
    handler.setFormatter(before[0].formatter if before else None)
    log.handlers[:] = [handler]
    try:
        yield
    finally:
        added, log.handlers[:] = log.handlers[:], before
        for each in added:
            each.close()
