"""`python -m local.host`: one line of JSON on standard input says what to serve."""

from __future__ import annotations

import asyncio
import os
import sys

from local.host.config import HostConfig
from local.host.server import serve
from local.host.tell import tell
from ops.resolve import TemplateError


def main() -> int:
    """Serve until asked to stop; the exit status."""
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as line:
        config = HostConfig.from_json(line.readline().decode())
    try:
        asyncio.run(serve(config))
    except (TemplateError, OSError) as exc:
        tell("problem", text=str(exc))
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # poller threads may still wait for SQS; they hold nothing that needs an end
