"""Clients of AWS, made by botocore alone: boto3 around it does nothing for a client.

What making one imports is imported with this module: a function's start has more of a processor than its first answer.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Final

from botocore.config import Config
from botocore.session import Session, get_session

_MAKING: Final = threading.Lock()
"""Clients serve any number of threads; a session makes one at a time."""


@cache
def _session() -> Session:
    return get_session()


def client(service: str, *, connect_s: float, read_s: float, tries: int = 1) -> Any:  # noqa: ANN401 - made at run time
    """A client of `service` with the process's own region and credentials. A try that is not answered within `read_s` seconds
    is given up, and made at most `tries` times."""
    retries: Any = {"mode": "standard", "total_max_attempts": tries}
    with _MAKING:
        return _session().create_client(service, config=Config(connect_timeout=connect_s, read_timeout=read_s, retries=retries))
