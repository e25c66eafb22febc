"""A token store in memory that keeps the promises of the shared one, and counts what it is asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from payfirst.gateways.base import StoredToken


@dataclass(slots=True)
class MemoryTokenStore:
    """One token and one lease per gateway; a write without the lease is an error that the test must see."""

    tokens: dict[str, StoredToken] = field(default_factory=dict)
    leases: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, gateway: str) -> StoredToken | None:
        with self.lock:
            self.reads += 1
            return self.tokens.get(gateway)

    def lease(self, gateway: str, *, owner: str, now: datetime, until: datetime) -> bool:
        with self.lock:
            holder = self.leases.get(gateway)
            if holder is not None and holder[0] != owner and now < holder[1]:
                return False
            self.leases[gateway] = (owner, until)
            return True

    def write(self, gateway: str, token: StoredToken, *, owner: str) -> None:
        with self.lock:
            assert self.leases[gateway][0] == owner, "only the holder of the lease may share a token"
            del self.leases[gateway]
            self.tokens[gateway] = token
            self.writes += 1
