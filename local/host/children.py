"""Child processes that do not outlive the process that started them."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def _dying_with_parent() -> Callable[[], None] | None:
    """Called in a new child before its program starts: Linux then ends it when the thread that made it ends."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return ask


DIE_WITH_PARENT: Final = _dying_with_parent()
"""For `preexec_fn`; None where the system has no such wish: there the closed pipes and sockets end the children."""
